"""JSON documents from strangers: one value a file, with the faults that parsers let through.

Python's parser takes the last of two equal keys, recurses as deep as the text does, and hands on
lone surrogates, which no UTF-8 text can hold. Each is refused here with its own code. NaN and
Infinity are accepted, since evaluation tools write them; whoever reads a number says what becomes
of them.
"""

import json
import re
from collections import Counter
from collections.abc import Generator, Iterator
from itertools import accumulate
from typing import Any, NamedTuple

import msgspec

from casework.errors import CaseworkError

MAX_DEPTH = 64
MAX_RAW = 4_000

_OTHER = bytes(set(range(256)) - set(b'"[]{}'))
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_STEPS = {ord("["): 1, ord("]"): -1}
_CHUNK = 1 << 20
_SPACE = re.compile(r"[ \t\n\r]*")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class Fault(NamedTuple):
    """An element of a list that parses and yet cannot be used, with its text."""

    error: CaseworkError
    raw: str


class Document:
    """The text of one JSON value. Made by `document`, which checks its depth.

    `keys` are the keys of the top-level object that `entries` has come to so far, in order.
    """

    def __init__(self, text: str, where: str) -> None:
        self.keys: dict[str, None] = {}
        self._text = text
        self._where = where
        self._repeated: str | None = None
        self._decoder = json.JSONDecoder(object_pairs_hook=self._object)

    def value(self) -> Any:
        """Return the whole value.

        Raises:
            CaseworkError: JSON, JSON_DUPLICATE_KEY, JSON_SURROGATE.
        """
        start = self._skip(0)
        value, end = self._decode(start)
        self._check(value, start, end)
        self._expect_end(end)
        return value

    def entries(self, *streamed: str) -> Iterator[tuple[str, Any]]:
        """Yield key and value of the top-level object; of the lists `streamed`, one by one.

        Elements of a streamed list come under their JSON pointer, such as `/samples/3`, the
        other values under their key. An element that cannot be used comes as a `Fault`.

        Raises:
            CaseworkError: JSON, and JSON_DUPLICATE_KEY or JSON_SURROGATE outside the lists.
        """
        position = self._expect("{", self._skip(0))
        while not self._text.startswith("}", position):
            position = self._expect(",", position) if self.keys else position
            key, position = self._decode(position)
            if not isinstance(key, str):
                raise self._syntax("a key is not a string", position)
            if key in self.keys:
                raise self._error("JSON_DUPLICATE_KEY", f"the key {key!r} stands twice")
            position = self._expect(":", self._skip(position))
            self.keys[key] = None
            if key in streamed and self._text.startswith("[", position):
                position = yield from self._elements(position, f"/{key}")
            else:
                value, end = self._decode(position)
                self._check(value, position, end)
                yield key, value
                position = self._skip(end)
        self._expect_end(position + 1)

    def elements(self) -> Iterator[tuple[str, Any]]:
        """Yield the values of a list under their JSON pointers; what cannot be used as a `Fault`.

        Raises:
            CaseworkError: JSON.
        """
        self._expect_end((yield from self._elements(self._skip(0), "")))

    def _elements(self, position: int, pointer: str) -> Generator[tuple[str, Any], None, int]:
        position = self._expect("[", position)
        count = 0
        while not self._text.startswith("]", position):
            position = self._expect(",", position) if count else position
            value, end = self._decode(position)
            try:
                self._check(value, position, end)
            except CaseworkError as error:
                value = Fault(error, self._text[position : min(end, position + MAX_RAW)])
            yield f"{pointer}/{count}", value
            count += 1
            position = self._skip(end)
        return self._skip(position + 1)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Build an object, and remember a key that stands twice in it."""
        built = dict(pairs)
        if len(built) < len(pairs):
            times = Counter(key for key, _ in pairs)
            self._repeated = next(key for key in built if times[key] > 1)
        return built

    def _decode(self, position: int) -> tuple[Any, int]:
        try:
            return self._decoder.raw_decode(self._text, position)
        except json.JSONDecodeError as error:
            raise self._syntax(error.msg.removesuffix(" at"), error.pos) from error
        except (ValueError, RecursionError) as error:
            raise self._error("JSON", str(error).split(";")[0]) from error

    def _check(self, value: Any, start: int, end: int) -> None:
        repeated, self._repeated = self._repeated, None
        if repeated is not None:
            raise self._error("JSON_DUPLICATE_KEY", f"the key {repeated!r} stands twice")
        if _SURROGATE.search(self._text, start, end):
            try:
                json.dumps(value, ensure_ascii=False).encode()
            except UnicodeEncodeError as error:
                raise self._error("JSON_SURROGATE", "a text holds half a character") from error

    def _skip(self, position: int) -> int:
        space = _SPACE.match(self._text, position)
        return space.end() if space else position

    def _expect(self, sign: str, position: int) -> int:
        if not self._text.startswith(sign, position):
            raise self._syntax(f"{sign!r} is missing", position)
        return self._skip(position + 1)

    def _expect_end(self, position: int) -> None:
        if self._skip(position) < len(self._text):
            raise self._syntax("text after the value", position)

    def _syntax(self, what: str, position: int) -> CaseworkError:
        return self._error("JSON", f"{what} at character {position}")

    def _error(self, code: str, what: str) -> CaseworkError:
        return CaseworkError(code, what, "ask for the file as the tool wrote it", where=self._where)


def document(data: bytes, where: str) -> Document:
    """Take bytes as the text of one JSON value.

    Raises:
        CaseworkError: JSON_ENCODING, JSON_DEPTH.
    """
    fix = "ask for the file as the tool wrote it"
    if is_too_deep(data):
        what = f"nested deeper than {MAX_DEPTH} levels"
        raise CaseworkError("JSON_DEPTH", what, fix, where=where)
    try:
        return Document(data.decode("utf-8-sig"), where)
    except UnicodeDecodeError as error:
        what = f"not UTF-8: {error.reason}"
        raise CaseworkError("JSON_ENCODING", what, fix, where=where) from error


def first_entries(head: bytes) -> dict[str, Any]:
    """Entries of an object whose text may be cut off, in order; empty for anything else.

    The last entry is None where the text is cut off in its value.
    """
    cut = Document(head.decode("utf-8-sig", "replace"), "")
    found: dict[str, Any] = {}
    try:
        found.update(cut.entries())
    except CaseworkError:
        found.update(dict.fromkeys(list(cut.keys)[len(found) :]))
    return found


def decoded(text: str, *, constants: bool = False) -> Any:
    """The value of a JSON text that stands in a field, such as call parameters.

    Args:
        text: it.
        constants: whether NaN and Infinity are numbers in an object or a list. Where the text is
            to stand as it was said they are not, since JSON that is written anew has none.

    Raises:
        ValueError: it is none, or nested deeper than 64 levels.
    """
    data = text.encode("utf-8", "surrogatepass")
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH and is_too_deep(data):
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        if not (constants and data.lstrip()[:1] in (b"{", b"[") and has_constants(data)):
            raise
    try:
        return Document(data.decode(), "").value()
    except CaseworkError as error:
        raise ValueError(error.what) from error


def has_constants(data: bytes) -> bool:
    """Whether NaN or Infinity may be among the values of a JSON text."""
    return b"NaN" in data or b"Infinity" in data


def is_too_deep(data: bytes) -> bool:
    """Whether brackets nest deeper than 64 levels, told without recursion and in little memory.

    Escapes go first, then all but quotes and brackets, then every second piece between quotes.
    """
    depth, start, quote = 0, 0, b""
    while start < len(data):
        end = start + _CHUNK
        while data[end - 1 : end] == b"\\":
            end += 1
        chunk = quote + data[start:end].replace(rb"\\", b"").replace(rb"\"", b"")
        pieces = chunk.translate(_ONE_KIND, _OTHER).split(b'"')
        steps = map(_STEPS.__getitem__, b"".join(pieces[::2]))
        depths = list(accumulate(steps, initial=depth))
        if max(depths) > MAX_DEPTH:
            return True
        depth, start, quote = depths[-1], end, b"" if len(pieces) % 2 else b'"'
    return False
