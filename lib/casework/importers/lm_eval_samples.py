"""Samples of lm-evaluation-harness (`samples_<task>_<instant>.jsonl`).

## Reads
One line for each document and filter, as `--log_samples` writes them, or one list of all;
arguments as lists (before 0.4.4) or objects.

## Fills
| column | from |
|---|---|
| `run_id` | task and instant in the file name, as in the results; without an instant the folder, \
which the harness names for the model |
| `item_id` | `doc_id`; with the filter behind it where there are several, or its number \
in files of before 0.4.5, which do not name it |
| `epoch` | 1 |
| `input_text` | `doc.question`, `doc.query`, `doc.text`, `doc.prompt`, `doc.problem`, \
`doc.input`, else `doc` as JSON |
| `prompt_text` | the first argument of the first request; of a chat `role: text` |
| `target` | `target`; several one below the other |
| `output_text` | the first of `filtered_resps`, or the only one of a list in its place; where it \
is no text, all of them as JSON |
| `score` | the first of `metrics` that is a number or a flag, and not `bypass`; of what follows \
the target, in files that do not list them; what is not finite is no score |
| `attributes` | hashes of document, prompt and target, the filter, all metrics, arguments of \
generation |

## Leaves out
`resps`, and the other arguments of loglikelihood requests.

## Known limits
A file that was appended to holds several runs: what repeats is a duplicate or a contradiction; a
document that repeats with the same responses and no name of a filter is taken for a further filter.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from casework.case import Item, Note, Reject, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._lm_eval import is_score, run_id, stamp
from casework.importers._messages import transcript, turns
from casework.importers._records import records
from casework.importers._shape import mapping, number, sequence, text, written
from casework.importers._source import Source
from casework.tables import eval_samples
from casework.words import count

_NAME = re.compile(r"^samples_(?P<task>.+?)(?:_\d{4}-\d{2}-\d{2}T.*)?\.jsonl?$")
_KEYS = {"doc_id", "target", "resps", "filtered_resps"}
_INPUTS = ("question", "query", "text", "prompt", "problem", "input")
_FORM = Form(
    eval_samples,
    of="",
    columns={"target": ("target",)},
    uses={
        "item_id": ("doc_id",),
        "input_text": ("doc",),
        "prompt_text": ("arguments",),
        "output_text": ("filtered_resps",),
    },
    left_out=("resps",),
)


def _recognises(source: Source) -> bool:
    found = source.first_object
    if list(found) == ["doc_id", "doc"]:
        return found["doc"] is None  # so long that the head ends within it
    return found.keys() >= _KEYS or {"doc_id", "doc", "target", "arguments"} <= found.keys()


def _read(source: Source, options: Options) -> Iterator[Item]:
    named = _NAME.match(source.bare_name)
    task = named.group("task") if named else source.bare_name.removesuffix(".jsonl")
    run = run_id(task, stamp(source) or f"unknown/{source.folder}")
    log, filters, seen = FieldLog(options.timezone), set(), Counter[tuple[Any, ...]]()
    for found in records(source, constants=True):
        if isinstance(found, Reject):
            yield found._replace(table=eval_samples)
            continue
        values = log.fill(_FORM, {**found.values, "target": _target(found.values.get("target"))})
        filters.add(text(found.values.get("filter")) or "none")
        answered = (text(found.values.get("doc_id")), hash(written(found.values.get("resps"))))
        seen[answered] += 1
        sample = _sample(found.values, seen[answered])
        yield Row(eval_samples, found.locator, {**values, "run_id": run, **sample})
    if stamp(source) is None:
        yield Note("its name does not say when it ran: it joins no results")
    if len(filters) > 1:
        told = count(len(filters), "filters")
        yield Note(f"{told}: an item for each, with the filter in its id")
    elif filters == {"none"} and max(seen.values()) > 1:
        told = count(max(seen.values()), "filters without a name")
        yield Note(f"{told}: their number is in the id")
    yield from log.items()


def _sample(sample: Mapping[str, Any], time: int) -> dict[str, Any]:
    """The columns of a sample, whose document comes with the same responses for the nth time."""
    item, chosen = text(sample.get("doc_id")), text(sample.get("filter"))
    if "filter" not in sample and time > 1:
        chosen = str(time)
    metrics = [text(name) for name in sequence(sample.get("metrics"))]
    scores = [sample.get(name) for name in metrics if name and is_score(name)]
    if not metrics:
        after = list(sample)[list(sample).index("target") + 1 :] if "target" in sample else []
        scores = [sample[name] for name in after if not name.endswith("_hash") and is_score(name)]
    return {
        "item_id": item if chosen in (None, "none") or item is None else f"{item}/{chosen}",
        "epoch": 1,
        "input_text": _input(sample.get("doc")),
        "prompt_text": _prompt(sample.get("arguments")),
        "output_text": _answer(sample.get("filtered_resps")),
        "score": _score(next((one for one in scores if isinstance(one, int | float)), None)),
    }


def _target(value: Any) -> Any:
    """Texts and numbers of a list one below the other; any other value as it is."""
    found = [text(one) for one in sequence(value)]
    return "\n".join(filter(None, found)) if found and None not in found else value


def _score(value: Any) -> float | None:
    """A number, or a flag as one: a metric of an instruction is whether it was followed."""
    return float(value) if isinstance(value, bool) else number(value)


def _input(doc: Any) -> str | None:
    known = [text(mapping(doc).get(name)) for name in _INPUTS]
    return next((name for name in known if name), None) or written(doc)


def _prompt(arguments: Any) -> str | None:
    """The rendered prompt: the first argument of the first request, list or object.

    A chat that an interface renders is a list of messages, or their JSON in a list of one.
    """
    if isinstance(arguments, Mapping):
        given = mapping(next(iter(arguments.values()), None)).get("arg_0")
    else:
        given = next(iter(sequence(next(iter(sequence(arguments)), None))), None)
    if not isinstance(given, list):
        return text(given)
    is_json = len(given) == 1 and isinstance(given[0], str)
    return transcript(turns(given[0] if is_json else given)[0]) or None


def _answer(responses: Any) -> str | None:
    found = sequence(responses)
    if not found:
        return text(responses)
    if len(found) == 1 and len(alone := sequence(found[0])) == 1:  # a filter that chose none
        found = alone
    return text(found[0]) or written(found if len(found) > 1 else found[0])


lm_eval_samples = Importer(
    name="lm_eval_samples",
    doc=__doc__ or "",
    tables=(eval_samples,),
    recognises=_recognises,
    read=_read,
)
