"""Inspect AI evaluation logs, `.eval` archives and `.json` files.

## Reads
Logs of Inspect AI from 2024 on: one `EvalLog` as JSON, or an archive with a header and one member
a sample, compressed with deflate or Zstandard. Logs without samples, logs of runs that failed or
were cancelled, and archives of runs that crashed, which hold a journal and no header. Samples as
one member, or in chunks, of which only those with the conversation are read.

## Fills
| column of `eval_runs` | from |
|---|---|
| `run_id` | `eval.eval_id`; for older logs the id that Inspect derives of its other ids |
| `suite`, `endpoint` | `eval.task`, `eval.model` |
| `started_at` | `stats.started_at`, else `eval.created` |
| `ended_at` | `stats.completed_at` where the status is `success`; else it is an attribute |
| `score` | the headline metric of the results or the task, else the first metric of the first \
score; `score_from` |
| `n_items` | `scored_samples`, else items with a score, else `completed_samples` |
| `code_revision` | `eval.revision.commit`, with `-dirty` where the tree was |
| `harness`, `harness_version` | `inspect_ai`, `eval.packages.inspect_ai` |
| `prompt_hash` | SHA-256 of the system prompt, where all samples have the same: the \
`system_message` of the settings, then the system messages of the sample |
| `params_hash` | SHA-256 of the generation parameters that shape an answer |
| any other | the run's metadata field of that name |

| column of `eval_samples` | from |
|---|---|
| `item_id`, `epoch`, `target` | `id`, `epoch`, `target` (several joined by a comma) |
| `input_text` | `input`, or its last user message |
| `prompt_text` | the `system_message` of the settings, and the messages up to the last user \
message, as `role: text` |
| `output_text` | the completion |
| `score` | the scorer of the run's score, of an object the entry that the run's score names, \
else the first scorer: C 1, P 0.5, I and N 0, flags, numbers |
| `condition` | the metadata field, of the sample or the run, else `as_run` |
| any other | the sample's metadata field of that name; `kind` also the run's |

The status, all scores and metrics, the settings, usage and errors are in `attributes`. A sample
that the log lists and does not hold, as that of a crashed run, is made of its summary, which cuts
long texts, leaves out long metadata and has no answer: `known_by` in its `attributes` says so.
Where another model served a call than was asked for, `model_fallbacks` in `attributes` names it.

## Leaves out
Events, stores, timelines, and messages after the last user message. Whatever a scorer returned
that is no single number has no `score`; the value is in `attributes`.

## Known limits
A sample that was logged again supersedes the earlier copy, which becomes a reject. Messages and
texts of a sample in chunks that the log does not hold are counted. Texts that a sample keeps apart
are looked up as far as 1,048,576 characters and eight times their own length; references beyond
are left as they stand, and counted. A torn JSON log is refused whole. A sample of more than 512 MiB
as one member refuses its log; Inspect's own converter puts such a sample into chunks.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from casework.case import Item, Note, Reject, Row
from casework.errors import CaseworkError
from casework.importers._fields import FieldLog
from casework.importers._importer import Importer, Options
from casework.importers._inspect_account import account_for_run, account_for_sample
from casework.importers._inspect_parts import SAMPLES, SHELL, Parts, of_summary, whole_sample
from casework.importers._inspect_run import (
    Tally,
    headline,
    metadata,
    metadata_place,
    run_id,
    run_row,
    system_message,
)
from casework.importers._inspect_sample import KEPT, RunFacts, sample_row
from casework.importers._json_document import (
    MAX_RAW,
    Fault,
    document,
    first_entries,
)
from casework.importers._own_fields import OwnFields
from casework.importers._records import read_document
from casework.importers._shape import mapping, text
from casework.importers._source import Source
from casework.importers._zip import Archive, Member, archive_names, open_archive
from casework.tables import eval_runs, eval_samples
from casework.words import count, number, several

_HEADER = "header.json"
_START = "_journal/start.json"
_SAMPLES = "samples"
_ARCHIVE = b"PK\x03\x04"
_OF_SAMPLES = {"condition", "kind"}


def _recognises(source: Source) -> bool:
    head = source.head()
    if head.startswith(_ARCHIVE):
        return not archive_names(source.path).isdisjoint({_HEADER, _START})
    entries = first_entries(head)
    if not isinstance(entries.get("eval", ""), Mapping | None):
        return False
    spec = source.within("eval").keys()  # with so many samples that the head ends within it
    return ("status" in entries and "created" in spec) or {"task", "model"} <= spec


def _read(source: Source, options: Options) -> Iterator[Item]:
    log = _Log(options)
    if source.head().startswith(_ARCHIVE):
        with open_archive(source.path, source.name, repeatable=SAMPLES) as archive:
            yield from _read_archive(archive, source.name, log)
    else:
        yield from _read_json(source, log)
    yield from log.rest()


class _Log:
    """One log while it is read: its header so far, and what its samples add up to."""

    def __init__(self, options: Options) -> None:
        self.header: dict[str, Any] = {}
        self.tally = Tally()
        self.account = FieldLog(options.timezone)
        self.own = OwnFields(self.account.instants)

    def facts(self) -> RunFacts:
        """What samples need of the header; to be called when `eval` is there."""
        defaults, _ = self.own.take(
            eval_samples,
            {k: v for k, v in metadata(self.header).items() if k in _OF_SAMPLES},
            native=(),
            of=metadata_place(self.header),
        )
        name = run_id(mapping(self.header.get("eval")), self.own)
        chosen, before = headline(self.header), system_message(self.header)
        return RunFacts(name, chosen.scorer, chosen.name, before, defaults)

    def sample(self, value: Any, locator: str, facts: RunFacts) -> Item:
        """The row of a sample, or the reason that it is none."""
        if isinstance(value, Fault):
            return Reject(locator, value.error.code, value.error.what, value.raw, eval_samples)
        if isinstance(value, Mapping):
            account_for_sample(self.account, value, KEPT)
        return sample_row(value, locator, facts, self.tally, self.own)

    def run(self, locator: str) -> Item:
        """The row of the run, once its samples are counted."""
        account_for_run(self.account, self.header)
        return run_row(self.header, locator, self.tally, self.own)

    def rest(self) -> Iterator[Item]:
        """What a reader should know about the log as a whole, and where its fields went."""
        status = text(self.header.get("status")) or "started"
        if status != "success":
            yield Note(f"the run did not complete (status {status}): ended_at is left empty")
        if self.tally.invalidated:
            told = several(self.tally.invalidated, "of its samples is", "of its samples are")
            yield Note(f"the log says that {told} invalid")
        elif self.header.get("invalidated") is True:
            yield Note("the log is marked as holding invalid samples, and marks none")
        if (prompts := len(self.tally.system_prompts)) > 1:
            yield Note(
                f"its samples have {number(prompts)} different system prompts: no prompt_hash"
            )
        if self.tally.not_finite:
            told = several(self.tally.not_finite, "score is", "scores are")
            yield Note(f"{told} NaN or infinite: kept without a score")
        if self.tally.served_otherwise:
            told = count(self.tally.served_otherwise, "samples")
            yield Note(f"in {told} another model served calls than was asked for")
        if self.tally.unresolved:
            one = "reference to a text kept apart is left as it stands"
            more = "references to texts kept apart are left as they stand"
            told = several(self.tally.unresolved, one, more)
            yield Note(f"{told}: the texts would be longer than is read")
        if self.tally.epochs_unread:
            one, more = "epoch is no whole number", "epochs are no whole numbers"
            yield Note(f"{several(self.tally.epochs_unread, one, more)}: left empty")
        if self.tally.with_events:
            yield Note(f"left out: the events of {count(self.tally.with_events, 'samples')}")
        yield self.own.account()
        yield from self.own.notes()
        yield from self.account.items()


def _read_json(source: Source, log: _Log) -> Iterator[Item]:
    waiting: list[tuple[str, Any]] = []
    facts: RunFacts | None = None
    for key, value in read_document(source).entries(_SAMPLES):
        if not key.startswith("/"):
            log.header[key] = value
        elif "eval" in log.header:
            facts = facts or log.facts()
            yield log.sample(value, key, facts)
        else:
            waiting.append((key, value))
    if "eval" not in log.header:
        raise _no_log(source.name)
    facts = facts or log.facts()
    for key, value in waiting:
        yield log.sample(value, key, facts)
    if (samples := log.header.get(_SAMPLES)) is not None:
        raw = json.dumps(samples, ensure_ascii=False)[:MAX_RAW]
        yield Reject(f"/{_SAMPLES}", "JSON", "no list of samples", raw, eval_samples)
    yield log.run("/eval")


def _read_archive(archive: Archive, where: str, log: _Log) -> Iterator[Item]:
    members = {member.name: member for member in archive.members}
    start = members.get(_HEADER) or members.get(_START)
    if start is None:
        raise _no_log(where)
    log.header.update(mapping(_parsed(archive, start, where)))
    if "eval" not in log.header:
        raise _no_log(where)
    facts, parts = log.facts(), Parts(archive, where)
    for member in archive.members:
        if not member.name.startswith(SAMPLES) or not member.name.endswith(".json"):
            continue
        if parts.is_part(member.name):
            continue
        if members[member.name] is not member:
            yield _superseded(member)
        else:
            yield _archived_sample(archive, parts, member, where, log, facts)
    yield from _summarised(parts, log, facts)
    yield log.run(start.name)
    if parts.missing:
        one, more = "part of a sample in chunks is", "parts of samples in chunks are"
        yield Note(f"{several(parts.missing, one, more)} not in the log")


def _summarised(parts: Parts, log: _Log, facts: RunFacts) -> Iterator[Item]:
    """The samples that are known by their summaries alone."""
    listed = made = 0
    for at, summary in parts.summaries():
        listed += 1
        if text(summary.get("id")) is None or parts.holds(summary):
            continue
        item = log.sample(of_summary(summary), at, facts)
        if isinstance(item, Row):
            made += 1
            attributes = {**item.values["attributes"], "known_by": "summary"}
            item = item._replace(values={**item.values, "attributes": attributes})
        yield item
    if made:
        one = "sample is known by its summary alone: it has no answer"
        more = "samples are known by their summaries alone: they have no answer"
        yield Note(several(made, one, more))
    if listed > log.tally.samples:
        yield Note(
            f"the log lists {count(listed, 'samples')} and holds {number(log.tally.samples)}"
        )


def _archived_sample(
    archive: Archive, parts: Parts, member: Member, where: str, log: _Log, facts: RunFacts
) -> Item:
    value: Any
    data = archive.read(member)
    raw = data[:MAX_RAW].decode("utf-8", "replace")
    try:
        if member.name.endswith(SHELL):
            value = parts.sample(member)
        else:
            value = whole_sample(data, f"{where}:{member.name}")
    except CaseworkError as error:
        value = Fault(error, raw)
    return log.sample(value, member.name, facts)


def _superseded(member: Member) -> Reject:
    locator = f"{member.name} at byte {member.offset}"
    reason = "the log holds a later copy of this sample, which counts"
    return Reject(locator, "SUPERSEDED", reason, "", eval_samples)


def _parsed(archive: Archive, member: Member, where: str) -> Any:
    return document(archive.read(member), f"{where}:{member.name}").value()


def _no_log(where: str) -> CaseworkError:
    fix = "ask for the log as Inspect wrote it"
    return CaseworkError("NOT_AN_INSPECT_LOG", "it has no `eval`", fix, where=where)


inspect_logs = Importer(
    name="inspect_logs",
    doc=__doc__ or "",
    tables=(eval_runs, eval_samples),
    recognises=_recognises,
    read=_read,
)
