"""Importers say where each field of their source went, and what the case holds nowhere."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fixtures.exports import EXPORTS
from tests.importers.loading import source_of

from casework import importers
from casework.case import Fields, Reject, Row
from casework.importers import Importer
from casework.importers._importer import Options


def account(path: Path, importer: Importer) -> Fields:
    """All accounts that a source yields, taken together as the loader does."""
    taken: dict[str, Any] = {}
    left_out: dict[str, int] = {}
    for item in importer.read(source_of(path), Options()):
        if isinstance(item, Fields):
            taken |= item.taken
            left_out |= item.left_out
    return Fields(taken, left_out)


@pytest.mark.parametrize("importer", importers.ALL, ids=lambda one: one.name)
def test_columns_of_the_account_are_filled(tmp_path: Path, importer: Importer) -> None:
    export = EXPORTS[importer.name](tmp_path, Random(1))
    known = {f"{table.name}.{column.name}" for table in importer.tables for column in table.columns}
    known |= {f"{table.name}.{name}" for table in importer.tables
              for name in ("attributes", "covariates")}  # fmt: skip
    found = account(export.path, importer)
    assert found.taken
    assert {column for columns in found.taken.values() for column in columns} <= known


def with_a_field(value: Any) -> Any:
    """The same JSON, with a field that no format names in each of its objects."""
    if isinstance(value, list):
        return [with_a_field(one) for one in value]
    if isinstance(value, dict):
        return {**{name: with_a_field(one) for name, one in value.items()}, "unheard": 7}
    return value


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("helm_run", {"adapter_spec", "completion", "request_state", "result", "run_spec", "stat"}),
        ("huggingface_dataset", {""}),
        ("peft_adapter", {""}),
        ("wandb_export", {"artifact", "run"}),
        ("openlineage_events", {"event", "input", "job", "output"}),
        ("slsa_provenance", {"builder", "dependency", "statement"}),
        ("kubernetes_objects", {"Event", "Pod", "ReplicaSet", "container"}),
    ],
)
def test_a_field_that_no_form_names_is_told(tmp_path: Path, name: str, of: set[str]) -> None:
    path = EXPORTS[name](tmp_path, Random(1)).path
    for file in sorted(path.rglob("*.json")) if path.is_dir() else [path]:
        lines = file.read_text().splitlines()
        file.write_text("\n".join(json.dumps(with_a_field(json.loads(line))) for line in lines))
    found = account(path, importers.get(name))
    told = [field for field in (*found.taken, *found.left_out) if field.endswith("unheard")]
    assert {field.removesuffix("unheard").removesuffix(".") for field in told} >= of


def bom(**model: Any) -> dict[str, Any]:
    component = {"type": "machine-learning-model", "name": "m", **model}
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [component],
            "vulnerabilities": [{"id": "x"}]}  # fmt: skip


@pytest.mark.parametrize("model", [{}, {"hashes": [{"alg": "SHA-256", "content": "ab"}]}])
def test_a_model_without_a_version_is_not_silent(tmp_path: Path, model: dict[str, Any]) -> None:
    path = tmp_path / "bom.json"
    path.write_text(json.dumps(bom(**model)))
    items = list(importers.get("cyclonedx_bom").read(source_of(path), Options()))
    assert [one.table.name for one in items if isinstance(one, Row)] == [
        "model_versions", *(["checkpoints"] if model else [])
    ]  # fmt: skip
    assert not [one for one in items if isinstance(one, Reject)]  # the loader finds it missing
    found = account(path, importers.get("cyclonedx_bom"))
    assert found.left_out["bom.vulnerabilities"] == 1
