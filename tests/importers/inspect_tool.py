"""Runs Inspect AI without a network, and prints what Inspect itself says of logs.

A script, for a process of its own: `inspect_tool.py FOLDER [LOG...]` evaluates three tasks, writes
their logs into the folder in both formats, and reads the other logs.
"""

import json
import math
import sys
from itertools import count
from pathlib import Path
from typing import Any

from inspect_ai import Task, eval, task
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, read_eval_log, write_eval_log
from inspect_ai.model import (
    ChatMessageAssistant,
    ChatMessageUser,
    ContentImage,
    ContentText,
    GenerateConfig,
    ModelOutput,
    ModelUsage,
    get_model,
)
from inspect_ai.scorer import Score, includes, match, mean, scorer, value_to_float
from inspect_ai.solver import generate, solver, system_message

try:
    from inspect_ai.log import headline_metric
except ImportError:  # an old version, which knows the first metric of the first score alone
    headline_metric = None
try:
    from inspect_ai.log._recorders.chunked import convert_eval_logs_to_chunked
except ImportError:  # an old version, which knows no chunks
    convert_eval_logs_to_chunked = None

PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
GRADES = ["C", "I", "P", "N", 0.25, True, math.nan, {"a": 1.0, "b": 0.5}]


def answer(messages: Any, *_: Any) -> ModelOutput:
    """Answer by the question, without counting tokens, for which Inspect would need a network."""
    asked = messages[-1].text
    said = {"1 + 1?": "2", "2 + 2?": "four", "3 + 3?": "6"}.get(asked, f"{asked}: 8")
    output = ModelOutput.from_content("mockllm/model", said)
    output.usage = ModelUsage(input_tokens=len(asked), output_tokens=1, total_tokens=1 + len(asked))
    return output


@task
def sums() -> Task:
    samples = [
        Sample(input="1 + 1?", target="2", id="one/two", metadata={"topic": "small", "note": "x"}),
        Sample(input="2 + 2?", target=["4", "four"], id=7),
        Sample(
            input=[
                ChatMessageUser(content="3 + 3?"),
                ChatMessageAssistant(content="6"),
                ChatMessageUser(
                    content=[ContentText(text="4 + 4 = ? \u00e9"), ContentImage(image=PIXEL)]
                ),
            ],
            target="8",
            id="shots",
        ),
    ]
    return Task(
        dataset=samples,
        solver=[system_message("Answer with a number."), generate()],
        scorer=[match(), includes()],
        epochs=2,
        config=GenerateConfig(temperature=0.0, max_tokens=64, max_connections=1),
        metadata={"checkpoint": "sha256:abc", "condition": "zero_shot", "team": "evals"},
    )


@scorer(metrics=[mean()])
def graded() -> Any:
    async def score(state: Any, target: Any) -> Score:
        return Score(value=GRADES[int(target.text)], explanation=target.text)

    return score


@task
def grades() -> Task:
    samples = [Sample(input=f"item {n}", target=str(n)) for n in range(len(GRADES) - 1)]
    return Task(dataset=samples, solver=generate(), scorer=graded())


@solver
def failing() -> Any:
    async def solve(state: Any, generate: Any) -> Any:
        if state.sample_id == 2:
            raise ValueError("the tool broke")
        return await generate(state)

    return solve


@task
def broken() -> Task:
    samples = [Sample(input=f"item {n}", target="x") for n in range(3)]
    return Task(dataset=samples, solver=failing(), scorer=includes(), fail_on_error=True)


@task
def essays() -> Task:
    """Long texts in long conversations, which Inspect keeps apart from the messages."""
    samples = [
        Sample(
            input=[
                *(ChatMessageUser(content=f"{turn} of {n}: " + "word " * 60) for turn in range(9)),
                ChatMessageUser(content=f"item {n}"),
            ],
            target="8",
            id=f"essay/{n}",
            metadata={"topic": "long"},
        )
        for n in range(2)
    ]
    said = system_message("Be brief, and do as you are told. " * 9)
    return Task(dataset=samples, solver=[said, generate()], scorer=includes())


def headline(log: EvalLog) -> Any:
    """The metric that sums up the log, as Inspect itself chooses it."""
    if headline_metric:
        found = headline_metric(log)
        return found.metric if found else None
    score = log.results.scores[0] if log.results and log.results.scores else None
    return next(iter(score.metrics.values()), None) if score else None


def described(log: EvalLog) -> dict[str, Any]:
    """The log as Inspect's own reader has it."""
    number = value_to_float()
    metric = headline(log)
    return {
        "run_id": getattr(log.eval, "eval_id", None),  # which old versions do not give
        "suite": log.eval.task,
        "started_at": log.stats.started_at or log.eval.created,
        "status": log.status,
        "endpoint": log.eval.model,
        "score": metric.value if metric else None,
        "samples": [
            {
                "item_id": str(sample.id),
                "epoch": sample.epoch,
                "target": sample.target,
                "output_text": sample.output.completion,
                "input_text": sample.input if isinstance(sample.input, str) else None,
                "scores": [
                    {"value": score.value, "number": number(score.value)}
                    for score in (sample.scores or {}).values()
                    if not isinstance(score.value, dict | list)
                ],
            }
            for sample in log.samples or []
        ],
    }


def mock() -> Any:
    """A model without a network. Before 0.3.60 it cannot answer by the question."""
    try:
        return get_model("mockllm/model", custom_outputs=answer)
    except ValueError:
        asked = (ChatMessageUser(content=f"{number} + 1") for number in count())
        return get_model("mockllm/model", custom_outputs=(answer([one]) for one in asked))


def run(folder: Path) -> dict[str, Any]:
    told = {}
    model = mock()
    for one in (sums(), grades(), broken()):
        log = eval(
            one, model=model, log_dir=str(folder), log_format="eval", display="none", max_samples=1
        )[0]
        name = Path(log.location).name
        told[name] = described(read_eval_log(log.location))
        write_eval_log(read_eval_log(log.location), str(folder / f"{log.eval.task}.json"))
        told[f"{log.eval.task}.json"] = told[name]
    return told


def chunked(folder: Path) -> dict[str, Any]:
    """Logs with samples in chunks, which Inspect's own converter makes of those with whole ones."""
    if convert_eval_logs_to_chunked is None:
        return {}
    model = get_model("mockllm/model", custom_outputs=answer)
    eval(essays(), model=model, log_dir=str(folder / "whole"), log_format="eval", display="none")
    told = {}
    for path in [*folder.glob("*.eval"), *folder.glob("whole/*.eval")]:
        convert_eval_logs_to_chunked(
            str(path), str(folder / "chunked"), chunk_size=3, attachments_chunk_bytes=500
        )
        told[path.name] = described(read_eval_log(str(path)))
    return told


if __name__ == "__main__":
    out, *logs = map(Path, sys.argv[1:])
    read = {str(path): described(read_eval_log(str(path))) for path in logs}
    print(json.dumps({"ran": run(out), "chunked": chunked(out), "read": read}))
