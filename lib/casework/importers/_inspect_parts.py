"""Samples of an Inspect archive: whole, in chunks, or known by their summaries alone.

A sample may hold hundreds of megabytes, most of them events. Of a whole sample the events are
passed one by one and not kept; of a sample in chunks only those chunks are read that hold messages
of its conversation, or texts that these point at.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from casework.importers._inspect_sample import REFERENCES
from casework.importers._json_document import Fault, document
from casework.importers._shape import filled, mapping, number, sequence, text
from casework.importers._zip import Archive, Member

SAMPLES = "samples/"
SHELL = "/sample.json"
_JOURNAL = "_journal/summaries/"
_SUMMARIES = "summaries.json"
_EVENTS = "events"
_NUMBERED = re.compile(r"(\d{1,15})\.json")
# What no row needs, and may be large.
_UNREAD = ("events_data", "store", "timelines")
_MOST_MESSAGES = 1_000_000


def whole_sample(data: bytes, where: str) -> Any:
    """The value of a sample, without what no row needs; of its events their number.

    Raises:
        CaseworkError: JSON and its kin.
    """
    if data[:1] != b"{":
        return document(data, where).value()
    held: dict[str, Any] = {}
    events = 0
    for key, value in document(data, where).entries(_EVENTS):
        if isinstance(value, Fault):
            raise value.error
        if key.startswith(f"/{_EVENTS}/"):
            events += 1
        else:
            held[key] = (True if value else None) if key in _UNREAD else value
    return {**held, _EVENTS: [events]} if events else held


class Parts:
    """The members of an archive by sample and sequence. `missing` counts what is not there."""

    def __init__(self, archive: Archive, where: str) -> None:
        self.missing = 0
        self._archive = archive
        self._where = where
        self._members = {member.name: member for member in archive.members}
        self._sequences: dict[str, dict[int, Member]] = {}
        self._shells = {name.removesuffix(SHELL) for name in self._members
                        if name.startswith(SAMPLES) and name.endswith(SHELL)}  # fmt: skip
        for name, member in self._members.items():
            folder, _, file = name.rpartition("/")
            numbered = _NUMBERED.fullmatch(file)
            if numbered and folder.rpartition("/")[0] in self._shells:
                self._sequences.setdefault(folder, {})[int(numbered[1])] = member

    def is_part(self, name: str) -> bool:
        """Whether a member is a part of a sample in chunks, whose `sample.json` stands for it."""
        folder = name.rpartition("/")[0]
        while folder.startswith(SAMPLES):
            if folder in self._shells and name != folder + SHELL:
                return True
            folder = folder.rpartition("/")[0]
        return False

    def sample(self, shell: Member) -> Any:
        """The value of a sample in chunks, its conversation put together.

        Raises:
            CaseworkError: JSON and its kin; ZIP_BROKEN.
        """
        folder = shell.name.removesuffix(SHELL)
        value = self._read(shell)
        if not isinstance(value, Mapping):
            return value
        about = self._members.get(f"{folder}/metadata.json")
        refs = _ranges(value.get("message_refs"))
        wanted = (n for begin, end in refs for n in range(begin, end))
        order = [n for n, _ in zip(wanted, range(_MOST_MESSAGES), strict=False)]
        found = dict(self._entries(f"{folder}/messages", order))
        self.missing += sum(n not in found for n in order)
        whole = {
            **{name: held for name, held in value.items() if name != "message_refs"},
            "messages": [found[n] for n in order if n in found],
            _EVENTS: sorted(name.name for name in
                            self._sequences.get(f"{folder}/{_EVENTS}", {}).values()),
        }  # fmt: skip
        if about:
            whole["metadata"] = self._read(about)
        return {**whole, "attachments": self._attachments(folder, whole)}

    def summaries(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Summaries of samples with their places; of the journal where there is no list of all.

        Of two summaries of one sample the later counts.
        """
        latest: dict[Any, tuple[str, Mapping[str, Any]]] = {}
        for member in self._summary_members():
            for position, entry in enumerate(sequence(self._read(member))):
                one = mapping(entry)
                known = (text(one.get("id")), text(one.get("epoch")))
                at = f"{member.name}/{position}"
                latest[known if all(known) else at] = (at, one)
        yield from latest.values()

    def holds(self, summary: Mapping[str, Any]) -> bool:
        """Whether the archive has the sample that a summary is of."""
        name = f"{SAMPLES}{text(summary.get('id'))}_epoch_{text(summary.get('epoch'))}"
        return f"{name}.json" in self._members or name in self._shells

    def _summary_members(self) -> list[Member]:
        if whole := self._members.get(_SUMMARIES):
            return [whole]
        numbered = {name: _NUMBERED.fullmatch(name.removeprefix(_JOURNAL))
                    for name in self._members if name.startswith(_JOURNAL)}  # fmt: skip
        order = sorted((int(found[1]), name) for name, found in numbered.items() if found)
        return [self._members[name] for _, name in order]

    def _attachments(self, folder: str, sample: Mapping[str, Any]) -> dict[str, Any]:
        """The texts that the conversation points at, by their number."""
        shown = [sample.get(name) for name in ("input", "messages", "output")]
        wanted = sorted({int(number) for number in _references(shown)})
        found = {str(n): said for n, said in self._entries(f"{folder}/attachments", wanted)}
        self.missing += len(wanted) - len(found)
        return found

    def _entries(self, sequence_name: str, wanted: Iterable[int]) -> Iterator[tuple[int, Any]]:
        """Entries of a sequence by their number, read a chunk at a time; those that are there."""
        chunks = self._sequences.get(sequence_name, {})
        starts = sorted(chunks)
        by_chunk: dict[int, set[int]] = {}
        for n in wanted:
            if (at := bisect_right(starts, n)) > 0:
                by_chunk.setdefault(starts[at - 1], set()).add(n)
        for start, numbers in sorted(by_chunk.items()):
            listed = sequence(self._read(chunks[start]))
            yield from ((n, listed[n - start]) for n in numbers if n - start < len(listed))

    def _read(self, member: Member) -> Any:
        return document(self._archive.read(member), f"{self._where}:{member.name}").value()


def of_summary(summary: Mapping[str, Any]) -> dict[str, Any]:
    """A summary in the shape of a sample: what halted it is an object there."""
    found = dict(filled(summary))
    for name, key in (("error", "message"), ("limit", "type")):
        if isinstance(found.get(name), str):
            found[name] = {key: found[name]}
    return found


def _ranges(value: Any) -> Iterator[tuple[int, int]]:
    """Half-open ranges; what is none is passed over."""
    for one in map(sequence, sequence(value)):
        ends = [number(end) for end in one]
        if len(ends) == 2 and None not in ends:
            yield int(ends[0] or 0), int(ends[1] or 0)


def _references(value: Any) -> set[str]:
    """The numbers of attachments that texts are replaced by."""
    signs = "|".join(map(re.escape, REFERENCES))
    return set(re.findall(rf'"(?:{signs})(\d{{1,15}})"', json.dumps(value)))
