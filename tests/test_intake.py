"""Intake: folders, archives, links and strangers; each source whole or not at all."""

import errno
import gzip
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import Future
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from tests.importers import loading

from casework import CaseworkError, archives, importers, intake
from casework.case import Case, Note, Reject, Row
from casework.importers import Importer, Options, Source
from casework.intake import Outcome, _ahead
from casework.tables import get

UNITS = "unit_id,region\nu1,eu\nu2,us\n"
NPS = "account_id,score,responded_at\na1,9,2026-03-01T09:00:00Z\n"


@pytest.fixture
def case(tmp_path: Path) -> Path:
    path = tmp_path / "case.duckdb"
    path.write_bytes(loading.empty_case())
    return path


@pytest.fixture
def handed(tmp_path: Path) -> Path:
    """A folder to put what is handed over."""
    folder = tmp_path / "handed"
    folder.mkdir()
    return folder


def put(folder: Path, name: str, text: str | bytes = UNITS) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def told(outcomes: list[Outcome]) -> list[tuple[str, str, str]]:
    return [(Path(one.path).name, one.status, one.code) for one in outcomes]


def count(case: Path, table: str = "units") -> int:
    return int(loading.rows(case, f"SELECT count(*) FROM {table}")[0][0])


def zipped(members: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(
    members: dict[str, str | bytes | None], mode: str = "w:gz", date: str | None = None
) -> bytes:
    """A tar archive; a member of None is a link that leads out."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.pax_headers = {"mtime": date} if date else {}
            if data is None:
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/hostname"
                archive.addfile(member)
                continue
            content = data.encode() if isinstance(data, str) else data
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def flipped(members: dict[str, str | bytes | None]) -> bytes:
    """A tar archive in which one bit of the second header is not as it was written."""
    data = bytearray(tarred(members, "w"))
    data[1024 + 150] ^= 1
    return bytes(data)


def much_said() -> bytes:
    """A tar archive with more about its members than fits a memory, were it longer yet."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", pax_headers={"comment": "x" * (2 << 20)}) as tar:
        tar.addfile(tarfile.TarInfo("units.csv"))
    return out.getvalue()


def header(name: str, kind: bytes, data: bytes = b"") -> bytes:
    """A header of a tar archive, with what it says."""
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, len(data)
    block = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    return bytes(block) + data.ljust(-(-len(data) // 512) * 512, b"\0")


def sparse(version: int) -> bytes:
    """A tar archive with a sparse file, as its header says or one about the next."""
    if version == 0:
        return header("units.csv", tarfile.GNUTYPE_SPARSE) + bytes(1024)
    said = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
    first = header("about", tarfile.XHDTYPE, said)
    return (
        first + header("units.csv", tarfile.REGTYPE, b"1\n0\n0\n".ljust(512, b"\0")) + bytes(1024)
    )


# What is found


def test_a_folder_is_walked_and_nothing_in_it_is_passed_over(case: Path, handed: Path) -> None:
    put(handed, "b/units.csv")
    put(handed, "a/nps.csv", NPS)
    put(handed, "a/README.md", "# words\n")
    put(handed, "a/numbers.csv", "a,b\n1,2\n")
    put(handed, "a/events.json", '{"kind": "x"}\n')
    put(handed, "a/nothing.bin", b"")
    put(handed, ".hidden/units.csv", "unit_id\nhidden\n")
    outcomes = intake.load(case, [handed])
    assert told(outcomes) == [
        ("units.csv", "loaded", ""),
        ("README.md", "left", "UNKNOWN_FORMAT"),
        ("events.json", "left", "WHICH_TABLE"),
        ("nothing.bin", "left", "UNKNOWN_FORMAT"),
        ("nps.csv", "loaded", ""),
        ("numbers.csv", "left", "WHICH_TABLE"),
        ("units.csv", "loaded", ""),
    ]
    assert outcomes[0].path == f"{handed}/.hidden/units.csv"
    assert count(case) == 3


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("README.md", "# words\n", "UNKNOWN_FORMAT"),
        ("numbers.csv", "a,b\n1,2\n", "WHICH_TABLE"),
        ("none.bin", b"", "UNKNOWN_FORMAT"),
    ],
)
def test_what_is_named_and_cannot_be_loaded_has_failed(
    case: Path, handed: Path, name: str, text: str | bytes, code: str
) -> None:
    (outcome,) = intake.load(case, [put(handed, name, text)])
    assert (outcome.status, outcome.code) == ("failed", code)
    if code == "WHICH_TABLE":
        assert "requests, candidates" in outcome.reason


def test_a_path_that_is_not_there_does_not_keep_the_others_out(case: Path, handed: Path) -> None:
    good = put(handed, "units.csv")
    outcomes = intake.load(case, [handed / "unit.csv", good])
    assert told(outcomes) == [("unit.csv", "failed", "NO_SUCH_FILE"), ("units.csv", "loaded", "")]


def test_the_same_bytes_are_loaded_once(case: Path, handed: Path) -> None:
    put(handed, "units.csv")
    put(handed, "units-2.csv")
    first = intake.load(case, [handed])
    assert [one.status for one in first] == ["loaded", "already"]
    assert "units" in first[1].reason
    before = loading.rows(case, "SELECT * FROM exhibits")
    again = intake.load(case, [handed])
    assert [one.status for one in again] == ["already", "already"]
    assert loading.rows(case, "SELECT * FROM exhibits") == before
    assert count(case) == 2
    as_other = Options(table=get("nps"))  # as which it cannot be read
    assert told(intake.load(case, [handed / "units.csv"], options=as_other)) == [
        ("units.csv", "already", "")
    ]


def test_what_fails_while_the_digest_is_computed_fails_in_its_turn() -> None:
    def read() -> Iterator[Note]:
        yield Note("first")
        raise ValueError("second")

    items = _ahead(read(), Future())
    assert next(items) == Note("first")
    with pytest.raises(ValueError, match="second"):
        next(items)


def test_as_takes_a_named_file_at_its_word_and_a_folder_by_what_is_in_it(
    case: Path, handed: Path
) -> None:
    options = Options(table=get("units"))
    named = put(handed, "people.export", UNITS)
    put(handed, "in/README.md", "# words, and more\n")
    put(handed, "in/users.csv", "unit_id\nu9\n")
    outcomes = intake.load(case, [named, handed / "in"], options=options)
    assert told(outcomes) == [
        ("people.export", "loaded", ""),
        ("README.md", "left", "UNKNOWN_FORMAT"),
        ("users.csv", "loaded", ""),
    ]
    assert count(case) == 3


LOCK = """schema: '2.0'
stages:
  a:
    cmd: x
    deps:
    - path: in.csv
      md5: 0a1b
    outs:
    - path: model.bin
      md5: 2c3d
"""


def test_as_leaves_a_met_file_that_is_no_table_to_its_importer(case: Path, handed: Path) -> None:
    put(handed, "dvc.lock", LOCK)
    put(handed, "people.csv", "unit_id\nu9\n")
    outcomes = intake.load(case, [handed], options=Options(table=get("units")))
    assert told(outcomes) == [("dvc.lock", "loaded", ""), ("people.csv", "loaded", "")]


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("traces.jsonl.gz", b'{"resourceSpans": [{"scopeSpans": []}]}\n', "COMPRESSION"),
        ("notes.gz", b"# x\n", "SOURCE_UNREADABLE"),
    ],
)
def test_broken_compression_is_no_unknown_format(
    case: Path, handed: Path, name: str, text: bytes, code: str
) -> None:
    put(handed, name, gzip.compress(text * 9, mtime=0)[:-10])
    put(handed, "units.csv")
    outcomes = intake.load(case, [handed])
    assert sorted(told(outcomes)) == [(name, "failed", code), ("units.csv", "loaded", "")]


def test_as_with_what_is_no_table(case: Path, handed: Path) -> None:
    path = put(handed, "units.bin", b"\0\1\2")
    (outcome,) = intake.load(case, [path], options=Options(table=get("units")))
    assert (outcome.status, outcome.code) == ("failed", "NOT_A_TABLE_FILE")


@pytest.mark.parametrize("name", ["requests.csv", "requests.jsonl"])
def test_a_file_that_fails_leaves_the_others_whole(case: Path, handed: Path, name: str) -> None:
    put(handed, name, "id,note\nr1,x\n" if name.endswith("csv") else '{"id": "r1"}\n')
    put(handed, "units.csv")
    outcomes = intake.load(case, [handed])
    assert told(outcomes) == [(name, "failed", "MISSING_COLUMN"), ("units.csv", "loaded", "")]


def test_a_name_that_is_not_utf_8(case: Path, handed: Path) -> None:
    put(handed, os.fsdecode(b"caf\xff-units.csv"))
    parquet.write_table(pa.table({"unit_id": ["u3"]}), held := io.BytesIO())
    put(handed, os.fsdecode(b"caf\xff-units.parquet"), held.getvalue())
    outcomes = intake.load(case, [handed], options=Options(table=get("units")))
    assert told(outcomes) == [
        ("caf\\xff-units.csv", "loaded", ""),
        ("caf\\xff-units.parquet", "loaded", ""),
    ]
    assert count(case) == 3


def test_what_is_neither_a_file_nor_a_folder(case: Path, handed: Path) -> None:
    """Reading a pipe would wait for ever."""
    os.mkfifo(handed / "units.csv")
    assert told(intake.load(case, [handed])) == [("units.csv", "failed", "NOT_A_FILE")]


# Links


def test_a_link_that_leads_out_is_not_followed(case: Path, handed: Path, tmp_path: Path) -> None:
    secret = put(tmp_path, "secret/units.csv")
    (handed / "units.csv").symlink_to(secret)
    (handed / "folder").symlink_to(secret.parent)
    (handed / "gone.csv").symlink_to(handed / "nowhere")
    put(handed, "nps.csv", NPS)
    outcomes = intake.load(case, [handed])
    assert told(outcomes) == [
        ("folder", "failed", "LINK"),
        ("gone.csv", "failed", "LINK"),
        ("nps.csv", "loaded", ""),
        ("units.csv", "failed", "LINK"),
    ]
    assert count(case) == 0


def test_links_within_what_was_handed_over_are_followed_once(case: Path, handed: Path) -> None:
    put(handed, "blobs/0a1b", UNITS)
    (handed / "snapshot").mkdir()
    (handed / "snapshot" / "units.csv").symlink_to("../blobs/0a1b")
    (handed / "loop").symlink_to(".")
    outcomes = intake.load(case, [handed])
    assert told(outcomes) == [("0a1b", "left", "UNKNOWN_FORMAT"), ("units.csv", "loaded", "")]


def test_a_link_that_is_named_is_what_it_leads_to(case: Path, handed: Path) -> None:
    put(handed, "real/units.csv")
    (handed / "link").symlink_to(handed / "real")
    assert [one.status for one in intake.load(case, [handed / "link"])] == ["loaded"]


# Archives


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("export.zip", zipped({"in/units.csv": UNITS, "notes.txt": "x"})),
        ("export.tar", tarred({"in/units.csv": UNITS, "notes.txt": "x"}, "w")),
        ("export.tgz", tarred({"in/units.csv": UNITS, "notes.txt": "x"})),
        ("export.tar.xz", tarred({"./in/units.csv": UNITS, "notes.txt": "x"}, "w:xz")),
        ("named_otherwise", zipped({"in/units.csv": UNITS, "notes.txt": "x"})),
        ("no_date.tar", tarred({"in/units.csv": UNITS, "notes.txt": "x"}, "w", "1e300")),
        ("no_number.tar", tarred({"in/units.csv": UNITS, "notes.txt": "x"}, "w", "nan")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # zip writes the time
)
def test_archives_are_opened(case: Path, handed: Path, name: str, data: bytes) -> None:
    path = put(handed, name, data)
    outcomes = intake.load(case, [path])
    assert [(one.path, one.status) for one in outcomes] == [
        (f"{path}!/in/units.csv", "loaded"),
        (f"{path}!/notes.txt", "left"),
    ]
    assert loading.rows(case, "SELECT DISTINCT path FROM exhibits") == [(f"{path}!/in/units.csv",)]


HOSTILE = {
    "climbs.zip": (zipped({"../../units.csv": UNITS}), "ZIP_UNSAFE_NAME"),
    "twice.zip": (zipped({"units.csv": UNITS, "UNITS.csv": UNITS}), "ZIP_DUPLICATE_NAME"),
    "bomb.zip": (zipped({"units.csv": b"\0" * (300 << 20)}), "ZIP_RATIO"),
    "file-and-folder.zip": (zipped({"a": "x", "a/b": "y"}), "ZIP_DUPLICATE_NAME"),
    "cut.zip": (zipped({"units.csv": UNITS})[:-30], "UNKNOWN_FORMAT"),
    "climbs.tar": (tarred({"../units.csv": UNITS}), "ARCHIVE_UNREADABLE"),
    "absolute.tar": (tarred({"/units.csv": UNITS, "x/../../y": "z"}), "ARCHIVE_UNREADABLE"),
    "link.tar": (tarred({"units.csv": None}), "TAR_NOT_A_FILE"),
    "twice.tar": (tarred({"units.csv": UNITS, "./units.csv": "x"}), "TAR_DUPLICATE_NAME"),
    "bomb.tar": (tarred({"units.csv": b"\0" * (100 << 20)}), "TAR_TOO_LARGE"),
    "flipped.tar": (flipped({"units.csv": UNITS, "more/units.csv": "x"}), "ARCHIVE_UNREADABLE"),
    "much-said.tar": (much_said(), "ARCHIVE_UNREADABLE"),
    "much-said-of-much.tar": (
        header("about", tarfile.XHDTYPE, b"9 a=bcde\n") * 600,
        "ARCHIVE_UNREADABLE",
    ),
    "sparse.tar": (sparse(0), "ARCHIVE_UNREADABLE"),
    "sparse-1.0.tar": (sparse(1), "ARCHIVE_UNREADABLE"),
    "two.tar": (
        tarred({"units.csv": UNITS}, "w") + tarred({"more.csv": "x"}, "w"),
        "ARCHIVE_UNREADABLE",
    ),
    "twice-absolute.tar": (tarred({"units.csv": UNITS, "/units.csv": "x"}), "TAR_DUPLICATE_NAME"),
    "folders.zip": (zipped({"units/": ""}), "ARCHIVE_EMPTY"),
    "begins-with-zeros.f32": (bytes(512) + b"x" * 512, "UNKNOWN_FORMAT"),
    "cut.tar": (tarred({"units.csv": os.urandom(100_000)})[:50_000], "ARCHIVE_UNREADABLE"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives_are_refused_and_leave_nothing(
    case: Path, handed: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, code = HOSTILE[name]
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    put(handed, name, data)
    put(handed, "nps.csv", NPS)
    outcomes = intake.load(case, [handed])
    status = "left" if code == "UNKNOWN_FORMAT" else "failed"
    assert sorted(told(outcomes)) == sorted([(name, status, code), ("nps.csv", "loaded", "")])
    assert count(case) == 0
    assert not list(temporary.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "case.duckdb",
        "handed",
        "temporary",
    ]


@pytest.mark.parametrize(
    ("place", "error", "code"),
    [
        ("casework.intake._search.is_archive", ZeroDivisionError("x"), "IMPORT_CRASHED"),
        ("tarfile.TarFile.extract", OSError(errno.ENOSPC, "no space"), "NO_ROOM"),
    ],
)
def test_what_goes_wrong_with_one_archive_leaves_the_others(
    case: Path, handed: Path, place: str, error: Exception, code: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def trips(one: Path | tarfile.TarFile, *_: object, **__: object) -> bool:
        if str(getattr(one, "name", one)).endswith("a.tar"):
            raise error
        return False

    monkeypatch.setattr(place, trips)
    put(handed, "a.tar", tarred({"units.csv": UNITS}))
    put(handed, "nps.csv", NPS)
    assert told(intake.load(case, [handed])) == [
        ("a.tar", "failed", code),
        ("nps.csv", "loaded", ""),
    ]


def test_custody_tells_what_was_said_about_a_source(case: Path, handed: Path) -> None:
    mapping = {"columns": {"unit_id": "uid"}, "constants": {"tier": "gold"}}
    options = Options(get("units"), mapping, "Europe/Berlin")
    path = put(handed, "people.csv", "uid,created_at\nu1,2026-01-01 10:00:00\n")
    intake.load(case, [path], options=options, format_name="table_file")
    intake.load(case, [put(handed, "nps.csv", NPS)])
    with Case(case) as opened:
        *_, first, second = opened.custody()
    said = {"as": "units", "format": "table_file", "map": mapping, "timezone": "Europe/Berlin"}
    assert first.detail["given"] == said
    assert "given" not in second.detail


def test_a_file_that_vanishes_is_told_and_the_others_are_loaded(case: Path, handed: Path) -> None:
    for name in ("a/units.csv", "b/units.csv", "c/units.csv"):
        put(handed, name, f"unit_id\n{name}\n")

    def vanish(name: str, done: int, total: int) -> None:
        if name.endswith("b/units.csv"):
            (handed / "b/units.csv").unlink()

    outcomes = intake.load(case, [handed], progress=vanish)
    statuses = [(one.status, one.code) for one in outcomes]
    assert statuses == [("loaded", ""), ("failed", "UNREADABLE"), ("loaded", "")]


def test_archives_in_archives_end_somewhere(case: Path, handed: Path) -> None:
    data = zipped({"units.csv": UNITS})
    for _ in range(5):
        data = zipped({"inner.zip": data})
    (outcome,) = intake.load(case, [put(handed, "outer.zip", data)])
    assert (outcome.status, outcome.code) == ("failed", "ARCHIVE_DEPTH")


def test_what_all_archives_unpack_to_is_limited_together(
    case: Path, handed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_TOTAL", 40)
    put(handed, "a.zip", zipped({"units.csv": UNITS}))
    put(handed, "b.zip", zipped({"units.csv": UNITS + "u3,ap\n"}))
    put(handed, "c.tar", tarred({"units.csv": UNITS + "u4,ap\n"}))
    assert told(intake.load(case, [handed])) == [
        ("units.csv", "loaded", ""),
        ("b.zip", "failed", "ZIP_TOTAL_TOO_LARGE"),
        ("c.tar", "failed", "TAR_TOO_LARGE"),
    ]


# Folders that are one export


def folder_importer(wanted: str = "export.marker") -> Importer:
    """An importer that takes a folder with a marker file, one row for each other file."""

    def recognises(source: Source) -> bool:
        return source.path.is_dir() and (source.path / wanted).is_file()

    def read(source: Source, options: Options) -> importers._importer.Iterator[Row]:
        for path in source.files:
            if path.name != wanted:
                yield Row(get("units"), path.name, {"unit_id": path.read_text()})

    return Importer("marked", "Marked.", (get("units"),), recognises, read, of_folders=True)


def test_a_folder_that_is_one_export_is_one_exhibit(
    case: Path, handed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importers, "ALL", (*importers.ALL, folder_importer()))
    put(handed, "store/export.marker", "")
    put(handed, "store/b/two", "u2")
    put(handed, "store/a one", "u1")
    put(handed, "units.csv", "unit_id\nu3\n")
    outcomes = intake.load(case, [handed])
    assert told(outcomes) == [("store", "loaded", ""), ("units.csv", "loaded", "")]
    exhibit = outcomes[0].exhibit
    assert exhibit
    listed = loading.rows(case, "SELECT path, sha256, bytes FROM exhibit_files ORDER BY path")
    assert [path for path, _, _ in listed] == ["a one", "b/two", "export.marker"]
    assert listed[0][1] == sha256(b"u1").hexdigest()
    assert exhibit.bytes == 4
    command = r"find . -type f -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' sha256sum | sha256sum"
    shell = subprocess.run(
        ["bash", "-c", command], cwd=handed / "store", capture_output=True, text=True, check=True
    )
    assert shell.stdout.split()[0] == exhibit.sha256
    assert [one.status for one in intake.load(case, [handed / "store"])] == ["already"]


def test_a_link_out_of_an_export_is_not_read(
    case: Path, handed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importers, "ALL", (folder_importer(),))
    put(handed, "export.marker", "")
    put(handed, "one", "u1")
    (handed / "two").symlink_to(put(tmp_path, "secret", "s"))
    (handed / "folder").symlink_to(tmp_path)
    (handed / "gone").symlink_to(handed / "nowhere")
    (handed / "same").symlink_to(handed)
    outcomes = intake.load(case, [handed])
    links = [(name, "failed", "LINK") for name in ("folder", "gone", "two")]
    assert told(outcomes) == [("handed", "loaded", ""), *links]
    assert loading.rows(case, "SELECT unit_id FROM units") == [("u1",)]


def test_an_export_of_which_a_folder_cannot_be_read_is_not_loaded(
    case: Path, handed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importers, "ALL", (folder_importer(),))
    put(handed, "export.marker", "")
    put(handed, "closed/one", "u1")
    scandir = os.scandir

    def refuse(path: str | Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    outcomes = intake.load(case, [handed])
    assert told(outcomes) == [("handed", "failed", "UNREADABLE")]


# Whole or not at all


class Tripped(Exception):
    """What a parser raises that nobody thought of."""


def one_importer(monkeypatch: pytest.MonkeyPatch, read: object) -> None:
    """Let one importer take every file."""
    importer = Importer("tried", "Tried.", (get("units"),), lambda _: True, read)  # type: ignore[arg-type]
    monkeypatch.setattr(importers, "ALL", (importer,))


def test_a_parser_that_trips_midway_leaves_nothing(
    case: Path, handed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(source: Source, options: Options) -> object:
        for number in range(60_000):
            yield Row(get("units"), f"line {number}", {"unit_id": str(number)})
        yield Reject("line 60000", "TORN", "why", "raw")
        yield Note("said")
        if source.path.name == "bad":
            raise Tripped("over\nmany lines")

    one_importer(monkeypatch, read)
    outcomes = intake.load(case, [put(handed, "bad", "1"), put(handed, "good", "2")])
    assert told(outcomes) == [("bad", "failed", "IMPORT_CRASHED"), ("good", "loaded", "")]
    assert outcomes[0].reason.startswith("Tripped: over; report it")
    assert count(case) == 60_000
    assert count(case, "rejects") == 1
    assert count(case, "exhibits") == 1


def test_the_trace_of_a_parser_that_trips_can_be_had(
    case: Path, handed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(source: Source, options: Options) -> object:
        raise Tripped
        yield

    one_importer(monkeypatch, read)
    monkeypatch.setenv("CASEWORK_DEBUG", "1")
    with pytest.raises(Tripped):
        intake.load(case, [put(handed, "bad")])


def test_a_source_that_changes_while_it_is_read_is_refused(
    case: Path, handed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(source: Source, options: Options) -> object:
        yield Row(get("units"), "line 1", {"unit_id": "u1"})
        with source.path.open("a") as file:
            file.write("u3,ap\n")

    one_importer(monkeypatch, read)
    (outcome,) = intake.load(case, [put(handed, "units.csv")])
    assert (outcome.status, outcome.code) == ("failed", "SOURCE_CHANGED")
    assert count(case) == 0


def test_an_importer_cannot_drop_a_value_in_silence(
    case: Path, handed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(source: Source, options: Options) -> object:
        yield Row(get("units"), "line 1", {"unit_id": "u1", "colour": "red"})

    one_importer(monkeypatch, read)
    (outcome,) = intake.load(case, [put(handed, "x")])
    assert outcome.code == "IMPORT_CRASHED"
    assert "units has no column 'colour'" in outcome.reason


KILLED = """
import sys, time
from pathlib import Path
from casework import importers, intake
from casework.case import Row
from casework.importers import Importer
from casework.tables import get

def read(source, options):
    for number in range(60_000):
        yield Row(get("units"), f"line {number}", {"unit_id": f"{source.path.name}{number}"})
    if source.path.name == "second":
        print("midway", flush=True)
        time.sleep(60)

importers.ALL = (Importer("slow", "Slow.", (get("units"),), lambda _: True, read),)
intake.load(sys.argv[1], sys.argv[2:])
"""


def test_a_killed_load_leaves_whole_files_only(case: Path, handed: Path) -> None:
    paths = [put(handed, name, name) for name in ("first", "second", "third")]
    command = [sys.executable, "-c", KILLED, str(case), *map(str, paths)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"midway\n"
        process.send_signal(signal.SIGKILL)
    with intake.CaseWriter(case) as writer:
        assert writer.loaded_as(sha256(b"first").hexdigest())
        assert not writer.loaded_as(sha256(b"second").hexdigest())
    assert count(case) == 60_000
    assert count(case, "exhibits") == 1


def test_ctrl_c_stops_the_load_and_keeps_whole_files(case: Path, handed: Path) -> None:
    """Also while DuckDB is at work, which raises an error of its own then."""
    slow = "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b"
    code = KILLED.replace("time.sleep(60)", f"from casework.case import scan; scan({slow!r}, {{}})")
    paths = [put(handed, name, name) for name in ("first", "second", "third")]
    command = [sys.executable, "-c", code, str(case), *map(str, paths)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"midway\n"
        while process.poll() is None:  # now and then DuckDB misses a signal
            process.send_signal(signal.SIGINT)
            time.sleep(0.5)
        error = process.communicate()[1]
    assert b"KeyboardInterrupt" in error
    assert count(case, "exhibits") == 1


# Before anything is opened


@pytest.mark.parametrize(
    ("options", "format_name", "code"),
    [
        (Options(timezone="Europe/Berln"), None, "UNKNOWN_TIMEZONE"),
        (Options(mapping={"columns": {"user": "uid"}}), None, "UNKNOWN_COLUMN"),
        (Options(), "table_files", "UNKNOWN_FORMAT"),
    ],
)
def test_options_are_checked_before_anything_is_opened(
    tmp_path: Path, options: Options, format_name: str | None, code: str
) -> None:
    with pytest.raises(CaseworkError) as caught:
        intake.load(tmp_path / "no.duckdb", ["nowhere"], options=options, format_name=format_name)
    assert caught.value.code == code
    assert caught.value.exit_status == 2


def test_progress_is_told_in_bytes(case: Path, handed: Path) -> None:
    first, second = put(handed, "units.csv"), put(handed, "nps.csv", NPS)
    steps: list[tuple[str, int, int]] = []
    intake.load(case, [first, second], progress=lambda *step: steps.append(step))
    total = len(UNITS) + len(NPS)
    assert steps == [(str(first), 0, total), (str(second), len(UNITS), total), ("", total, total)]


def test_a_copy_of_the_case_can_be_loaded_into_apart(case: Path, handed: Path) -> None:
    """A case is one file: nothing of it stands elsewhere."""
    intake.load(case, [put(handed, "units.csv")])
    copy = handed / "copy.duckdb"
    shutil.copy(case, copy)
    intake.load(copy, [put(handed, "nps.csv", NPS)])
    assert (count(copy), count(copy, "nps"), count(case, "nps")) == (2, 1, 0)
