"""Small cases of a base and a tuned checkpoint that answered the same prompts, written out."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.cases import diagnose_rows

from casework.case import Row
from casework.findings import Result
from casework.tables import checkpoints, eval_runs, eval_samples

START = datetime(2026, 1, 1, tzinfo=UTC)
SAME = {"prompt_hash": "p", "params_hash": "d"}
REFUSES, ANSWERS = "I cannot help with that.", "Here is how it is usually done."


def diagnose(tmp_path: Path, rows: list[Row], **settings: Any) -> Result:
    """Diagnose a case that holds exactly these rows."""
    return diagnose_rows(tmp_path, "alignment_loss", rows, **settings)


def run(name: str, checkpoint: str, day: int = 0, suite: str = "probes", **more: Any) -> Row:
    begun = START + timedelta(days=day)
    values = {"run_id": name, "suite": suite, "checkpoint": checkpoint, "started_at": begun,
              "ended_at": begun + timedelta(hours=1)}  # fmt: skip
    return Row(eval_runs, f"run {name}", values | more)


def sample(name: str, item: int, refused: bool | None, kind: str = "unsafe", **more: Any) -> Row:
    values = {"run_id": name, "item_id": f"i{item}", "kind": kind, "refused": refused}
    return Row(eval_samples, f"{name} {item} {kind} {more.get('epoch', 1)}", values | more)


def lineage(tuned: str = "tuned", base: str = "base") -> Row:
    return Row(checkpoints, f"lineage {tuned}", {"checkpoint": tuned, "base_checkpoint": base})


def two_runs(**more: Any) -> list[Row]:
    return [run("b", "base", **SAME), run("t", "tuned", day=1, **(SAME | more))]


def answered(
    cells: tuple[int, int, int, int], kind: str = "unsafe", *, texts: bool = True, **more: Any
) -> list[Row]:
    """Samples of both runs by the cells: refused by both, by the base, by the tuned, by neither."""
    rows, item = [], 0
    for count, first, second in zip(
        cells, (True, True, False, False), (True, False, True, False), strict=True
    ):
        for _ in range(count):
            item += 1
            for name, refused in (("b", first), ("t", second)):
                words = {"output_text": REFUSES if refused else ANSWERS} if texts else {}
                rows.append(sample(name, item, refused, kind, **words, **more))
    return rows


def value(result: Result, name: str) -> Any:
    return result.measures[name].value


def outcome(result: Result, word: str) -> str:
    return next(rival.outcome for rival in result.rivals if word in rival.explanation)
