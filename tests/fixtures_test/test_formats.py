"""The formats are those of the real tools: the tools' own readers read them."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures import Truth
from fixtures.formats.mlflow import write_store
from fixtures.formats.tables import csv_bytes, squeeze
from fixtures.output_attribution import rotated
from fixtures.registry import registered, write_registry

Written = Callable[[str], tuple[Path, Truth]]
DEMO = Path(__file__).parents[2] / "fixtures" / "demo"


@pytest.fixture
def spans(written: Written) -> bytes:
    folder, _ = written("output_attribution.planted")
    return gzip.decompress((folder / "traces" / "decisions.jsonl.gz").read_bytes())


def test_spans_are_otlp_json(spans: bytes) -> None:
    for line in spans.splitlines()[:20]:
        for group in json.loads(line)["resourceSpans"]:
            for span in group["scopeSpans"][0]["spans"]:
                assert len(bytes.fromhex(span["traceId"])) == 16
                assert len(bytes.fromhex(span["spanId"])) == 8
                assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
                for pair in [*span["attributes"], *group["resource"]["attributes"]]:
                    ((kind, value),) = pair["value"].items()
                    assert isinstance(value, str) == (kind in ("stringValue", "intValue"))


def test_spans_fit_the_protocol_buffers(spans: bytes) -> None:
    """Every field name and type is one of the schema; the parser refuses any other."""
    from google.protobuf.json_format import Parse
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    for line in spans.splitlines()[:20]:
        request = Parse(line, ExportTraceServiceRequest())
        assert request.resource_spans[0].scope_spans[0].spans[0].name.startswith("chat ")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_mlflow_reads_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client_of = pytest.importorskip("mlflow.tracking").MlflowClient
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "1")
    estate = rotated(3)
    runs, model = registered(estate)
    write_store(tmp_path, "training", runs, model)
    client = client_of(f"file://{tmp_path}/mlruns", f"file://{tmp_path}/mlruns")
    now = client.get_model_version_by_alias(model.name, estate.alias)
    assert now.tags["checkpoint"] == estate.logged[-1].checkpoint
    assert len(client.search_model_versions(f"name = '{model.name}'")) == len(model.versions)
    run = client.get_run(now.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["holdout_f1"] == runs[int(now.version) - 1].metrics["holdout_f1"]
    (experiment,) = client.search_experiments()
    assert len(client.search_runs([experiment.experiment_id])) == len(runs)


def test_the_registry_export_says_what_the_store_says(tmp_path: Path) -> None:
    estate = rotated(4)
    write_registry(tmp_path, estate, "export")
    (path,) = tmp_path.glob("*.json")
    model = json.loads(path.read_text())["mlflow"]["registered_model"]
    (alias,) = model["aliases"]
    digests = {version["version"]: version["tags"]["checkpoint"] for version in model["versions"]}
    assert alias["alias"] == estate.alias
    assert digests[alias["version"]] == estate.logged[-1].checkpoint


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", ["json", "eval"])
def test_inspect_reads_the_logs(suffix: str) -> None:
    read_eval_log = pytest.importorskip("inspect_ai.log").read_eval_log
    (path,) = (DEMO / "evals").glob(f"*.{suffix}")
    log = read_eval_log(str(path))
    assert log.status == "success"
    assert log.eval.metadata["checkpoint"].startswith("sha256:")
    right = sum(sample.scores["match"].value == "C" for sample in log.samples)
    assert log.results.scores[0].metrics["accuracy"].value == right / len(log.samples)


def test_gzip_holds_no_time() -> None:
    """The field of the header that names a time is zero, which means none (RFC 1952)."""
    assert squeeze(b"rows")[4:8] == bytes(4)


def test_csv_quotes_only_where_it_must() -> None:
    assert csv_bytes({"a": ["x"], "b": [1]}) == b"a,b\nx,1\n"
    assert csv_bytes({"a": ["x, y"], "b": [None]}) == b'a,b\n"x, y",\n'
