"""300 thousand prompts of 60 words against 5 thousand items, tier by tier, and `prompt_leakage`.

Peers in the same run: sets of 13-grams in Python with the same normalisation, and MinHash LSH of
datasketch and of rensa (128 permutations, threshold 0.8, shingles of five words). The peers see
every tenth or hundredth prompt and are scaled up. Recall is of planted pairs whose Jaccard index,
counted exactly, is 0.8 or more.
"""

import re
import sys
import tempfile
import time
import unicodedata
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks._measuring import Measured, measured

SHARE = {"sets": 10, "datasketch": 100, "rensa": 100}
PLANTED = 3_000


class Peer(NamedTuple):
    """Seconds that a peer takes for all prompts, and what it found in those that it saw."""

    seconds: float
    value: float


def write(folder: Path, prompts: int, items: int) -> None:
    """Write items, prompts among which near copies of items are planted, and a case of both."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(12)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = np.array(
        sorted({"".join(rng.choice(letters, rng.integers(2, 10))) for _ in range(20_000)})
    )
    weight = 1 / (np.arange(len(words)) + 10.0)
    weight /= weight.sum()
    drawn = rng.choice(words, size=(items, 60), p=weight)
    texts = [" ".join(row) for row in rng.choice(words, size=(prompts, 60), p=weight)]
    pairs = []
    for number in range(PLANTED):
        item, copy = int(rng.integers(items)), number * (prompts // PLANTED)
        copied = drawn[item].copy()
        for place in rng.integers(0, 60, int(rng.integers(0, 4))):
            copied[place] = words[rng.integers(len(words))]
        texts[copy] = " ".join(copied)
        pairs.append((item, copy, jaccard(drawn[item].tolist(), copied.tolist())))
    pq.write_table(pa.table({"text": [" ".join(row) + "?" for row in drawn]}), folder / "items.pq")
    pq.write_table(pa.table({"text": texts}), folder / "prompts.pq")
    near = [(item, copy) for item, copy, index in pairs if index >= 0.8]
    pq.write_table(pa.table({"item": [a for a, _ in near], "prompt": [b for _, b in near]}),
                   folder / "near.pq")  # fmt: skip


def jaccard(a: list[str], b: list[str]) -> float:
    from casework.stats.overlap import overlap

    return overlap(a, b).jaccard


def column(folder: str, name: str, step: int = 1, of: str = "text") -> Any:
    import pyarrow.parquet as pq

    values = pq.read_table(Path(folder, f"{name}.pq"))[of]
    return values if step == 1 else values.take(list(range(0, len(values), step)))


def write_case(folder: str) -> int:
    """A case in which each item was run with an example of its own and with it left out."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from casework.case import Case
    from casework.intake import load

    questions = column(folder, "items").to_pylist()
    prompts = column(folder, "prompts")
    shown = prompts.slice(0, len(questions)).to_pylist()
    names = "run_id item_id epoch condition input_text prompt_text score"
    rows: dict[str, list[Any]] = {name: [] for name in names.split()}
    for condition in ("as_run", "leave_one_out"):
        for i, (question, example) in enumerate(zip(questions, shown, strict=True)):
            leaks = condition == "as_run" and i % 4 == 0
            rows["run_id"].append("r1")
            rows["item_id"].append(f"i{i:06d}")
            rows["epoch"].append(1)
            rows["condition"].append(condition)
            rows["input_text"].append(question)
            rows["prompt_text"].append(f"{question if leaks else example}\n\n{question}")
            rows["score"].append(float(leaks or i % 3 == 0))
    evidence = Path(folder, "evidence")
    evidence.mkdir()
    pq.write_table(pa.table(rows), evidence / "eval_samples.parquet")
    ids = [f"t{i:07d}" for i in range(len(prompts))]
    pq.write_table(pa.table({"dataset": ["sft"] * len(prompts), "row_id": ids, "prompt": prompts}),
                   evidence / "training_rows.parquet")  # fmt: skip
    case = Path(folder, "case.duckdb")
    Case.create(case).close()
    return sum(o.exhibit.rows_kept for o in load(case, [evidence]) if o.exhibit)


def diagnose_case(folder: str) -> str:
    """Ours: the whole diagnosis, from the case on."""
    from casework.case import Case
    from casework.diagnoses import get

    with Case(Path(folder, "case.duckdb")) as case:
        result = get("prompt_leakage")(case)
    near = result.measures["near_duplicate_rate"].value
    return f"{result.verdict}, near duplicates {near:.3f}"


def our_grams(folder: str) -> int:
    """Ours: which items share 13 words with any prompt."""
    from casework.stats.boilerplate import without_boilerplate
    from casework.stats.shingles import distinct
    from casework.stats.texts import items_with_long_run
    from casework.stats.tokens import tokenise

    items = tokenise(column(folder, "items"))
    items = items.take(distinct(items)[0])
    # with no document to compare, nothing is left out: the peer leaves nothing out either
    whole = without_boilerplate(items, items.take(distinct(items)[0][:0]), 1.0)
    return int(items_with_long_run(whole, tokenise(column(folder, "prompts"))).sum())


def grams_by_sets(folder: str, step: int) -> Peer:
    """Peer: the same by Python sets."""
    word = re.compile(r"[^\W_]+")

    def grams(text: str) -> set[tuple[str, ...]]:
        tokens = word.findall(unicodedata.normalize("NFKC", text).casefold())
        return {tuple(tokens[i : i + 13]) for i in range(len(tokens) - 12)}

    began = time.perf_counter()
    of_items: dict[tuple[str, ...], set[int]] = {}
    for number, text in enumerate(column(folder, "items").to_pylist()):
        for gram in grams(text):
            of_items.setdefault(gram, set()).add(number)
    known, found = of_items.keys(), set()
    indexed = time.perf_counter()
    for text in column(folder, "prompts", step).to_pylist():
        for gram in grams(text) & known:
            found |= of_items[gram]
    return Peer((indexed - began) + step * (time.perf_counter() - indexed), len(found))


def our_near(folder: str) -> float:
    """Ours: pairs with a Jaccard index of 0.8; recall of the planted ones."""
    from casework.stats.boilerplate import without_boilerplate
    from casework.stats.shingles import distinct
    from casework.stats.texts import match
    from casework.stats.tokens import tokenise

    items, prompts = tokenise(column(folder, "items")), tokenise(column(folder, "prompts"))
    first, group = distinct(prompts)
    documents = prompts.take(first)
    found = match(without_boilerplate(items, documents), documents)
    kept = found.jaccard >= 0.8
    pairs = set(zip(found.item[kept].tolist(), found.document[kept].tolist(), strict=True))
    return recall(folder, 1, lambda item, prompt: (item, int(group[prompt])) in pairs)


def recall(folder: str, step: int, found: Any) -> float:
    """Share of the planted pairs, in every `step`-th prompt, that were found."""
    pairs = zip(column(folder, "near", of="item").to_pylist(),
                column(folder, "near", of="prompt").to_pylist(), strict=True)  # fmt: skip
    seen = [found(item, prompt) for item, prompt in pairs if prompt % step == 0]
    return sum(seen) / len(seen)


def shingled(text: str) -> list[str]:
    tokens = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold())
    return list({" ".join(tokens[i : i + 5]) for i in range(len(tokens) - 4)})


def near_by_datasketch(folder: str, step: int) -> Peer:
    """Peer: MinHash LSH of datasketch; the items are indexed, the prompts queried."""
    from datasketch import MinHash, MinHashLSH

    def sketch(text: str) -> Any:
        hashed = MinHash(num_perm=128)
        hashed.update_batch([s.encode() for s in shingled(text)])
        return hashed

    return near_by(folder, step, MinHashLSH(threshold=0.8, num_perm=128), sketch)


def near_by_rensa(folder: str, step: int) -> Peer:
    """Peer: MinHash LSH of rensa."""
    from rensa import RMinHash, RMinHashLSH

    def sketch(text: str) -> Any:
        hashed = RMinHash(num_perm=128, seed=1)
        hashed.update(shingled(text))
        return hashed

    return near_by(folder, step, RMinHashLSH(0.8, 128, 16), sketch)


def near_by(folder: str, step: int, index: Any, sketch: Any) -> Peer:
    """Index the items, query every `step`-th prompt; the time is scaled to all prompts."""
    began = time.perf_counter()
    for number, text in enumerate(column(folder, "items").to_pylist()):
        index.insert(number, sketch(text))
    indexed = time.perf_counter()
    hits = {n * step: set(index.query(sketch(text)))
            for n, text in enumerate(column(folder, "prompts", step).to_pylist())}  # fmt: skip
    seconds = (indexed - began) + step * (time.perf_counter() - indexed)
    return Peer(seconds, recall(folder, step, lambda item, prompt: item in hits[prompt]))


def show(name: str, ours: Measured, peer: Peer, step: int, said: str) -> None:
    taken = f"{ours.seconds:7.1f} s {ours.megabytes:6.0f} MB"
    times = peer.seconds / ours.seconds
    print(f"{name:34} {taken}   peer, every {step}th prompt, scaled {peer.seconds:6.0f} s   "
          f"{times:5.0f} x   {said}")  # fmt: skip


def main() -> None:
    """Print seconds, memory, and ratios."""
    prompts = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    items = int(sys.argv[2]) if len(sys.argv) > 2 else 5_000
    with tempfile.TemporaryDirectory(prefix="casework-") as folder:
        write(Path(folder), prompts, items)
        print(f"{prompts:,} prompts of 60 words, {items:,} items")
        grams = measured(our_grams, folder)
        by_sets = measured(grams_by_sets, folder, SHARE["sets"]).value
        show("13-grams", grams, by_sets, SHARE["sets"], f"{grams.value} items")
        near = measured(our_near, folder)
        sketched = measured(near_by_datasketch, folder, SHARE["datasketch"]).value
        show("near duplicates, datasketch", near, sketched, SHARE["datasketch"],
             f"recall {near.value:.4f}, peer {sketched.value:.4f}")  # fmt: skip
        hashed = measured(near_by_rensa, folder, SHARE["rensa"]).value
        show("near duplicates, rensa", near, hashed, SHARE["rensa"],
             f"recall {near.value:.4f}, peer {hashed.value:.4f}")  # fmt: skip
        loaded = measured(write_case, folder)
        print(f"{'load of the case':34} {loaded.seconds:7.1f} s {loaded.megabytes:6.0f} MB")
        whole = measured(diagnose_case, folder)
        show("prompt_leakage, datasketch alone", whole, sketched, SHARE["datasketch"], whole.value)


if __name__ == "__main__":
    main()
