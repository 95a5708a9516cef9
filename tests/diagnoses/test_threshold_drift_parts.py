"""What `threshold_drift` says beside its verdict: parts of the drops, ties, judgments that lack."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pytest
from tests.diagnoses.conftest import Diagnose, Diagnosed, Rows

from casework.findings import Result


@pytest.fixture
def diagnose(diagnose_tables: Diagnose) -> Diagnose:
    return partial(diagnose_tables, "threshold_drift")


def parts(result: Result) -> dict[str, Mapping[str, Any]]:
    rows = result.measures["drop_parts"].value
    names = ("pairs", "documents", "queries")
    return dict(zip(names, rows, strict=True))


@pytest.fixture(scope="module")
def planted(diagnosed: Diagnosed) -> Result:
    result, _ = diagnosed("threshold_drift.planted", 21)
    return result


def test_most_of_the_drops_are_of_the_documents_that_moved(planted: Result) -> None:
    found, change = parts(planted), planted.measures["drop_change"].value
    assert sum(part["change"] for part in found.values()) == pytest.approx(change)
    assert found["documents"]["change"] > 0.7 * change
    assert found["documents"]["low"] > 0
    assert found["pairs"] == {"part": "the same pairs, scored otherwise", "change": 0,
                              "low": 0, "high": 0}  # fmt: skip
    assert any("made up of" in finding.statement for finding in planted.findings)


def log(*, gate: float = 0.4, lists: Mapping[str, list[tuple[str, float, float | None]]]) -> Rows:
    """Lists of (document, score before, score after) by query; None where it is not offered."""
    rows: Rows = {name: [] for name in ("query_id", "doc_id", "occurred_at", "embedding_model",
                  "rerank_score", "threshold")}  # fmt: skip
    for query, documents in lists.items():
        for document, *scores in documents:
            for period, score in enumerate(scores):
                if score is None:
                    continue
                rows["query_id"].append(query)
                rows["doc_id"].append(document)
                rows["occurred_at"].append(f"2026-01-{1 + 10 * period:02}T10:00:00Z")
                rows["embedding_model"].append("ab"[period])
                rows["rerank_score"].append(score)
                rows["threshold"].append(gate)
    return rows


def test_parts_are_counted_by_pair_document_and_query(diagnose: Diagnose) -> None:
    """Of each 40 queries: one pair falls below the gate; one document gives way to a low one."""
    lists: dict[str, list[tuple[str, float | None, float | None]]] = {}
    for q in range(40):
        lists[f"a{q}"] = [("d1", 0.6, 0.2), ("d2", 0.5, 0.5), ("d3", 0.1, 0.1), ("d4", 0.9, 0.9)]
        lists[f"b{q}"] = [("d1", 0.6, None), ("d2", None, 0.2), ("d3", 0.1, 0.1), ("d4", 0.9, 0.9)]
    lists["b0"].append(("d5", 0.7, 0.7))
    result = diagnose(candidates=log(lists=lists))  # type: ignore[arg-type]
    found = parts(result)
    change = result.measures["drop_change"].value
    assert found["pairs"]["change"] == pytest.approx(40 / 281)
    assert found["documents"]["change"] == pytest.approx(40 / 281)
    assert found["queries"]["change"] == pytest.approx(change - 80 / 281, abs=1e-6)


def test_queries_of_one_period_are_other_queries(diagnose: Diagnose) -> None:
    lists = {f"q{q}": [("d1", 0.6, 0.6), ("d2", 0.2, 0.2)] for q in range(20)}
    lists |= {f"old{q}": [("d1", 0.6, None), ("d2", 0.7, None)] for q in range(20)}
    lists |= {f"new{q}": [("d1", None, 0.1), ("d2", None, 0.2)] for q in range(20)}
    found = parts(diagnose(candidates=log(lists=lists)))  # type: ignore[arg-type]
    assert found["queries"]["change"] == pytest.approx(0.5)
    assert [found[name]["change"] for name in ("pairs", "documents")] == [0.0, 0.0]


def test_a_tie_at_the_restoring_threshold_is_told_both_ways(diagnose: Diagnose) -> None:
    scores = [0.1, 0.3, 0.5, 0.5, 0.5, 0.8]
    lists = {f"q{q}": [(f"d{i}", s, s - 0.2) for i, s in enumerate(scores)] for q in range(40)}
    lists |= {"other": [("d0", 0.9, 0.05)]}
    result = diagnose(candidates=log(lists=lists))  # type: ignore[arg-type]
    (told,) = [f.statement for f in result.findings if "as large a share pass" in f.statement]
    assert "Scores tie there: it lets" in told
    stricter = result.measures["restoring_threshold_stricter"].value
    assert stricter > result.measures["restoring_threshold"].value


def test_without_ties_none_is_told(planted: Result) -> None:
    assert not any("tie" in finding.statement for finding in planted.findings)


def test_the_threshold_of_the_same_trade_is_told(planted: Result, diagnosed: Diagnosed) -> None:
    _, truth = diagnosed("threshold_drift.planted", 21)
    found, chance = (planted.measures[x] for x in ("utility_threshold", "marginal_relevance"))
    assert found.ci95 is not None
    assert found.ci95[0] <= truth.numbers["restoring_threshold"] <= found.ci95[1]
    assert found.evidence in {evidence.id for evidence in planted.evidence}
    assert chance.ci95 is not None
    assert 0 < chance.ci95[0] < chance.value < chance.ci95[1] < 1


def test_few_judgments_near_the_threshold_of_the_precision_are_told(diagnose: Diagnose) -> None:
    """Enough are judged in all, and nearly all of them far from any threshold."""
    rng = np.random.default_rng(1)
    lists: dict[str, list[tuple[str, float, float]]] = {}
    for q in range(60):
        scores = (*rng.uniform(0.05, 0.1, 4), 0.42, *rng.uniform(0.9, 1, 4))
        lists[f"q{q}"] = [(f"d{i}", float(s), float(s) - 0.05) for i, s in enumerate(scores)]
    rows = log(lists=lists)
    judged: Rows = {"query_id": [], "doc_id": [], "grade": []}
    seen: set[tuple[str, str]] = set()
    for query, document, score in zip(rows["query_id"], rows["doc_id"], rows["rerank_score"],
                                      strict=True):  # fmt: skip
        if (query, document) in seen or document in ("d0", "d1", "d2"):
            continue
        seen.add((query, document))
        judged["query_id"].append(query)
        judged["doc_id"].append(document)
        judged["grade"].append(int(score > 0.9 or (score > 0.4 and int(query[1:]) % 2)))
    result = diagnose(candidates=rows, judgments=judged)
    near = result.measures["judged_near_threshold"].value
    assert near < 200
    assert any(f"rests on {near} judgments" in limit for limit in result.limits)
