"""What artifacts were made of, and what was signed: nothing is lost, and nothing is made up."""

import json
from base64 import b64encode, urlsafe_b64encode
from hashlib import file_digest, sha256
from importlib import import_module
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from tests.importers.loading import Loaded

from casework.case import Row
from casework.importers import get
from casework.importers._importer import Options
from casework.importers._source import Source

A, B, C = "a" * 64, "b" * 64, "c" * 128


def statement(kind: str, predicate: Any, *subjects: dict[str, Any]) -> dict[str, Any]:
    return {"_type": "https://in-toto.io/Statement/v1", "subject": list(subjects),
            "predicateType": kind, "predicate": predicate}  # fmt: skip


def envelope(content: dict[str, Any], encode: Any = b64encode) -> dict[str, Any]:
    payload = encode(json.dumps(content).encode()).decode()
    return {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {},
            "dsseEnvelope": {"payload": payload, "payloadType": "application/vnd.in-toto+json",
                             "signatures": []}}  # fmt: skip


# Signatures of models


def signed(*resources: dict[str, Any]) -> dict[str, Any]:
    predicate = {"serialization": {"method": "files"}, "resources": list(resources)}
    subject = {"name": "m", "digest": {"sha256": A}}
    return statement("https://model_signing/signature/v1.0", predicate, subject)


@pytest.mark.parametrize("name", ["a\0b", "a" * 5_000, "../" * 40 + "etc/hostname", "", None, 7])
def test_a_signed_name_that_no_file_can_have_is_missing(tmp_path: Path, name: Any) -> None:
    found = Loaded(tmp_path, "model_signature", envelope(signed({"name": name, "digest": B})))
    sql = "SELECT \"exists\", attributes->>'files_missing' FROM checkpoints"
    assert found.rows(sql) == [(None, "1")]


def test_only_digests_of_one_kind_are_compared(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(b"weights")
    digest = sha256(b"weights").hexdigest()
    resources = [
        {"name": "w", "digest": digest.upper(), "algorithm": "sha256"},
        {"name": "w", "digest": C, "algorithm": "blake2b"},
        {"name": "w", "algorithm": "sha256"},
    ]
    found = Loaded(tmp_path, "model_signature", envelope(signed(*resources)))
    sql = """
        SELECT attributes->>'files_matching', attributes->>'files_not_compared',
               attributes->>'files_different' FROM checkpoints
    """
    assert found.rows(sql) == [("1", "2", None)]
    assert not any("do not have the signed digest" in note for note in found.exhibit.notes)


def test_a_file_that_is_signed_often_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "w").write_bytes(b"weights")
    read: list[str] = []

    def counted(file: Any, kind: str) -> Any:
        read.append(kind)
        return file_digest(file, kind)

    module = import_module("casework.importers.model_signature")
    monkeypatch.setattr(module, "file_digest", counted)
    digest = sha256(b"weights").hexdigest()
    resources = [{"name": "w", "digest": digest} for _ in range(10_003)]
    statements = (signed(*resources), signed(resources[0]))
    found = Loaded(tmp_path, "model_signature", "\n".join(map(json.dumps, statements)))
    sql = """
        SELECT "exists", attributes->>'files_matching', attributes->>'files_not_compared'
        FROM checkpoints ORDER BY "exists"
    """
    assert read == ["sha256"]
    assert found.rows(sql)[0] == (None, "10000", "3")


@pytest.mark.parametrize("name", ["model.sig", "bundle.json"])
def test_a_long_signature_is_recognised_whatever_its_name(tmp_path: Path, name: str) -> None:
    resources = [{"name": f"part-{n}", "digest": B, "algorithm": "sha256"} for n in range(1_500)]
    found = Loaded(tmp_path, "model_signature", envelope(signed(*resources)), name)
    assert found.takers == ["model_signature"]
    assert found.rows("SELECT checkpoint FROM checkpoints") == [(f"sha256:{A}",)]


def test_files_signed_singly_have_a_digest_together_where_each_has_one(tmp_path: Path) -> None:
    kind = "https://model_signing/Digests/v0.1"
    whole = [{"name": "b", "digest": {"sha256": B}}, {"name": "a", "digest": {"sha256": A}}]
    lines = "\n".join(json.dumps(statement(kind, {}, *subjects))
                      for subjects in (whole, [*whole, {"name": "c"}]))  # fmt: skip
    found = Loaded(tmp_path, "model_signature", lines)
    listed = sha256(f"{A}  a\n{B}  b\n".encode()).hexdigest()
    assert found.rows("SELECT checkpoint FROM checkpoints") == [(f"sha256:{listed}",)]
    assert found.rejects == [("line 2", "checkpoint is missing")]


@pytest.mark.parametrize("typed", ["model.sig", "./model.sig"])
def test_files_signed_singly_are_of_their_folder_however_the_path_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    folder = tmp_path / "ranker"
    folder.mkdir()
    one = statement(
        "https://model_signing/Digests/v0.1", {}, {"name": "a", "digest": {"sha256": A}}
    )
    (folder / "model.sig").write_text(json.dumps(envelope(one)))
    monkeypatch.chdir(folder)
    items = get("model_signature").read(Source(Path(typed), typed), Options())
    assert [item.values["uri"] for item in items if isinstance(item, Row)] == ["ranker"]


# SLSA

TORCH = {"uri": "pkg:pypi/torch@2.9", "digest": {"sha3_256": "ef"}}
BUILT = {"buildDefinition": {"resolvedDependencies": [{"uri": "what is it"}, TORCH]}}
SLSA = "https://slsa.dev/provenance/v1"


def test_dependencies_of_two_subjects_are_counted_once(tmp_path: Path) -> None:
    subjects = {"name": "m", "digest": {"sha512": C, "sha256": A}}, {"digest": {"sha256": B}}
    found = Loaded(tmp_path, "slsa_provenance", statement(SLSA, BUILT, *subjects))
    assert found.rows("SELECT checkpoint, uri FROM checkpoints ORDER BY checkpoint") == [
        (f"sha256:{A}", "m"),
        (f"sha256:{B}", None),
    ]
    sql = "SELECT artifact, digest, pin FROM artifact_inputs ORDER BY artifact"
    assert found.rows(sql) == [
        (f"sha256:{A}", "sha3_256:ef", "pinned"),
        (f"sha256:{B}", "sha3_256:ef", "pinned"),
    ]
    assert found.exhibit.left_out["dependencies whose kind cannot be told"] == 1


RELEASE = "https://github.com/o/r/releases/download/v1"


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        (f"{RELEASE}/train.parquet", "train_data"),
        (f"{RELEASE}/src.tar.gz", "code"),
        ("https://host/package-lock.json", "environment"),
        ("https://host/train.json", "train_data"),
        ("https://host/poetry-lock.json", None),
        (f"{RELEASE}/train.json", "train_data"),
        (f"{RELEASE}/manifest.json", "code"),
        ("git+https://github.com/o/r@abc#train.csv", "code"),
    ],
)
def test_the_kind_is_read_off_the_end_of_an_address_first(
    tmp_path: Path, address: str, kind: str | None
) -> None:
    built = {"buildDefinition": {"resolvedDependencies": [{"uri": address}]}}
    subject = {"name": "m", "digest": {"sha256": A}}
    found = Loaded(tmp_path, "slsa_provenance", statement(SLSA, built, subject))
    told = [(kind,)] if kind else []
    assert found.rows("SELECT kind FROM artifact_inputs") == told


def test_the_kind_of_a_hostile_address_takes_no_time(tmp_path: Path) -> None:
    built = {"buildDefinition": {"resolvedDependencies": [{"uri": "lock" * 30_000 + "/"}]}}
    begun = process_time()
    Loaded(tmp_path, "slsa_provenance", statement(SLSA, built, {"digest": {"sha256": A}}))
    assert process_time() - begun < 2


def test_statements_of_other_kinds_are_counted_and_make_nothing(tmp_path: Path) -> None:
    subject = {"name": "m", "digest": {"sha256": A}}
    lines = [statement(SLSA, BUILT, subject), statement(SLSA, BUILT), {"other": 1},
             statement("https://spdx.dev/Document", {}, {"digest": {"sha256": B}})]  # fmt: skip
    found = Loaded(tmp_path, "slsa_provenance", "\n".join(map(json.dumps, lines)))
    assert found.rows("SELECT checkpoint FROM checkpoints") == [(f"sha256:{A}",)]
    assert found.exhibit.left_out["statements that tell no provenance of a subject"] == 3


def test_a_subject_without_name_and_digest_is_a_reject(tmp_path: Path) -> None:
    found = Loaded(tmp_path, "slsa_provenance", statement(SLSA, BUILT, {}))
    assert {reason for _, reason in found.rejects} == {
        "checkpoint is missing", "artifact is missing",
    }  # fmt: skip
    assert found.exhibit.rows_kept == 0


def test_either_alphabet_of_base64_is_read(tmp_path: Path) -> None:
    subject = {"name": "~~~???>>>~~~???>>>", "digest": {"sha256": A}}
    content = envelope(statement(SLSA, BUILT, subject), urlsafe_b64encode)
    assert {"-", "_"} & set(content["dsseEnvelope"]["payload"])
    found = Loaded(tmp_path, "slsa_provenance", content)
    assert found.takers == ["slsa_provenance"]
    assert found.exhibit.rows_kept == 2


@pytest.mark.parametrize("name", ["bundle.json", "provenance.sig"])
def test_long_provenance_in_an_envelope_is_recognised(tmp_path: Path, name: str) -> None:
    dependencies = [{"uri": f"pkg:pypi/p{n}", "digest": {"sha256": A}} for n in range(1_500)]
    predicate = {"buildDefinition": {"resolvedDependencies": dependencies}}
    subject = {"name": "m", "digest": {"sha256": B}}
    found = Loaded(tmp_path, "slsa_provenance", envelope(statement(SLSA, predicate, subject)), name)
    assert found.takers == ["slsa_provenance"]
    assert found.exhibit.rows_kept == 1_501


@pytest.mark.parametrize(
    ("wrapped", "place"),
    [
        (lambda other, one: [{"bundle": other}, {"bundle": one}], "/attestations/1/bundle"),
        (lambda _, one: [{"bundle": one}, {"bundle": "x" * 70_000}], "/attestations/0/bundle"),
        (lambda _, one: {"bundle": one}, "/attestation/bundle"),
        (lambda other, one: {"provenance": [{"envelope": other["dsseEnvelope"]},
                                            {"envelope": one["dsseEnvelope"]}]},
         "/provenance_summary/provenance/1/envelope"),
        (lambda *several: several, ""),
    ],
)  # fmt: skip
def test_provenance_is_found_among_what_else_is_attested(
    tmp_path: Path, wrapped: Any, place: str
) -> None:
    """Registries list several attestations of an artifact, and the first may be of another kind."""
    subject = {"name": "m", "digest": {"sha256": A}}
    other = envelope(statement("https://spdx.dev/Document", {}, subject))
    form = wrapped(other, envelope(statement(SLSA, BUILT, subject)))
    key = place[1:].partition("/")[0]
    lines = json.dumps({key: form}) if key else "\n".join(map(json.dumps, form))
    found = Loaded(tmp_path, "slsa_provenance", lines)
    assert found.takers == ["slsa_provenance"]
    assert found.rows("SELECT checkpoint, locator FROM checkpoints") == [
        (f"sha256:{A}", f"line {1 if key else 2}{place}")
    ]


# CycloneDX


def bill(*components: dict[str, Any]) -> dict[str, Any]:
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": list(components),
            "metadata": {"timestamp": "x"}}  # fmt: skip


def model(name: str = "m", **more: Any) -> dict[str, Any]:
    return {"type": "machine-learning-model", "name": name, "version": "1", **more}


def metric(value: Any) -> dict[str, Any]:
    metrics = {"performanceMetrics": [{"type": "f1", "value": value}]}
    return model(modelCard={"quantitativeAnalysis": metrics})


@pytest.mark.parametrize("form", [json.dumps, lambda one: json.dumps([one])])
def test_a_model_within_a_component_is_found(tmp_path: Path, form: Any) -> None:
    app = {"type": "application", "name": "app", "components": [model()]}
    found = Loaded(tmp_path, "cyclonedx_bom", form(bill(app)))
    place = "line 1" if form is json.dumps else "/0"
    assert found.rows("SELECT model, locator FROM model_versions") == [
        ("m", f"{place}/components/0/components/0")
    ]
    assert found.exhibit.left_out["bom.metadata.timestamp"] == 1
    assert found.exhibit.left_out["components that are no models"] == 1


def test_several_bills_are_all_read(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(bill(model(name))) for name in "ab")
    found = Loaded(tmp_path, "cyclonedx_bom", lines)
    assert found.rows("SELECT model FROM model_versions ORDER BY model") == [("a",), ("b",)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0.5", 0.5), (1, 1.0), (10**400, None), (True, None), ("inf", None), ([1], None)],
)
def test_a_value_of_a_metric_is_a_number_or_none(
    tmp_path: Path, value: Any, expected: float | None
) -> None:
    found = Loaded(tmp_path, "cyclonedx_bom", bill(metric(value)))
    assert found.rows("SELECT metric_value FROM model_versions") == [(expected,)]


@pytest.mark.parametrize(
    ("hashes", "expected"),
    [
        ({"SHA-512": C, "SHA-256": A}, f"sha256:{A}"),
        ({"SHA-512": C, "MD5": "ab"}, f"sha512:{C}"),
        ({"SHA3-256": B}, f"sha3-256:{B}"),
    ],
)
def test_the_hash_by_which_a_model_is_named(
    tmp_path: Path, hashes: dict[str, str], expected: str
) -> None:
    listed = [{"alg": name, "content": content} for name, content in hashes.items()]
    found = Loaded(tmp_path, "cyclonedx_bom", bill(model(hashes=listed)))
    assert found.rows("SELECT checkpoint FROM checkpoints") == [(expected,)]


def test_what_has_no_name_makes_no_row_without_one(tmp_path: Path) -> None:
    card = {"modelParameters": {"datasets": [{"ref": None, "name": "d"}]}}
    nameless = {"type": "machine-learning-model", "modelCard": card}
    data = {"type": "data", "name": "another"}
    found = Loaded(tmp_path, "cyclonedx_bom", bill(nameless, data))
    assert {reason for _, reason in found.rejects} == {"artifact is missing", "model is missing"}
    assert found.exhibit.rows_kept == 0


def test_what_a_bill_lists_as_data_is_of_the_kind_that_it_says(tmp_path: Path) -> None:
    listed = [{"name": "a", "type": "source-code"}, {"name": "b", "type": "configuration"},
              {"name": "c", "type": "dataset"}, {"ref": "x"}]  # fmt: skip
    card = {"modelParameters": {"datasets": listed}}
    data = {"type": "data", "bom-ref": "x", "name": "d", "data": [{"type": "source-code"}]}
    found = Loaded(tmp_path, "cyclonedx_bom", bill(model(modelCard=card), data))
    assert found.rows("SELECT uri, kind FROM artifact_inputs ORDER BY uri") == [
        ("a", "code"), ("b", "hyperparameters"), ("c", "train_data"), ("d", "code")
    ]  # fmt: skip


def test_what_a_model_depends_on_was_it_made_of(tmp_path: Path) -> None:
    parts = [{"type": "data", "bom-ref": "d", "name": "tickets",
              "hashes": [{"alg": "SHA-256", "content": B}]},
             model("base", **{"bom-ref": "b"}),
             {"type": "library", "bom-ref": "l", "name": "torch"},
             {"type": "file", "bom-ref": "f", "name": "README"}]  # fmt: skip
    card = {"modelParameters": {"datasets": [{"ref": "d"}]}}
    whole = bill(model(**{"bom-ref": "m"}, modelCard=card), *parts)
    whole["dependencies"] = [{"ref": "l", "dependsOn": ["d"]},
                             {"ref": "m", "dependsOn": ["d", "b", "l", "f", "gone"]}]  # fmt: skip
    found = Loaded(tmp_path, "cyclonedx_bom", whole)
    sql = "SELECT artifact, kind, uri, digest, locator FROM artifact_inputs ORDER BY kind"
    at = "line 1/dependencies/1/dependsOn"
    assert found.rows(sql) == [
        ("m@1", "base_checkpoint", "base@1", None, f"{at}/1"),
        ("m@1", "environment", "torch", None, f"{at}/2"),
        ("m@1", "train_data", "tickets", f"sha256:{B}",
         "line 1/components/0/modelCard/modelParameters/datasets/0"),
    ]  # fmt: skip
    assert found.exhibit.rows_duplicate == 1  # the data set, which the card names too


def test_a_long_bill_that_says_at_its_end_what_it_is_is_recognised(tmp_path: Path) -> None:
    parts = [{"bom-ref": f"p{n}", "name": "x" * 500, "type": "library"} for n in range(200)]
    found = Loaded(tmp_path, "cyclonedx_bom",
                   {"components": [*parts, model()], "bomFormat": "CycloneDX"})  # fmt: skip
    assert found.takers == ["cyclonedx_bom"]
    assert found.exhibit.rows_kept == 1


# OpenLineage


def run(kind: str, version: str | None = None, **more: Any) -> dict[str, Any]:
    facets = {"facets": {"version": {"datasetVersion": version}}} if version else {}
    return {"eventType": kind, "eventTime": "2026-03-01T00:00:00Z", "run": {"runId": "1"},
            "job": {"name": "train"}, "inputs": [{"name": "in", **facets}],
            "outputs": [{"name": "out", **facets}], **more}  # fmt: skip


def test_the_facets_of_all_events_of_a_run_count(tmp_path: Path) -> None:
    """Where the code lies is told at the start, what version came of it at the end."""
    place = {"sourceCodeLocation": {"url": "https://git.example/r", "version": "abc"}}
    events = [run("START", job={"name": "train", "facets": place}),
              run("COMPLETE", "7", job={"name": "train", "facets": {"jobType": {}}})]  # fmt: skip
    found = Loaded(tmp_path, "openlineage_events", "\n".join(map(json.dumps, events)))
    sql = "SELECT artifact, kind, uri, digest FROM artifact_inputs ORDER BY kind"
    assert found.rows(sql) == [
        ("out@7", "code", "https://git.example/r", "abc"),
        ("out@7", "train_data", "in", "7"),
    ]


def test_each_version_that_a_run_read_is_an_input(tmp_path: Path) -> None:
    def read(version: str) -> dict[str, Any]:
        return {"name": "t", "facets": {"version": {"datasetVersion": version}}}

    events = [run("COMPLETE", inputs=[read("1"), {"name": "u"}]),
              run("RUNNING", inputs=[read("2"), {"name": "t"}, {"name": "u"}],
                  eventTime="2026-03-02T00:00:00Z"),
              run("START", inputs=[read("1")], eventTime="2026-02-28T00:00:00Z")]  # fmt: skip
    found = Loaded(tmp_path, "openlineage_events", "\n".join(map(json.dumps, events)))
    sql = """
        SELECT uri, digest, verified_at, attributes->>'last_event_at'
        FROM artifact_inputs ORDER BY uri
    """
    last = "2026-03-02T00:00:00Z"
    assert found.rows(sql) == [("t@1", "1", None, last), ("t@2", "2", None, last),
                               ("u", None, None, last)]  # fmt: skip


@pytest.mark.parametrize(("named", "day", "order"), [("11", 1, 1), ("11", 3, -1), (None, 1, -1)])
def test_a_run_makes_one_version_of_an_output(
    tmp_path: Path, named: str | None, day: int, order: int
) -> None:
    """That of its end; where its end names none, the latest, in whatever order they are told."""
    events = [run("COMPLETE", named, eventTime=f"2026-03-0{day}T00:00:00Z"),
              run("RUNNING", "12", eventTime="2026-03-02T00:00:00Z"),
              run("START", "10")]  # fmt: skip
    lines = "\n".join(map(json.dumps, events[::order]))
    found = Loaded(tmp_path, "openlineage_events", lines)
    assert found.rows("SELECT DISTINCT artifact FROM artifact_inputs") == [(f"out@{named or 12}",)]


@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_a_run_that_makes_no_row_is_counted(tmp_path: Path, side: str) -> None:
    found = Loaded(tmp_path, "openlineage_events", run("COMPLETE", **{side: []}))
    assert found.exhibit.rows_read == 0
    assert found.exhibit.left_out["events or runs that made no data set of another"] == 1


def test_the_address_of_a_data_set_is_its_namespace_and_its_name(tmp_path: Path) -> None:
    named = [("s3://b", "train.csv"), ("hdfs://n:8020", "/data/train"), ("file", "/data/train")]
    inputs = [{}, *({"namespace": space, "name": name} for space, name in named)]
    page = {"events": [run("COMPLETE", inputs=inputs)], "totalCount": 1}
    found = Loaded(tmp_path, "openlineage_events", page)
    assert found.takers == ["openlineage_events"]
    sql = "SELECT locator, uri FROM artifact_inputs ORDER BY locator"
    addresses = [None, "s3://b/train.csv", "hdfs://n:8020/data/train", "file/data/train"]
    assert found.rows(sql) == [
        (f"line 1/events/0/inputs/{n}", address) for n, address in enumerate(addresses)
    ]


def test_few_bytes_do_not_make_rows_without_measure(tmp_path: Path) -> None:
    names = [{"name": f"n{n}"} for n in range(500)]
    found = Loaded(tmp_path, "openlineage_events", run("COMPLETE", inputs=names, outputs=names))
    assert found.rows("SELECT code FROM rejects") == [("RUN_TOO_LARGE",)]
    subjects = [{"digest": {"sha256": f"{n:064x}"}} for n in range(500)]
    dependencies = [{"uri": f"pkg:pypi/p{n}"} for n in range(500)]
    predicate = {"buildDefinition": {"resolvedDependencies": dependencies}}
    folder = tmp_path / "slsa"
    folder.mkdir()
    found = Loaded(folder, "slsa_provenance", statement(SLSA, predicate, *subjects))
    assert found.rows("SELECT code FROM rejects") == [("STATEMENT_TOO_LARGE",)]
    assert found.exhibit.tables == {"checkpoints": 500}
