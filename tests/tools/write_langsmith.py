"""Writes runs with the LangSmith client, and prints what its own models say of them.

A script for an environment that has LangSmith: `write_langsmith.py FOLDER` traces functions of our
own against a server on the loopback address. It leaves `FOLDER/sent.jsonl`, the creates and
updates that the client sent, and `FOLDER/runs.jsonl`, the runs as its model `Run` writes them.
"""

import json
import os
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

os.environ |= {"LANGSMITH_TRACING": "true", "LANGCHAIN_TRACING_V2": "true"}

from langsmith import Client, traceable
from langsmith.run_helpers import tracing_context
from langsmith.schemas import Run

SENT: list[dict[str, Any]] = []
MODEL = {"ls_provider": "openai", "ls_model_name": "gpt-large", "ls_model_type": "chat"}


class Server(BaseHTTPRequestHandler):
    """Keeps what is sent to it."""

    def do_GET(self) -> None:
        self._answer(b'{"batch_ingest_config": null}')

    def do_POST(self) -> None:
        self._take()

    def do_PATCH(self) -> None:
        self._take()

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        SENT.append({"id": self.path.rpartition("/")[2], **json.loads(body)})
        self._answer(b"{}")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@traceable(run_type="retriever")
def retrieve(query: str) -> list[dict[str, Any]]:
    return [
        {"type": "Document", "page_content": f"{query}: first", "metadata": {"source": "a.txt"}},
        {"type": "Document", "page_content": f"{query}: \u00e9", "metadata": {"id": "d2"}},
    ]


@traceable(run_type="llm", metadata={**MODEL, "thread_id": "thread-1", "user_id": "ana"})
def chat(messages: list[dict[str, str]], temperature: float = 0.5) -> dict[str, Any]:
    if not messages[-1]["content"]:
        raise ValueError("nothing asked")
    said = {"role": "assistant", "content": messages[-1]["content"] + "!"}
    return {
        "choices": [{"message": said}],
        "usage_metadata": {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10},
    }


@traceable(run_type="chain")
def answer(question: str) -> Any:
    retrieve(question)
    rules = {"role": "system", "content": "Be brief."}
    return chat([rules, {"role": "user", "content": question}])["choices"][0]["message"]


def as_run(run: dict[str, Any]) -> Run:
    """The run as the service would return it: with the project as an id, and totals of tokens."""
    usage = (run.get("outputs") or {}).get("usage_metadata") or {}
    return Run(**{
        **run,
        "session_id": str(uuid4()),
        "status": "error" if run.get("error") else "success",
        "prompt_tokens": usage.get("input_tokens"),
        "completion_tokens": usage.get("output_tokens"),
        "total_tokens": usage.get("total_tokens"),
    })  # fmt: skip


def told(run: Run) -> dict[str, Any]:
    meta = run.metadata
    return {
        "id": str(run.id),
        "type": run.run_type,
        "trace": str(run.trace_id),
        "parent": str(run.parent_run_id) if run.parent_run_id else None,
        "began": run.start_time.isoformat(),
        "ended": run.end_time.isoformat() if run.end_time else None,
        "model": meta.get("ls_model_name"),
        "thread": meta.get("thread_id"),
        "user": meta.get("user_id"),
        "status": run.status,
        "tokens": [run.prompt_tokens, run.completion_tokens],
        "inputs": run.inputs,
        "outputs": run.outputs,
    }


def main(folder: Path) -> dict[str, Any]:
    server = HTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = Client(
        api_url=f"http://127.0.0.1:{server.server_port}", api_key="none", auto_batch_tracing=False
    )
    with tracing_context(client=client, project_name="quality", enabled=True):
        answer("One?")
        answer("Two \u00e9?")
        with suppress(ValueError):
            answer("")
    server.shutdown()
    merged: dict[str, dict[str, Any]] = {}
    for one in SENT:
        merged[one["id"]] = {**merged.get(one["id"], {}), **one}
    runs = [as_run(run) for run in merged.values()]
    (folder / "sent.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in SENT))
    written = [getattr(run, "model_dump_json", run.json)() for run in runs]
    (folder / "runs.jsonl").write_text("".join(f"{one}\n" for one in written))
    return {"sent": len(SENT), "runs": [told(run) for run in runs]}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
