"""What `threshold_drift` must state, against planted numbers."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.formats.tables import write_table
from tests.cases import also, empty_case
from tests.diagnoses.conftest import Diagnose, Diagnosed, Rows

from casework.case import Case
from casework.diagnoses import get
from casework.errors import UsageError
from casework.findings import Result, Rival
from casework.intake import load


def rival(result: Result, beginning: str) -> Rival:
    return next(r for r in result.rivals if r.explanation.startswith(beginning))


@pytest.fixture(scope="module")
def planted(diagnosed: Diagnosed) -> Result:
    result, _ = diagnosed("threshold_drift.planted", 21)
    return result


def test_states_what_moved_and_what_restores_it(planted: Result, diagnosed: Diagnosed) -> None:
    _, truth = diagnosed("threshold_drift.planted", 21)
    found = {name: measure.value for name, measure in planted.measures.items()}
    assert planted.verdict == "confirmed"
    assert found["threshold"] == 0.4
    assert found["drop_ratio"] == pytest.approx(1.37, abs=0.01)
    assert found["pass_rate_before"] == pytest.approx(truth.numbers["pass_rate_before"], abs=1e-3)
    assert found["pass_rate_after"] == pytest.approx(truth.numbers["pass_rate_after"], abs=1e-3)
    assert found["same_pair_max_abs_difference"] < 0.001
    assert found["candidate_overlap"] < 0.6
    assert found["moved"] == "candidate_set"
    assert found["restoring_threshold"] == pytest.approx(
        truth.numbers["restoring_threshold"], abs=1e-3
    )
    quality = planted.measures["quality_change"]
    assert quality.ci95 is not None
    assert quality.ci95[0] <= -0.06 <= quality.ci95[1]


def test_every_rival_of_the_method_is_tested(planted: Result) -> None:
    for beginning in ("The reranker", "The threshold", "Other queries", "The corpus",
                      "More candidates", "Candidates without", "Another change"):  # fmt: skip
        assert rival(planted, beginning).outcome != "not_excluded"
    assert planted.falsifier.ran
    assert not planted.falsifier.falsified


def test_primary_test_and_break_are_told(planted: Result) -> None:
    assert planted.primary is not None
    assert planted.primary.p < 0.001
    (found,) = planted.breaks
    assert found.start <= found.end


@pytest.mark.parametrize(
    ("name", "moved"),
    [
        ("reranker_quantised", "reranker"),
        ("reranker_truncates", "reranker"),
        ("threshold_raised", "threshold"),
        ("query_season", "query_mix"),
        ("corpus_growth", "corpus"),
    ],
)
def test_what_moved_is_named(name: str, moved: str, diagnosed: Diagnosed) -> None:
    result, _ = diagnosed(f"threshold_drift.{name}", 22)
    assert result.measures["moved"].value == moved
    assert result.verdict != "confirmed"


def test_a_log_of_passed_candidates_cannot_tell(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("threshold_drift.passed_only", 22)
    assert result.verdict == "not_testable"
    assert result.missing


def test_longer_lists_are_compared_in_the_same_places(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("threshold_drift.more_candidates", 22)
    assert rival(result, "More candidates").outcome == "not_excluded"


def test_what_returns_nothing_is_not_the_gate(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("threshold_drift.worse_retrieval", 22)
    assert result.falsifier.falsified
    assert result.verdict == "supported"


def test_judges_who_saw_passed_documents_give_no_precision(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("threshold_drift.judged_passed_only", 22)
    assert result.measures["precision_threshold"].value is None
    assert "utility_threshold" not in result.measures
    assert any("Judgments lie above" in limit for limit in result.limits)


def test_missing_scores_are_set_apart(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("threshold_drift.missing_scores", 22)
    found = {name: measure.value for name, measure in result.measures.items()}
    assert found["drop_ratio_with_unscored"] > 1.2
    assert found["drop_ratio"] == found["drop_ratio_same_threshold"] < 1.2
    assert found["pass_rate_after"] == pytest.approx(found["pass_rate_before"], abs=0.05)
    assert found["unscored_after"] > found["unscored_before"] == 0


def test_a_break_without_version_or_event_is_said_to_be_inferred(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("threshold_drift.nothing_logged", 22)
    assert result.parameters["changed_at"].source == "inferred"
    assert any("inferred" in limit for limit in result.limits)


def test_settings_are_taken_and_checked(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("threshold_drift.planted", 21, threshold="0.5", sesoi_drop=0.1)
    assert result.measures["threshold"].value == 0.5
    assert result.parameters["threshold"].source == "given"
    for setting, value in (("score", "bm25"), ("after", "no such"), ("changed_at", "soon"),
                           ("metric", "no such")):  # fmt: skip
        with pytest.raises(UsageError):
            diagnosed("threshold_drift.planted", 21, **{setting: value})


def test_of_two_gates_the_one_that_moved_is_examined(diagnosed: Diagnosed) -> None:
    result, truth = diagnosed("threshold_drift.one_gate_of_two", 22)
    assert result.verdict == "confirmed"
    assert result.measures["threshold"].value == truth.numbers["threshold"]
    assert result.measures["restoring_threshold"].value == pytest.approx(
        truth.numbers["restoring_threshold"], abs=1e-3
    )
    other = next(row for row in result.measures["gates"].value if "-mini" in row["gate"])
    assert other["dropped_after"] == pytest.approx(other["dropped_before"], abs=0.05)
    assert any(other["gate"] in limit for limit in result.limits)


def test_another_gate_can_be_chosen(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("threshold_drift.one_gate_of_two", 22)
    other = next(row["gate"] for row in result.measures["gates"].value if "-mini" in row["gate"])
    reranker, threshold = other.split(" at ")
    for setting, value in (("reranker", reranker), ("threshold", threshold)):
        chosen, _ = diagnosed("threshold_drift.one_gate_of_two", 22, **{setting: value})
        assert chosen.measures["threshold"].value == float(threshold)
        assert chosen.verdict in ("clean", "inconclusive")
    with pytest.raises(UsageError):
        diagnosed("threshold_drift.one_gate_of_two", 22, reranker="no such")


# Small cases


@pytest.fixture
def diagnose(diagnose_tables: Diagnose) -> Diagnose:
    return partial(diagnose_tables, "threshold_drift")


def log(queries: int = 60, *, after: float = -0.1, model: tuple[str, str] = ("a", "b")) -> Rows:
    """Ten candidates for each query and period; later half of them others, that score lower."""
    rng = np.random.default_rng(1)
    rows: Rows = {name: [] for name in ("query_id", "doc_id", "occurred_at", "embedding_model",
                  "rerank_score", "threshold", "passed")}  # fmt: skip
    for period in (0, 1):
        for query in range(queries):
            own = np.random.default_rng(query)
            scores = own.uniform(0.2, 0.9, 10)
            scores[5:] += after * period + 0.01 * rng.random()
            for place, score in enumerate(scores):
                other = period and place >= 5
                rows["query_id"].append(f"q{query}")
                rows["doc_id"].append(f"d{query}-{place}{'-new' if other else ''}")
                rows["occurred_at"].append(f"2026-01-{1 + 10 * period + query % 9:02}T10:00:00Z")
                rows["embedding_model"].append(model[period])
                rows["rerank_score"].append(float(score))
                rows["threshold"].append(0.4)
                rows["passed"].append(bool(score >= 0.4))
    return rows


def joined(*logs: Rows) -> Rows:
    """Several logs in one; a column that one lacks is empty there."""
    names = dict.fromkeys(name for rows in logs for name in rows)
    return {name: [value for rows in logs
                   for value in rows.get(name, [None] * len(rows["query_id"]))]
            for name in names}  # fmt: skip


def product(name: str, gate: float, reranker: str, **of: Any) -> Rows:
    """The log of one product: its own queries, gate and reranker."""
    rows = log(**of)
    rows["query_id"] = [f"{name}-{query}" for query in rows["query_id"]]
    rows["threshold"] = [gate] * len(rows["query_id"])
    rows["passed"] = [score >= gate for score in rows["rerank_score"]]
    return rows | {"reranker": [reranker] * len(rows["query_id"])}


def test_a_gate_beside_another_keeps_its_own_threshold(diagnose: Diagnose) -> None:
    moved = product("shop", 0.4, "large", after=-0.2)
    still = product("help", 0.5, "small", queries=120, after=0.0)
    result = diagnose(candidates=joined(moved, still))
    assert result.measures["threshold"].value == 0.4
    assert {row["gate"] for row in result.measures["gates"].value} == {"large at 0.4",
                                                                      "small at 0.5"}  # fmt: skip
    assert rival(result, "The threshold").outcome == "excluded"
    assert "on large" in result.headline


def test_thresholds_apart_by_rounding_are_one_gate_with_all_its_candidates(
    diagnose: Diagnose,
) -> None:
    """As a threshold of single precision that was written by two services."""
    moved, still = product("shop", 0.4, "large"), product("help", 0.5, "small")
    moved["threshold"] = [0.4 + 6e-9 * (i % 2) for i in range(len(moved["threshold"]))]
    result = diagnose(candidates=joined(moved, still))
    assert sorted(row["candidates"] for row in result.measures["gates"].value) == [1200, 1200]


def test_a_gate_that_drops_exactly_as_many_is_clean(diagnose: Diagnose) -> None:
    rows = product("help", 0.5, "small")
    for name in ("doc_id", "rerank_score", "passed"):
        rows[name] = rows[name][:600] * 2
    result = diagnose(candidates=rows)
    assert result.measures["drop_ratio"].value == 1
    assert result.verdict == "clean"


def test_a_gate_whose_reranker_and_threshold_are_replaced_is_one(diagnose: Diagnose) -> None:
    rows = product("shop", 0.4, "one")
    half = len(rows["query_id"]) // 2
    rows["reranker"][half:] = ["two"] * half
    rows["threshold"][half:] = [0.3] * half
    result = diagnose(candidates=rows)
    assert "gates" not in result.measures
    assert rival(result, "The threshold").why.startswith("it went from 0.4 to 0.3")


def test_thresholds_that_differ_by_row_are_one_gate(diagnose: Diagnose) -> None:
    rows = log()
    rows["threshold"] = [0.3 + 0.0001 * i for i in range(len(rows["query_id"]))]
    result = diagnose(candidates=rows)
    assert result.verdict != "not_testable"
    assert "gates" not in result.measures


def test_records_without_a_reranker_go_with_the_gate_of_their_threshold(
    diagnose: Diagnose,
) -> None:
    rows = product("shop", 0.4, "large")
    rows["reranker"][::10] = [None] * len(rows["reranker"][::10])
    result = diagnose(candidates=rows)
    assert "gates" not in result.measures
    assert not any("neither period" in limit for limit in result.limits)


@pytest.mark.parametrize("logged", [True, False])
def test_before_is_the_embedding_that_ended_not_one_of_another_product(
    logged: bool, diagnose: Diagnose
) -> None:
    """Another product, with the same reranker and threshold, keeps its embedding throughout."""
    moved = product("shop", 0.4, "large", model=("m1", "m2"))
    still = product("help", 0.4, "large", model=("z0", "z0"), after=0.0)
    event = {"occurred_at": ["2026-01-10T20:00:00Z"], "key": ["embedding_model"],
             "old_value": ["m1"], "new_value": ["m2"]}  # fmt: skip
    tables = {"config_events": event} if logged else {}
    result = diagnose(candidates=joined(moved, still), **tables)
    assert (result.parameters["before"].value, result.parameters["after"].value) == ("m1", "m2")


def test_an_embedding_that_is_launched_later_takes_no_place(diagnose: Diagnose) -> None:
    moved = product("shop", 0.4, "large", model=("m1", "m2"))
    late = product("help", 0.4, "large", queries=30, model=("z0", "z0"))
    kept = [i for i, at in enumerate(late["occurred_at"]) if at >= "2026-01-15"]
    late = {name: [values[i] for i in kept] for name, values in late.items()}
    result = diagnose(candidates=joined(moved, late))
    assert (result.parameters["before"].value, result.parameters["after"].value) == ("m1", "m2")


def rescored(documents: bool) -> Rows:
    """One pair in 25 scores differently after: all of a few documents, or here and there."""
    rows = log()
    rows["doc_id"] = [  # three queries are offered each document
        f"d{int(query[1:]) % 20}-{doc.split('-', 1)[1]}"
        for query, doc in zip(rows["query_id"], rows["doc_id"], strict=True)
    ]
    for i in range(600, 1200):
        query, place = int(rows["query_id"][i][1:]), i % 10
        hit = query % 20 in (3, 8, 12, 17) if documents else query < 12
        if hit and place == 2:
            rows["rerank_score"][i] += 0.03 if query % 2 else -0.03
            rows["passed"][i] = rows["rerank_score"][i] >= 0.4
    return rows


def test_edited_documents_do_not_speak_against_the_reranker(diagnose: Diagnose) -> None:
    result = diagnose(candidates=rescored(documents=True))
    assert rival(result, "The reranker").outcome == "excluded"
    assert "4 of 100 documents" in rival(result, "The reranker").why
    assert result.measures["moved"].value != "reranker"
    assert "all but 12 of 300 same pairs score the same" in result.headline


def test_pairs_here_and_there_speak_against_the_reranker(diagnose: Diagnose) -> None:
    result = diagnose(candidates=rescored(documents=False))
    assert rival(result, "The reranker").outcome == "not_excluded"
    assert result.measures["moved"].value == "reranker"


def test_a_logged_change_of_the_reranker_is_not_taken_for_edits(diagnose: Diagnose) -> None:
    event = {"occurred_at": ["2026-01-10T20:00:00Z"], "key": ["reranker:max_length"],
             "new_value": ["256"]}  # fmt: skip
    result = diagnose(candidates=rescored(documents=True), config_events=event)
    assert rival(result, "The reranker").outcome == "not_excluded"


def test_without_optional_tables_it_is_answered(diagnose: Diagnose) -> None:
    result = diagnose(candidates=log())
    assert result.verdict in ("supported", "confirmed")
    assert result.measures["quality_change"].value is None
    assert any("Nothing tells of relevance" in limit for limit in result.limits)


def test_one_query_alone_is_not_testable(diagnose: Diagnose) -> None:
    rows = log()
    rows["query_id"] = ["q"] * len(rows["query_id"])
    result = diagnose(candidates=rows)
    assert result.verdict == "not_testable"
    assert "of one query" in result.headline


def test_one_query_in_both_periods_is_no_comparison_of_the_same(diagnose: Diagnose) -> None:
    rows = log()
    late = enumerate(rows["query_id"])
    rows["query_id"] = [q if i < 600 or q == "q0" else f"{q}-late" for i, q in late]
    result = diagnose(candidates=rows)
    assert rival(result, "Other queries").outcome == "not_testable"


def dropped_alike(queries: int, before: int, after: int) -> Rows:
    """Twenty candidates of each query, of which each drops as many; what drops since is new."""
    rows: Rows = {name: [] for name in ("query_id", "doc_id", "occurred_at", "embedding_model",
                  "rerank_score", "threshold")}  # fmt: skip
    for period, dropped in enumerate((before, after)):
        for query in range(queries):
            for place in range(20):
                new = "-new" if before <= place < dropped else ""
                score = 0.3 + 0.001 * place if place < dropped else 0.5 + 0.01 * place
                rows["query_id"].append(f"q{query}")
                rows["doc_id"].append(f"d{query}-{place}{new}")
                rows["occurred_at"].append(day(1 + 10 * period + query % 9))
                rows["embedding_model"].append("ab"[period])
                rows["rerank_score"].append(score)
                rows["threshold"].append(0.4)
    return rows


@pytest.mark.parametrize(
    ("queries", "before", "after", "verdict"),
    [
        (3, 2, 6, "supported"),
        (3, 2, 2, "inconclusive"),
        (40, 2, 2, "clean"),
        (3, 0, 0, "inconclusive"),
        (40, 0, 0, "clean"),
    ],
)
def test_few_queries_neither_confirm_nor_clear(
    queries: int, before: int, after: int, verdict: str, diagnose: Diagnose
) -> None:
    """They drop exactly alike, so that the interval has no width."""
    result = diagnose(candidates=dropped_alike(queries, before, after))
    assert result.verdict == verdict
    few = [limit for limit in result.limits if "3 queries are too few" in limit]
    assert len(few) == (queries == 3)


@pytest.mark.parametrize(("after", "verdict"), [(6, "supported"), (2, "inconclusive")])
def test_few_queries_in_one_period_are_few(after: int, verdict: str, diagnose: Diagnose) -> None:
    """Forty were asked before and three since: the interval is as unsure as the three."""
    rows = dropped_alike(40, 2, after)
    kept = [i for i, (query, model) in
            enumerate(zip(rows["query_id"], rows["embedding_model"], strict=True))
            if model == "a" or query in {"q0", "q1", "q2"}]  # fmt: skip
    result = diagnose(candidates={name: [column[i] for i in kept] for name, column in rows.items()})
    assert result.verdict == verdict
    assert any("3 queries are too few" in limit for limit in result.limits)


def test_other_queries_are_no_finding_where_hardly_one_was_asked_again(diagnose: Diagnose) -> None:
    """Harder questions of the same documents, and four probes that are asked every day."""
    rows: Rows = {name: [] for name in ("query_id", "doc_id", "occurred_at", "embedding_model",
                  "rerank_score", "threshold")}  # fmt: skip
    for period in (0, 1):
        for query in range(104):
            probe = query >= 100
            scores = np.random.default_rng(query + 1000 * period * (not probe)).uniform(
                0.2, 0.9, 10
            )
            for place, score in enumerate(scores - 0.1 * period * (not probe)):
                rows["query_id"].append(f"probe-{query}" if probe else f"q{period}-{query}")
                rows["doc_id"].append(f"d{(7 * query + 13 * place) % 300}")
                rows["occurred_at"].append(day(1 + 10 * period + query % 9))
                rows["embedding_model"].append("ab"[period])
                rows["rerank_score"].append(float(score))
                rows["threshold"].append(0.4)
    result = diagnose(candidates=rows)
    assert result.verdict == "supported"
    assert rival(result, "Other queries").outcome == "not_testable"
    assert result.measures["moved"].value is None
    assert "what moved cannot be told" in result.headline


def test_one_drop_where_there_was_none_is_left_to_chance(diagnose: Diagnose) -> None:
    rows = dropped_alike(40, 0, 0)
    rows["rerank_score"][-1] = 0.39
    assert diagnose(candidates=rows).verdict == "inconclusive"


def test_how_many_queries_would_tell_is_more_than_did_not(diagnose: Diagnose) -> None:
    rows = log(after=-0.06)
    rows["query_id"] = [f"{q}-{at}" for q, at in zip(rows["query_id"], rows["embedding_model"],
                                                     strict=True)]  # fmt: skip
    result = diagnose(candidates=rows)
    assert result.verdict == "inconclusive"
    (said,) = (limit for limit in result.limits if limit.startswith("About"))
    assert int(said.split()[1].replace(",", "")) > 120
    any_change = diagnose(candidates=rows, params={"sesoi_drop": 0})
    assert any_change.verdict == "inconclusive"


def test_one_period_alone_is_not_testable(diagnose: Diagnose) -> None:
    rows = {name: values[:600] for name, values in log().items() if name != "occurred_at"}
    result = diagnose(candidates=rows)
    assert result.verdict == "not_testable"
    assert "before from after" in result.headline


def test_without_a_score_it_is_not_testable(diagnose: Diagnose) -> None:
    rows = log()
    rows.pop("rerank_score")
    result = diagnose(candidates=rows)
    assert result.verdict == "not_testable"
    assert "score" in result.headline


def judged(rows: Rows, worse: float) -> Rows:
    """A grade for every pair, by its score; of new documents less often relevant by `worse`."""
    grades: dict[tuple[str, str], int] = {}
    for query, doc, score in zip(rows["query_id"], rows["doc_id"], rows["rerank_score"],
                                 strict=True):  # fmt: skip
        chance = score - worse * doc.endswith("-new")
        grades.setdefault((query, doc), int(np.random.default_rng(len(grades)).random() < chance))
    return {"query_id": [q for q, _ in grades], "doc_id": [d for _, d in grades],
            "grade": list(grades.values())}  # fmt: skip


def test_thresholds_on_both_sides_of_the_gate_are_explained(diagnose: Diagnose) -> None:
    rows = log(120, after=-0.15)
    result = diagnose(candidates=rows, judgments=judged(rows, 0.5))
    precision, volume = (result.measures[name].value
                         for name in ("precision_threshold", "restoring_threshold"))  # fmt: skip
    assert volume < 0.4 < precision
    assert "no threshold keeps both" in result.remedies[0]
    assert "less often relevant" in result.remedies[0]


def test_a_threshold_is_read_off_what_passed(diagnose: Diagnose) -> None:
    rows = log()
    rows.pop("threshold")
    result = diagnose(candidates=rows)
    assert result.measures["threshold"].value == pytest.approx(0.4, abs=0.02)
    assert result.parameters["threshold"].source == "inferred"


def test_hostile_names_are_data(diagnose: Diagnose) -> None:
    evil = "x'; DROP TABLE candidates; --<script>alert(1)</script>"
    result = diagnose(candidates=log(model=("old $1", evil)))
    assert result.verdict != "not_testable"
    assert result.parameters["after"].value == evil


def test_a_retry_of_a_request_counts_once(diagnose: Diagnose) -> None:
    rows = log()
    rows["request_id"] = [f"r-{at}-{query}" for at, query in
                          zip(rows["occurred_at"], rows["query_id"], strict=True)]  # fmt: skip
    twice = {name: values + values[-300:] for name, values in rows.items()}
    twice["occurred_at"][-300:] = ["2026-01-25T00:00:00Z"] * 300
    result = diagnose(candidates=twice)
    levels = next(e for e in result.evidence if e.id == "threshold_drift.levels")
    counts = [row[levels.columns.index("candidates")] for row in levels.rows]
    assert counts == [600, 600]
    assert not any("neither period" in limit for limit in result.limits)


def test_the_same_place_in_two_files_is_not_the_same_record(tmp_path: Path) -> None:
    """One file a day, each with the same queries in the same order, and no ids of requests."""
    rows = log()
    case, files = tmp_path / "case.duckdb", []
    for number in range(6):
        half = slice(600 * (number // 3), 600 * (number // 3) + 600)
        of_day = {name: values[half] for name, values in rows.items()}
        of_day["occurred_at"] = [day(1 + number)] * 600
        files.append(tmp_path / str(number) / "candidates.jsonl")
        files[-1].parent.mkdir()
        write_table(files[-1], of_day)
    case.write_bytes(empty_case())
    load(case, files)
    with Case(case) as opened:
        result = get("threshold_drift")(opened)
    levels = next(e for e in result.evidence if e.id == "threshold_drift.levels")
    assert [row[levels.columns.index("candidates")] for row in levels.rows] == [1800, 1800]


def test_candidates_of_one_request_are_one_list_whatever_their_instants(
    diagnose: Diagnose,
) -> None:
    """Each is logged when it is scored, and five more are fetched after the change."""
    rows = log()
    kept = [i for i, model in enumerate(rows["embedding_model"]) if model == "b" or i % 10 < 5]
    rows["occurred_at"] = [at.replace("00Z", f"{i % 10:02}Z")
                           for i, at in enumerate(rows["occurred_at"])]  # fmt: skip
    rows["request_id"] = [f"r{i // 10}" for i in range(len(rows["query_id"]))]
    result = diagnose(candidates={name: [values[i] for i in kept]
                                  for name, values in rows.items()})  # fmt: skip
    depth = rival(result, "More candidates")
    assert (depth.outcome, depth.why.split(";")[0]) == (
        "not_excluded", "5 candidates a retrieval before, 10 after",
    )  # fmt: skip


def test_a_threshold_that_was_set_after_the_log_ended_is_of_no_period(diagnose: Diagnose) -> None:
    rows = log()
    rows.pop("threshold")
    changes = {"occurred_at": [day(1, "00:00"), day(60)], "key": ["threshold:r"] * 2,
               "new_value": ["0.4", "0.3"], "old_value": [None, "0.4"]}  # fmt: skip
    result = diagnose(candidates=rows, config_events=changes)
    assert rival(result, "The threshold").why == "it is 0.4 in both periods, in the log of changes"


@pytest.mark.parametrize("source", ["gates", "gate_events", "edge"])
def test_the_threshold_rests_on_the_query_that_gave_it(source: str, diagnose: Diagnose) -> None:
    rows, tables = log(), {}
    if source != "gates":
        rows.pop("threshold")
    if source == "gate_events":
        tables["config_events"] = {"occurred_at": [day(1, "00:00")], "key": ["threshold:r"],
                                   "new_value": ["0.4"]}  # fmt: skip
    result = diagnose(candidates=rows, **tables)
    assert result.measures["threshold"].evidence == f"threshold_drift.{source}"
    assert result.measures["threshold"].evidence in {e.id for e in result.evidence}


def test_a_share_that_passes_is_no_more_than_all(diagnose: Diagnose) -> None:
    rows = dropped_alike(40, 0, 0)
    rows["rerank_score"][0] = rows["rerank_score"][-1] = 0.39
    for name in ("pass_rate_before", "pass_rate_after"):
        ends = diagnose(candidates=rows).measures[name].ci95
        assert ends is not None
        assert ends[1] == 1


def test_the_share_that_passes_is_of_so_many_candidates(planted: Result) -> None:
    for name in ("pass_rate_before", "pass_rate_after"):
        measure = planted.measures[name]
        assert measure.unit == "share:candidates"
        levels = next(e for e in planted.evidence if e.id == "threshold_drift.levels")
        row = levels.rows[name == "pass_rate_after"]
        assert measure.n == row[levels.columns.index("scored")]


def test_few_judgments_below_the_threshold_give_no_lower_one(diagnose: Diagnose) -> None:
    """Every twentieth that was dropped was judged; what is new is relevant, of the rest half is."""
    rows = log(queries=120)
    judgments: Rows = {"query_id": [], "doc_id": [], "grade": []}
    known = dict(zip(zip(rows["query_id"], rows["doc_id"], strict=True),
                     rows["rerank_score"], strict=True))  # fmt: skip
    for number, ((query, document), score) in enumerate(known.items()):
        if score >= 0.4 or number % 20 == 0:
            judgments["query_id"].append(query)
            judgments["doc_id"].append(document)
            judgments["grade"].append(1 if document.endswith("-new") else number % 2)
    result = diagnose(candidates=rows, judgments=judgments)
    assert result.measures["precision_threshold"].value is None
    assert any(limit.startswith("Nearly all judgments") for limit in result.limits)


def test_a_threshold_that_is_asked_about_was_not_changed_to_the_recorded(
    diagnose: Diagnose,
) -> None:
    result = diagnose(candidates=log(), params={"threshold": 0.5})
    assert rival(result, "The threshold").why == "it is 0.5 in both periods, given"


@pytest.mark.parametrize("seed", [0, *also((1,), (2,))])
def test_a_break_found_by_searching_noise_is_no_finding(seed: int, diagnose: Diagnose) -> None:
    """Nothing moves for thirty days; the largest break still looks large to an interval."""
    rng = np.random.default_rng(seed)
    level = rng.normal(0.5, 0.06, 30)  # days differ, as queries of a day are alike
    rows: Rows = {name: [] for name in ("query_id", "doc_id", "occurred_at", "rerank_score",
                                        "threshold", "passed")}  # fmt: skip
    for day in range(30):
        for query in range(12):
            for document in range(8):
                rows["query_id"].append(f"q{day}-{query}")
                rows["doc_id"].append(f"d{document}")
                rows["occurred_at"].append(f"2026-03-{day + 1:02}T10:{query:02}:00Z")
                score = float(np.clip(rng.normal(level[day], 0.1), 0, 1))
                rows["rerank_score"].append(score)
                rows["threshold"].append(0.4)
                rows["passed"].append(score >= 0.4)
    result = diagnose(candidates=rows)
    assert result.parameters["changed_at"].source == "inferred"
    assert result.verdict in ("inconclusive", "clean")
    assert result.primary is not None
    assert result.primary.p > 0.01  # of the search, not of the break as if it had been known


# Several changes, and changes that nothing tells


def phases(*shifts: float, models: tuple[str | None, ...] = (), queries: int = 60) -> Rows:
    """One phase of nine days for each shift: half of its candidates are others, and score so."""
    rows: Rows = {name: [] for name in ("query_id", "doc_id", "occurred_at", "embedding_model",
                  "rerank_score", "threshold", "passed")}  # fmt: skip
    for phase, shift in enumerate(shifts):
        for query in range(queries):
            scores = np.random.default_rng(query).uniform(0.2, 0.9, 10)
            scores[5:] += shift
            for place, score in enumerate(scores):
                other = f"{shift}" if shift and place >= 5 else ""
                rows["query_id"].append(f"q{query}")
                rows["doc_id"].append(f"d{query}-{place}{other}")
                rows["occurred_at"].append(day(1 + 10 * phase + query % 9))
                rows["embedding_model"].append(models[phase] if models else None)
                rows["rerank_score"].append(float(score))
                rows["threshold"].append(0.4)
                rows["passed"].append(bool(score >= 0.4))
    return rows


def day(number: int, at: str = "10:00") -> str:
    return f"2026-{1 + (number - 1) // 28:02}-{1 + (number - 1) % 28:02}T{at}:00Z"


def events(*days: int, key: str = "index_build") -> Rows:
    """Changes in the evenings of these days."""
    return {"occurred_at": [day(number, "20:00") for number in days], "key": [key] * len(days),
            "new_value": [f"build-{number}" for number in days]}  # fmt: skip


def changed_on(result: Result) -> str:
    return str(result.parameters["changed_at"].value)[:10]


def test_a_harmless_change_after_the_one_that_broke_the_gate_hides_nothing(
    diagnose: Diagnose,
) -> None:
    result = diagnose(candidates=phases(0, -0.2, -0.2, models=("a", "b", "c")))
    assert (result.parameters["before"].value, result.parameters["after"].value) == ("a", "b")
    assert result.verdict == "supported"
    assert len(result.measures["changes"].value) == 2
    assert any("embedding b before, c after" in limit for limit in result.limits)


def test_harmless_changes_are_all_examined_before_they_are_clean(diagnose: Diagnose) -> None:
    result = diagnose(candidates=phases(0, 0, 0, models=("a", "b", "c")))
    assert result.verdict == "clean"
    assert "at each of 2 changes" in result.headline


def test_two_indexes_that_were_upgraded_one_after_the_other(diagnose: Diagnose) -> None:
    large = product("help", 0.4, "r", after=-0.2, model=("help-1", "help-2"))
    small = product("legal", 0.4, "r", after=0.0, queries=30, model=("legal-1", "legal-2"))
    for i, at in enumerate(small["occurred_at"]):  # its upgrade is four days later
        small["occurred_at"][i] = day(int(at[8:10]) + 4)
    logged = {"occurred_at": [day(10, "20:00"), day(14, "20:00")], "key": ["embedding_model"] * 2,
              "old_value": ["help-1", "legal-1"], "new_value": ["help-2", "legal-2"]}  # fmt: skip
    for tables in ({}, {"config_events": logged}):
        result = diagnose(candidates=joined(large, small), **tables)
        assert result.verdict != "clean"
        assert result.parameters["after"].value == "help-2"


def test_a_change_that_was_taken_back_is_examined_and_not_its_end(diagnose: Diagnose) -> None:
    result = diagnose(candidates=phases(0, -0.2, 0), config_events=events(10, 20))
    assert changed_on(result) == day(10)[:10]
    alone = diagnose(candidates=phases(0, -0.2), config_events=events(10))
    for name in ("drop_ratio", "restoring_threshold"):
        assert result.measures[name].value == alone.measures[name].value
    assert "took it back" in result.headline
    assert result.remedies[0].startswith("Leave the threshold")


def test_of_several_builds_the_one_that_broke_the_gate_is_examined(diagnose: Diagnose) -> None:
    rows = phases(0, 0, -0.2, -0.2)
    result = diagnose(candidates=rows, config_events=events(10, 20, 30))
    assert changed_on(result) == day(20)[:10]
    assert len(result.measures["changes"].value) == 3
    given = diagnose(candidates=phases(0, -0.2, 0), config_events=events(10, 20),
                     params={"changed_at": day(10, "20:00")})  # fmt: skip
    assert given.measures["drop_ratio"].value > 1.3  # what was taken back is not pooled


def test_a_change_in_the_log_beside_an_upgrade_is_examined_too(diagnose: Diagnose) -> None:
    rows = phases(0, 0, -0.2, models=("a", "b", "b"))
    result = diagnose(candidates=rows, config_events=events(10, 20))
    assert changed_on(result) == day(20)[:10]
    assert result.verdict == "supported"


def test_changes_that_follow_each_other_too_closely_are_told(diagnose: Diagnose) -> None:
    daily = events(*range(2, 29), key="corpus")
    result = diagnose(candidates=phases(0, 0, 0), config_events=daily)
    assert result.parameters["changed_at"].source == "inferred"
    assert any("inferred" in limit for limit in result.limits)
    assert any("Changes of corpus" in limit for limit in result.limits)
    result = diagnose(candidates=phases(0, -0.2, -0.2, models=("a", "b", "b")),
                      config_events=daily)  # fmt: skip
    assert result.parameters["after"].value == "b"


@pytest.mark.parametrize("source", ["record", "log of changes", "given"])
def test_a_break_is_inferred_where_none_is_logged_to_have_passed(
    source: str, diagnose: Diagnose
) -> None:
    rows = phases(0, -0.2)
    rows.pop("passed")
    tables: dict[str, Rows] = {}
    params: dict[str, Any] = {}
    if source != "record":
        rows.pop("threshold")
    if source == "log of changes":
        tables["config_events"] = {"occurred_at": ["2025-06-01T00:00:00Z"],
                                   "key": ["threshold:r"], "new_value": ["0.4"]}  # fmt: skip
    if source == "given":
        params["threshold"] = 0.4
    result = diagnose(candidates=rows, params=params, **tables)
    assert changed_on(result) in (day(10)[:10], day(11)[:10])
    assert result.measures["drop_ratio"].value > 1.3


def test_the_scorer_of_a_gate_on_the_dense_score_is_the_embedding(diagnose: Diagnose) -> None:
    rows = log(model=("a", "b"))
    rows["doc_id"] = [doc.removesuffix("-new") for doc in rows["doc_id"]]
    rows["rerank_score"][600:] = [score - 0.1 for score in rows["rerank_score"][:600]]
    rows["passed"] = [score >= 0.4 for score in rows["rerank_score"]]
    rows["dense_score"] = rows.pop("rerank_score")
    result = diagnose(candidates=rows)
    assert rival(result, "The reranker").outcome == "excluded"
    assert result.measures["moved"].value == "candidate_set"
    assert "the embedding gives the same query and document another score" in result.headline
    assert result.verdict == "confirmed"
    recut = diagnose(candidates=rows, config_events=events(10, key="corpus"))
    assert rival(recut, "The corpus").outcome == "not_excluded"


def test_an_embedding_that_offers_the_same_with_the_same_scores_did_not_move(
    diagnose: Diagnose,
) -> None:
    rows = phases(0, 0, models=("a", "b"))
    rows["dense_score"] = rows.pop("rerank_score")
    assert diagnose(candidates=rows).falsifier.falsified


def reach(result: Result) -> str:
    (said,) = [f.statement for f in result.findings if f.statement.startswith("After the change")]
    return said


def test_who_asked_is_said_as_far_as_it_is_recorded(diagnose: Diagnose) -> None:
    rows = log()
    assert "not recorded" in reach(diagnose(candidates=rows))
    rows["request_id"] = [f"r{i // 10}" for i in range(len(rows["query_id"]))]
    said = reach(diagnose(candidates=rows))
    assert "60 requests asked, no account is recorded" in said


def test_without_instants_or_drops_nothing_is_said_of_days_or_ratios(diagnose: Diagnose) -> None:
    rows = log()
    rows.pop("occurred_at")
    assert "queries lost" in reach(diagnose(candidates=rows))
    none = diagnose(candidates=dropped_alike(40, 0, 0))
    assert {chart.id for chart in none.charts} == {"scores"}
    assert none.findings[0].charts == ("scores",)


def test_judgments_of_other_ids_are_told(diagnose: Diagnose) -> None:
    rows = log()
    strange = judged(rows, 0.1)
    strange["query_id"] = [f"sha256:{query}" for query in strange["query_id"]]
    result = diagnose(candidates=rows, judgments=strange)
    assert any("judgments are of no candidate" in limit for limit in result.limits)
    assert "no candidate" in result.falsifier.outcome


@pytest.mark.parametrize("name", ["later_change", "rolled_back"])
def test_the_change_that_moved_the_drops_is_found_among_several(
    name: str, diagnosed: Diagnosed
) -> None:
    result, truth = diagnosed(f"threshold_drift.{name}", 22)
    assert result.verdict == "confirmed"
    for measure in ("pass_rate_before", "pass_rate_after", "restoring_threshold"):
        assert result.measures[measure].value == pytest.approx(truth.numbers[measure], abs=1e-3)


def test_the_interval_of_a_fall_holds_what_is_said() -> None:
    from casework.diagnoses._gate_words import _drop_words
    from casework.stats.estimates import Estimate

    fall = Estimate(0.9, 0.8, 1.05, 1000)
    assert _drop_words(fall) == "drops 10 % fewer candidates (−5 to 20 %)"
    rise = Estimate(1.1, 0.95, 1.2, 1000)
    assert _drop_words(rise) == "drops 10 % more candidates (−5 to 20 %)"
