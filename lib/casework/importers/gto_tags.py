"""GTO tags: the registry of models that lives in the tags of a Git repository.

## Reads
A listing of annotated tags, tab-separated, with or without a header: `refname`, `objecttype`,
commit, tagger date, subject, as `git for-each-ref` writes it (the manual shows the command).

    git for-each-ref refs/tags --format='%(refname:short)%09%(objecttype)%09%(*objectname)%09\
%(taggerdate:iso-strict)%09%(subject)'

Or what `gto history --json` says of these tags, which has the author besides. Its times are those
of the machine that it ran on, without a zone.

## Fills
| tag | row |
|---|---|
| `model@v1.2.0` | `model_versions`: model, version, created_at, checkpoint |
| `model@v1.2.0!` | `deprecated`, `deprecated_at` and `deprecation`, its subject, in the \
`attributes` of that version, if it is the last tag of it; where the version was registered again \
it has `registered_again_at`, and `registered_again_as` where that is another commit |
| `model#prod`, `model#prod#3` | `alias_events`: alias `model#prod`, checkpoint, valid_from, actor \
(the author) |
| `model#prod!#4` | takes one commit from the stage: the one that was assigned before it and is \
there still is in force again; where none is, the event ends where it begins |

The checkpoint is `commit:<hex>`, the commit that is tagged: GTO names no other digest. These
alias events are a history, not the present alone.

## Leaves out
Tags of other shapes, and the commits of a history; tags that deprecate or create a whole artifact
(`model@deprecated`); tags that take a commit from a stage where it is not in force; of tags of one
stage and instant all but the last; of tags of one version all between its first and its last. All
are counted.

## Known limits
A tag that was deleted leaves no trace. A version that was deprecated stays in its stages until a
tag takes it from there, though GTO shows them without it. Lightweight tags have no date: they are
rejects, and so are lines of more than 16 MiB, and tags beyond the first 16 MiB of them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from casework import canonical
from casework.case import Item, Reject, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._json_document import MAX_RAW
from casework.importers._json_stream import bounded_lines
from casework.importers._records import records
from casework.importers._shape import filled, text
from casework.importers._source import BROKEN_COMPRESSION, Source
from casework.tables import ATTRIBUTES, alias_events, model_versions

_TAG = re.compile(
    r"^(?:refs/tags/)?(?P<model>[\w./=-]+?)"
    r"(?:@(?P<version>v\d+\.\d+\.\d+[\w.+-]*)|#(?P<stage>[\w.-]+))(?P<undo>!)?(?:#(?P<count>\d{1,18}))?$"
)
_OF_ARTIFACT = re.compile(r"^(?:refs/tags/)?[\w./=-]+@(?:deprecated|created)(?:#\d+)?$")
_LONGEST_NAME = 1_000
_MOST_BYTES = 16 << 20
_TYPES = ("tag", "commit")
_HEADER = ("refname", "tag", "name")
# An entry of `gto history`, and the columns of a listing in it.
_OF_HISTORY = {"artifact", "event", "version", "stage", "commit", "timestamp", "ref"}
_TOLD = ("commit", "timestamp", "message", "author")
_SOURCE = "gto tags (history)"
_VERSION = Form(
    model_versions,
    of="tag",
    columns={"created_at": ("taggerdate",)},
    uses={"model": ("refname",), "version": ("refname",), "checkpoint": ("commit",)},
    left_out=("objecttype",),
)
_DEPRECATION = Form(
    model_versions,
    of="tag",
    columns={},
    uses={"version": ("refname",), ATTRIBUTES: ("taggerdate", "subject")},
    left_out=("objecttype", "commit", "author"),
)
_AGAIN = Form(
    model_versions,
    of="tag",
    columns={},
    uses={"version": ("refname",), ATTRIBUTES: ("taggerdate", "commit")},
    left_out=("objecttype", "subject", "author"),
)
_STAGE = Form(
    alias_events,
    of="tag",
    columns={"valid_from": ("taggerdate",), "reason": ("subject",), "actor": ("author",)},
    uses={"alias": ("refname",), "checkpoint": ("commit",)},
    left_out=("objecttype",),
)


class _Tag(NamedTuple):
    locator: str
    match: re.Match[str]
    kind: str
    commit: str
    when: str
    at: datetime
    subject: str
    author: str

    @property
    def record(self) -> dict[str, str]:
        """What a form reads."""
        return {"refname": self.match[0], "objecttype": self.kind, "commit": self.commit,
                "taggerdate": self.when, "subject": self.subject,
                "author": self.author}  # fmt: skip

    @property
    def order(self) -> tuple[datetime, int]:
        """When it was made, and of several in one instant as which."""
        return self.at, int(self.match["count"] or 0)

    @property
    def version(self) -> tuple[str, str]:
        """The model and its version."""
        return self.match["model"], self.match["version"]

    @property
    def alias(self) -> str:
        """The model and its stage."""
        return f"{self.match['model']}#{self.match['stage']}"


def _recognises(source: Source) -> bool:
    if source.first_object.keys() >= _OF_HISTORY:
        return True
    head = source.head()
    if b"\t" not in head or b"\0" in head:
        return False
    rows = [line.split("\t") for line in head.decode("utf-8-sig", "replace").splitlines()]
    cells = [row for row in rows if len(row) >= 4 and row[1] in _TYPES]
    return any(_match(_TAG, row[0]) for row in cells)


def _match(pattern: re.Pattern[str], name: str) -> re.Match[str] | None:
    """The match of a name of a length that Git can store."""
    return pattern.match(name) if len(name) <= _LONGEST_NAME else None


def _read(source: Source, options: Options) -> Iterator[Item]:
    log, others, of_artifacts, size = FieldLog(options.timezone), 0, 0, 0
    versions: list[_Tag] = []
    stages: list[_Tag] = []
    for locator, line, cut in _lines(source, log):
        if isinstance(line, Reject):
            yield line
            continue
        raw = line.decode("utf-8", "replace").rstrip("\r\n")
        name = raw.partition("\t")[0]
        match = _match(_TAG, name)
        if cut:
            yield Reject(locator, "LINE_TOO_LONG", "longer than is read", raw[:MAX_RAW])
        elif not raw.strip() or (locator == "line 1" and name.lower() in _HEADER):
            continue
        elif match is None:
            of_artifacts += (is_of_artifact := _match(_OF_ARTIFACT, name) is not None)
            others += not is_of_artifact
        elif (size := size + len(raw)) > _MOST_BYTES:
            reason = f"more than {_MOST_BYTES >> 20} MiB of tags"
            yield Reject(locator, "LISTING_TOO_LARGE", reason, raw[:MAX_RAW])
        elif isinstance(tag := _tag(locator, match, raw, log), Reject):
            yield tag
        else:
            (versions if match["version"] else stages).append(tag)
    yield from _versions(versions, log)
    yield from _stages(stages, log)
    yield from log.leave_told("tags that are none of GTO's", others, "tag that is none of GTO's")
    what = "tags that deprecate or create a whole artifact"
    yield from log.leave_told(what, of_artifacts, "tag that deprecates or creates a whole artifact")
    yield from log.items()


def _lines(source: Source, log: FieldLog) -> Iterator[tuple[str, bytes | Reject, bool]]:
    """The lines of a listing, or the entries of a history as such; whether one is cut off."""
    if source.first_object.keys() >= _OF_HISTORY:
        for found in records(source):
            if isinstance(found, Reject):
                yield found.locator, found, False
                continue
            for name in found.values.keys() - _OF_HISTORY - set(_TOLD):
                log.leave(f"history.{name}")
            yield found.locator, _line(found.values), False
        return
    try:
        with source.open() as file:
            for number, (line, cut) in enumerate(bounded_lines(file), start=1):
                yield f"line {number}", line, cut
    except BROKEN_COMPRESSION as error:
        raise source.broken(error) from error


def _line(entry: Mapping[str, Any]) -> bytes:
    told = (" ".join((text(entry.get(name)) or "").split()) for name in _TOLD)
    return "\t".join((text(entry.get("ref")) or "", "tag", *told)).encode("utf-8", "replace")


def _tag(locator: str, match: re.Match[str], raw: str, log: FieldLog) -> _Tag | Reject:
    cells = (cell.strip() for cell in [*raw.split("\t"), *[""] * 5][1:6])
    kind, commit, when, subject, author = cells
    table = model_versions if match["version"] else alias_events
    at = log.instants.find(when)
    if not when or not commit:
        reason = "the tag has no date or no commit: it is not annotated"
        return Reject(locator, "LIGHTWEIGHT_TAG", reason, raw[:MAX_RAW], table)
    if at is None:
        reason = "the date of the tag cannot be read"
        return Reject(locator, "NO_INSTANT", reason, raw[:MAX_RAW], table)
    return _Tag(locator, match, kind, commit, when, at, subject, author)


def _versions(tags: Iterable[_Tag], log: FieldLog) -> Iterator[Item]:
    """The versions by their first registration, and what became of each by its last tag."""
    found: dict[tuple[str, str], list[_Tag]] = {}
    for tag in sorted(tags, key=lambda tag: tag.order):
        found.setdefault(tag.version, []).append(tag)
    passed_over = 0
    for (model, version), events in found.items():
        first = next((tag for tag in events if not tag.match["undo"]), events[0])
        values = {} if first.match["undo"] else log.fill(_VERSION, first.record)
        if said := _became(first, events[-1], log):
            values[ATTRIBUTES] = {**values.get(ATTRIBUTES, {}), **said}
        passed_over += len(events) - len({first.locator, events[-1].locator})
        named = {"model": model, "version": version, "checkpoint": f"commit:{first.commit}"}
        yield Row(model_versions, first.locator, {**values, **named})
    log.leave("tags of a version between its first and its last", passed_over)


def _became(first: _Tag, last: _Tag, log: FieldLog) -> dict[str, Any]:
    """What the last tag of a version says beyond the one that registered it."""
    if last.match["undo"]:
        log.fill(_DEPRECATION, last.record)
        return filled({"deprecated": "true", "deprecated_at": canonical.instant(last.at),
                       "deprecation": last.subject})  # fmt: skip
    if last is first:
        return {}
    log.fill(_AGAIN, last.record)
    other = f"commit:{last.commit}" if last.commit != first.commit else None
    return filled({"registered_again_at": canonical.instant(last.at), "registered_again_as": other})


def _stages(tags: Iterable[_Tag], log: FieldLog) -> Iterator[Item]:
    """What each stage held from when on: the commit that was assigned last and is there still."""
    held: dict[str, dict[str, None]] = {}
    found: dict[tuple[str, datetime], Row] = {}
    replaced = passed_over = 0
    for tag in sorted(tags, key=lambda tag: tag.order):
        commits = held.setdefault(tag.alias, {})
        was_in_force = next(reversed(commits), None) == tag.commit
        commits.pop(tag.commit, None)
        if not tag.match["undo"]:
            commits[tag.commit] = None
        elif not was_in_force:
            passed_over += 1
            continue
        values = log.fill(_STAGE, tag.record)
        checkpoint = f"commit:{next(reversed(commits), tag.commit)}"
        ends = {} if commits else {"valid_until": values["valid_from"]}
        named = {"alias": tag.alias, "checkpoint": checkpoint, "source": _SOURCE}
        replaced += (tag.alias, tag.at) in found
        found[tag.alias, tag.at] = Row(alias_events, tag.locator, {**values, **ends, **named})
    log.leave("tags that take a commit from a stage where it is not in force", passed_over)
    log.leave("tags of a stage at one instant but the last", replaced)
    yield from found.values()


gto_tags = Importer(
    name="gto_tags",
    doc=__doc__ or "",
    tables=(model_versions, alias_events),
    recognises=_recognises,
    read=_read,
)
