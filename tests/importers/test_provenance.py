"""What artifacts were made of, and what was signed: nothing is lost, and nothing is made up."""

import json
from base64 import b64encode, urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.importers.loading import load, rows, takers_of

from casework.importers import get
from casework.records import Exhibit

A, B, C = "a" * 64, "b" * 64, "c" * 128


class Made:
    """The rows that an importer makes of a text or of JSON, and what it tells of the rest."""

    def __init__(self, folder: Path, importer: str, content: Any, name: str = "x.json") -> None:
        path = folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        self.case = folder / "case.duckdb"
        self.takers = takers_of(path)
        exhibit: Exhibit
        (exhibit,) = load(self.case, get(importer), path)
        self.exhibit = exhibit

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return rows(self.case, sql)

    @property
    def rejects(self) -> list[tuple[str, str]]:
        return self.rows("SELECT locator, reason FROM rejects ORDER BY rowid")


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
    found = Made(tmp_path, "model_signature", envelope(signed({"name": name, "digest": B})))
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
    found = Made(tmp_path, "model_signature", envelope(signed(*resources)))
    sql = """
        SELECT attributes->>'files_matching', attributes->>'files_not_compared',
               attributes->>'files_different' FROM checkpoints
    """
    assert found.rows(sql) == [("1", "2", None)]
    assert not any("do not have the signed digest" in note for note in found.exhibit.notes)


@pytest.mark.parametrize("name", ["model.sig", "bundle.json"])
def test_a_long_signature_is_recognised_whatever_its_name(tmp_path: Path, name: str) -> None:
    resources = [{"name": f"part-{n}", "digest": B, "algorithm": "sha256"} for n in range(1_500)]
    found = Made(tmp_path, "model_signature", envelope(signed(*resources)), name)
    assert found.takers == ["model_signature"]
    assert found.rows("SELECT checkpoint FROM checkpoints") == [(f"sha256:{A}",)]


def test_files_signed_singly_have_a_digest_together_where_each_has_one(tmp_path: Path) -> None:
    kind = "https://model_signing/Digests/v0.1"
    whole = [{"name": "b", "digest": {"sha256": B}}, {"name": "a", "digest": {"sha256": A}}]
    lines = "\n".join(json.dumps(statement(kind, {}, *subjects))
                      for subjects in (whole, [*whole, {"name": "c"}]))  # fmt: skip
    found = Made(tmp_path, "model_signature", lines)
    listed = sha256(f"{A}  a\n{B}  b\n".encode()).hexdigest()
    assert found.rows("SELECT checkpoint FROM checkpoints") == [(f"sha256:{listed}",)]
    assert found.rejects == [("line 2", "checkpoint is missing")]


# SLSA

TORCH = {"uri": "pkg:pypi/torch@2.9", "digest": {"sha3_256": "ef"}}
BUILT = {"buildDefinition": {"resolvedDependencies": [{"uri": "what is it"}, TORCH]}}
SLSA = "https://slsa.dev/provenance/v1"


def test_dependencies_of_two_subjects_are_counted_once(tmp_path: Path) -> None:
    subjects = {"name": "m", "digest": {"sha512": C, "sha256": A}}, {"digest": {"sha256": B}}
    found = Made(tmp_path, "slsa_provenance", statement(SLSA, BUILT, *subjects))
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


def test_statements_of_other_kinds_are_counted_and_make_nothing(tmp_path: Path) -> None:
    subject = {"name": "m", "digest": {"sha256": A}}
    lines = [statement(SLSA, BUILT, subject), statement(SLSA, BUILT), {"other": 1},
             statement("https://spdx.dev/Document", {}, {"digest": {"sha256": B}})]  # fmt: skip
    found = Made(tmp_path, "slsa_provenance", "\n".join(map(json.dumps, lines)))
    assert found.rows("SELECT checkpoint FROM checkpoints") == [(f"sha256:{A}",)]
    assert found.exhibit.left_out["statements that tell no provenance of a subject"] == 3


def test_a_subject_without_name_and_digest_is_a_reject(tmp_path: Path) -> None:
    found = Made(tmp_path, "slsa_provenance", statement(SLSA, BUILT, {}))
    assert {reason for _, reason in found.rejects} == {
        "checkpoint is missing", "artifact is missing",
    }  # fmt: skip
    assert found.exhibit.rows_kept == 0


def test_either_alphabet_of_base64_is_read(tmp_path: Path) -> None:
    subject = {"name": "~~~???>>>~~~???>>>", "digest": {"sha256": A}}
    content = envelope(statement(SLSA, BUILT, subject), urlsafe_b64encode)
    assert {"-", "_"} & set(content["dsseEnvelope"]["payload"])
    found = Made(tmp_path, "slsa_provenance", content)
    assert found.takers == ["slsa_provenance"]
    assert found.exhibit.rows_kept == 2


def test_long_provenance_in_an_envelope_is_recognised(tmp_path: Path) -> None:
    dependencies = [{"uri": f"pkg:pypi/p{n}", "digest": {"sha256": A}} for n in range(1_500)]
    predicate = {"buildDefinition": {"resolvedDependencies": dependencies}}
    subject = {"name": "m", "digest": {"sha256": B}}
    found = Made(tmp_path, "slsa_provenance", envelope(statement(SLSA, predicate, subject)))
    assert found.takers == ["slsa_provenance"]
    assert found.exhibit.rows_kept == 1_501
