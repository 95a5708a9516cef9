"""Two texts compared word by word, without hashes: what a match must show to be believed."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Overlap:
    """What a text shares with another, in shingles of `n` words and in its longest run.

    Attributes:
        containment: share of the first text's shingles that the other has; 0 if it has none.
        jaccard: shingles of both over shingles of either.
        run: words of the longest run that stands in both.
        run_share: the same as a share of the first text.
    """

    containment: float
    jaccard: float
    run: int
    run_share: float


def overlap(first: Sequence[str], second: Sequence[str], n: int = 5) -> Overlap:
    """Compare two texts given as words."""
    from difflib import SequenceMatcher

    ours, theirs = shingles(first, n), shingles(second, n)
    both, either = len(ours & theirs), len(ours | theirs)
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    run = matcher.find_longest_match(0, len(first), 0, len(second)).size
    return Overlap(
        both / len(ours) if ours else 0.0,
        both / either if either else 0.0,
        run,
        run / len(first) if first else 0.0,
    )


def shingles(words: Sequence[str], n: int) -> set[tuple[str, ...]]:
    """The different runs of `n` words of a text."""
    return {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}


def holds(text: str, part: str) -> bool:
    """Whether normalised `text` has `part` in it as whole words."""
    return bool(part) and f" {part} " in f" {text} "


def shares_run(text: str, words: Sequence[str], n: int, counts: Sequence[bool], k: int) -> bool:
    """Whether normalised `text` has a run of `n` of the words, or more, of which `k` count."""
    ours = [place for place, one in enumerate(counts) if one]
    for first in range(len(words)):
        ours = [place for place in ours if place >= first]
        if len(ours) < k:
            return False
        last = max(first + n, ours[k - 1] + 1 if k else 0)
        if last <= len(words) and holds(text, " ".join(words[first:last])):
            return True
    return False


def lsh_recall(similarity: float, bands: int, rows: int) -> float:
    """Chance that MinHash LSH finds a pair of this Jaccard index; an exact join finds all.

    Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, chapter 3.
    """
    return float(1 - (1 - similarity**rows) ** bands)


def lsh_threshold(bands: int, rows: int) -> float:
    """The Jaccard index around which MinHash LSH begins to find pairs, `(1 / bands)^(1 / rows)`."""
    return float((1 / bands) ** (1 / rows))
