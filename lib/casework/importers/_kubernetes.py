"""Objects of Kubernetes one by one, out of lists, watches and dumps, as JSON or as YAML."""

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

from casework.case import Reject
from casework.importers._json_stream import LINE_BYTES
from casework.importers._records import Record, records
from casework.importers._replica_names import space_of
from casework.importers._shape import mapping, sequence, text
from casework.importers._source import Source
from casework.importers._yaml import begun_documents, yaml_documents

MAX_YAML = 64 << 20
_KINDS = ("Pod", "ReplicaSet", "Deployment", "Event", "List", "PodList", "EventList",
          "ReplicaSetList", "DeploymentList", "NodeList")  # fmt: skip
_WATCHED = ("ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR")
_NAMED = {"apiVersion", "kind"}
_MARK_OF_YAML = re.compile(rb"^ {0,4}(?:- )?apiVersion:\s", re.MULTILINE)
_LOGS = b"==== START logs for container "
_LOGS_BEGIN = re.compile(_LOGS + rb"\S+ of pod \S+ ====\s*")
_LOGS_END = re.compile(rb"==== END logs for container \S+ of pod \S+ ====\s*\Z")


class Told(NamedTuple):
    """An object as it was at some time, where it stands, and what a watch says became of it."""

    kind: str
    values: Mapping[str, Any]
    locator: str
    change: str = ""

    @property
    def identity(self) -> tuple[str, ...] | None:
        """What the states of one object have in common; None where nothing names it."""
        meta = mapping(self.values.get("metadata"))
        if uid := text(meta.get("uid")):
            return (uid,)
        name = text(meta.get("name"))
        return (self.kind, space_of(meta), name) if name else None


@dataclass(frozen=True)
class Dump(Source):
    """A source without the logs of containers that `kubectl cluster-info dump` puts between lists.

    `lines_of_logs` says how many lines of them were passed over.
    """

    lines_of_logs: Counter[str] = field(default_factory=Counter)

    def open(self) -> BinaryIO:
        """Open it; lines of logs are blank, so that those after them keep their numbers."""
        self.lines_of_logs.clear()
        return io.BufferedReader(_WithoutLogs(super().open(), self.lines_of_logs))


class Objects:
    """The objects of a source, to be gone through several times; YAML is read once."""

    def __init__(self, source: Source) -> None:
        is_yaml = not _is_json(source.head())
        data = source.read(MAX_YAML) if is_yaml else b""
        is_dump = _LOGS in data or (not is_yaml and b'"NodeList"' in source.head())
        self._source = Dump(source.path, source.name) if is_dump else source
        self._yaml: list[Record | Reject] | None = None
        if is_yaml:
            data = self._source.read(MAX_YAML) if is_dump else data
            self._yaml = list(_yaml_records(data, source.name))

    def __iter__(self) -> Iterator[Told | Reject]:
        for found in records(self._source) if self._yaml is None else self._yaml:
            if isinstance(found, Reject):
                yield found
            else:
                yield from _objects(found)

    @property
    def lines_of_logs(self) -> int:
        """Lines of logs among the lists, after they were gone through."""
        return self._source.lines_of_logs.total() if isinstance(self._source, Dump) else 0


class States:
    """Which state of each object is the last that is told, and which names pods share."""

    def __init__(self, objects: Iterable[Told | Reject]) -> None:
        self.shared = set[str]()
        """Names that pods of several namespaces bear, as those of a stateful set do."""
        self.earlier = 0
        """How many states are told of which there is a later one."""
        self._last = dict[tuple[str, ...], str]()
        spaces = dict[str, str]()
        for told in objects:
            if isinstance(told, Reject):
                continue
            if (identity := told.identity) is not None:
                self.earlier += identity in self._last
                self._last[identity] = told.locator
            meta = mapping(told.values.get("metadata"))
            name, space = text(meta.get("name")), space_of(meta)
            if told.kind == "Pod" and name and spaces.setdefault(name, space) != space:
                self.shared.add(name)

    def is_last(self, told: Told) -> bool:
        """Whether no later state of the object is told."""
        identity = told.identity
        return identity is None or self._last[identity] == told.locator


def recognises(source: Source) -> bool:
    """Whether a source holds objects of a cluster, by the beginning of the first.

    As YAML they must have been in one: manifests are YAML too.
    """
    if _is_json(source.head()):
        found = source.first_object
        if "items" in found and "kind" not in found:  # kubectl prints the kind of a list after it
            return source.within("items").keys() >= _NAMED
        if found.get("type") in _WATCHED and "object" in found:
            return source.within("object").keys() >= _NAMED and not _is_audit(
                source.within("object")
            )
        return found.keys() >= _NAMED and found["kind"] in _KINDS and not _is_audit(found)
    if not _MARK_OF_YAML.search(source.head()):
        return False
    return any(_was_in_a_cluster(mapping(one)) for one in begun_documents(source.head()))


def _was_in_a_cluster(document: Mapping[str, Any]) -> bool:
    """Whether a document of YAML is an object that a cluster gave: one has an instant then."""
    if document.get("type") in (*_WATCHED, None) and "object" in document:
        document = mapping(document["object"])
    if "apiVersion" not in document or _is_audit(document):
        return False
    if "items" not in document:
        return document.get("kind") in _KINDS and _begun(document)
    items = sequence(document["items"])
    return _begun(mapping(items[0])) if items else document.get("kind") in _KINDS


def _begun(values: Mapping[str, Any]) -> bool:
    return bool(mapping(values.get("metadata")).get("creationTimestamp"))


def _is_audit(values: Mapping[str, Any]) -> bool:
    return str(values.get("apiVersion")).startswith("audit.k8s.io/")


def _is_json(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def _yaml_records(data: bytes, name: str) -> Iterator[Record | Reject]:
    for number, document in enumerate(yaml_documents(data, name, MAX_YAML), start=1):
        if isinstance(document, dict):
            yield Record(f"document {number}", document)
        elif document is not None:
            yield Reject(f"document {number}", "YAML", "not an object", str(document)[:4_000])


def _objects(found: Record) -> Iterator[Told]:
    """The objects of a record, each with its kind and where it stands."""
    values, at, change = found.values, found.locator, ""
    if values.get("type") in _WATCHED and isinstance(values.get("object"), Mapping):
        values, at, change = values["object"], f"{at}/object", values["type"]
    kind = text(values.get("kind")) or ""
    if "items" not in values:
        yield Told("Bookmark" if change == "BOOKMARK" else kind, values, at, change)
        return
    for position, one in enumerate(map(mapping, sequence(values["items"]))):
        # the items of a `PodList`, as the API itself sends it, do not say that they are pods
        own = text(one.get("kind")) or kind.removesuffix("List")
        yield Told(own, one, f"{at}/items/{position}", change)


class _WithoutLogs(io.RawIOBase):
    """The lines of a dump, those of logs blank."""

    def __init__(self, file: BinaryIO, passed: Counter[str]) -> None:
        self._file, self._passed = file, passed
        self._rest, self._is_log = memoryview(b""), False

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            line = self._file.readline(LINE_BYTES)
            if not line:
                return 0
            self._rest = memoryview(self._shown(line))
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def _shown(self, line: bytes) -> bytes:
        if not self._is_log and not _LOGS_BEGIN.fullmatch(line):
            return line
        # what a container wrote last may have no end of its line
        self._is_log = not _LOGS_END.search(line)
        self._passed["lines"] += 1
        return b"\n" if line.endswith(b"\n") else b""
