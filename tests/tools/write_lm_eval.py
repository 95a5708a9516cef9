"""Evaluates with lm-evaluation-harness and prints what the harness itself made of it.

A script for an environment that has lm-evaluation-harness: `write_lm_eval.py FOLDER` runs its
command line over tasks and documents of our own, which leaves the files in `FOLDER/out`, and
prints the results that its function `simple_evaluate` gave the command line.

Versions before 0.4.10 import PyTorch and two libraries above it, gigabytes of which the model
`dummy` uses nothing: where they are not installed, names without substance stand for them.
"""

import copy
import json
import os
import sys
from contextlib import redirect_stdout
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

HOME = Path(sys.argv[1])
os.environ |= {
    "HF_HOME": str(HOME / "cache"),
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_EVALUATE_OFFLINE": "1",
}
HEAVY = ("torch", "torch.nn", "torch.nn.functional", "torch.utils", "torch.utils.collect_env",
         "accelerate", "peft", "transformers.generation")  # fmt: skip

if find_spec("transformers"):
    import transformers  # noqa: F401 - it looks for the real PyTorch, before any stands for it

if find_spec("transformers") and not find_spec("torch"):
    import evaluate

    sys.modules |= {name: MagicMock() for name in HEAVY}
    for name in ("Tensor", "Generator"):  # which `datasets` asks of what it hashes
        setattr(sys.modules["torch"], name, type(name, (), {}))
    sys.modules["torch"].nn.Module = type("Module", (), {})
    sys.modules["peft"].__version__ = "none"
    sys.modules["torch.utils.collect_env"].get_pretty_env_info = lambda: "no PyTorch"
    evaluate.load = MagicMock()  # 0.4.2 fetches a metric when it is imported

import lm_eval
import lm_eval.evaluator
from lm_eval.models.dummy import DummyLM

VERSION = tuple(map(int, version("lm_eval").split(".")))

SUMS = [
    {"question": f"{n} + {n + 1}", "choices": [str(2 * n), str(2 * n + 1), "naïve «7»"], "gold": 1}
    for n in range(7)
]
WORDS = [{"text": f"Laugh {n} times", "answer": "lol" if n % 3 else "ha", "n": n} for n in range(5)]

SUMS_TASK = """
task: sums
dataset_path: json
dataset_kwargs: {data_files: {test: FOLDER/sums.json, train: FOLDER/sums.json}}
output_type: multiple_choice
training_split: train
fewshot_split: train
test_split: test
num_fewshot: 1
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_target: gold
doc_to_choice: "{{choices}}"
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
  - {metric: acc_norm, aggregation: mean, higher_is_better: true}
metadata: {version: 1.5}
"""
WORDS_TASK = """
task: words
dataset_path: json
dataset_kwargs: {data_files: {test: FOLDER/words.json}}
output_type: generate_until
test_split: test
doc_to_text: "{{text}}"
doc_to_target: "{{answer}}"
process_results: !function scoring.process
generation_kwargs: {until: ["\\n"], temperature: 0.0, max_gen_toks: 5}
filter_list:
  - {name: strict, filter: [{function: regex, regex_pattern: "(l.l)"}, {function: take_first}]}
  - {name: loose, filter: [{function: regex, regex_pattern: "(nothing)"}, {function: take_first}]}
metric_list:
  - {metric: same, aggregation: mean, higher_is_better: true}
  - {metric: size, aggregation: mean, higher_is_better: false}
metadata: {version: 2}
"""
VOID_TASK = (
    WORDS_TASK.split("filter_list:")[0]
    .replace("task: words", "task: void_of")
    .replace("scoring.process", "scoring.undefined")
    + """
metric_list:
  - {metric: undefined, aggregation: mean, higher_is_better: true}
"""
)
GROUP = """
group: everything
task: [sums, words]
"""
AGGREGATED = """
aggregate_metric_list:
  - {metric: acc, aggregation: mean, weight_by_size: true}
"""
SCORING = """
import math

def process(doc, results):
    return {"same": float(results[0] == doc["answer"]), "size": len(results[0])}

def undefined(doc, results):
    return {"undefined": math.nan}
"""


def write_tasks(folder: Path) -> None:
    folder.mkdir()
    (folder / "sums.json").write_text("".join(f"{json.dumps(one)}\n" for one in SUMS))
    (folder / "words.json").write_text("".join(f"{json.dumps(one)}\n" for one in WORDS))
    (folder / "scoring.py").write_text(SCORING)
    tasks = {"sums": SUMS_TASK, "words": WORDS_TASK, "void_of": VOID_TASK}
    for name, task in tasks.items():
        (folder / f"{name}.yaml").write_text(task.replace("FOLDER", str(folder)))
    group = GROUP if VERSION < (0, 4, 4) else GROUP + AGGREGATED
    (folder / "everything.yaml").write_text(group)


def evaluate_all(folder: Path) -> dict[str, Any]:
    """Run the command line; the results as the harness gave them, before it wrote them."""
    held: list[dict[str, Any]] = []
    original = lm_eval.evaluator.simple_evaluate

    def keep(*given: Any, **named: Any) -> Any:
        results = original(*given, **named)
        held.append(copy.deepcopy(results))
        return results

    lm_eval.simple_evaluate = lm_eval.evaluator.simple_evaluate = keep
    if VERSION < (0, 4, 4):  # whose `dummy` fails where it should generate
        DummyLM.generate_until = lambda _, requests, **__: ["lol" for _ in requests]
    sys.argv = [
        *("lm_eval", "--model", "dummy", "--model_args", "pretrained=org/tiny,dtype=float16"),
        *("--tasks", "everything,void_of", "--include_path", str(folder / "tasks")),
        *("--output_path", str(folder / "out"), "--log_samples"),
    ]
    from lm_eval.__main__ import cli_evaluate

    with redirect_stdout(sys.stderr):
        cli_evaluate()
    (results,) = held
    return results


def told(results: dict[str, Any]) -> dict[str, Any]:
    """What is compared, as JSON: numbers of tasks by their metrics, and each sample."""
    return {
        "results": {
            task: {name: value if isinstance(value, str) else repr(float(value))
                   for name, value in found.items() if not isinstance(value, dict)
                   and name not in ("name", "sample_len")}
            for task, found in results["results"].items()
        },
        "n_samples": results.get("n-samples", {}),
        "subtasks": results["group_subtasks"],
        "samples": {
            task: [
                {
                    "doc": sample["doc_id"],
                    "filter": sample.get("filter", "none"),
                    "question": sample["doc"].get("question") or sample["doc"]["text"],
                    "prompt": sample["arguments"][0][0],
                    "target": str(sample["target"]),
                    "answer": sample["filtered_resps"],
                    "metrics": {name: sample[name] for name in METRICS if name in sample},
                }
                for sample in samples
            ]
            for task, samples in results["samples"].items()
        },
    }  # fmt: skip


METRICS = ("acc", "acc_norm", "same", "size", "undefined")

if __name__ == "__main__":
    write_tasks(HOME / "tasks")
    print(json.dumps(told(evaluate_all(HOME)), default=str))
