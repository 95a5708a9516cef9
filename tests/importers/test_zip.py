"""Hostile and damaged archives: each refused with its own code, none a traceback or a full disk."""

import io
import random
import stat
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.importers.loading import refusal_of

from casework.errors import CaseworkError
from casework.importers import _zip
from casework.importers._zip import archive_names, open_archive

CENTRAL, LOCAL = b"PK\x01\x02", b"PK\x03\x04"


def archive(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        warnings.simplefilter("ignore", UserWarning)
        for name, data in members:
            out.writestr(name, data)
    return buffer.getvalue()


def with_zstandard(name: str, *frames: bytes) -> bytes:
    """An archive as Inspect writes it: one member of method 93, in one or several frames."""
    packed = b"".join(zstandard.ZstdCompressor().compress(frame) for frame in frames)
    data = b"".join(frames)
    sizes = (zlib.crc32(data), len(packed), len(data))
    raw_name = name.encode()
    local = struct.pack("<4s5H3I2H", LOCAL, 20, 0, 93, 0, 33, *sizes, len(raw_name), 0)
    central = struct.pack(
        "<4s6H3I5H2I", CENTRAL, 20, 20, 0, 93, 0, 33, *sizes, len(raw_name), 0, 0, 0, 0, 0, 0
    )
    body = local + raw_name + packed
    directory = central + raw_name
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), len(body), 0)
    return body + directory + end


def patched(data: bytes, mark: bytes, offset: int, form: str, value: int) -> bytes:
    """Change one field of the last record of a kind."""
    at = data.rindex(mark) + offset
    changed = bytearray(data)
    struct.pack_into(form, changed, at, value)
    return bytes(changed)


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def overlapping() -> bytes:
    """A member `b` that lies within the bytes of the member `a`."""
    inner = archive(("b", b"y" * 100))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as out:
        out.writestr("a", inner[: inner.index(CENTRAL)])
        out.writestr("b", b"y" * 100, zipfile.ZIP_DEFLATED)
    return patched(buffer.getvalue(), CENTRAL, 42, "<I", 31)


ZEROS = bytes(2 << 20)

REFUSED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "traversal": ("ZIP_UNSAFE_NAME", lambda: archive(("../../x", b"1"))),
    "absolute": ("ZIP_UNSAFE_NAME", lambda: archive(("/etc/x", b"1"))),
    "backslash": ("ZIP_UNSAFE_NAME", lambda: archive(("..\\x", b"1"))),
    "drive": ("ZIP_UNSAFE_NAME", lambda: archive(("C:x", b"1"))),
    "nul": ("ZIP_UNSAFE_NAME", lambda: archive(("abc", b"1")).replace(b"abc", b"a\0c")),
    "duplicate": (
        "ZIP_DUPLICATE_NAME",
        lambda: archive(("header.json", b"A"), ("header.json", b"B")),
    ),
    "case": ("ZIP_DUPLICATE_NAME", lambda: archive(("Header.json", b"A"), ("header.json", b"B"))),
    "same path": ("ZIP_DUPLICATE_NAME", lambda: archive(("a/b", b"A"), ("a/./b", b"B"))),
    "file and folder": (
        "ZIP_DUPLICATE_NAME",
        lambda: archive(("a", b"A"), ("x", b""), ("a/b", b"B")),
    ),
    "symlink": ("ZIP_SYMLINK", lambda: archive((link("link"), b"/etc/passwd"))),
    "encrypted": ("ZIP_ENCRYPTED", lambda: patched(archive(("a", b"1")), CENTRAL, 8, "<H", 1)),
    "method": ("ZIP_METHOD", lambda: patched(archive(("a", b"1")), CENTRAL, 10, "<H", 12)),
    "ratio, zstandard": ("ZIP_RATIO", lambda: with_zstandard("a", bytes(65 << 20))),
    "ratio": ("ZIP_RATIO", lambda: archive(("a.json", ZEROS))),
    "member": (
        "ZIP_MEMBER_TOO_LARGE",
        lambda: patched(archive(("a", b"1")), CENTRAL, 24, "<I", (512 << 20) + 1),
    ),
    "lying size": (
        "ZIP_MEMBER_TOO_LARGE",
        lambda: patched(archive(("a", ZEROS)), CENTRAL, 24, "<I", 10),
    ),
    "lying size, zstandard": (
        "ZIP_MEMBER_TOO_LARGE",
        lambda: patched(with_zstandard("a", ZEROS), CENTRAL, 24, "<I", 10),
    ),
    "checksum": ("ZIP_BROKEN", lambda: patched(archive(("a", b"1")), CENTRAL, 16, "<I", 7)),
    "damaged deflate": (
        "ZIP_BROKEN",
        lambda: patched(archive(("a", b"12")), LOCAL, 31, "<H", 65535),
    ),
    "damaged zstandard": (
        "ZIP_BROKEN",
        lambda: patched(with_zstandard("a", b"12"), LOCAL, 31, "<I", 0),
    ),
    "other name inside": ("ZIP_BROKEN", lambda: patched(archive(("a", b"1")), LOCAL, 30, "<B", 98)),
    "overlap": ("ZIP_OVERLAP", overlapping),
    "into the directory": (
        "ZIP_OVERLAP",
        lambda: patched(archive(("a", b"1" * 99)), CENTRAL, 20, "<I", 200),
    ),
    "no archive": ("ZIP_BROKEN", lambda: b"PK\x03\x04 and nothing else"),
    "truncated": ("ZIP_BROKEN", lambda: archive(("a", b"1" * 99))[:-30]),
}


def read_all(path: Path, *, repeatable: str | None = None) -> dict[str, bytes]:
    with open_archive(path, repeatable=repeatable) as opened:
        return {member.name: opened.read(member) for member in opened.members}


@pytest.mark.parametrize("name", REFUSED)
def test_hostile_archive_is_refused_with_its_code(name: str, tmp_path: Path) -> None:
    code, make = REFUSED[name]
    path = tmp_path / "hostile.zip"
    path.write_bytes(make())
    with pytest.raises(CaseworkError) as refused:
        read_all(path)
    assert refused.value.code == code
    assert "hostile.zip" in str(refused.value)
    assert [file.name for file in tmp_path.iterdir()] == ["hostile.zip"]


def test_too_many_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_zip, "MAX_MEMBERS", 3)
    path = tmp_path / "many.zip"
    path.write_bytes(archive(*((str(n), b"") for n in range(4))))
    with pytest.raises(CaseworkError, match="ZIP_TOO_MANY_MEMBERS"):
        read_all(path)


def test_total_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_zip, "MAX_TOTAL", 25)
    path = tmp_path / "much.zip"
    path.write_bytes(archive(*((str(n), b"0123456789") for n in range(3))))
    with pytest.raises(CaseworkError, match="ZIP_TOTAL_TOO_LARGE"):
        read_all(path)


def test_a_repeatable_prefix_keeps_every_copy_in_order(tmp_path: Path) -> None:
    path = tmp_path / "log.zip"
    path.write_bytes(archive(("samples/1.json", b"old"), ("samples/1.json", b"new"), ("h", b"")))
    with open_archive(path, repeatable="samples/") as opened:
        found = [(member.name, opened.read(member)) for member in opened.members]
    assert found == [("samples/1.json", b"old"), ("samples/1.json", b"new"), ("h", b"")]


def test_members_are_streamed_and_folders_left_out(tmp_path: Path) -> None:
    path = tmp_path / "good.zip"
    noise = random.Random(1).randbytes(300_000)
    path.write_bytes(b"prefix" + archive(("folder/", b""), ("folder/é.bin", noise)))
    with open_archive(path) as opened:
        (member,) = opened.members
        out = io.BytesIO()
        assert opened.stream(member, out) == len(noise) == member.bytes
        with pytest.raises(CaseworkError, match="ZIP_MEMBER_TOO_LARGE"):
            opened.read(member, cap=1000)
    assert (member.name, out.getvalue()) == ("folder/é.bin", noise)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_methods_of_the_standard_library(method: int, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    text = random.Random(2).randbytes(50_000) + b"text " * 1000
    with zipfile.ZipFile(path, "w", method) as out:
        out.writestr("a", text)
        out.writestr("empty", b"")
    assert read_all(path) == {"a": text, "empty": b""}


def test_zstandard_in_several_frames(tmp_path: Path) -> None:
    path = tmp_path / "a.eval"
    frames = [random.Random(n).randbytes(100_000) for n in range(3)]
    path.write_bytes(with_zstandard("a", *frames))
    assert read_all(path) == {"a": b"".join(frames)}


def test_a_conversation_that_repeats_itself_is_no_bomb(tmp_path: Path) -> None:
    """Each turn of an older log holds all before it; Zstandard packs that 200 times and more."""
    rng = random.Random(3)
    turns = [bytes(rng.choices(b"abcdefghij klmnop", k=150)) for _ in range(300)]
    log = b"".join(b"".join(turns[:n]) for n in range(300))
    path = tmp_path / "log.eval"
    path.write_bytes(with_zstandard("samples/1.json", log))
    assert len(log) > 200 * path.stat().st_size
    assert read_all(path) == {"samples/1.json": log}


def test_names_are_told_without_trust(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(archive(("../a", b"")))
    assert archive_names(path) == {"../a"}
    path.write_bytes(b"no archive")
    assert archive_names(path) == frozenset()
    assert archive_names(tmp_path / "missing") == frozenset()


PARTS = (b"{}" * 50, bytes(range(256)))
WHOLE = archive(("header.json", PARTS[0]), ("samples/1.json", PARTS[1]))
WHOLE_ZSTANDARD = with_zstandard("header.json", *PARTS)


@given(
    st.sampled_from([WHOLE, WHOLE_ZSTANDARD]),
    st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), max_size=6),
    st.integers(0, 600),
)
@settings(max_examples=400)
def test_damage_is_never_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, changes: list[tuple[int, int]], cut: int
) -> None:
    changed = bytearray(data)
    for position, value in changes:
        changed[position % len(changed)] = value
    path = tmp_path_factory.getbasetemp() / "damaged.zip"
    path.write_bytes(changed[: len(changed) - cut % 50] if cut > 300 else changed)
    found: dict[str, bytes] = {}
    code = refusal_of(lambda: found.update(read_all(path)))
    assert not code or code.startswith("ZIP_")
    # A checksum vouches for what is read; which bytes are the name and the method, none does.
    assert set(found.values()) <= {*PARTS, b"".join(PARTS), b""}
