"""Small cases of evals with examples in their prompts, for tests."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
from fixtures.formats.tables import Columns
from tests.cases import empty_case, load_tables

from casework.case import Case
from casework.diagnoses import get
from casework.findings import Result, Rival

WORDS = [
    f"{a}{b}" for a in ("ba", "ke", "li", "mo", "nu", "ra") for b in ("dan", "fel", "gim", "tor")
]


def rival(result: Result, beginning: str) -> Rival:
    return next(r for r in result.rivals if r.explanation.startswith(beginning))


def value(result: Result, name: str) -> Any:
    return result.measures[name].value


def diagnose_columns(folder: Path, tables: dict[str, Columns], **settings: object) -> Result:
    """Diagnose a case of these tables, each a mapping of columns."""
    place = Path(mkdtemp(dir=folder))
    case = place / "case.duckdb"
    case.write_bytes(empty_case())
    load_tables(case, **tables)
    with Case(case) as opened:
        return get("prompt_leakage")(opened, **settings)


def texts(seed: int, n: int, words: int = 14) -> list[str]:
    rng = np.random.default_rng(seed)
    return [f"{' '.join(rng.choice(WORDS, words))} n{i}" for i in range(n)]


def samples(
    questions: list[str], prompts: list[str | None] | None = None, condition: str = "as_run",
    scores: Sequence[float | None] | None = None, **more: list[Any],
) -> dict[str, list[Any]]:  # fmt: skip
    n = len(questions)
    columns: dict[str, list[Any]] = {
        "run_id": ["r1"] * n, "item_id": [f"i{k}" for k in range(n)], "epoch": [1] * n,
        "condition": [condition] * n, "input_text": questions,
    }  # fmt: skip
    columns |= {"prompt_text": prompts} if prompts else {}
    return columns | ({"score": list(scores)} if scores else {}) | more


def joined(*parts: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {name: [x for part in parts for x in part[name]] for name in parts[0]}


def bank(examples: list[str], **more: list[Any]) -> dict[str, list[Any]]:
    n = len(examples)
    ids = [f"e{k}" for k in range(n)]
    return {"bank": ["b"] * n, "exemplar_id": ids, "text": examples, **more}


def beside(questions: list[str], shown: list[str]) -> list[str | None]:
    """Prompts that show one text each before they state the question."""
    return [f"Q: {own}\nA: yes\n\nQ: {q}\nA:" for q, own in zip(questions, shown, strict=True)]


def alone(questions: list[str]) -> list[str | None]:
    return [f"Q: {q}\nA:" for q in questions]


def of_runs(
    questions: list[str], leaked: int, as_run: list[float | None], left_out: list[float | None]
) -> dict[str, list[Any]]:
    """Samples of a run in which the first items leaked, and of its rerun without examples."""
    others = texts(999, len(questions))
    shown = [*questions[:leaked], *others[leaked:]]
    return joined(
        samples(questions, beside(questions, shown), scores=as_run),
        samples(questions, alone(questions), "leave_one_out", left_out),
    )
