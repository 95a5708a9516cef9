"""Sends spans to Phoenix and prints what its client says of them.

A script for an environment that has Phoenix: `write_phoenix.py FOLDER` starts its server on the
loopback address with the database `FOLDER/phoenix.db`, sends the spans of `write_openinference.py`
and marks of a person and of a judge, and saves the spans as its client returns them, as a data
frame in `FOLDER/spans.parquet` and as objects in `FOLDER/spans.jsonl`.
"""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from write_openinference import main as record

PATIENCE = 120.0


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def serve(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Start the server and wait until it answers."""
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "phoenix.server.main", "serve"],
        env={
            **os.environ,
            "PHOENIX_WORKING_DIR": str(folder),
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(port),
            "PHOENIX_GRPC_PORT": str(free_port()),
            "PHOENIX_TELEMETRY_ENABLED": "false",
        },
        stdout=subprocess.DEVNULL,
        stderr=(folder / "server.log").open("wb"),
    )
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1)
            return server
        except OSError:
            time.sleep(0.5)
    server.kill()
    raise RuntimeError((folder / "server.log").read_text()[-2_000:])


def send(folder: Path, port: int) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/traces",
        data=(folder / "traces.bin").read_bytes(),
        headers={"Content-Type": "application/x-protobuf"},
    )
    urllib.request.urlopen(request, timeout=30)  # noqa: S310 - the loopback address


def mark(client: Any, span: str) -> None:
    """A thumb of a person and a score of a judge."""
    client.spans.add_span_annotation(
        span_id=span, annotation_name="helpful", annotator_kind="HUMAN", label="thumbs-up",
        score=1.0, sync=True,
    )  # fmt: skip
    client.spans.add_span_annotation(
        span_id=span, annotation_name="grounded", annotator_kind="LLM", score=0.25, sync=True
    )


def main(folder: Path) -> dict[str, Any]:
    from phoenix.client import Client

    recorded = record(folder)
    (call,) = (one["span"] for one in recorded if one["kind"] == "LLM")
    port = free_port()
    server = serve(folder, port)
    try:
        client = Client(base_url=f"http://127.0.0.1:{port}")
        send(folder, port)
        until = time.monotonic() + PATIENCE
        found: list[Any] = []
        while len(found) < len(recorded) and time.monotonic() < until:
            time.sleep(0.5)
            try:
                found = client.spans.get_spans(project_identifier="default")
            except Exception:  # the project is made with the first span
                found = []
        mark(client, call)
        client.spans.get_spans_dataframe(project_identifier="default").to_parquet(
            folder / "spans.parquet"
        )
        marks = client.spans.get_span_annotations(span_ids=[call], project_identifier="default")
    finally:
        server.terminate()
        server.wait(30)
    with closing(sqlite3.connect(folder / "phoenix.db")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # it leaves its log as it ends
    (folder / "spans.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in found))
    return {"recorded": recorded, "spans": found, "marks": marks}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1])), default=str))
