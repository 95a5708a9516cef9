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
from casework.importers._importer import Importer, Options
from casework.importers._instants import Instants
from casework.importers._source import Source
from casework.tables import alias_events, model_versions

_TAG = re.compile(
    r"^(?:refs/tags/)?(?P<model>[\w./=-]+?)"
    r"(?:@(?P<version>v\d+\.\d+\.\d+[\w.+-]*)|#(?P<stage>[\w.-]+))(?P<undo>!)?(?:#(?P<count>\d+))?$"
)
_TYPES = ("tag", "commit")
_HEADER = ("refname", "tag", "name")
_SOURCE = "gto tags (history)"


class _Tag(NamedTuple):
    locator: str
    match: re.Match[str]
    commit: str
    when: str
    subject: str


def _recognises(source: Source) -> bool:
    head = source.head()
    if b"\t" not in head or b"\0" in head:
        return False
    rows = [line.split("\t") for line in head.decode("utf-8", "replace").splitlines()[:20]]
    cells = [row for row in rows if len(row) >= 4 and row[1] in _TYPES]
    return any(_TAG.match(row[0]) for row in cells)


def _read(source: Source, options: Options) -> Iterator[Item]:
    instants, others = Instants(options.timezone), 0
    with source.open() as file:
        for number, line in enumerate(file, start=1):
            raw = line.decode("utf-8", "replace").rstrip("\r\n")
            cells = raw.split("\t")
            if not raw.strip() or (number == 1 and cells[0].lower() in _HEADER):
                continue
            match = _TAG.match(cells[0])
            if match is None:
                others += 1
                continue
            cells += [""] * (5 - len(cells))
            tag = _Tag(f"line {number}", match, cells[2].strip(), cells[3].strip(), cells[4])
            yield _row(tag, instants, raw)
    if others:
        yield Note(f"left out: {others} tags that are none of GTO's")
    yield from instants.notes()


def _row(tag: _Tag, instants: Instants, raw: str) -> Item:
    table = model_versions if tag.match["version"] else alias_events
    when = instants.find(tag.when)
    if when is None or not tag.commit:
        reason = "the tag has no date or no commit: it is not annotated"
        return Reject(tag.locator, "LIGHTWEIGHT_TAG", reason, raw, table)
    digest, about = f"commit:{tag.commit}", {"subject": tag.subject} if tag.subject else {}
    if tag.match["version"]:
        if tag.match["undo"]:
            about["deprecated"] = "true"
        version = {"model": tag.match["model"], "version": tag.match["version"]}
        values = {**version, "checkpoint": digest, "created_at": when, "attributes": about}
        return Row(model_versions, tag.locator, values)
    ends = {"valid_until": when} if tag.match["undo"] else {}
    return Row(alias_events, tag.locator, {
        "alias": f"{tag.match['model']}#{tag.match['stage']}",
        "checkpoint": digest,
        "valid_from": when,
        **ends,
        "reason": tag.subject or None,
        "source": _SOURCE,
    })  # fmt: skip


gto_tags = Importer(
    name="gto_tags",
    doc=__doc__ or "",
    tables=(model_versions, alias_events),
    recognises=_recognises,
    read=_read,
)
