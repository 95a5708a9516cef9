"""Registries and weights beside MLflow: what a wrong reading of one would misstate."""

import gzip
import json
import math
import os
import struct
import tarfile
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from random import Random
from time import process_time
from typing import Any
from zipfile import ZipFile, ZipInfo

import pytest
from tests.importers.loading import Loaded, load, refusal_of, rows, source_of, takers_of

from casework import intake
from casework.case import CaseWriter, Row
from casework.importers import get
from casework.importers._importer import Options
from casework.importers._source import Source

WHEN = "2026-03-01T00:00:00Z"
COMMIT = "a" * 40
RUN = {"id": "r1", "project": "p", "state": "finished", "createdAt": WHEN}


def saved(folder: Path, content: Any, name: str) -> Path:
    path = folder / name
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    return path


def found(
    folder: Path, importer: str, content: Any, sql: str, name: str = "a.json"
) -> list[tuple[Any, ...]]:
    path = saved(folder, content, name)
    assert takers_of(path) == [importer]
    load(folder / "case.duckdb", get(importer), path)
    return rows(folder / "case.duckdb", sql)


def refused(importer: str, path: Path) -> str:
    return refusal_of(lambda: list(get(importer).read(source_of(path), Options())))


def read(importer: str, path: Path) -> list[dict[str, Any]]:
    """The rows of a file as its importer yields them, which is quicker than a case."""
    assert takers_of(path) == [importer]
    items = get(importer).read(source_of(path), Options())
    return [dict(item.values) for item in items if isinstance(item, Row)]


def weights() -> bytes:
    """Weights without their one tensor, which has 16 bytes."""
    tensor = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}
    header = json.dumps({"__metadata__": {"format": "pt"}, "a": tensor}).encode()
    return struct.pack("<Q", len(header)) + header


@pytest.mark.parametrize(
    ("summary", "score"),
    [
        ({"epoch": 3, "loss": 2.0}, None),
        ({"loss": 2.0, "_runtime": 9}, 2.0),
        ({"loss": 2.0, "accuracy": 0.5}, 0.5),
        ('{"accuracy": 0.5}', 0.5),
        ('{"loss": NaN, "accuracy": 0.5}', 0.5),
        ({}, None),
    ],
)
def test_a_summary_of_several_numbers_has_no_score(
    tmp_path: Path, summary: Any, score: float | None
) -> None:
    run = {**RUN, "config": '{"suite": {"value": "sums"}}', "summaryMetrics": summary}
    sql = "SELECT suite, score FROM eval_runs"
    assert found(tmp_path, "wandb_export", run, sql) == [("sums", score)]


def test_an_object_of_a_configuration_is_kept_whole(tmp_path: Path) -> None:
    held = {"lr": {"value": 0.1, "desc": None}, "clip": {"value": 1, "norm": 2}}
    sql = "SELECT attributes FROM artifact_inputs"
    ((text,),) = found(tmp_path, "wandb_export", {**RUN, "config": held, "summary": {}}, sql)
    assert json.loads(text) == {"lr": 0.1, "clip": {"value": 1, "norm": 2}}


def test_a_configuration_with_a_number_that_is_none_is_kept(tmp_path: Path) -> None:
    run = {
        **RUN,
        "config": '{"lr": NaN, "seed": 1}',
        "summary": {},
        "repo": math.nan,
        "commit": "c",
    }
    sql = "SELECT kind, uri, attributes->>'lr' FROM artifact_inputs ORDER BY ALL"
    assert found(tmp_path, "wandb_export", run, sql) == [
        ("code", None, None), ("hyperparameters", "p/r1/config", "nan")
    ]  # fmt: skip


@pytest.mark.parametrize(("order", "form"), [(1, json.dumps), (-1, json.dumps), (-1, "\n".join)])
def test_one_run_of_a_file_speaks_for_all(tmp_path: Path, order: int, form: Any) -> None:
    runs = [{"summary": {"loss": 1.0, "_step": 3}, "config": {"lr": 0.1}, "name": "a-1"},
            {"summary": {}, "config": {"lr": 0.2}, "name": "b-2"}]  # fmt: skip
    lines = runs if form is json.dumps else map(json.dumps, runs)
    sql = "SELECT artifact FROM artifact_inputs ORDER BY ALL"
    assert found(tmp_path, "wandb_export", form(list(lines)[::order]), sql) == [("a-1",), ("b-2",)]


def test_what_a_run_used_is_an_input_of_that_run(tmp_path: Path) -> None:
    used = {"name": "set:v1", "type": "dataset", "version": "v1", "digest": "d", "aliases": [],
            "usedBy": [{**RUN, "name": "sunny"}, "r2"]}  # fmt: skip
    run = {**RUN, "name": "sunny", "config": {"lr": 1}, "summary": {}}
    lines = "\n".join(map(json.dumps, [used, run]))
    sql = "SELECT artifact, kind FROM artifact_inputs ORDER BY ALL"
    assert found(tmp_path, "wandb_export", lines, sql, "a.jsonl") == [
        ("p/r1", "hyperparameters"), ("p/r1", "train_data"), ("r2", "train_data")
    ]  # fmt: skip


def test_a_run_of_no_name_is_a_reject(tmp_path: Path) -> None:
    run = {"project": "p", "state": "finished", "config": {"lr": 1}, "summary": {}}
    sql = "SELECT code, reason FROM rejects"
    told = [("UNKNOWN_RECORD", "a run without a name")]
    assert found(tmp_path, "wandb_export", run, sql) == told


ALIASED = {"name": "clf", "type": "model", "version": "v7", "digest": "d", "createdAt": WHEN,
           "aliases": ["production"]}  # fmt: skip


def test_an_alias_without_an_instant_is_in_force_from_the_last_change_of_the_file(
    tmp_path: Path,
) -> None:
    sql = "SELECT valid_from FROM alias_events"
    ((known,),) = found(tmp_path, "wandb_export", ALIASED, sql)
    changed = (tmp_path / "a.json").stat().st_mtime
    assert known.timestamp() == pytest.approx(changed, abs=1e-5)
    dated = {**ALIASED, "updatedAt": WHEN}
    (tmp_path / "dated").mkdir()
    assert [
        str(row[0].date()) for row in found(tmp_path / "dated", "wandb_export", dated, sql)
    ] == [WHEN[:10]]


def test_a_member_has_the_date_that_its_archive_gives_it(tmp_path: Path) -> None:
    """A date as of a clock, one of a first day that is none, and one in seconds since 1970."""
    noted = datetime(2026, 2, 1, 9, 30, tzinfo=UTC)
    extra = struct.pack("<2HBi", 0x5455, 5, 1, int(noted.timestamp()))
    with ZipFile(tmp_path / "a.zip", "w") as out:
        for name, date, more in (("clock", (2026, 3, 1), b""), ("none", (1980, 1, 1), b""),
                                 ("noted", (2026, 3, 1), extra)):  # fmt: skip
            info = ZipInfo(f"{name}.json", (*date, 12, 0, 0))
            info.extra = more
            out.writestr(info, json.dumps({**ALIASED, "name": name}))
    with tarfile.open(tmp_path / "b.tar", "w") as tar:
        data = json.dumps({**ALIASED, "name": "tar"}).encode()
        member = tarfile.TarInfo("tar.json")
        member.size = len(data)
        tar.addfile(member, BytesIO(data))
    changed = datetime(2026, 4, 1, tzinfo=UTC)
    archives = [tmp_path / "a.zip", tmp_path / "b.tar"]
    for path in archives:
        os.utime(path, (changed.timestamp(), changed.timestamp()))
    for name in ("first.duckdb", "second.duckdb"):
        CaseWriter.create(tmp_path / name, "aliases")
        intake.load(tmp_path / name, archives)
        sql = "SELECT alias, valid_from FROM alias_events"
        assert dict(rows(tmp_path / name, sql)) == {
            "clock:production": datetime(2026, 3, 1, 12, tzinfo=UTC),
            "none:production": changed,
            "noted:production": noted,
            "tar:production": changed,
        }
        told = rows(tmp_path / name, "SELECT notes FROM exhibits")
        assert all("as its archive dates it, else of the archive" in str(one) for one in told)


def test_artifacts_of_two_projects_are_two(tmp_path: Path) -> None:
    lines = [{**ALIASED, "digest": name, "project": {"name": name}} for name in "ab"]
    sql = "SELECT alias, uri FROM alias_events JOIN checkpoints USING (checkpoint) ORDER BY ALL"
    content = "\n".join(map(json.dumps, lines))
    assert found(tmp_path, "wandb_export", content, sql, "a.jsonl") == [
        (f"{name}/clf:production", f"wandb:{name}/clf:v7") for name in "ab"
    ]


def test_what_the_client_notes_of_itself_is_no_setting(tmp_path: Path) -> None:
    configs = [{"lr": 0.1}, {"lr": 0.1, "_wandb": {"value": {"t": 1}}, "wandb_version": 1}]
    lines = [{**RUN, "id": str(n), "config": one, "summary": {}} for n, one in enumerate(configs)]
    content = "\n".join(map(json.dumps, lines))
    read = Loaded(tmp_path, "wandb_export", content, "a.jsonl")
    sql = "SELECT count(*), count(DISTINCT digest) FROM artifact_inputs"
    assert read.rows(sql) == [(2, 1)]
    assert read.exhibit.left_out["config._wandb"] == 1
    assert read.exhibit.left_out["config.wandb_version"] == 1


@pytest.mark.parametrize(
    ("more", "takers"),
    [
        ({"state": "open", "summary": "disk full"}, []),
        ({"state": "open", "summary": "disk full", "project": "p"}, []),
        ({"state": "open", "summary": {"disk": 1}}, []),
        ({"state": "finished", "summary": {}}, ["wandb_export"]),
        ({"summary": '{"_step": 3}'}, ["wandb_export"]),
    ],
)
def test_a_run_is_known_by_what_wandb_alone_says(
    tmp_path: Path, more: dict[str, Any], takers: list[str]
) -> None:
    path = saved(tmp_path, {"id": "INC-7", "config": {"a": 1}, **more}, "a.json")
    assert takers_of(path) == takers


def test_an_artifact_of_no_version_names_none(tmp_path: Path) -> None:
    one = {"name": "m", "type": "model", "digest": "d", "aliases": [], "createdAt": WHEN}
    assert found(tmp_path, "wandb_export", one, "SELECT uri FROM checkpoints") == [("wandb:m",)]


def test_the_folder_of_a_run_says_what_made_it(tmp_path: Path) -> None:
    """Its files name no run: the folder does, by the id at its end."""
    folder = tmp_path / "run-20260301_120000-ab12" / "files"
    folder.mkdir(parents=True)
    about = {"os": "Linux", "python": "3.12", "startedAt": WHEN, "program": "fit.py",
             "args": ["--lr", "a b"], "gpu": "A100", "host": "h",
             "git": {"remote": "r", "commit": COMMIT}}  # fmt: skip
    config = "_wandb:\n    value:\n        cli_version: 1\nlr:\n    value: 0.1\n"
    told = [*read("wandb_export", saved(folder, about, "wandb-metadata.json")),
             *read("wandb_export", saved(folder, config, "config.yaml"))]  # fmt: skip
    assert {row["artifact"] for row in told} == {"ab12"}
    assert [(row["kind"], row["uri"], row["pin"]) for row in told] == [
        ("code", "r", "pinned"), ("procedure", "fit.py --lr 'a b'", "pinned"),
        ("environment", "3.12, Linux", "floating"), ("hardware", "A100", "floating"),
        ("hyperparameters", "ab12/config", "pinned"),
    ]  # fmt: skip
    assert told[-1]["attributes"] == {"lr": 0.1}


@pytest.mark.parametrize(
    "text", ["stages:\n  - build\n  - test\n", "stages: # all\n- stage: Build\n", "stages: [a]\n"]
)
def test_stages_of_a_pipeline_are_no_lock(tmp_path: Path, text: str) -> None:
    assert takers_of(saved(tmp_path, text, ".gitlab-ci.yml")) == []


def test_a_banner_over_the_stages_of_a_lock_costs_no_time(tmp_path: Path) -> None:
    lock = "schema: '2.0'\nstages:\n  " + "#" * 25 + "\n  train: {}\n"
    begun = process_time()
    assert takers_of(saved(tmp_path, lock, "dvc.lock")) == ["dvc_lock"]
    assert process_time() - begun < 1


@pytest.mark.parametrize(
    ("stage", "kind"),
    [("train_latest", "train_data"), ("contest", "train_data"), ("evaluate", "eval_data"),
     ("run-tests", "eval_data"), ("backtest", "eval_data")],
)  # fmt: skip
def test_a_stage_is_one_of_evaluation_by_its_words(tmp_path: Path, stage: str, kind: str) -> None:
    text = (
        f"\ufeffschema: '2.0'\nstages:\n  {stage}:\n    deps:\n    - path: data\n      md5: a\n"
        "    outs:\n    - path: o\n      md5: b\n"
    )
    sql = "SELECT kind FROM artifact_inputs"
    assert found(tmp_path, "dvc_lock", text, sql, "dvc.lock") == [(kind,)]


def test_a_dependency_is_of_a_kind_by_its_path(tmp_path: Path) -> None:
    """Settings and lists of packages are no training data; Windows has its own separator."""
    kinds = {r"out\models\base": "base_checkpoint", "conf/train.yaml": "hyperparameters",
             "uv.lock": "environment", "a/requirements-dev.txt": "environment",
             "notes.txt": "train_data", r"src\model.py": "code"}  # fmt: skip
    deps = "".join(f"    - path: {path}\n      md5: a\n" for path in kinds)
    text = f"stages:\n  train:\n    deps:\n{deps}    outs:\n    - path: o\n      md5: b\n"
    rows_of = read("dvc_lock", saved(tmp_path, text, "dvc.lock"))
    assert {row["uri"]: row["kind"] for row in rows_of if "kind" in row} == kinds


@pytest.mark.parametrize("number", ["0x" + "f" * 6_000, "1" + ":59" * 3_000, "1" * 6_000])
def test_a_number_that_no_text_holds_is_refused(tmp_path: Path, number: str) -> None:
    text = (
        f"stages:\n  a:\n    params:\n      f: {number}\n    outs:\n    - path: o\n      md5: b\n"
    )
    assert refused("dvc_lock", saved(tmp_path, text, "dvc.lock")) == "YAML"


def test_tags_are_found_behind_others_and_behind_a_byte_order_mark(tmp_path: Path) -> None:
    names = ["m@v1.0.0", *(f"0.{n}" for n in range(30)), "m@v1.1.0"]
    text = "\ufeff" + "".join(f"{name}\ttag\t{COMMIT}\t{WHEN}\tx\n" for name in names)
    sql = "SELECT version FROM model_versions ORDER BY version"
    assert found(tmp_path, "gto_tags", text, sql, "t.tsv") == [("v1.0.0",), ("v1.1.0",)]
    others = "".join(f"0.{n}\ttag\t{COMMIT}\t{WHEN}\tx\n" for n in range(30))
    (tmp_path / "more").mkdir()
    more = saved(tmp_path / "more", others + f"m@v2.0.0\ttag\t{COMMIT}\t{WHEN}\tx\n", "t.tsv")
    assert takers_of(more) == ["gto_tags"]


def test_a_history_of_gto_is_a_listing_of_its_tags(tmp_path: Path) -> None:
    """What it says of the commits between them is no tag."""
    refs = {"m@v1.0.0": "registration", COMMIT: "commit", "m#prod#1": "assignment"}
    history = [
        {"timestamp": f"2026-03-0{day} 00:00:00", "artifact": "m", "event": event, "priority": 5,
         "version": "v1.0.0", "stage": None, "commit": COMMIT, "author": "ana", "ref": ref,
         "message": "first\tof two\n"}
        for day, (ref, event) in enumerate(refs.items(), start=1)
    ]  # fmt: skip
    read = Loaded(tmp_path, "gto_tags", history, "history.json")
    assert read.rows("SELECT model, version, day(created_at) FROM model_versions") == [
        ("m", "v1.0.0", 1)
    ]
    sql = "SELECT alias, checkpoint, actor, reason, day(valid_from), locator FROM alias_events"
    assert read.rows(sql) == [
        ("m#prod", f"commit:{COMMIT}", "ana", "first of two", 3, "/2")
    ]  # fmt: skip
    assert read.exhibit.left_out["history.priority"] == 3
    assert read.exhibit.left_out["tags that are none of GTO's"] == 1


def test_the_last_tag_of_a_version_says_whether_it_is_deprecated(tmp_path: Path) -> None:
    tagged = {
        "m1": ("a1 !a2 a3", None, "2026-03-03T00:00:00Z", None),
        "m2": ("a1 !a2 b3", None, "2026-03-03T00:00:00Z", f"commit:{'b' * 40}"),
        "m3": ("a1 !a2 a3 !a4", "2026-03-04T00:00:00Z", None, None),
        "m4": ("a1 !a1", "2026-03-01T00:00:00Z", None, None),
    }
    lines = [
        f"{model}@v1.0.0{'!' * tag.startswith('!')}#{n}\ttag\t{tag[-2] * 40}"
        f"\t2026-03-0{tag[-1]}T00:00:00Z\tx"
        for model, (tags, *_) in tagged.items() for n, tag in enumerate(tags.split(), start=1)
    ]  # fmt: skip
    read = Loaded(tmp_path, "gto_tags", "\n".join(reversed(lines)), "t.tsv")
    sql = """
        SELECT model, attributes->>'deprecated_at', attributes->>'registered_again_at',
               attributes->>'registered_again_as'
        FROM model_versions WHERE day(created_at) = 1 ORDER BY model
    """
    assert read.rows(sql) == [(model, *told) for model, (_, *told) in tagged.items()]
    assert read.exhibit.left_out["tags of a version between its first and its last"] == 4


def test_a_commit_that_is_taken_from_a_stage_where_it_is_not_is_counted(tmp_path: Path) -> None:
    text = f"m#prod!#2\ttag\t{COMMIT}\t{WHEN}\tx\n"
    left_out = Loaded(tmp_path, "gto_tags", text, "t.tsv").exhibit.left_out
    assert left_out == {"tags that take a commit from a stage where it is not in force": 1}


@pytest.mark.parametrize(
    ("commit", "when", "code"),
    [
        (COMMIT, "", "LIGHTWEIGHT_TAG"),
        ("", WHEN, "LIGHTWEIGHT_TAG"),
        (COMMIT, "soon", "NO_INSTANT"),
    ],
)
def test_why_a_tag_is_a_reject(tmp_path: Path, commit: str, when: str, code: str) -> None:
    text = f"m@v1.0.0\ttag\t{commit}\t{when}\tx\n"
    assert found(tmp_path, "gto_tags", text, "SELECT code FROM rejects", "t.tsv") == [(code,)]


def card(results: int, revision: str = "main") -> str:
    listed = "".join(
        f"  - dataset: {{type: set-{n}, name: Set, revision: {revision}}}\n"
        "    metrics: [{type: f1, value: 0.5}]\n"
        for n in range(results)
    )
    return f"---\nlibrary_name: x\nmodel-index:\n- name: m\n  results:\n{listed}---\nwords\n"


def test_a_card_of_many_results_is_a_card(tmp_path: Path) -> None:
    text = card(1_500)
    assert len(text) > 64 * 1024
    sql = "SELECT count(*) FROM artifact_inputs"
    assert found(tmp_path, "huggingface_card", text, sql, "README.md") == [(1_500,)]


@pytest.mark.parametrize(("revision", "pin"), [("main", "floating"), (COMMIT, "pinned")])
def test_a_branch_pins_no_data_set(tmp_path: Path, revision: str, pin: str) -> None:
    sql = "SELECT digest, pin FROM artifact_inputs"
    text = card(1, revision)
    assert found(tmp_path, "huggingface_card", text, sql, "README.md") == [(revision, pin)]


def test_an_adapter_is_the_same_in_whatever_order_its_modules_stand(tmp_path: Path) -> None:
    digests = set()
    for modules in (["q", "v"], ["v", "q"]):
        config = {"peft_type": "LORA", "base_model_name_or_path": "b", "target_modules": modules}
        told = read("peft_adapter", saved(tmp_path, config, "a.json"))
        digests |= {row.get("digest") for row in told}
    assert len(digests) == 2  # none of the base, and one of the settings


def test_a_base_that_nobody_names_is_absent(tmp_path: Path) -> None:
    config = {"peft_type": "LORA", "base_model_name_or_path": None}
    sql = "SELECT pin FROM artifact_inputs WHERE kind = 'base_checkpoint'"
    assert found(tmp_path, "peft_adapter", config, sql) == [("absent",)]


@pytest.mark.parametrize(
    ("importer", "one"),
    [("peft_adapter", {"peft_type": "LORA", "base_model_name_or_path": "org/base"}),
     ("huggingface_dataset", {"_fingerprint": "f", "_data_files": []})],
)  # fmt: skip
def test_a_list_is_not_read_as_an_empty_object(
    tmp_path: Path, importer: str, one: dict[str, Any]
) -> None:
    assert refused(importer, saved(tmp_path, [one], "a.json")) == "JSON"


@pytest.mark.parametrize(
    ("mark", "takers"), [("model-index: []", ["huggingface_card"]), ("task_ids: []", [])]
)
def test_the_card_of_a_data_set_is_none_of_a_model(
    tmp_path: Path, mark: str, takers: list[str]
) -> None:
    text = f"---\nlibrary_name: argilla\ndataset_info: {{}}\n{mark}\n---\n"
    assert takers_of(saved(tmp_path, text, "README.md")) == takers


@pytest.mark.parametrize(
    ("split", "kind"),
    [("validation_matched", "eval_data"), ("test[:10%]", "eval_data"), ("train", "train_data"),
     ("latest", "train_data"), ("val", "eval_data"), ("devops", "train_data"),
     ("device", "train_data")],
)  # fmt: skip
def test_a_split_is_one_of_evaluation_by_how_it_begins(
    tmp_path: Path, split: str, kind: str
) -> None:
    state = {"_fingerprint": "f", "_data_files": [], "_split": split}
    assert found(tmp_path, "huggingface_dataset", state, "SELECT kind FROM artifact_inputs") == [
        (kind,)
    ]


def test_the_splits_of_a_data_set_are_inputs_of_it(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "train").mkdir(parents=True)
        state = {"_fingerprint": name, "_data_files": [], "_split": "train"}
        saved(tmp_path / name / "train", state, "state.json")
        info = {"citation": "", "description": "", "features": {}, "homepage": "", "license": name}
        saved(tmp_path / name / "train", info, "dataset_info.json")  # names no origin
    CaseWriter.create(tmp_path / "case.duckdb", "sets")
    intake.load(tmp_path / "case.duckdb", [tmp_path / "a", tmp_path / "b"])
    sql = "SELECT artifact, uri, digest FROM artifact_inputs ORDER BY ALL"
    assert rows(tmp_path / "case.duckdb", sql) == [
        (name, "train", f"fingerprint:{name}") for name in "ab"
    ]


def test_the_folder_of_a_split_says_what_it_is_for(tmp_path: Path) -> None:
    """The part that was held out bears the split of the whole, or none."""
    saved(tmp_path, {"splits": ["train", "test", "dev"]}, "dataset_dict.json")
    for name, split, kind in (("test", "train", "eval_data"), ("dev", None, "eval_data")):
        (tmp_path / name).mkdir()
        state = {"_fingerprint": "f", "_data_files": [], "_split": split}
        (row,) = read("huggingface_dataset", saved(tmp_path / name, state, "state.json"))
        told = [row[column] for column in ("artifact", "kind", "uri")]
        assert told == [tmp_path.name, kind, name]


@pytest.mark.parametrize("typed", ["a.json", "./a.json"])
def test_an_adapter_goes_by_its_folder_however_its_path_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    folder = tmp_path / "adapter"
    folder.mkdir()
    saved(folder, {"peft_type": "LORA", "base_model_name_or_path": "org/base"}, "a.json")
    monkeypatch.chdir(folder)
    items = get("peft_adapter").read(Source(Path(typed), typed), Options())
    assert {item.values["artifact"] for item in items if isinstance(item, Row)} == {"adapter"}


def test_a_data_set_of_many_files_is_known_by_its_first_fields(tmp_path: Path) -> None:
    sums = {f"https://host/{n}": {"checksum": "c" * 64} for n in range(1_000)}
    info = {"builder_name": "b", "citation": "", "description": "", "download_checksums": sums,
            "features": {}, "homepage": "", "license": ""}  # fmt: skip
    sql = "SELECT uri, pin FROM artifact_inputs"
    assert found(tmp_path, "huggingface_dataset", info, sql) == [("b", "pinned")]


@pytest.mark.parametrize(
    ("address", "pin"),
    [("/home/ana/rows.csv", "floating"), (f"hf://datasets/org/set@{COMMIT}/a.parquet", "pinned"),
     ("hf://datasets/org/set@main/a.parquet", "floating")],
)  # fmt: skip
def test_an_address_without_a_checksum_pins_no_bytes(
    tmp_path: Path, address: str, pin: str
) -> None:
    sums = {address: {"num_bytes": 9, "checksum": None}}
    info = {"builder_name": "csv", "citation": "", "description": "", "download_checksums": sums}
    (row,) = read("huggingface_dataset", saved(tmp_path, info, "a.json"))
    assert (row["pin"], row["digest"] is not None) == (pin, pin == "pinned")


@pytest.mark.parametrize("size", [8, 15, 1_000])
@pytest.mark.parametrize(
    ("importer", "content"),
    [
        ("dvc_lock", b"schema: '2.0'\nstages: {}\n"),
        ("gto_tags", f"m@v1.0.0\ttag\t{COMMIT}\t{WHEN}\tx\n".encode()),
        ("safetensors_header", weights()),
        ("huggingface_card", b"---\nbase_model: b\n---\n"),
    ],
)
def test_what_is_cut_off_is_to_be_asked_for_again(
    tmp_path: Path, importer: str, content: bytes, size: int
) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(content + Random(1).randbytes(9_000))[:size])
    assert refused(importer, path) == "COMPRESSION"


def test_a_line_without_end_is_a_reject(tmp_path: Path) -> None:
    lines = f"m@v1.0.0\ttag\t{COMMIT}\t{WHEN}\tx\n{'x' * (17 << 20)}\n"
    path = tmp_path / "tags.tsv.gz"
    path.write_bytes(gzip.compress(lines.encode(), 1))
    load(tmp_path / "case.duckdb", get("gto_tags"), path)
    sql = "SELECT locator, code, length(raw) FROM rejects"
    assert rows(tmp_path / "case.duckdb", sql) == [("line 2", "LINE_TOO_LONG", 4_000)]


def test_compressed_weights_have_the_digest_of_the_weights(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors.gz"
    path.write_bytes(gzip.compress(weights() + b"x" * 16))
    load(tmp_path / "case.duckdb", get("safetensors_header"), path)
    digest = sha256(weights() + b"x" * 16).hexdigest()
    sql = "SELECT checkpoint FROM checkpoints"
    assert rows(tmp_path / "case.duckdb", sql) == [(f"sha256:{digest}",)]
    path.write_bytes(gzip.compress(weights() + b"x" * 15))
    assert refused("safetensors_header", path) == "SAFETENSORS"


@pytest.mark.parametrize(("size", "code"), [(16, ""), (15, "SAFETENSORS"), (0, "SAFETENSORS")])
def test_weights_that_are_cut_off_are_no_checkpoint(tmp_path: Path, size: int, code: str) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(weights() + b"x" * size)
    assert refused("safetensors_header", path) == code


def test_a_stage_of_more_pairs_than_is_sensible_is_told_and_not_multiplied(tmp_path: Path) -> None:
    entries = "".join(f"    - {{path: p{n}, md5: 'm{n}'}}\n" for n in range(500))
    text = f"stages:\n  a:\n    deps:\n{entries}    outs:\n{entries}"
    sql = "SELECT locator, code FROM rejects"
    told = [("/stages/a", "STAGE_TOO_LARGE")]
    assert found(tmp_path, "dvc_lock", text, sql, "dvc.lock") == told
    sql = "SELECT (SELECT count(*) FROM checkpoints), (SELECT count(*) FROM artifact_inputs)"
    assert rows(tmp_path / "case.duckdb", sql) == [(500, 0)]


def test_a_card_of_more_models_than_is_sensible_is_not_multiplied(tmp_path: Path) -> None:
    listed = "".join(f"- name: m{n}\n" for n in range(102))
    text = f"---\nbase_model: org/base\nmodel-index:\n{listed}---\n"
    sql = "SELECT locator FROM rejects WHERE code = 'CARD_TOO_LARGE' ORDER BY ALL"
    told = [("/model-index/100",), ("/model-index/101",)]
    assert found(tmp_path, "huggingface_card", text, sql, "README.md") == told
