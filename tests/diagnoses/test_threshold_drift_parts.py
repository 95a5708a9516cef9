"""What `threshold_drift` says beside its verdict: parts of the drops, ties, judgments that lack."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
from tests.diagnoses.conftest import Diagnose, Diagnosed, Rows

from casework.findings import Result

Documents = Sequence[tuple[str, float | None, float | None]]


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


def log(*, gate: float = 0.4, lists: Mapping[str, Documents]) -> Rows:
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
    result = diagnose(candidates=log(lists=lists))
    found = parts(result)
    change = result.measures["drop_change"].value
    assert found["pairs"]["change"] == pytest.approx(40 / 281)
    assert found["documents"]["change"] == pytest.approx(40 / 281)
    assert found["queries"]["change"] == pytest.approx(change - 80 / 281, abs=1e-6)


def test_queries_of_one_period_are_other_queries(diagnose: Diagnose) -> None:
    lists: dict[str, Documents] = {f"q{q}": [("d1", 0.6, 0.6), ("d2", 0.2, 0.2)] for q in range(10)}
    lists |= {f"old{q}": [("d1", 0.6, None), ("d2", 0.7, None)] for q in range(30)}
    lists |= {f"new{q}": [("d1", None, 0.1), ("d2", None, 0.2)] for q in range(30)}
    result = diagnose(candidates=log(lists=lists))
    found = parts(result)
    assert found["queries"]["change"] == pytest.approx(0.75)
    assert [found[name]["change"] for name in ("pairs", "documents")] == [0.0, 0.0]
    (told,) = [f.statement for f in result.findings if "made up of" in f.statement]
    assert "asked in one period alone, 75 % before and 75 % after, count as other" in told


def test_where_no_query_was_asked_twice_nothing_is_split(diagnose: Diagnose) -> None:
    lists: dict[str, Documents] = {
        f"old{q}": [("d1", 0.6, None), ("d2", 0.45, None)] for q in range(30)
    }
    lists |= {f"new{q}": [("d1", None, 0.5), ("d2", None, 0.35)] for q in range(30)}
    result = diagnose(candidates=log(lists=lists))
    assert "drop_parts" not in result.measures
    assert not any("made up of" in f.statement for f in result.findings)


def test_a_tie_at_the_restoring_threshold_is_told_both_ways(diagnose: Diagnose) -> None:
    scores = [0.1, 0.3, 0.5, 0.5, 0.5, 0.8]
    lists = {f"q{q}": [(f"d{i}", s, s - 0.2) for i, s in enumerate(scores)] for q in range(40)}
    lists |= {"other": [("d0", 0.9, 0.05)]}
    result = diagnose(candidates=log(lists=lists))
    (told,) = [f.statement for f in result.findings if "as large a share pass" in f.statement]
    assert "Scores tie there: it lets" in told
    stricter = result.measures["restoring_threshold_stricter"].value
    assert stricter > result.measures["restoring_threshold"].value
    lists = {f"q{q}": [(f"d{i}", s, 0.3) for i, s in enumerate(scores)] for q in range(40)}
    result = diagnose(candidates=log(lists=lists))
    (told,) = [f.statement for f in result.findings if "as large a share pass" in f.statement]
    assert "it lets 100 % pass, and no score lies above; before it was 66.7 %" in told


def test_without_ties_none_is_told(planted: Result, diagnose: Diagnose) -> None:
    """Also where none lets as large a share pass: of 200 candidates 137 pass, before 205 of 300."""
    old = iter([*np.linspace(0.1, 0.3, 95), *np.linspace(0.5, 0.9, 205)])
    new = iter(np.linspace(0.05, 0.95, 200))
    lists = {f"q{q}": [(f"d{i}", next(old), next(new) if i < 2 else None) for i in range(3)]
             for q in range(100)}  # fmt: skip
    few = diagnose(candidates=log(lists=lists))
    assert few.measures["pass_rate_before"].value == pytest.approx(205 / 300)
    for result in (planted, few):
        assert not any("tie" in finding.statement for finding in result.findings)


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
    assert any(f"rests on {near} judged pairs" in limit for limit in result.limits)


def test_a_pair_that_is_offered_often_is_judged_once(diagnose: Diagnose) -> None:
    """12 queries of which 72 pairs are judged, asked 12 times in each period."""
    rng = np.random.default_rng(2)
    lists = {f"q{q}": [(f"d{i}", s, s - 0.05) for i, s in enumerate(rng.uniform(0.2, 0.8, 7))]
             for q in range(12)}  # fmt: skip
    once = log(lists=lists)
    rows = {name: values * 12 for name, values in once.items()}
    pairs = [(q, d) for q in lists for d in (f"d{i}" for i in range(1, 7))]
    judged: Rows = {"query_id": [q for q, _ in pairs], "doc_id": [d for _, d in pairs],
                    "grade": [int(lists[q][int(d[1:])][1] > 0.5) for q, d in pairs]}  # fmt: skip
    result = diagnose(candidates=rows, judgments=judged)
    assert result.measures["precision_threshold"].value is None
    assert "utility_threshold" not in result.measures
    assert any(limit.startswith("72 pairs of query and document of before were judged, and 72")
               for limit in result.limits)  # fmt: skip


def test_where_every_threshold_asks_more_that_is_told(diagnose: Diagnose) -> None:
    """The chance of relevance rises with the score: before from 4 % on, after from 60 % on."""
    rng = np.random.default_rng(4)
    lists: dict[str, list[tuple[str, float | None, float | None]]] = {}
    judged: Rows = {"query_id": [], "doc_id": [], "grade": []}
    for place in range(600):
        score = float(rng.uniform(0.2, 0.8))
        after = place % 2
        lists[f"q{place}"] = [("d", None, score) if after else ("d", score, None)]
        chance = (0.6 if after else 0.04) + 0.1 * score
        judged["query_id"].append(f"q{place}")
        judged["doc_id"].append("d")
        judged["grade"].append(int(rng.random() < chance))
    result = diagnose(candidates=log(lists=lists), judgments=judged)
    (said,) = [f.statement for f in result.findings if "just pass the threshold" in f.statement]
    assert "the ones that just pass are relevant more often at every score" in said


def test_lists_of_the_same_scores_in_another_order_do_not_differ(diagnose: Diagnose) -> None:
    rng = np.random.default_rng(6)
    lists = {}
    for q in range(40):
        scores = rng.uniform(0, 1, 9)
        lists[f"q{q}"] = [(f"d{i}", *pair) for i, pair in
                          enumerate(zip(scores, rng.permutation(scores), strict=True))]  # fmt: skip
    result = diagnose(candidates=log(lists=lists))
    drift = {row["column"]: row for row in result.measures["drift"].value}
    assert drift["mean_score"]["ks"] == drift["mean_score"]["wasserstein_sd"] == 0
