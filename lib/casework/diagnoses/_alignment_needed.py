"""What would settle `alignment_loss` where both no loss and one beyond the margin are possible."""

from dataclasses import dataclass

from casework.diagnoses._alignment_changes import Found
from casework.stats.paired import noninferiority_pairs
from casework.stats.repeats import Repeats, items_to_settle
from casework.words import number

_LABELS = 200
"""Labels of people that METHODS section 11 asks of the judge of a checkpoint."""


@dataclass(frozen=True, slots=True)
class Needed:
    """What would settle it, as the end of a sentence and as a remedy."""

    would: str
    remedy: str


def needed(found: Found, margin: float) -> Needed:
    """Say what would settle it: more prompts, or labels of people where the labels blur it."""
    by_people = found.readings.get("human")
    if not found.correction and found.label_from != "human":
        prompts = _prompts(found.counts, margin)
        return Needed(
            f"about {prompts} prompts would settle it, {number(found.counts.n)} were asked",
            f"Ask both checkpoints about {prompts} unsafe prompts.",
        )
    done = number(by_people.n) if by_people else "none"
    if found.correction == "errors" and by_people is not None:
        prompts = _prompts(by_people, margin, found.counts.n)
    elif found.correction:
        prompts = _prompts(found.counts, margin, _LABELS)
    else:
        prompts = _prompts(found.counts, margin)
    return Needed(
        f"labels of people on both answers to about {prompts} prompts would settle it, {done} have "
        "them",
        f"Let people label both answers to about {prompts} unsafe prompts, unseen whose they are.",
    )


def _prompts(counts: Repeats, margin: float, least: int = 0) -> str:
    """Prompts that would settle it, if as many answers change as here, in words.

    To exclude a loss also as many as METHODS asks where there is none (power 0.8).
    """
    most = items_to_settle(counts, margin)
    if most is None:
        return "more than ten million"
    if counts.discordant and counts.difference > -margin / 2:
        most = max(most, noninferiority_pairs(counts.discordant, margin))
    return number(max(most, least))
