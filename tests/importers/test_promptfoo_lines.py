"""Results of promptfoo as JSON Lines: the samples are those of its JSON, and there is no run."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.importers.loading import as_jsonl, source_of, takers_of

from casework.case import Fields, Item, Note, Reject, Row
from casework.importers import get
from casework.importers._importer import Options
from casework.tables import eval_samples

QUESTIONS = ["What is two and two?", "What is three and three?"]


def result(number: int, prompt: int = 0, **more: Any) -> dict[str, Any]:
    """A result as a JSON export has it; tests are repeated after two."""
    given = {"q": QUESTIONS[number % 2], "n": number % 2}
    return {
        "id": f"{prompt}-{number}", "promptIdx": prompt, "testIdx": number, "promptId": "d1",
        "provider": {"id": "echo", "label": ""}, "success": True, "score": 1, "failureReason": 0,
        "prompt": {"raw": f"Say: {given['q']}", "label": "p"}, "vars": given,
        "response": {"output": f"{number}"}, "latencyMs": number, "namedScores": {},
        "testCase": {"vars": given, "assert": [{"type": "equals", "value": "{{n}}"}],
                     "metadata": {"kind": "utility"}}, **more,
    }  # fmt: skip


def of_database(one: dict[str, Any], name: str = "eval-1") -> dict[str, Any]:
    """The same result as a line that is written from the database."""
    config = {"apiKey": "sk-1"} if one["promptIdx"] else {}
    return {**{key: value for key, value in one.items() if key != "vars"}, "evalId": name,
            "provider": {**one["provider"], "config": config}, "error": None,
            "persisted": True}  # fmt: skip


def read(path: Path) -> list[Item]:
    assert takers_of(path) == ["promptfoo_results"]
    return [*get("promptfoo_results").read(source_of(path), Options())]


def samples(items: list[Item]) -> dict[Any, Any]:
    """The rows of eval_samples by what they are, of any order."""
    found = [one.values for one in items if isinstance(one, Row) and one.table is eval_samples]
    by_key = {(row["run_id"], row["item_id"], row["epoch"]): row for row in found}
    assert len(by_key) == len(found)
    return by_key


def notes(items: list[Item]) -> list[str]:
    return [one.text for one in items if isinstance(one, Note)]


def test_lines_are_the_samples_of_the_json_of_the_same_evaluation(tmp_path: Path) -> None:
    results = [result(number, prompt) for number in range(4) for prompt in range(2)]
    whole = {"evalId": "eval-1", "results": {"version": 3, "results": results, "prompts": [
        {"raw": "Say: {{q}}", "label": "p", "provider": "echo", "metrics": {}}] * 2}}  # fmt: skip
    path = tmp_path / "results.json"
    path.write_text(json.dumps(whole))
    items = read(as_jsonl(tmp_path / "x.jsonl", *map(of_database, reversed(results))))
    found = samples(items)
    assert found == samples(read(path))
    row = found["eval-1/1", "1", 2]
    assert (row["input_text"], row["target"], row["kind"]) == (QUESTIONS[1], "1", "utility")
    assert row["output_text"] == "3"
    assert "apiKey" not in str(items)
    (note,) = notes(items)
    assert note.startswith("lines say neither when")
    assert all(one.table is eval_samples for one in items if isinstance(one, Row))
    assert isinstance(items[-1], Fields)
    assert items[-1].left_out == {
        "result.persisted": 8, "result.testCase.vars": 8, "result.provider.config": 4
    }  # fmt: skip


def test_lines_that_name_no_evaluation_are_of_a_run_named_after_the_file(tmp_path: Path) -> None:
    lines = [{key: value for key, value in result(n).items() if key != "id"} for n in range(2)]
    items = read(as_jsonl(tmp_path / "results.jsonl", *lines))
    run = f"{tmp_path.name}/results.jsonl/0"
    assert samples(items).keys() == {(run, "0", 1), (run, "1", 1)}
    assert notes(items)[1].startswith("2 results name no evaluation")


def test_tests_of_two_evaluations_have_their_own_numbers(tmp_path: Path) -> None:
    first, second = (of_database(result(n), name) for n, name in ((2, "a"), (0, "b")))
    other = of_database(result(0, vars={"q": "?"}), "a")
    assert samples(read(as_jsonl(tmp_path / "x.jsonl", first, second, other))).keys() == {
        ("a/0", "0", 1), ("a/0", "0", 2), ("b/0", "0", 1)
    }  # fmt: skip


@pytest.mark.parametrize("field", ["response", "prompt", "testCase"])
def test_a_long_line_is_recognised_by_how_it_begins(tmp_path: Path, field: str) -> None:
    long = {"raw": "a" * 100_000}
    names = ["provider", "prompt", "vars", "response", "promptIdx", "testIdx", "testCase"]
    if field == "testCase":
        names = ["id", "evalId", "promptIdx", "testIdx", "testCase", "prompt"]
    line = {**result(0), "evalId": "e", field: long}
    path = as_jsonl(tmp_path / "x.jsonl", {name: line[name] for name in names})
    assert takers_of(path) == ["promptfoo_results"]


def test_each_hostile_line_is_one_reject_or_one_row(tmp_path: Path) -> None:
    hostile = ["{", '{"a":1,"a":2}', '{"a":' + "[" * 999, "{}", '{"vars":"\\ud800"}', '{"a":NaN}',
               '{"promptIdx":{},"testIdx":[],"testCase":7,"vars":"x","provider":[],"prompt":0}',
               '{"promptIdx":1e999,"testIdx":-1,"evalId":["e"],"gradingResult":[]}']  # fmt: skip
    path = as_jsonl(tmp_path / "x.jsonl", result(0))
    path.write_text(path.read_text() + "\n".join(hostile) + "\n" + json.dumps(result(1)))
    items = [one for one in read(path) if isinstance(one, Row | Reject)]
    assert [one.locator for one in items] == [f"line {n}" for n in range(1, len(hostile) + 3)]
    rows = [one for one in items if isinstance(one, Row)]
    assert [rows[0].values["item_id"], rows[-1].values["item_id"]] == ["0", "1"]
    assert all(one.values["run_id"] is None for one in rows[1:-1])
