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

# These give no account of their fields.
UNTOLD = {
    *("helm_run", "trec_files", "huggingface_card", "huggingface_dataset", "peft_adapter"),
    *("safetensors_header", "wandb_export", "openlineage_events", "model_signature"),
    *("slsa_provenance", "kubernetes_objects"),
}
TELLING = [one for one in importers.ALL if one.name not in UNTOLD]


def account(path: Path, importer: Importer) -> Fields:
    """All accounts that a source yields, taken together as the loader does."""
    taken: dict[str, Any] = {}
    left_out: dict[str, int] = {}
    for item in importer.read(source_of(path), Options()):
        if isinstance(item, Fields):
            taken |= item.taken
            left_out |= item.left_out
    return Fields(taken, left_out)


@pytest.mark.parametrize("importer", TELLING, ids=lambda one: one.name)
def test_columns_of_the_account_are_filled(tmp_path: Path, importer: Importer) -> None:
    export = EXPORTS[importer.name](tmp_path, Random(1))
    known = {f"{table.name}.{column.name}" for table in importer.tables for column in table.columns}
    known |= {f"{table.name}.{name}" for table in importer.tables
              for name in ("attributes", "covariates")}  # fmt: skip
    found = account(export.path, importer)
    assert found.taken
    assert {column for columns in found.taken.values() for column in columns} <= known


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
