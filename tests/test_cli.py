"""The command line: what it prints where, how it exits, and one line for whatever goes wrong."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.importers import loading

from casework import cli, diagnoses, importers, intake, resources, tables
from casework.case import CaseWriter
from casework.findings import VERDICTS

REQUESTS = "request_id,occurred_at,endpoint,checkpoint,decision\n" + "".join(
    f"r{n},2026-03-{1 + n // 4:02}T{n % 4 * 6:02}:30:00Z,triage,sha256:{'ab'[n // 20]},pay\n"
    for n in range(40)
)
ALIASES = """alias,checkpoint,valid_from,valid_until
triage,sha256:a,2026-03-01T00:00:00Z,2026-03-06T00:00:00Z
triage,sha256:b,2026-03-06T00:00:00Z,
"""
CLOCKS = "host,offset_s,error_s\ngateway,0,2\n"
UNSTAMPED = REQUESTS.replace("sha256:a", "").replace("sha256:b", "")
ERROR = re.compile(r"(error\[[A-Z_]+\]|warning:) [^\n]+\n")


class Ended(NamedTuple):
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def code(self) -> str:
        """The code of the one error that it printed."""
        found = re.fullmatch(r"error\[([A-Z_]+)\] ([^\n]+); ([^\n]+)\n", self.err)
        assert found, f"not one line that says what and what to do: {self.err!r}"
        return found.group(1)

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command line in this process."""

    def run(*arguments: object) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            cli.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Ended(int(caught.value.code or 0), out, err)

    return run


def casework(*arguments: object, **environment: str) -> Ended:
    """Run a command line in a process of its own."""
    words = [sys.executable, "-m", "casework", *map(str, arguments)]
    process = subprocess.run(
        words, capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )
    return Ended(process.returncode, process.stdout, process.stderr)


@pytest.fixture
def case(tmp_path: Path) -> Path:
    path = tmp_path / "case.duckdb"
    path.write_bytes(loading.empty_case())
    return path


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    return write_evidence(tmp_path / "evidence")


def write_evidence(folder: Path) -> Path:
    """A folder with decisions, the history of their alias, and what is no evidence."""
    folder.mkdir()
    for name, text in {
        "requests.csv": REQUESTS,
        "alias_events.csv": ALIASES,
        "clocks.csv": CLOCKS,
        "README.md": "# words\n",
    }.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def loaded_once(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a case with the evidence, for each test that needs one to copy."""
    folder = tmp_path_factory.mktemp("loaded")
    case = folder / "case.duckdb"
    case.write_bytes(loading.empty_case())
    intake.load(case, [write_evidence(folder / "evidence")])
    return case.read_bytes()


@pytest.fixture
def loaded(case: Path, loaded_once: bytes) -> Path:
    case.write_bytes(loaded_once)
    return case


# From beginning to end


def test_an_investigation(tmp_path: Path, evidence: Path, run: Any) -> None:
    case = tmp_path / "new.duckdb"
    assert run("new", case, "--title", "The letter").out == f"{case}: a new case, 'The letter'\n"
    done = run("load", case, evidence)
    assert (done.status, done.err) == (0, "")
    assert f"{evidence}/requests.csv: requests 40 (table_file)\n" in done.out
    assert f"{evidence}/README.md" in done.out
    assert done.out.endswith("3 loaded, 1 left out\n")
    done = run("evidence", case)
    assert done.out.startswith(f"The letter ({case})\n")
    assert "output_attribution: can run\n" in done.out
    done = run("diagnose", case, "output_attribution")
    assert (done.status, done.err) == (0, "")
    assert done.out == (
        "✓ output_attribution  Clean. Every one of 40 decisions is attributed to exactly one "
        "checkpoint.\n"
    )
    done = run("report", case, "--out", tmp_path / "report")
    assert done.out.splitlines() == [
        f"{tmp_path}/report/report.{form}" for form in ("html", "json")
    ]
    assert "The letter" in (tmp_path / "report" / "report.html").read_text()
    done = run("sql", case, "SELECT checkpoint, count(*) AS n FROM requests GROUP BY 1 ORDER BY 1")
    assert done.out.splitlines()[2:] == ["sha256:a    20", "sha256:b    20"]


def test_the_demo_goes_from_the_evidence_to_the_report(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    done = casework("demo", "--out", out, "--no-browser")
    assert done.status == 0, done.err
    assert done.out.splitlines()[-1] == f"{out}/report/report.html"
    for diagnosis in diagnoses.ALL:
        assert re.search(rf"^. {diagnosis.name}  ", done.out, re.M)
    assert json.loads((out / "report" / "report.json").read_text())["schema"] == "casework.report/1"


def test_the_demo_can_be_made_again_and_takes_away_only_what_is_its_own(
    tmp_path: Path, evidence: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (evidence / "story.md").write_text("# The story\n\nIt was so.\n")
    monkeypatch.setattr(resources, "folder", lambda name: evidence)
    out = tmp_path / "demo"
    assert run("demo", "--out", out, "--no-browser").status == 0
    (out / "evidence" / "mine.csv").write_text("unit_id\nu1\n")
    done = run("demo", "--out", out, "--no-browser")
    assert (done.status, done.code) == (1, "OUT_NOT_EMPTY")
    assert (out / "report" / "report.html").exists()
    (out / "evidence" / "mine.csv").unlink()
    assert run("demo", "--out", out, "--no-browser").status == 0
    assert run("evidence", out / "case.duckdb", "--json").document["case"]["title"] == "The story"


@pytest.mark.parametrize("names", [
    ["thesis.txt"], ["case.duckdb"], ["report/report.html"], ["case.duckdb", "evidence/story.md"],
])  # fmt: skip
def test_the_demo_takes_no_folder_that_holds_anything_else(
    tmp_path: Path, run: Any, names: list[str]
) -> None:
    for path in (tmp_path / name for name in names):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(loading.empty_case() if path.suffix == ".duckdb" else b"years of work")
    done = run("demo", "--out", tmp_path, "--no-browser")
    assert (done.status, done.code) == (1, "OUT_NOT_EMPTY")
    assert all((tmp_path / name).stat().st_size for name in names)


# JSON


def test_load_prints_one_document(case: Path, evidence: Path, run: Any) -> None:
    (evidence / "units.csv").write_text("unit_id,is_bot\nu1,false\nu2,maybe\nu1,false\n")
    done = run("load", case, evidence, "--json")
    assert (done.status, done.err) == (0, "")
    found = done.document
    assert found["schema"] == "casework.load/1"
    assert found["totals"] == {
        "loaded": 4,
        "already": 0,
        "left": 1,
        "failed": 0,
        "rows_read": 46,
        "rows_kept": 44,
        "rows_rejected": 1,
        "rows_duplicate": 1,
    }
    units = next(one for one in found["sources"] if one["path"].endswith("units.csv"))
    assert set(units) == {
        *("path", "status", "importer", "format", "sha256", "bytes", "rows_read", "rows_kept"),
        *("rows_rejected", "rows_duplicate", "tables", "notes", "fields", "left_out"),
        *("code", "reason", "rejects"),
    }
    assert (units["tables"], units["code"]) == ({"units": 1}, None)
    (reject,) = units["rejects"]
    assert (reject["code"], reject["count"], reject["first_locator"]) == ("VALUE", 1, "row 2")
    assert reject["first_reason"].startswith("is_bot: maybe")
    left = next(one for one in found["sources"] if one["status"] == "left")
    assert (left["code"], left["sha256"]) == ("UNKNOWN_FORMAT", None)
    again = run("load", case, evidence, "--json").document
    assert again["totals"]["already"] == 4
    assert again["totals"]["rows_read"] == 0


def test_evidence_prints_one_document(loaded: Path, evidence: Path, run: Any) -> None:
    (evidence / "units.csv").write_text("unit_id,is_bot\nu1,false\nu2,maybe\nu1,false\n")
    run("load", loaded, evidence)
    found = run("evidence", loaded, "--json").document
    assert found["schema"] == "casework.evidence/1"
    assert found["case"]["title"] == "empty"
    assert len(found["exhibits"]) == 4
    assert {one["table"]: one["rows"] for one in found["tables"]} == {
        "requests": 40,
        "units": 1,
        "alias_events": 2,
        "clocks": 1,
    }
    (reject,) = found["rejects"]
    assert (reject["code"], reject["count"], reject["first_locator"]) == ("VALUE", 1, "row 2")
    assert found["duplicates"] == 1
    assert [one["name"] for one in found["diagnoses"]] == [one.name for one in diagnoses.ALL]
    told = {one["name"]: one for one in found["diagnoses"]}
    assert told["output_attribution"]["can_run"]
    assert not told["cohort_skew"]["can_run"]
    assert {"table", "columns", "why", "required"} == set(told["cohort_skew"]["missing"][0])


def test_diagnose_prints_one_document_of_the_contract(loaded: Path, run: Any) -> None:
    done = run("diagnose", loaded, "--json")
    assert (done.status, done.err) == (0, "")
    found = done.document
    assert set(found) == {"schema", "case", "tool", "results", "triage"}
    assert found["schema"] == "casework.diagnosis/1"
    assert set(found["tool"]) == {"casework", "duckdb", "python"}
    assert [one["diagnosis"] for one in found["results"]] == [one.name for one in diagnoses.ALL]
    for result in found["results"]:
        assert result.keys() >= {
            *("diagnosis", "family", "verdict", "severity", "headline", "measures", "findings"),
            *("rivals", "falsifier", "missing", "remedies", "evidence", "parameters", "seed"),
        }
        assert result["verdict"] in VERDICTS
        for measure in result["measures"].values():
            assert set(measure) == {"value", "unit", "ci95", "n", "evidence"}
    result = next(one for one in found["results"] if one["diagnosis"] == "output_attribution")
    assert result["measures"]["coverage"]["value"] == 1.0
    (evidence, *_) = result["evidence"]
    assert evidence.keys() >= {"id", "sql", "params", "row_count", "sha256", "exhibits"}


def test_sql_prints_one_document(loaded: Path, run: Any) -> None:
    sql = "SELECT NULL AS nothing, 1.5 AS x, [1, 2] AS l, TIMESTAMPTZ '2026-03-01 09:00:00+01' AS t"
    found = run("sql", loaded, sql, "--json").document
    assert found == {
        "schema": "casework.sql/1",
        "case": str(loaded),
        "columns": ["nothing", "x", "l", "t"],
        "rows": [[None, "1.5", [1, 2], "2026-03-01T08:00:00Z"]],
        "is_cut": False,
    }


def test_nothing_but_the_document_goes_to_stdout(case: Path, evidence: Path) -> None:
    """In a process of its own, where libraries could print too; errors do not spoil it."""
    done = casework("load", case, evidence, evidence / "nowhere.csv", "--json")
    assert done.status == 1
    assert done.code == "NO_SUCH_FILE"
    assert done.document["totals"]["failed"] == 1


# Exit status


@pytest.mark.parametrize(
    ("verdict", "status"), [("clean", 3), ("confirmed", 0), ("not_testable", 0), (None, 0)]
)
def test_fail_on_exits_with_3_at_exactly_that_verdict(
    loaded: Path, run: Any, verdict: str | None, status: int
) -> None:
    options = ("--fail-on", verdict) if verdict else ()
    done = run("diagnose", loaded, "output_attribution", *options)
    assert (done.status, done.err) == (status, "")


def test_a_load_of_which_a_part_fails_exits_with_1_and_keeps_the_rest(
    case: Path, evidence: Path, run: Any
) -> None:
    (evidence / "nps.csv").write_text("account,score\na,9\n")
    done = run("load", case, evidence)
    assert (done.status, done.code) == (1, "MISSING_COLUMN")
    assert f"{evidence}/nps.csv: no column for nps.account_id" in done.err
    assert loading.rows(case, "SELECT count(*) FROM requests") == [(40,)]


def test_a_torn_line_is_a_reject_and_no_failure(case: Path, evidence: Path, run: Any) -> None:
    (evidence / "requests.csv").write_text(REQUESTS + "r40,2026-03-11T00:00:00Z,tri")
    done = run("load", case, evidence)
    assert (done.status, done.err) == (0, "")
    assert "requests 40; 1 row rejected" in done.out
    assert "    rejected: 1 row, TORN, first at row 41: 3 values for 5 columns\n" in done.out
    done = run("evidence", case)
    told = "requests.csv: 1 row, TORN, first at row 41\n    3 values for 5 columns\n"
    assert told in done.out


BAD = {
    "a missing column": ("load {case} {bad}/requests.csv", 1, "MISSING_COLUMN"),
    "an unknown file": ("load {case} {bad}/notes.bin", 1, "UNKNOWN_FORMAT"),
    "a table file of no table": ("load {case} {bad}/numbers.csv", 1, "WHICH_TABLE"),
    "a file that is not there": ("load {case} {bad}/none.csv", 1, "NO_SUCH_FILE"),
    "no such case": ("evidence {bad}/none.duckdb", 1, "CASE_MISSING"),
    "a case that is none": ("diagnose {bad}/numbers.csv", 1, "NOT_A_CASE"),
    "a case that is there already": ("new {case}", 1, "CASE_EXISTS"),
    "a wrong time zone": ("load {case} {bad} --timezone Europe/Berln", 2, "UNKNOWN_TIMEZONE"),
    "an unknown table": ("load {case} {bad} --as unit", 2, "UNKNOWN_TABLE"),
    "an unknown format": ("load {case} {bad} --format table_fil", 2, "UNKNOWN_FORMAT"),
    "a broken map": ("load {case} {bad} --map {bad}/broken.toml", 2, "MAP_INVALID"),
    "a map that is not there": ("load {case} {bad} --map {bad}/none.toml", 1, "NO_SUCH_FILE"),
    "a map and --as": ("load {case} {bad} --map {bad}/units.toml --as nps", 2, "CONTRADICTION"),
    "a misspelt diagnosis": ("diagnose {case} output_atribution", 2, "UNKNOWN_DIAGNOSIS"),
    "a misspelt parameter": (
        "diagnose {case} --set output_attribution.clock_eror_s=1",
        2,
        "UNKNOWN_PARAMETER",
    ),
    "a setting of no diagnosis": ("diagnose {case} --set attribution.x=1", 2, "UNKNOWN_DIAGNOSIS"),
    "a setting of one that does not run": (
        "diagnose {case} cohort_skew --set output_attribution.clock_error_s=1",
        2,
        "NOT_RUN",
    ),
    "a setting that is none": ("diagnose {case} --set clock_error_s", 2, "BAD_SETTING"),
    "a verdict that is none": ("diagnose {case} --fail-on fishy", 2, "USAGE"),
    "another engine": ("diagnose {case} --engine spark", 1, "ENGINE_MISSING"),
    "two statements": ("sql {case} SELECT+1;SELECT+2", 1, "SQL_NOT_ONE_STATEMENT"),
    "a statement that writes": ("sql {case} DROP+TABLE+units", 1, "SQL_NOT_SELECT"),
    "SQL in other bytes": ("sql {case} SELECT+'\udcff'", 1, "NOT_UNICODE"),
    "a title in other bytes": ("new {bad}/x.duckdb --title \udcff", 1, "NOT_UNICODE"),
    "a path in other bytes": ("new {bad}/\udcff.duckdb", 1, "NOT_UNICODE"),
    "no SQL": ("sql {case} SELEC+1", 1, "SQL_SYNTAX"),
    "a table that is not there": ("sql {case} FROM+unit", 1, "QUERY_FAILED"),
    "an unknown report format": ("report {case} --out {bad}/r --format docx", 2, "UNKNOWN_FORMAT"),
    "a report that cannot be written": ("report {case} --out {bad}/notes.bin", 1, "UNWRITABLE"),
    "a report on no diagnosis": ("report {case} cohort_skw --out x", 2, "UNKNOWN_DIAGNOSIS"),
    "an unknown app": ("open {case} --app nowhere", 2, "UNKNOWN_APP"),
    "an unknown command": ("diagnos {case}", 2, "USAGE"),
    "an unknown option": ("load {case} {bad} --jsn", 2, "USAGE"),
    "a missing argument": ("load {case}", 2, "USAGE"),
    "a host to listen on": ("open {case} --host 0.0.0.0", 2, "USAGE"),
    "an unknown table to show": ("tables request", 2, "UNKNOWN_TABLE"),
    "an unknown format to show": ("formats csv", 2, "UNKNOWN_FORMAT"),
    "an unknown diagnosis to show": ("diagnoses skew", 2, "UNKNOWN_DIAGNOSIS"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_with_its_exit_status(
    case: Path, tmp_path: Path, run: Any, name: str
) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    for file, text in {
        "requests.csv": "id,note\nr1,x\n",
        "notes.bin": "words\n",
        "numbers.csv": "a,b\n1,2\n",
        "broken.toml": "[columns\n",
        "units.toml": 'table = "units"\n',
    }.items():
        (bad / file).write_text(text)
    before = case.read_bytes()
    line, status, code = BAD[name]
    words = line.format(case=case, bad=bad).split()
    done = run(*(word.replace("+", " ") if words[0] == "sql" else word for word in words))
    assert (done.status, done.code) == (status, code)
    assert "Traceback" not in done.err
    if words[0] != "load":
        assert done.out == ""
    if status == 2:
        assert case.read_bytes() == before, "wrong usage is told before anything is opened"


def test_the_nearest_name_is_offered(case: Path, run: Any) -> None:
    assert "did you mean 'output_attribution'" in run("diagnose", case, "output_atribution").err
    assert "Did you mean one of: 'diagnose', 'diagnoses'" in run("diagnos").err


def test_a_case_that_another_process_holds(case: Path, evidence: Path, run: Any) -> None:
    code = (
        "import sys; from pathlib import Path; from casework.case import CaseWriter\n"
        "writer = CaseWriter(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", code, str(case)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        for command in (("load", case, evidence), ("diagnose", case), ("sql", case, "SELECT 1")):
            done = run(*command)
            assert (done.status, done.code) == (1, "CASE_LOCKED")
            assert f"process {holder.pid}" in done.err
        holder.communicate(b"")
    assert run("load", case, evidence).status == 0


def test_a_defect_is_one_line_and_its_trace_can_be_had(
    case: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trip(*_: object) -> None:
        raise RuntimeError("no\none thought of \x1b[2J")

    monkeypatch.setattr("casework.case.Case.facts", trip)
    done = run("evidence", case)
    assert (done.status, done.code) == (1, "INTERNAL")
    assert "RuntimeError: no one thought of ⟨U+001B⟩[2J" in done.err
    monkeypatch.setenv("CASEWORK_DEBUG", "1")
    done = run("evidence", case)
    assert done.status == 1
    assert "Traceback" in done.err
    assert done.err.splitlines()[-1].startswith("error[INTERNAL]")


def test_no_command_is_wrong_usage_that_shows_the_commands() -> None:
    done = casework()
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("Usage: casework [OPTIONS] COMMAND")


@pytest.mark.parametrize("command", [*cli.casework.commands, None])
def test_every_command_has_help(run: Any, command: str | None) -> None:
    done = run(*filter(None, [command, "--help"]))
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"Usage: casework {command or '[OPTIONS] COMMAND'}")


def test_the_version(run: Any) -> None:
    from casework import __version__

    assert __version__ in run("--version").out


# Interrupted


def test_a_reader_that_goes_away_is_no_error(loaded: Path) -> None:
    words = [sys.executable, "-m", "casework", "sql", str(loaded)]
    sql = "SELECT range, repeat('x', 50) FROM range(9000)"
    with subprocess.Popen([*words, sql], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("{0} tables > /dev/full", 1),
        ("{0} demo --no-browser --out /proc/nowhere", 1),
        ("{0} new " + "a" * 300, 1),
        ("{0} tables >&-", 0),
        ("PYTHONIOENCODING=latin-1 {0} tables requests", 0),
        ("PYTHONIOENCODING=latin-1 {0} sql {1} 'SELECT 1 AS a'", 0),
    ],
)
def test_what_the_system_refuses_is_no_defect(case: Path, words: str, status: int) -> None:
    line = words.format(f"{sys.executable} -m casework", case)
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=False)  # noqa: S602
    assert done.returncode == status, done.stderr
    told = Ended(status, done.stdout, done.stderr)
    assert told.code == "SYSTEM" if status else done.stderr == ""


def test_ctrl_c_ends_a_command_quietly(loaded: Path) -> None:
    words = [sys.executable, "-m", "casework", "sql", str(loaded)]
    sql = "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b"
    with subprocess.Popen([*words, sql], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode in (130, -signal.SIGINT), err
    assert out == b""
    assert not re.search(rb"Traceback|error", err)


# What a terminal sees

HOSTILE = "id\x1b[2J\u202e\U000e0041\u200b"


@pytest.fixture
def hostile(case: Path, tmp_path: Path, run: Any) -> Path:
    """A case whose evidence tries to steer a terminal, wherever text of it is printed."""
    folder = tmp_path / f"in{HOSTILE}"
    folder.mkdir()
    row = f'"{HOSTILE}",2026-03-01T09:00:00Z,"x\ny{HOSTILE}"'
    (folder / "requests.csv").write_text(
        f"request_id,occurred_at,decision,{HOSTILE}\n{row},1\nr2,{HOSTILE},x,1\n"
    )
    (folder / f"left{HOSTILE}").write_text("words")
    assert_harmless(run("load", case, folder))
    return case


def assert_harmless(done: Ended) -> None:
    for text in (done.out, done.err):
        unseen = [c for c in text if (ord(c) < 32 and c not in "\n\t") or c in HOSTILE[2:]]
        assert not [c for c in unseen if not c.isprintable()], repr(text)


@pytest.mark.parametrize(
    "command",
    [
        "evidence {}",
        "evidence {} --json",
        "diagnose {} --verbose",
        "diagnose {} --json",
        "sql {} FROM+requests",
        "sql {} FROM+requests --json",
        "sql {} FROM+rejects",
        "load {} /\x1b[2J",
        "diagnose {} x\x1b[2J",
        "x\x1b[2J",
    ],
)
def test_evidence_cannot_steer_a_terminal(hostile: Path, run: Any, command: str) -> None:
    words = command.format(hostile).split()
    done = run(*(word.replace("+", " ") for word in words))
    assert done.out or done.err
    assert_harmless(done)
    if words[-1] == "FROM+requests":
        assert done.out.count("\n") == 3, "a line break within a value breaks no line"


def test_the_name_of_a_file_makes_no_line_of_its_own(case: Path, tmp_path: Path, run: Any) -> None:
    folder = tmp_path / "names"
    folder.mkdir()
    (folder / "units\n9 loaded.csv").write_text("unit_id,created_at\nu,x\n")
    (folder / "left\n9 loaded").write_text("words")
    for words in (
        ("load", case, folder, "--as", "units"),
        ("load", case, folder),
        ("evidence", case),
    ):
        done = run(*words)
        assert "9 loaded" in done.out
        assert not re.search("^9 loaded", done.out, re.MULTILINE)


def test_a_diagnosis_that_is_named_twice_is_run_and_reported_once(
    loaded: Path, tmp_path: Path, run: Any
) -> None:
    twice = ("output_attribution", "output_attribution")
    assert len(run("diagnose", loaded, *twice, "--json").document["results"]) == 1
    assert run("report", loaded, *twice, "--out", tmp_path, "--format", "json").status == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert [result["diagnosis"] for result in report["results"]] == ["output_attribution"]


def test_json_holds_evidence_to_the_letter(hostile: Path, run: Any) -> None:
    found = run("sql", hostile, "SELECT request_id FROM requests", "--json").document
    assert found["rows"] == [[HOSTILE]]


def on_a_terminal(*arguments: object, **environment: str) -> tuple[int, str]:
    """Run a command on a terminal of its own; its exit status, and all that it showed."""
    process, terminal = pty.fork()
    if process == 0:
        words = [sys.executable, "-m", "casework", *map(str, arguments)]
        os.execve(sys.executable, words, {**os.environ, "TERM": "xterm", **environment})  # noqa: S606
    shown = b""
    while select.select([terminal], [], [], 60)[0]:
        try:
            chunk = os.read(terminal, 65_536)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), shown.decode()


def test_colour_only_on_a_terminal_that_wants_it(loaded: Path, run: Any) -> None:
    command = ("diagnose", loaded, "output_attribution")
    assert "\x1b[" not in run(*command).out
    status, shown = on_a_terminal(*command)
    assert status == 0
    assert "\x1b[32m\x1b[1m✓ output_attribution\x1b[0m  Clean." in shown


def test_a_terminal_gets_lines_broken_between_words(loaded: Path, run: Any) -> None:
    command = ("diagnose", loaded, "cohort_skew", "output_attribution", "--verbose")
    piped = run(*command).out
    shown = on_a_terminal(*command, NO_COLOR="1", COLUMNS="60")[1].replace("\r", "")
    assert max(map(len, piped.splitlines())) > 60
    assert "\x1b[" not in shown, "NO_COLOR is heeded"
    assert shown.split() == piped.split()
    assert all(len(line) <= 60 or " " not in line.strip() for line in shown.splitlines())
    starts = [line for line in shown.splitlines() if not line.startswith(" ")]
    assert [line.split()[1] for line in starts] == ["output_attribution", "cohort_skew"]


def test_a_terminal_too_narrow_for_the_columns_gets_rows_one_by_one(loaded: Path, run: Any) -> None:
    query = "SELECT request_id, occurred_at, endpoint FROM requests ORDER BY 1 LIMIT 2"
    assert run("sql", loaded, query).out.startswith("request_id  occurred_at")
    assert on_a_terminal("sql", loaded, query, COLUMNS="100")[1].startswith("request_id  ")
    shown = on_a_terminal("sql", loaded, query, COLUMNS="30")[1].replace("\r", "").splitlines()
    assert shown[0] == "── row 1"
    assert [line.split()[0] for line in shown[1:4]] == ["request_id", "occurred_at", "endpoint"]
    assert len(shown) == 8


def test_the_tables_of_evidence_fit_a_terminal(loaded: Path, evidence: Path, run: Any) -> None:
    long = evidence / f"{'a-long-name-of-a-file' * 5}" / "units.csv"
    long.parent.mkdir()
    long.write_text("unit_id,is_bot\nu1,false\nu2,maybe\n")
    assert run("load", loaded, long.parent).status == 0
    done = run("evidence", loaded).out
    tables = done.partition("rejected ")[0].splitlines()[1:]
    assert max(map(len, tables)) <= 80
    assert "1 row, VALUE, first at row 2\n    is_bot: " in done


def test_a_progress_bar_only_on_a_terminal(case: Path, evidence: Path, run: Any) -> None:
    status, shown = on_a_terminal("load", case, evidence)
    assert status == 0
    assert "100%" in shown
    (evidence / "units.csv").write_text("unit_id\nu1\n")
    assert run("load", case, evidence).err == ""


# One by one


def test_load_says_what_the_options_did(case: Path, tmp_path: Path, run: Any) -> None:
    source, mapping = tmp_path / "export.csv", tmp_path / "map.toml"
    source.write_text("call,when,plan\nr1,01.03.2026 10:00,pro\n")
    mapping.write_text(
        '[columns]\nrequest_id = "call"\n'
        'occurred_at = {source = "when", format = "%d.%m.%Y %H:%M"}\n'
        '[constants]\nenvironment = "production"\n'
    )
    done = run(
        *("load", case, source, "--as", "requests", "--map", mapping),
        *("--timezone", "Europe/Berlin", "--format", "table_file"),
    )
    assert done.status == 0, done.err
    assert "    kept in attributes: plan\n" in done.out
    done = run("sql", case, "SELECT occurred_at, environment FROM requests")
    assert done.out.splitlines()[-1] == "2026-03-01T09:00:00Z  production"


def test_a_ready_map_is_taken_by_its_name_and_shown(case: Path, tmp_path: Path, run: Any) -> None:
    shown = run("formats", "nps_generic").out
    assert shown.startswith("# Answers to the question of recommendation")
    (tmp_path / "mine.toml").write_text(shown)
    for name, score in (("nps_generic", 7), (tmp_path / "mine.toml", 8)):
        source = tmp_path / f"{score}.csv"
        source.write_text(f"Company,Would you recommend us?,Date\nacme,{score},2026-01-0{score}\n")
        assert "nps 1" in run("load", case, source, "--map", name).out
    done = run("load", case, source, "--map", "nps_genric")
    assert "name a ready map: hr_bamboohr" in done.err


def test_a_source_without_a_zone_is_told(case: Path, evidence: Path, run: Any) -> None:
    (evidence / "requests.csv").write_text(REQUESTS.replace("Z,", ","))
    assert "occurred_at has no time zone and was read as UTC" in run("load", case, evidence).out


def test_an_empty_folder_is_told(case: Path, tmp_path: Path, run: Any) -> None:
    (tmp_path / "empty").mkdir()
    done = run("load", case, tmp_path / "empty")
    assert done == Ended(0, "nothing to load\n", "")


def test_every_file_that_is_left_out_is_named_under_its_reason(
    case: Path, evidence: Path, run: Any
) -> None:
    for number in range(30):
        (evidence / f"note-{number:02}.txt").write_text(str(number))
    lines = run("load", case, evidence).out.splitlines()
    assert len([line for line in lines if "left out" in line]) == 2
    assert len([line for line in lines if line.startswith("    ") and "note-" in line]) == 30


def test_diagnose_takes_settings(loaded: Path, run: Any) -> None:
    command = ("diagnose", loaded, "output_attribution", "--json")
    (result,) = run(*command, "--set", "output_attribution.clock_error_s=7.5").document["results"]
    assert result["parameters"]["clock_error_s"]["source"] == "given"
    assert result["measures"]["clock_error_s"]["value"] == 7.5


def test_diagnose_tells_more_when_asked(case: Path, evidence: Path, run: Any) -> None:
    (evidence / "requests.csv").write_text(UNSTAMPED)
    (evidence / "alias_events.csv").write_text(ALIASES.replace("03-01T00", "03-03T00"))
    run("load", case, evidence)
    done = run("diagnose", case, "output_attribution", "--verbose")
    first, *rest = done.out.splitlines()
    assert first.startswith("◐ output_attribution  Supported. 8 of 40 decisions (20 %)")
    assert all(line.startswith("    ") for line in rest)
    for word in (
        "severity S",
        "Coverage: 80 %",
        "Rival, ",
        "To refute it: ",
        "Remedy: ",
        "population = decisions, inferred from the evidence",
    ):
        assert word in done.out


def test_what_cannot_be_tested_says_what_to_load(case: Path, run: Any) -> None:
    done = run("diagnose", case)
    assert len(done.out.splitlines()) == len(diagnoses.ALL)
    for line in done.out.splitlines():
        assert re.fullmatch(r"◌ \w+  Not testable\. Load .*", line)


def test_a_report_does_not_run_again_what_was_run(
    loaded: Path, tmp_path: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    run("diagnose", loaded, "output_attribution", "--set", "output_attribution.clock_error_s=9")
    done = run("report", loaded, "--out", out, "--format", "json")
    assert (done.status, done.err) == (0, "")
    report = json.loads((out / "report.json").read_text())
    (result,) = report["results"]
    assert result["parameters"]["clock_error_s"]["source"] == "given"
    assert result["measures"]["clock_error_s"]["value"] == 9
    first = (out / "report.json").read_bytes()
    assert run("report", loaded, "--out", out, "--format", "json").status == 0
    assert (out / "report.json").read_bytes() == first, "the same case gives the same bytes"
    assert report["produced_at"] == report["custody"][-1]["occurred_at"]


def test_a_report_runs_what_is_named_and_was_not_run(
    loaded: Path, tmp_path: Path, run: Any
) -> None:
    done = run("report", loaded, "cohort_skew", "--out", tmp_path / "out")
    assert done.status == 0
    assert "cohort_skew was not run yet" in done.err
    results = json.loads((tmp_path / "out" / "report.json").read_text())["results"]
    assert [(one["diagnosis"], one["verdict"]) for one in results] == [
        ("cohort_skew", "not_testable")
    ]


def test_a_report_on_a_case_that_was_never_diagnosed_runs_all(
    loaded: Path, tmp_path: Path, run: Any
) -> None:
    run("report", loaded, "--out", tmp_path / "out")
    results = json.loads((tmp_path / "out" / "report.json").read_text())["results"]
    assert [one["diagnosis"] for one in results] == [one.name for one in diagnoses.ALL]


def test_a_report_warns_of_results_older_than_the_evidence(
    loaded: Path, evidence: Path, tmp_path: Path, run: Any
) -> None:
    run("diagnose", loaded, "output_attribution")
    (evidence / "requests-2.csv").write_text(REQUESTS.replace("\nr", "\ns"))
    run("load", loaded, evidence)
    done = run("report", loaded, "--out", tmp_path / "out")
    assert done.status == 0
    assert re.fullmatch(r"warning: output_attribution was run before [^\n]*\n", done.err)
    run("diagnose", loaded, "output_attribution")
    assert run("report", loaded, "--out", tmp_path / "out").err == ""


def test_sql_says_when_it_shows_a_part(loaded: Path, run: Any) -> None:
    done = run("sql", loaded, "SELECT * FROM range(20000)")
    assert done.out.count("\n") == 10_002
    assert done.err == "the first 10,000 rows; aggregate, or add a LIMIT and an OFFSET\n"
    assert run("sql", loaded, "SELECT * FROM range(20000)", "--json").document["is_cut"]
    assert run("sql", loaded, "SELECT * FROM range(10000)").err == ""


def test_sql_without_rows_shows_the_columns(loaded: Path, run: Any) -> None:
    done = run("sql", loaded, "SELECT unit_id, arm FROM assignments")
    assert done.out.splitlines() == ["unit_id  arm", "───────  ───"]


def test_what_there_is_comes_from_the_declarations(run: Any) -> None:
    assert [line.split(":")[0] for line in run("formats").out.splitlines()[::2]] == [
        importer.name for importer in importers.ALL
    ]
    out = run("tables").out
    assert [line.split(":")[0] for line in out.splitlines()[::2]] == [
        table.name for table in tables.ALL
    ]
    assert "unit_id*, account_id" in out
    assert [line.split(" ")[0] for line in run("diagnoses").out.splitlines()] == [
        diagnosis.name for diagnosis in diagnoses.ALL
    ]


def test_manual_pages(run: Any) -> None:
    assert run("formats", "table_file").out.startswith("Table files: CSV, TSV")
    assert "request_id* VARCHAR: Id of the call" in run("tables", "requests").out
    out = run("diagnoses", "output_attribution").out
    assert "## Known false alarms" in out
    assert "--set output_attribution.clock_error_s=VALUE (default: inferred)" in out


# The apps

APP = """
import marimo
app = marimo.App()

@app.cell
def _():
    import marimo as mo
    mo.md(f"case {mo.cli_args().get('case')}")
    return (mo,)

if __name__ == "__main__":
    app.run()
"""


@pytest.fixture
def workbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "share" / "workbench"
    folder.mkdir(parents=True)
    (folder / "investigate.py").write_text(APP)
    (folder / "widgets.py").write_text("import marimo\n")
    monkeypatch.setattr(resources, "folder", lambda name: folder)
    return folder


def test_the_app_that_is_opened_by_default_is_there() -> None:
    from casework.cli import _apps
    from casework.cli.open import open_

    (default,) = [option.default for option in open_.params if option.name == "name"]
    assert _apps.find(str(default)).is_file()


def test_only_apps_are_offered(case: Path, workbench: Path, run: Any) -> None:
    done = run("open", case, "--app", "widgets")
    assert (done.status, done.code) == (2, "UNKNOWN_APP")
    assert "one of: investigate" in done.err


def test_an_app_needs_a_case(tmp_path: Path, workbench: Path, run: Any) -> None:
    assert run("open", tmp_path / "none.duckdb").code == "CASE_MISSING"


def test_a_port_that_is_taken(case: Path, workbench: Path, run: Any) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run("open", case, "--port", taken.getsockname()[1], "--no-browser")
    assert (done.status, done.code) == (1, "PORT_TAKEN")
    assert "another program listens" in done.err


def test_a_port_that_is_forbidden_is_not_said_to_be_taken(
    case: Path, workbench: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("socket.socket.bind", refuse)
    done = run("open", case, "--port", 80, "--no-browser")
    assert "port 80 cannot be had: Permission denied" in done.err


@pytest.fixture
def served(case: Path, workbench: Path) -> Iterator[str]:
    """The address of an app that is served by a process of its own, as it prints it."""
    code = (
        "from pathlib import Path; from casework import cli, resources\n"
        f"resources.folder = lambda name: Path({str(workbench)!r})\n"
        f"cli.main(['open', {str(case)!r}, '--no-browser'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        giving_up = threading.Timer(90, process.kill)
        giving_up.start()
        assert process.stdout
        yield process.stdout.readline().strip()
        giving_up.cancel()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def answer(address: str) -> int:
    """The status with which a server answers; 0 if none does."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    try:
        with browser.open(address, timeout=10) as response:
            return int(response.status) if "/auth/login" not in response.url else 401
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def test_an_app_answers_only_here_and_only_to_its_token(served: str) -> None:
    found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?access_token=([0-9a-f]{32})", served)
    assert found
    assert answer(served) == 200
    assert answer(served.partition("?")[0]) == 401
    assert answer(served[:-4] + "0000") == 401
    listening = Path("/proc/net/tcp").read_text() if Path("/proc/net/tcp").exists() else ""
    port = f":{int(found.group(1)):04X} "
    for line in listening.splitlines():
        if port in line and " 0A " in line:
            assert line.split()[1].startswith("0100007F:"), "listens on the loopback alone"


def test_the_token_stands_on_no_command_line() -> None:
    from casework.cli import _apps

    words = _apps.command(Path("app.py"), 4000, Path("case.duckdb"))
    assert words[words.index("--token-password-file") + 1] == "-"
    assert words[words.index("--host") + 1] == "127.0.0.1"
    assert words[words.index("--") :] == ["--", "--case", "case.duckdb"]


def test_writers_are_gone_when_a_command_ends(loaded: Path) -> None:
    """Every command lets go of the case, or the next one would find it locked."""
    with CaseWriter(loaded) as writer:
        assert writer.loaded_as("0" * 64) is None
