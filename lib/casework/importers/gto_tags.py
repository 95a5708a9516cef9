"""GTO tags: the registry of models that lives in the tags of a Git repository.

## Reads
A listing of annotated tags, tab-separated, with or without a header: `refname`, `objecttype`,
commit, tagger date, subject, as `git for-each-ref` writes it (the manual shows the command).

    git for-each-ref refs/tags --format='%(refname:short)%09%(objecttype)%09%(*objectname)%09\
%(taggerdate:iso-strict)%09%(subject)'

## Fills
| tag | row |
|---|---|
| `model@v1.2.0` | `model_versions`: model, version, created_at, checkpoint |
| `model#prod`, `model#prod#3` | `alias_events`: alias `model#prod`, checkpoint, valid_from |
| `model#prod!#4` | `alias_events` that ends where it begins: the stage is empty from then on |
| `model@v1.2.0!` | `model_versions` with `deprecated` in `attributes` |

The checkpoint is `commit:<hex>`, the commit that is tagged: GTO names no other digest. These
alias events are a history, not the present alone.

## Leaves out
Tags of other shapes, counted.

## Known limits
A tag that was deleted leaves no trace. Lightweight tags have no date: they are rejects.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from casework.case import Item, Note, Reject, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._source import Source
from casework.tables import alias_events, model_versions

_TAG = re.compile(
    r"^(?:refs/tags/)?(?P<model>[\w./=-]+?)"
    r"(?:@(?P<version>v\d+\.\d+\.\d+[\w.+-]*)|#(?P<stage>[\w.-]+))(?P<undo>!)?(?:#(?P<count>\d+))?$"
)
_TYPES = ("tag", "commit")
_HEADER = ("refname", "tag", "name")
_SOURCE = "gto tags (history)"
_VERSION = Form(
    model_versions,
    of="tag",
    columns={"created_at": ("taggerdate",)},
    uses={"model": ("refname",), "version": ("refname",), "checkpoint": ("commit",)},
    left_out=("objecttype",),
)
_STAGE = Form(
    alias_events,
    of="tag",
    columns={"valid_from": ("taggerdate",), "reason": ("subject",)},
    uses={"alias": ("refname",), "checkpoint": ("commit",)},
    left_out=("objecttype",),
)


class _Tag(NamedTuple):
    locator: str
    match: re.Match[str]
    kind: str
    commit: str
    when: str
    subject: str


def _recognises(source: Source) -> bool:
    head = source.head()
    if b"\t" not in head or b"\0" in head:
        return False
    rows = [line.split("\t") for line in head.decode("utf-8-sig", "replace").splitlines()]
    cells = [row for row in rows if len(row) >= 4 and row[1] in _TYPES]
    return any(_TAG.match(row[0]) for row in cells)


def _read(source: Source, options: Options) -> Iterator[Item]:
    log, others = FieldLog(options.timezone), 0
    with source.open() as file:
        for number, line in enumerate(file, start=1):
            raw = line.decode("utf-8-sig", "replace").rstrip("\r\n")
            cells = raw.split("\t")
            if not raw.strip() or (number == 1 and cells[0].lower() in _HEADER):
                continue
            match = _TAG.match(cells[0])
            if match is None:
                others += 1
                continue
            cells += [""] * (5 - len(cells))
            kind, commit, when, subject = (cell.strip() for cell in cells[1:5])
            tag = _Tag(f"line {number}", match, kind, commit, when, subject)
            yield _row(tag, log, raw)
    if others:
        log.leave("tags that are none of GTO's", others)
        yield Note(f"left out: {others} tags that are none of GTO's")
    yield from log.items()


def _row(tag: _Tag, log: FieldLog, raw: str) -> Item:
    table = model_versions if tag.match["version"] else alias_events
    if tag.when and log.instants.find(tag.when) is None:
        return Reject(tag.locator, "NO_INSTANT", "the date of the tag cannot be read", raw, table)
    if not tag.when or not tag.commit:
        reason = "the tag has no date or no commit: it is not annotated"
        return Reject(tag.locator, "LIGHTWEIGHT_TAG", reason, raw, table)
    record = {"refname": tag.match[0], "objecttype": tag.kind, "commit": tag.commit,
              "taggerdate": tag.when, "subject": tag.subject}  # fmt: skip
    digest = f"commit:{tag.commit}"
    if tag.match["version"]:
        values = log.fill(_VERSION, record)
        if tag.match["undo"]:
            values["attributes"] = {**values.get("attributes", {}), "deprecated": "true"}
        named = {"model": tag.match["model"], "version": tag.match["version"]}
        return Row(model_versions, tag.locator, {**values, **named, "checkpoint": digest})
    values = log.fill(_STAGE, record)
    ends = {"valid_until": values["valid_from"]} if tag.match["undo"] else {}
    alias = f"{tag.match['model']}#{tag.match['stage']}"
    named = {"alias": alias, "checkpoint": digest, "source": _SOURCE}
    return Row(alias_events, tag.locator, {**values, **ends, **named})


gto_tags = Importer(
    name="gto_tags",
    doc=__doc__ or "",
    tables=(model_versions, alias_events),
    recognises=_recognises,
    read=_read,
)
