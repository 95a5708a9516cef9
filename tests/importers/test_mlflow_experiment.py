"""Runs of MLflow's file store: what their files say, and what lies beside them."""

import os
from pathlib import Path

import pytest
from fixtures.formats.mlflow import Model, Run, write_store
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.importers.loading import empty_case, load, rows, source_of

from casework.importers import Options
from casework.importers.mlflow_experiment import mlflow_experiment
from casework.intake import load as take_in

BEGUN = 1_772_368_200_000
RUN = f"run_id: r\nexperiment_id: '7'\nstatus: 3\nstart_time: {BEGUN}\nend_time: {BEGUN + 9}\n"
STORE = {
    "meta.yaml": "artifact_location: s3://m\nexperiment_id: '7'\nname: sums\n",
    "r/meta.yaml": RUN,
    "r/tags/suite": "sums",
    "r/metrics/accuracy": f"{BEGUN} 0.25 0\n",
}


def written(folder: Path, **more: str) -> Path:
    for name, text in {**STORE, **more}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_a_written_store_is_read_whole(case: Path, tmp_path: Path) -> None:
    tags = {"suite": "sums", "prompt_version": "7", "mlflow.source.git.commit": "ab" * 20}
    runs = tuple(Run(f"{n:032x}", "eval", BEGUN, BEGUN + n, "ana", {"seed": "3"}, {"acc": n / 8},
                     tags) for n in range(3))  # fmt: skip
    write_store(tmp_path, "quality", runs, Model("m", "", BEGUN, BEGUN, (), {}))
    (experiment,) = [path for path in (tmp_path / "mlruns").iterdir() if path.name != "models"]
    (exhibit,) = load(case, mlflow_experiment, experiment)
    assert {name: count for name, count in exhibit.tables.items() if count} == {
        "eval_runs": 3, "artifact_inputs": 9,
    }  # fmt: skip
    sql = "SELECT suite, score, prompt_version, code_revision FROM eval_runs ORDER BY score"
    assert rows(case, sql) == [("sums", n / 8, "7", "ab" * 20) for n in range(3)]


@pytest.mark.parametrize(
    ("history", "score"),
    [
        ("1 0.5 0\n2 0.75 1\n", 0.75),
        ("9 0.5 1\n2 0.75 0\n", 0.5),  # the last step counts, not the last line
        ("1 0.5 0\n9 0.25 0\n2 0.75 0\n", 0.25),  # and within it the last instant
        ("9 0.25 0\n9 0.75 0\n9 0.5 0\n", 0.75),  # of which MLflow takes the greatest value
        ("1 0.5\n", 0.5),  # as MLflow 1 wrote it
        ("1 0.5 0 held-out 3008\n", 0.5),  # with the data set that it is of
        ("1 nan 0\n", None),
        ("", None),
    ],
)
def test_a_metric_has_its_last_value(
    case: Path, tmp_path: Path, history: str, score: float | None
) -> None:
    load(case, mlflow_experiment, written(tmp_path / "7", **{"r/metrics/accuracy": history}))
    expected = [(score,)] if history else []
    assert rows(case, "SELECT score FROM eval_runs") == expected


def test_a_data_set_logged_for_evaluation_is_that_of_the_eval(case: Path, tmp_path: Path) -> None:
    files = {
        "r/tags/suite": "",
        "r/inputs/1/meta.yaml": "source_id: d\nsource_type: DATASET\n"
                                "tags:\n  mlflow.data.context: evaluation\n",
        "r/inputs/2/meta.yaml": "source_id: m-1\nsource_type: MODEL\ntags: {}\n",
        "datasets/d/meta.yaml": "name: held-out\ndigest: '3008'\nsource: '{\"uri\": \"s3://d\"}'\n",
    }  # fmt: skip
    (exhibit,) = load(case, mlflow_experiment, written(tmp_path / "7", **files))
    assert rows(case, "SELECT suite, dataset_hash FROM eval_runs") == [("held-out", "3008")]
    sql = "SELECT artifact, kind, uri, digest FROM artifact_inputs"
    assert rows(case, sql) == [("runs:/r", "eval_data", "s3://d", "3008")]
    assert exhibit.left_out["inputs of runs that are no data set of theirs"] == 1


NOTED = '[{"name":"held-out","hash":"c0ffee","path":"s3://noted","model":"1f"}]'


@pytest.mark.parametrize(
    ("context", "kinds", "digest"),
    [("", ["eval_data"], "3008"), ("training", ["eval_data", "train_data"], "c0ffee")],
)
def test_what_mlflow_evaluate_used_is_no_training_data(
    case: Path, tmp_path: Path, context: str, kinds: list[str], digest: str
) -> None:
    """It logs its data set without a context and notes it in a tag; older ones have but the tag."""
    files = {
        "r/tags/mlflow.datasets": NOTED,
        "r/inputs/1/meta.yaml": f"source_id: d\ntags: {{mlflow.data.context: '{context}'}}\n",
        "datasets/d/meta.yaml": "name: logged\ndigest: '3008'\nsource: s3://d\n",
        "r/metrics/accuracy": "1 0.5 0\n",
    }
    folder = written(tmp_path / "7", **files)
    (folder / "r" / "tags" / "suite").unlink()
    load(case, mlflow_experiment, folder)
    assert rows(case, "SELECT score, dataset_hash FROM eval_runs") == [(0.5, digest)]
    found = rows(case, "SELECT kind, digest FROM artifact_inputs ORDER BY kind")
    assert ([row[0] for row in found], found[0][1]) == (kinds, digest)


def test_what_cannot_be_read_is_a_reject_and_stops_nothing(case: Path, tmp_path: Path) -> None:
    files = {
        "r/metrics/loss": "1 0.5 0\nnothing\n2 0.25 1\n",
        "r/tags/note": "x" * (1 << 20) + "y",
        "bare/tags/suite": "sums",
        "r/logs/out.txt": "a file of someone else",
    }
    folder = written(tmp_path / "7", **files)
    (tmp_path / "secret").write_text("not of the folder")
    (folder / "r" / "params").mkdir()
    (folder / "r" / "params" / "seed").symlink_to(tmp_path / "secret")
    (exhibit,) = load(case, mlflow_experiment, folder)
    found = rows(case, "SELECT locator, code FROM rejects ORDER BY code")
    assert found == [
        ("r/tags/note", "FILE_TOO_LARGE"),
        ("r/params/seed", "LINK"),
        ("r/metrics/loss:2", "METRIC"),
        ("bare", "NO_RUN"),
    ]
    sql = "SELECT attributes->'metrics'->>'loss', attributes->>'params' FROM eval_runs"
    assert rows(case, sql) == [("0.25", None)]
    assert exhibit.left_out["files that are no part of a run"] == 1


def test_a_key_that_is_not_utf8_takes_nothing_with_it(case: Path, tmp_path: Path) -> None:
    folder, odd = written(tmp_path / "7"), os.fsdecode(b"\xff")
    for place, content in (("params", "1"), ("tags", "t"), ("metrics", "torn\n1 0.5 0\n")):
        (folder / "r" / place).mkdir(exist_ok=True)
        (folder / "r" / place / odd).write_text(content)
    (folder / odd).mkdir()
    (folder / odd / "meta.yaml").write_text(RUN)
    load(case, mlflow_experiment, folder)
    sql = "SELECT attributes->'metrics'->>'\\xff', attributes->'params'->>'\\xff' FROM eval_runs"
    assert rows(case, sql) == [("0.5", "1")]
    assert rows(case, "SELECT locator FROM rejects") == [("r/metrics/\\xff:1",)]


def test_of_a_line_without_end_nothing_is_read_as_another_line(case: Path, tmp_path: Path) -> None:
    history = "1 0.5 0\n" + "x" * 4_096 + "2 0.75 1\n" + "3 0.25 1\n"
    load(case, mlflow_experiment, written(tmp_path / "7", **{"r/metrics/accuracy": history}))
    assert rows(case, "SELECT score FROM eval_runs") == [(0.25,)]
    assert rows(case, "SELECT locator FROM rejects") == [("r/metrics/accuracy:2",)]


def test_artifacts_are_sources_of_their_own(case: Path, tmp_path: Path) -> None:
    score = "user_id,metric,occurred_at,value\nu,clicks,2026-03-01T00:00:00Z,1\n"
    folder = written(tmp_path / "mlruns" / "7", **{"r/artifacts/outcomes.csv": score})
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "units.csv").write_text("unit_id\nu\n")
    (folder / "r2").mkdir()
    (folder / "r2" / "artifacts").symlink_to(outside)
    case.write_bytes(empty_case())
    found = {one.path.removeprefix(str(tmp_path)): one for one in take_in(case, [folder.parent])}
    assert {path: one.status for path, one in found.items()} == {
        "/mlruns/7": "loaded",
        "/mlruns/7/r/artifacts/outcomes.csv": "loaded",
        "/mlruns/7/r2/artifacts": "failed",
    }
    assert found["/mlruns/7/r2/artifacts"].code == "LINK"
    exhibit = found["/mlruns/7"].exhibit
    assert exhibit is not None
    assert exhibit.importer == "mlflow_experiment"
    sql = "SELECT path FROM exhibit_files ORDER BY path"
    assert rows(case, sql) == [(name,) for name in sorted(STORE)]


@pytest.mark.parametrize(
    "meta", ["name: m\nexperiment_id: '7'\n", STORE["meta.yaml"] + "model_id: m-1\n", RUN]
)
def test_other_folders_of_the_store_are_no_experiments(tmp_path: Path, meta: str) -> None:
    folder = written(tmp_path / "7", **{"meta.yaml": meta})
    assert not mlflow_experiment.recognises(source_of(folder))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.sampled_from(sorted(STORE)), st.text(max_size=60))
def test_no_content_of_a_file_stops_the_reading(tmp_path: Path, name: str, text: str) -> None:
    folder = written(tmp_path / "7", **{name: text})
    items = list(mlflow_experiment.read(source_of(folder), Options()))
    assert items


def test_a_run_alone_is_read_as_it_is_in_its_experiment(case: Path, tmp_path: Path) -> None:
    files = {"r/params/seed": "3", "r/artifacts/plot.png": "p"}
    run = RUN + "artifact_uri: a\n"
    store = written(tmp_path / "7", **{**files, "r/meta.yaml": run})
    case.write_bytes(empty_case())
    outcomes = take_in(case, [store / "r"])
    assert [one.status for one in outcomes] == ["loaded", "left"]
    told = "SELECT suite, score, run_id FROM eval_runs"
    alone = rows(case, told)
    assert alone == [("sums", 0.25, "r")]
    whole = tmp_path / "whole.duckdb"
    whole.write_bytes(empty_case())
    take_in(whole, [store])
    assert rows(whole, told) == alone
