"""What MLflow 2 and 3 write: the case holds what the client of the same version says of it."""

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.importers.loading import load, rows, takers_of
from tests.tools.pinned import Write, versions

from casework.importers import get
from casework.importers._mlflow import CURRENT_ONLY

pytestmark = pytest.mark.tools

SCORES = {"one": 0.5, "held out": 0.25}
"""The runs whose score is beyond doubt: they have one metric, and it is finite."""


class Left(NamedTuple):
    """What the tool left behind, what it says of it, and its version."""

    folder: Path
    said: dict[str, Any]
    major: int

    @property
    def database(self) -> Path:
        return self.folder / "mlflow.db"

    @property
    def runs(self) -> dict[str, Any]:
        found: dict[str, Any] = self.said["database"]["runs"]
        return found

    @property
    def traces(self) -> dict[str, Any]:
        found: dict[str, Any] = self.said["database"]["traces"]
        return found


@pytest.fixture(scope="module", params=versions("mlflow"))
def left(request: pytest.FixtureRequest, write: Write) -> Left:
    folder, said = write("mlflow", request.param, "write_mlflow.py")
    return Left(folder, said, int(request.param.split(".")[0]))


@pytest.fixture(scope="module")
def database(left: Left, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case with the database."""
    case = tmp_path_factory.mktemp("case") / "case.duckdb"
    (exhibit,) = load(case, get("mlflow_database"), left.database)
    assert exhibit.rows_rejected == exhibit.rows_duplicate == 0
    return case


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return tmp_path / "case.duckdb"


def moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def since_three(left: Left) -> None:
    if left.major < 3:
        pytest.skip("MLflow 2 keeps neither assessments nor routes in its database")


# The registry


def test_the_file_store_dates_an_alias_by_its_move(left: Left, case: Path) -> None:
    said = left.said["store"]["registry"]
    load(case, get("mlflow_registry"), left.folder / "mlruns" / "models" / "credit")
    found = rows(case, "SELECT alias, checkpoint, valid_from FROM alias_events")
    assert found == [("champion", "sha256:2", moment(said["updated"]))]
    assert abs(said["updated"] - said["moved"]) < 1_000


def test_a_database_does_not_date_an_alias_before_its_move(left: Left, database: Path) -> None:
    said = left.said["database"]["registry"]
    assert not said["updated_by_the_move"]
    ((alias, checkpoint, since, until, source),) = rows(
        database, "SELECT alias, checkpoint, valid_from, valid_until, source FROM alias_events"
    )
    assert (alias, checkpoint, until, source) == ("champion", "sha256:2", None, CURRENT_ONLY)
    assert since >= moment(said["moved"])


@pytest.mark.parametrize("place", ["store", "database"])
def test_versions_and_prompts_are_those_of_the_client(left: Left, case: Path, place: str) -> None:
    said = left.said[place]
    if place == "database":
        load(case, get("mlflow_database"), left.database)
    else:
        models = left.folder / "mlruns" / "models"
        load(case, get("mlflow_registry"), models / "credit", models / "triage")
    listed = rows(case, "SELECT version, source_uri, aliases FROM model_versions")
    assert {row[0]: row[1] for row in listed} == said["registry"]["versions"]
    named = {alias: version for version, _, aliases in listed for alias in aliases}
    assert named == said["registry"]["aliases"]
    prompts = rows(case, "SELECT new_value, attributes->>'template' FROM config_events "
                         "WHERE key = 'prompt:triage'")  # fmt: skip
    assert dict(prompts) == said["prompts"]


# Runs


def test_runs_of_the_file_store_are_those_of_the_client(left: Left, case: Path) -> None:
    said = left.said["store"]["runs"]
    (folder,) = [run.parent for run in (left.folder / "mlruns").glob("*/*")
                 if run.name == next(iter(said))]  # fmt: skip
    (exhibit,) = load(case, get("mlflow_experiment"), folder)
    assert exhibit.rows_rejected == exhibit.rows_duplicate == 0
    sql = "SELECT run_id, score, ended_at, attributes->'metrics', dataset_hash FROM eval_runs"
    found = {run: values for run, *values in rows(case, sql)}
    evaluated = {run: one for run, one in said.items()
                 if one["name"] != "training" and one["metrics"]}  # fmt: skip
    assert found.keys() == evaluated.keys()
    for run, (score, ended, metrics, digest) in found.items():
        one = evaluated[run]
        assert json.loads(metrics).keys() == one["metrics"].keys()
        finite = [value for value in map(float, one["metrics"].values()) if math.isfinite(value)]
        assert score == (finite[0] if len(one["metrics"]) == len(finite) == 1 else None)
        assert ended == (moment(one["ended"]) if one["status"] == "FINISHED" else None)
        assert digest == next(iter(one["inputs"]), None)


def test_runs_have_a_score_where_there_is_no_doubt(left: Left, database: Path) -> None:
    found = {
        run: (score, ended, json.loads(metrics or "{}"))
        for run, score, ended, metrics in rows(
            database, "SELECT run_id, score, ended_at, attributes->'metrics' FROM eval_runs"
        )
    }
    evaluated = {run: said for run, said in left.runs.items() if said["name"] != "training"}
    assert evaluated.keys() - found.keys() == {
        run for run, said in evaluated.items() if not said["metrics"]
    }
    for run, said in evaluated.items():
        if not said["metrics"]:
            continue
        score, ended, metrics = found[run]
        assert metrics.keys() == said["metrics"].keys()
        for name, value in said["metrics"].items():
            as_said = float(value)
            if math.isnan(as_said) or as_said > 1e300:
                assert math.isnan(as_said) == math.isnan(float(metrics[name]))
                assert not math.isfinite(float(metrics[name]))
            else:
                assert metrics[name] == as_said
        if said["status"] == "FAILED":
            assert ended is None
        else:
            assert ended == moment(said["ended"])
            assert score == SCORES.get(said["name"])


def test_inputs_of_runs_are_those_of_the_client(left: Left, database: Path) -> None:
    found = rows(database, "SELECT artifact, digest FROM artifact_inputs WHERE kind = 'eval_data'")
    listed = [(f"runs:/{run}", digest) for run, said in left.runs.items()
              for digest in said["inputs"]]  # fmt: skip
    assert set(listed) <= set(found)
    assert listed


# Traces


def test_traces_are_those_of_the_client(left: Left, database: Path) -> None:
    found = rows(
        database,
        "SELECT request_id, status, occurred_at, latency_ms, input_text, output_text, "
        "attributes->>'texts' FROM requests",
    )
    assert {row[0] for row in found} == left.traces.keys()
    for name, status, began, taken, asked, answered, texts in found:
        said = left.traces[name]
        assert status == said["state"].lower()
        assert began == moment(said["began"])
        assert taken == said["taken"]
        if left.major < 3:
            assert texts == "previews"
            assert asked[:200] == json.dumps(said["request"])[:200]
        else:
            assert texts is None
            assert json.loads(asked) == said["request"]
            assert (json.loads(answered) if answered else None) == said["response"]


def test_traces_of_the_file_store_are_those_of_the_client(left: Left, case: Path) -> None:
    said = left.said["store"]["traces"]
    (folder,) = (one.parent for one in (left.folder / "mlruns").glob("*/traces/*")
                 if one.name == next(iter(said)))  # fmt: skip
    (exhibit,) = load(case, get("mlflow_traces"), folder)
    assert exhibit.rows_rejected == 0
    found = rows(case, "SELECT request_id, status, latency_ms, input_text, output_text, "
                       "attributes->>'texts' FROM requests")  # fmt: skip
    assert {row[0] for row in found} == said.keys()
    for name, status, taken, asked, answered, texts in found:
        assert (status, taken, texts) == (said[name]["state"].lower(), said[name]["taken"], None)
        assert json.loads(asked) == said[name]["request"]
        assert (json.loads(answered) if answered else None) == said[name]["response"]
    marks = [one for trace in said.values() for one in trace["marks"] if one.get("valid", True)]
    kept = rows(case, "SELECT count(*) FROM feedback UNION ALL SELECT count(*) FROM eval_samples")
    assert sum(count for (count,) in kept) == sum("expectation" not in one for one in marks)


def test_every_assessment_is_somewhere_once(left: Left, database: Path) -> None:
    since_three(left)
    marks = {one["assessment_id"]: one for said in left.traces.values() for one in said["marks"]}
    valid = {name for name, one in marks.items() if one.get("valid", True)}
    thumbs = dict(rows(database, "SELECT feedback_id, signal FROM feedback"))
    judged = dict(rows(database, "SELECT attributes->>'assessment_id', score FROM eval_samples "
                                 "WHERE attributes->>'assessment_id' IS NOT NULL"))  # fmt: skip
    expected = {name for name, one in marks.items() if "expectation" in one}
    assert not thumbs.keys() & judged.keys()
    assert thumbs.keys() | judged.keys() == valid - expected
    said = {marks[name]["assessment_name"]: [] for name in thumbs}
    for name, signal in thumbs.items():
        said[marks[name]["assessment_name"]].append((marks[name]["feedback"]["value"], signal))
    assert {name: sorted(pairs) for name, pairs in said.items()} == {
        "helpful": [(False, -1), (True, 1)],
        "vote": [(0, -1), (1, 1)],
    }
    for name, score in judged.items():
        value = marks[name]["feedback"]["value"]
        assert score == {"no": 0.0, "so-so": None}.get(value, value)


def test_raters_of_one_trace_do_not_collide(left: Left, database: Path) -> None:
    since_three(left)
    found = rows(
        database,
        "SELECT run_id, epoch, score FROM eval_samples WHERE run_id LIKE '%grounded%' ORDER BY ALL",
    )
    assert found == [
        ("mlflow:LLM_JUDGE:grounded:judge-1", 1, 0.5),
        ("mlflow:LLM_JUDGE:grounded:judge-2", 1, 0.75),
        ("mlflow:LLM_JUDGE:grounded:judge-2", 2, 0.25),
    ]


def test_an_evaluation_is_a_run_with_its_samples(left: Left, database: Path) -> None:
    since_three(left)
    said = left.said["database"]["evaluation"]
    (one,) = said["metrics"].values()
    scores = rows(
        database,
        "SELECT r.score, avg(s.score), count(*), count(DISTINCT item_id), min(target) "
        "FROM eval_runs r JOIN eval_samples s USING (run_id) WHERE run_id = ? GROUP BY ALL",
        [said["alone"]],
    )
    assert scores == [(pytest.approx(one), pytest.approx(one), 3, 3, "2")]
    both = rows(
        database,
        "SELECT r.score, count(s.score), count(*), min(json_array_length(s.attributes->'scores')) "
        "FROM eval_runs r JOIN eval_samples s USING (run_id) WHERE run_id = ? GROUP BY ALL",
        [said["both"]],
    )
    assert both == [(None, 0, 3, 2)]
    paired = "SELECT count(*) FROM (SELECT item_id FROM eval_samples WHERE run_id IN (?, ?) "
    pairs = rows(database, paired + "GROUP BY item_id HAVING count(*) = 2)",
                 [said["alone"], said["both"]])  # fmt: skip
    assert pairs == [(3,)]


def test_a_route_is_one_event_of_all_its_models(left: Left, database: Path) -> None:
    since_three(left)
    said = left.said["database"]["routes"]
    ((value, when, routes),) = rows(
        database,
        "SELECT new_value, occurred_at, attributes->'routes' FROM config_events "
        "WHERE key = 'route:chat'",
    )
    assert value == "openai/large 50% + openai/smaller 50%"
    assert when == moment(said["changed"])
    assert {one["model"].removeprefix("openai/"): one["weight"] for one in json.loads(routes)} == (
        said["weights"]
    )


# What searches return, as it is saved


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("versions.json", {"model_versions": 3}),
        ("versions.csv", {"model_versions": 3}),
        ("models.json", {"model_versions": 1}),
        ("runs.json", {"eval_runs": 6}),
        ("runs.csv", {"eval_runs": 4}),
        ("runs.parquet", {"eval_runs": 4}),
        ("traces.jsonl", {"requests": 3}),
        ("traces.csv", {"requests": 3}),
        ("trace_records.json", {"requests": 3}),
    ],
)
def test_a_search_is_recognised_and_read(
    left: Left, case: Path, name: str, count: dict[str, int]
) -> None:
    path = left.folder / "search" / name
    assert takers_of(path) == ["mlflow_search"]
    (exhibit,) = load(case, get("mlflow_search"), path)
    assert exhibit.tables.items() >= count.items()


def test_a_search_of_versions_does_not_say_that_there_is_no_alias(left: Left, case: Path) -> None:
    folder = left.folder / "search"
    assert all(not one["aliases"] for one in json.loads((folder / "versions.json").read_text()))
    (exhibit,) = load(case, get("mlflow_search"), folder / "versions.json")
    assert rows(case, "SELECT count(*), count(aliases) FROM model_versions") == [(3, 0)]
    assert any("list no alias" in note for note in exhibit.notes)


@pytest.mark.parametrize("name", ["runs.json", "runs.csv", "runs.parquet"])
def test_scores_of_a_search_are_those_of_the_database(
    left: Left, database: Path, case: Path, name: str
) -> None:
    load(case, get("mlflow_search"), left.folder / "search" / name)
    sql = "SELECT run_id, score, started_at, ended_at FROM eval_runs"
    known = {row[0]: row for row in rows(database, sql)}
    found = rows(case, sql)
    assert found
    assert all(row == known[row[0]] for row in found)


@pytest.mark.parametrize("name", ["traces.jsonl", "traces.csv", "trace_records.json"])
def test_traces_of_a_search_are_those_of_the_database(
    left: Left, database: Path, case: Path, name: str
) -> None:
    load(case, get("mlflow_search"), left.folder / "search" / name)
    sql = "SELECT request_id, occurred_at, latency_ms, status FROM requests ORDER BY ALL"
    assert rows(case, sql) == rows(database, sql)
    if left.major > 2:
        marks = "SELECT feedback_id, signal, occurred_at, user_id FROM feedback ORDER BY ALL"
        assert rows(case, marks) == rows(database, marks)
        texts = "SELECT input_text, output_text FROM requests ORDER BY ALL"
        assert rows(case, texts) == rows(database, texts)
