"""Exports of mlflow-export-import: models, prompts, and files that hold nothing for a case."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.importers.loading import load, refusal_of, rows, source_of

from casework.case import Note
from casework.importers._importer import Options
from casework.importers.mlflow_export import mlflow_export

REAL = "data/registries/mlflow__mlflow-export-import"
SYSTEM = {"script": "export_model.py", "export_time": 1_684_716_641, "mlflow_version": "2.3.2"}
EXPORTED = datetime(2023, 5, 22, 0, 50, 41, tzinfo=UTC)
CREATED = 1_684_716_075_276


def version(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "aliases": [],
        "creation_timestamp": CREATED + number,
        "current_stage": "None",
        "name": "credit",
        "run_id": f"run{number}",
        "source": f"s3://m/{number}",
        "tags": {},
        "version": str(number),
        **changes,
    }


def export(
    folder: Path, *, info: Any = None, file_name: str = "model.json", **changes: Any
) -> Path:
    registered = {
        "name": "credit",
        "creation_timestamp": CREATED,
        "aliases": [{"alias": "champion", "version": "2"}],
        "versions": [version(1), version(2)],
        **changes,
    }
    path = folder / file_name
    value = {"system": SYSTEM, "info": info or {}, "mlflow": {"registered_model": registered}}
    path.write_text(json.dumps(value))
    return path


def aliases_of(case: Path) -> dict[str, str]:
    return dict(rows(case, "SELECT unnest(aliases), version FROM model_versions ORDER BY ALL"))


def notes_of(path: Path) -> str:
    items = mlflow_export.read(source_of(path), Options())
    return "\n".join(item.text for item in items if isinstance(item, Note))


# Real exports


def test_every_file_of_a_real_export_loads(shared: Path, tmp_path: Path) -> None:
    """One of them is broken as published: a closing quote is missing."""
    files = sorted((shared / REAL).rglob("*.json"))
    assert len(files) == 31
    broken = shared / REAL / "samples/oss_mlflow/bulk/experiments/2/experiment.json"
    for number, file in enumerate(files):
        assert mlflow_export.recognises(source_of(file)), file
        case = tmp_path / f"{number}.duckdb"
        if file == broken:
            assert refusal_of(lambda case=case: load(case, mlflow_export, broken)) == "JSON"
            continue
        (exhibit,) = load(case, mlflow_export, file)
        assert not exhibit.rows_rejected
        if file.name == "run.json":
            kinds = rows(case, "SELECT kind FROM artifact_inputs ORDER BY kind")
            assert kinds == [("code",), ("hyperparameters",)]
        elif file.name not in ("model.json", "prompt.json"):
            assert exhibit.rows_read == 0
            assert "no evidence rows" in exhibit.notes[0]


@pytest.mark.parametrize("folder", ["basic", "src_tags"])
def test_known_aliases_of_sklearn_wine(shared: Path, case: Path, folder: str) -> None:
    """The export's versions list no aliases; the model does, or, once imported, only a tag."""
    path = shared / REAL / "samples/oss_mlflow/single/models" / folder / "model.json"
    load(case, mlflow_export, path)
    assert aliases_of(case) == {"good-to-go": "1", "about-ready": "2", "just-in-case": "3"}
    stages = rows(case, "SELECT version, stage FROM model_versions ORDER BY version")
    assert stages == [("1", "Production"), ("2", "Staging"), ("3", None)]


def test_an_alias_is_in_force_from_the_export_on(shared: Path, case: Path) -> None:
    folder = shared / REAL / "samples/oss_mlflow/single/models"
    load(case, mlflow_export, folder / "basic/model.json")
    found = rows(
        case,
        "SELECT alias, valid_from, valid_until, source, a.checkpoint = v.checkpoint "
        "FROM alias_events AS a JOIN model_versions AS v ON v.version = a.attributes->>'version' "
        "ORDER BY alias",
    )
    assert [row[0] for row in found] == ["about-ready", "good-to-go", "just-in-case"]
    assert {row[1:] for row in found} == {(EXPORTED, None, "mlflow registry (current only)", True)}


def test_aliases_that_an_import_lost_are_not_in_force(shared: Path, case: Path) -> None:
    path = shared / REAL / "samples/oss_mlflow/single/models/src_tags/model.json"
    (exhibit,) = load(case, mlflow_export, path)
    assert rows(case, "SELECT count(*) FROM alias_events") == [(0,)]
    assert any("lost" in note for note in exhibit.notes)
    told = rows(case, "SELECT DISTINCT attributes->>'aliases_from' FROM model_versions")
    assert told == [("the registry that the model was imported from",)]


def test_a_real_prompt(shared: Path, case: Path) -> None:
    path = shared / REAL / "samples/oss_mlflow/bulk/prompts/my-greeting-prompt_v1/prompt.json"
    load(case, mlflow_export, path)
    (found,) = rows(
        case,
        "SELECT key, new_value, occurred_at, actor, attributes->>'template', source "
        "FROM config_events",
    )
    assert found[:4] == (
        "prompt:my-greeting-prompt",
        "1",
        datetime(2024, 10, 27, 3, 33, 20, tzinfo=UTC),
        "user@example.com",
    )
    assert found[4].startswith("Hello {name}")
    assert "registered" in found[5]


# Shapes of exports


@pytest.mark.parametrize("aliases", [[{"alias": "champion", "version": 2}], {"champion": "2"}])
def test_aliases_as_list_or_object(case: Path, tmp_path: Path, aliases: Any) -> None:
    load(case, mlflow_export, export(tmp_path, aliases=aliases))
    assert aliases_of(case) == {"champion": "2"}
    assert rows(case, "SELECT checkpoint FROM alias_events") == [("s3://m/2",)]


@pytest.mark.parametrize(
    "tags", [{"checkpoint": "sha256:1"}, [{"key": "checkpoint", "value": "sha256:1"}]]
)
def test_tags_as_list_or_object(case: Path, tmp_path: Path, tags: Any) -> None:
    load(case, mlflow_export, export(tmp_path, versions=[version(2, tags=tags)]))
    assert rows(case, "SELECT checkpoint, source_uri FROM model_versions") == [
        ("sha256:1", "s3://m/2")
    ]
    assert rows(case, "SELECT checkpoint FROM alias_events") == [("sha256:1",)]


def test_an_older_export_holds_latest_versions(case: Path, tmp_path: Path) -> None:
    path = export(
        tmp_path, aliases=[{"alias": "old", "version": "1"}], latest_versions=[version(2)]
    )
    value = json.loads(path.read_text())
    del value["mlflow"]["registered_model"]["versions"]
    path.write_text(json.dumps(value))
    load(case, mlflow_export, path)
    assert rows(case, "SELECT version FROM model_versions") == [("2",)]
    assert rows(case, "SELECT code, locator FROM rejects") == [
        ("ALIAS_VERSION", "/mlflow/registered_model/aliases/0")
    ]
    assert "latest version of each stage" in notes_of(path)


def test_a_version_that_was_exported_for_itself(case: Path, tmp_path: Path) -> None:
    """The model beside it lists no versions, which is not that of each stage."""
    path = tmp_path / "version.json"
    one = version(2, current_stage=None, aliases=["champion"], tags={"digest": "sha256:2"})
    path.write_text(json.dumps({"system": SYSTEM, "mlflow": {"model_version": one}}))
    load(case, mlflow_export, path)
    assert aliases_of(case) == {"champion": "2"}
    sql = "SELECT alias, checkpoint, valid_from FROM alias_events"
    assert rows(case, sql) == [("champion", "sha256:2", EXPORTED)]
    beside = json.loads(export(tmp_path).read_text())
    del beside["mlflow"]["registered_model"]["versions"]
    path.write_text(json.dumps(beside))
    assert "latest version" not in notes_of(path)


def test_versions_that_were_not_exported_are_rejects(case: Path, tmp_path: Path) -> None:
    failed = [{"version": "3", "run_id": "x", "RestException": {"error_code": "GONE"}}]
    load(case, mlflow_export, export(tmp_path, info={"failed_versions": failed}))
    ((locator, code, raw),) = rows(case, "SELECT locator, code, raw FROM rejects")
    assert (locator, code) == ("/info/failed_versions/0", "NOT_EXPORTED")
    assert "GONE" in raw


@pytest.mark.parametrize(
    "tag",
    [
        "[{'alias': __import__('os').system('id'), 'version': '1'}]",
        "[{'alias': 'a', 'version': '1'}, {'alias': 'b'}]",
        "[{'alias': 'a', 'version': '1'},]",
        "{'a': 1}",
        "[" * 10_000,
    ],
)
def test_a_foreign_tag_is_read_strictly_or_not_at_all(case: Path, tmp_path: Path, tag: str) -> None:
    tags = [{"key": "mlflow_exim.field.aliases", "value": tag}]
    load(case, mlflow_export, export(tmp_path, aliases=[], tags=tags))
    assert aliases_of(case) == {}
    assert rows(case, "SELECT code FROM rejects") == [("ALIASES_TAG",)]


def test_copied_aliases_go_by_the_versions_of_their_registry(case: Path, tmp_path: Path) -> None:
    listed = "[{'alias': 'a', 'version': '7'}, {'alias': 'b', 'version': '8'}]"
    tags = {"mlflow_exim.field.aliases": listed}
    copied = version(1, tags={"mlflow_exim.field.version": "7"})
    load(case, mlflow_export, export(tmp_path, aliases=None, tags=tags, versions=[copied]))
    assert aliases_of(case) == {"a": "1"}


def test_without_a_time_of_export_an_alias_is_a_reject(case: Path, tmp_path: Path) -> None:
    path = export(tmp_path)
    value = json.loads(path.read_text())
    value["system"].pop("export_time")
    path.write_text(json.dumps(value))
    load(case, mlflow_export, path)
    assert rows(case, "SELECT code FROM rejects") == [("ALIAS_TIME",)]
    assert aliases_of(case) == {"champion": "2"}


@pytest.mark.parametrize(
    "text",
    ["{}", "[]", '{"system": {"name": "x"}}', '{"mlflow": {}}', '{"system": 3, "mlflow": {}}', ""],
)
def test_other_json_is_not_taken(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(text)
    assert not mlflow_export.recognises(source_of(path))


def test_recognises_by_content(tmp_path: Path) -> None:
    assert mlflow_export.recognises(source_of(export(tmp_path, file_name="anything.txt")))


@pytest.mark.parametrize("name", [None, "", [], {}])
def test_an_export_of_nothing_is_refused(tmp_path: Path, name: Any) -> None:
    path = export(tmp_path)
    value = json.loads(path.read_text())
    value["mlflow"]["registered_model"]["name"] = name
    path.write_text(json.dumps(value))
    read = mlflow_export.read(source_of(path), Options())
    assert refusal_of(lambda: list(read)) == "NOT_AN_EXPORT"


@pytest.mark.parametrize("wrapped", [True, False])
def test_inputs_of_a_run_are_read_as_they_stand(case: Path, tmp_path: Path, wrapped: bool) -> None:
    used = [{"dataset": {"name": "held-out", "digest": "d"},
             "tags": [{"key": "mlflow.data.context", "value": "evaluation"}]}]  # fmt: skip
    info = {"run_id": "r", "start_time": CREATED, "status": "FINISHED"}
    tags = {"mlflow.source.name": "train.py"}
    held = {"info": info, "metrics": {"f1": [{"value": 0.5}]}, "tags": tags,
            "inputs": {"dataset_inputs": used} if wrapped else used}  # fmt: skip
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"system": SYSTEM, "mlflow": held}))
    (exhibit,) = load(case, mlflow_export, path)
    assert rows(case, "SELECT suite, dataset_hash, score FROM eval_runs") == [
        ("held-out", "d", 0.5)
    ]
    assert exhibit.fields["run.tags.mlflow.source.name"] == ["artifact_inputs.uri"]
    assert "run.tags.mlflow.source.git.repoURL" not in exhibit.fields


LEAVES = (
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=5)
)
JUNK = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = ["name", "aliases", "versions", "tags", "latest_versions", "creation_timestamp"]
VERSION_FIELDS = ["version", "source", "tags", "creation_timestamp", "run_id", "current_stage"]


@given(
    st.dictionaries(st.sampled_from(FIELDS), JUNK, max_size=2),
    st.dictionaries(st.sampled_from(VERSION_FIELDS), JUNK, max_size=3),
    JUNK,
    JUNK,
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_shape_of_an_export_loads_or_is_refused(
    tmp_path: Path, fields: dict[str, Any], of_version: dict[str, Any], info: Any, prompt: Any
) -> None:
    changed = {"versions": [version(1), version(2, **of_version)], **fields}
    path = export(tmp_path, info=info, **changed)
    case = tmp_path / "case.duckdb"
    case.unlink(missing_ok=True)
    mlflow_export.recognises(source_of(path))
    refusal_of(lambda: load(case, mlflow_export, path))
    path.write_text(json.dumps({"system": SYSTEM, "mlflow": {"prompt": prompt}}))
    refusal_of(lambda: list(mlflow_export.read(source_of(path), Options())))


@given(st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "model.json"
    for content in (data, b'{"system": {"export_time": 1, "mlflow_version": 1}, ' + data):
        path.write_bytes(content)
        mlflow_export.recognises(source_of(path))
        refusal_of(lambda: list(mlflow_export.read(source_of(path), Options())))
