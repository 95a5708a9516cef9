"""The MLflow file store: the case holds what MLflow's client says, and no model file is opened."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.importers.loading import load, refusal_of, rows, source_of

from casework.case import Note, Reject
from casework.importers._importer import Importer, Options
from casework.importers._mlflow import CURRENT_ONLY
from casework.importers.mlflow_experiment import mlflow_experiment
from casework.importers.mlflow_registry import mlflow_registry

TOOL = Path(__file__).with_name("mlflow_tool.py")
CREATED = 1_772_368_200_000


def moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def model(folder: Path, **more: str | bytes) -> Path:
    """A registered model in a file store, small."""
    meta = f"creation_timestamp: {CREATED}\nlast_updated_timestamp: {CREATED + 5000}\n"
    version = f"creation_timestamp: {CREATED + 1000}\ncurrent_stage: None\nname: credit\n"
    files = {
        "meta.yaml": f"aliases: {{}}\n{meta}name: credit\n",
        "version-1/meta.yaml": f"aliases: []\n{version}source: s3://m/1\nversion: 1\n",
        "version-1/tags/digest": "sha256:1",
        "aliases/champion": "1",
    }
    return write(folder / "models" / "credit", {**files, **more})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A file store that MLflow wrote just now, and what MLflow says of it."""
    folder = tmp_path_factory.mktemp("mlflow") / "mlruns"
    process = subprocess.run(
        [sys.executable, "-W", "ignore", str(TOOL), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return folder / "models", json.loads(process.stdout.splitlines()[-1])


def test_versions_are_those_of_the_client(store: tuple[Path, Any], case: Path) -> None:
    folder, said = store
    load(case, mlflow_registry, folder / "credit risk")
    found = rows(
        case,
        "SELECT version, source_uri, coalesce(stage, 'None'), aliases, run_id, created_at, "
        "checkpoint, model FROM model_versions",
    )
    assert [row[0] for row in found] == list(said["versions"])
    for row in found:
        version = said["versions"][row[0]]
        assert row[1:3] == (version["source"], version["stage"])
        assert row[3:5] == (version["aliases"], version["run_id"])
        assert row[5] == moment(version["created"])
        assert row[7] == "credit risk"
    assert [row[6] for row in found] == ["sha256:1", "s3://models/credit/2", "sha256:3"]


def test_aliases_are_those_of_the_client(store: tuple[Path, Any], case: Path) -> None:
    folder, said = store
    load(case, mlflow_registry, folder / "credit risk")
    found = rows(
        case,
        "SELECT alias, attributes->>'version', attributes->>'uri', checkpoint, valid_from, "
        "valid_until, source FROM alias_events",
    )
    assert {row[0]: row[1] for row in found} == said["aliases"]
    assert said["aliases"] == {"champion": "3", "challenger": "3"}
    for alias, _, uri, *rest in found:
        assert uri == f"models:/credit risk@{alias}"
        assert rest == ["sha256:3", moment(said["updated"]), None, CURRENT_ONLY]


def test_runs_are_those_of_the_client(store: tuple[Path, Any], case: Path) -> None:
    folder, said = store
    (experiment,) = [meta.parent for meta in folder.parent.glob("*/meta.yaml")
                     if "name: quality" in meta.read_text()]  # fmt: skip
    assert mlflow_experiment.recognises(source_of(experiment))
    (exhibit,) = load(case, mlflow_experiment, experiment)
    assert exhibit.rows_rejected == exhibit.rows_duplicate == 0
    sql = """
        SELECT run_id, attributes->'metrics', score, started_at, ended_at, suite, harness
        FROM eval_runs
    """
    named = {one["name"]: run for run, one in said["runs"].items()}
    found = {run: values for run, *values in rows(case, sql)}
    assert found.keys() == said["runs"].keys() - {named["training"]}
    for run, (metrics, score, started, ended, *rest) in found.items():
        one = said["runs"][run]
        finite = {name: float(value) for name, value in one["metrics"].items() if value != "nan"}
        assert {k: v for k, v in json.loads(metrics).items() if isinstance(v, float)} == finite
        assert score == (next(iter(finite.values())) if len(finite) == 1 else None)
        assert started == moment(one["started"])
        assert ended == (moment(one["ended"]) if one["ended"] else None)
        assert rest == ["sums", "mlflow"]
    assert found[named["one"]][1] == 0.5
    assert found[named["failed"]][3] is None
    sql = """
        SELECT artifact, kind, digest, attributes->'params' FROM artifact_inputs
        WHERE kind <> 'seed' ORDER BY kind
    """
    inputs = [row for row in rows(case, sql) if row[0] == f"runs:/{named['training']}"]
    assert [row[1] for row in inputs] == ["code", "hyperparameters"]
    assert inputs[0][2] == "ab" * 20
    assert json.loads(inputs[1][3]) == said["runs"][named["training"]]["params"]


def test_tags_fill_columns_of_their_name(store: tuple[Path, Any], case: Path) -> None:
    folder, _ = store
    load(case, mlflow_registry, folder / "credit risk")
    (found,) = rows(
        case,
        "SELECT owner, approved_by, approved_at, metric_value, review_words, version, "
        "attributes->'tags' FROM model_versions WHERE version = '3'",
    )
    assert found[:2] == ("chi", "bo")
    assert found[2] == datetime(2026, 3, 1, 22, 43, tzinfo=UTC)
    assert found[3:6] == (0.91, 250, "3")
    assert json.loads(found[6]) == {"a/b": "nested", "version": "not this"}
    owners = rows(case, "SELECT owner FROM model_versions WHERE version <> '3'")
    assert owners == [("ana",), ("ana",)]


def test_checkpoints(store: tuple[Path, Any], case: Path) -> None:
    folder, _ = store
    load(case, mlflow_registry, folder / "credit risk")
    assert rows(case, 'SELECT checkpoint, uri, "exists", base_checkpoint FROM checkpoints') == [
        ("sha256:1", "s3://models/credit/1", None, None),
        ("s3://models/credit/2", "s3://models/credit/2", None, None),
        ("sha256:3", "s3://models/credit/3", None, "sha256:0"),
    ]


def test_a_prompt_is_a_configuration_and_no_model(store: tuple[Path, Any], case: Path) -> None:
    folder, said = store
    (exhibit,) = load(case, mlflow_registry, folder / "triage")
    assert exhibit.tables == {"config_events": 2}
    found = rows(
        case,
        "SELECT key, new_value, attributes->>'template', occurred_at, attributes->'aliases' "
        "FROM config_events ORDER BY new_value",
    )
    assert {row[1]: row[2] for row in found} == said["prompts"]
    assert {row[1]: row[3] for row in found} == {
        version: moment(created) for version, created in said["prompt_created"].items()
    }
    assert {row[0] for row in found} == {"prompt:triage"}
    assert [row[4] for row in found] == ['["production"]', None]
    assert any("registration" in note for note in exhibit.notes)


def test_a_model_without_versions(store: tuple[Path, Any], case: Path) -> None:
    folder, _ = store
    (exhibit,) = load(case, mlflow_registry, folder / "new")
    assert exhibit.rows_read == 0
    assert any("no evidence rows" in note for note in exhibit.notes)


def test_recognises_the_folders_of_models_only(store: tuple[Path, Any], tmp_path: Path) -> None:
    folder, _ = store
    found = [p.name for p in folder.parent.rglob("*") if p.is_dir() and _taken(p)]
    assert sorted(found) == ["credit risk", "new", "triage"]
    assert not _taken(folder / "credit risk" / "meta.yaml")
    logged = write(tmp_path / "m-1", {"meta.yaml": "name: x\nmodel_id: m-1\nexperiment_id: '1'\n"})
    assert not _taken(logged)
    assert not _taken(write(tmp_path / "a", {"meta.yaml": b"\xff\x00"}))
    assert not _taken(tmp_path)


@pytest.mark.parametrize("importer", [mlflow_registry, mlflow_experiment])
def test_what_stands_for_a_file_and_is_none_is_not_opened(
    tmp_path: Path, importer: Importer
) -> None:
    """A pipe would be waited for, and a link leads to what was not handed over."""
    os.mkfifo(tmp_path / "meta.yaml")
    assert not importer.recognises(source_of(tmp_path))
    keys = "name: a\nexperiment_id: '1'\nartifact_location: b\n"
    other = write(tmp_path / "other", {"meta.yaml": keys}) / "meta.yaml"
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "meta.yaml").symlink_to(other)
    assert importer.recognises(source_of(other.parent)) == (importer is mlflow_experiment)
    assert not importer.recognises(source_of(tmp_path / "linked"))


def test_a_name_that_is_not_utf8_takes_nothing_with_it(case: Path, tmp_path: Path) -> None:
    folder = model(tmp_path)
    odd = os.fsdecode(b"champ\xff")
    for place, content in (("aliases", "1"), ("tags", "x"), ("version-1/tags", "x"), (odd, "x")):
        (folder / place).mkdir(exist_ok=True)
        (folder / place / odd).write_text(content)
    load(case, mlflow_registry, folder)
    found = rows(case, "SELECT alias, locator FROM alias_events ORDER BY alias")
    assert found == [("champ\\xff", "aliases/champ\\xff"), ("champion", "aliases/champion")]
    assert rows(case, "SELECT aliases FROM model_versions") == [(["champ\\xff", "champion"],)]


def _taken(path: Path) -> bool:
    return mlflow_registry.recognises(source_of(path))


def items(folder: Path) -> list[Any]:
    return list(mlflow_registry.read(source_of(folder), Options()))


def notes(folder: Path) -> str:
    return "\n".join(item.text for item in items(folder) if isinstance(item, Note))


def test_says_what_stands_in_for_a_digest(tmp_path: Path) -> None:
    assert "stands in" not in notes(model(tmp_path / "a"))
    assert "1 version records no digest" in notes(
        model(tmp_path / "b", **{"version-1/tags/digest": ""})
    )
    assert "the present ones of 'credit'" in notes(model(tmp_path / "c"))


def test_locators_lead_back(case: Path, tmp_path: Path) -> None:
    load(case, mlflow_registry, model(tmp_path))
    assert rows(case, "SELECT locator FROM model_versions") == [("version-1/meta.yaml",)]
    assert rows(case, "SELECT locator FROM alias_events") == [("aliases/champion",)]


@pytest.mark.parametrize(
    ("more", "locator", "code"),
    [
        ({"aliases/champion": "7"}, "aliases/champion", "ALIAS_VERSION"),
        ({"aliases/champion": "not a version"}, "aliases/champion", "ALIAS_VERSION"),
        ({"aliases/champion": b"\xff"}, "aliases/champion", "FILE_ENCODING"),
        ({"version-2/meta.yaml": "name: credit\n"}, "version-2/meta.yaml", "VERSION"),
        ({"version-2/meta.yaml": "a: &a 1\nb: *a\n"}, "version-2/meta.yaml", "YAML_ALIAS_REFUSED"),
        ({"version-2/meta.yaml": "a: b: c"}, "version-2/meta.yaml", "YAML"),
        ({"version-2/meta.yaml": b"a" * (1 << 21)}, "version-2/meta.yaml", "FILE_TOO_LARGE"),
        (
            {"version-2/meta.yaml": "version: 2\n", "aliases/x": "2"},
            "aliases/x",
            "ALIAS_CHECKPOINT",
        ),
        ({"meta.yaml": "name: credit\n"}, "aliases/champion", "ALIAS_TIME"),
    ],
)
def test_a_bad_part_is_a_reject_and_stops_nothing(
    case: Path, tmp_path: Path, more: dict[str, Any], locator: str, code: str
) -> None:
    load(case, mlflow_registry, model(tmp_path, **more))
    assert rows(case, "SELECT locator, code FROM rejects") == [(locator, code)]
    assert ("1",) in rows(case, "SELECT version FROM model_versions")


def test_tags_of_a_version_that_is_not_there_are_not_passed_over(tmp_path: Path) -> None:
    folder = model(tmp_path, **{"version-2/tags/digest": "sha256:2"})
    items = mlflow_registry.read(source_of(folder), Options())
    told = [(one.locator, one.code) for one in items if isinstance(one, Reject)]
    assert told == [("version-2", "VERSION")]


@pytest.mark.parametrize("meta", ["", "a: 1\n", "[]", "name: [1]\n", "a: &a 1\nname: *a\n"])
def test_a_model_without_a_name_is_refused(tmp_path: Path, meta: str) -> None:
    folder = model(tmp_path, **{"meta.yaml": meta})
    assert refusal_of(lambda: items(folder)) in ("NOT_A_REGISTERED_MODEL", "YAML_ALIAS_REFUSED")


def test_aliases_of_meta_yaml_are_not_authoritative(case: Path, tmp_path: Path) -> None:
    meta = f"aliases:\n  old: '1'\nname: credit\nlast_updated_timestamp: {CREATED}\n"
    (exhibit,) = load(case, mlflow_registry, model(tmp_path, **{"meta.yaml": meta}))
    assert rows(case, "SELECT aliases FROM model_versions") == [(["champion"],)]
    assert any("no file, and which are not in force for MLflow: old;" in n for n in exhibit.notes)


def test_two_versions_in_the_order_of_their_numbers(case: Path, tmp_path: Path) -> None:
    versions = {f"version-{n}/meta.yaml": f"version: {n}\nsource: s{n}\n" for n in (10, 9, 2)}
    load(case, mlflow_registry, model(tmp_path, **versions))
    found = rows(case, "SELECT version FROM model_versions ORDER BY rowid")
    assert [row[0] for row in found] == ["1", "2", "9", "10"]


class Explosive:
    """What unpickling would run."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit('unpickled')",))


@pytest.fixture
def opened() -> Iterator[set[str]]:
    """Names of the files that are opened while the test runs, and of programs that are started."""
    found: set[str] = set()
    active = [True]

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if active and event in ("open", "subprocess.Popen", "os.system", "os.exec", "exec"):
            found.add(f"{event} {arguments[0]}")

    sys.addaudithook(watch)
    yield found
    active.clear()


def test_model_files_are_never_opened(case: Path, tmp_path: Path, opened: set[str]) -> None:
    folder = model(
        tmp_path,
        **{
            "version-1/artifacts/model.pkl": pickle.dumps(Explosive()),
            "version-1/MLmodel": "a: &a 1\nb: *a\n",
            "version-1/python_model.joblib": b"joblib",
        },
    )
    source = source_of(folder)
    opened.clear()
    found = list(mlflow_registry.read(source, Options()))
    assert not [name for name in opened if ".pkl" in name or "MLmodel" in name or "joblib" in name]
    assert not [name for name in opened if not name.startswith("open")]
    assert any("meta.yaml" in name for name in opened)
    assert not [item for item in found if isinstance(item, Reject)]
    assert "not opened: 3 other files" in "".join(i.text for i in found if isinstance(i, Note))


def test_a_link_out_of_the_folder_is_not_followed(case: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("1")
    folder = model(tmp_path)
    (folder / "aliases" / "champion").unlink()
    (folder / "aliases" / "champion").symlink_to(secret)
    load(case, mlflow_registry, folder)
    assert rows(case, "SELECT locator, code FROM rejects") == [("aliases/champion", "LINK")]
    assert rows(case, "SELECT count(*) FROM alias_events") == [(0,)]


PLACES = [
    "meta.yaml", "version-1/meta.yaml", "version-2/meta.yaml", "aliases/a", "tags/owner",
    "version-1/tags/approved_at", "version-1/tags/metric_value", "tags/mlflow.prompt.is_prompt",
]  # fmt: skip
CONTENT = (
    st.binary(max_size=40)
    | st.sampled_from([b"true", b"1", b"name: 1\nversion: 1\nsource: x\n", b"{}", b""])
    | st.text(alphabet="abcname: 12\n[]{}&*-", max_size=40).map(str.encode)
)


@given(st.dictionaries(st.sampled_from(PLACES), CONTENT, max_size=5))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_content_loads_or_is_refused(
    tmp_path: Path, store: tuple[Path, Any], files: dict[str, bytes]
) -> None:
    folder = tmp_path / "any"
    copytree(model(tmp_path), folder, dirs_exist_ok=True)
    write(folder, files)
    case = tmp_path / "case.duckdb"
    case.unlink(missing_ok=True)
    mlflow_registry.recognises(source_of(folder))
    refusal_of(lambda: load(case, mlflow_registry, folder))
