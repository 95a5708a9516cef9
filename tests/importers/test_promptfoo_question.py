"""Which variable of a test of promptfoo is the item."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.importers.loading import load, rows

from casework.importers import get
from casework.importers._promptfoo_question import _last

CLAUSES = [f"The party of lot {n} shall keep what it learns to itself" for n in range(12)]
SHOTS = [f"Clause: The lessee pays rent on day {n}\nTag: rent" for n in range(12)]


def export(*tests: dict[str, Any], template: str = "{shots}\nClause: {clause}\nTag:") -> Any:
    results = [
        {"promptIdx": 0, "testIdx": n, "vars": given, "score": 1, "response": {"output": "nda"},
         "prompt": {"raw": template.format(**given), "label": "p"}}
        for n, given in enumerate(tests)
    ]  # fmt: skip
    prompts = [{"raw": template, "label": "p", "provider": "m", "metrics": {"testPassCount": 1}}]
    return {"evalId": "e", "results": {"version": 3, "prompts": prompts, "results": results}}


def questions(folder: Path, content: Any) -> list[str]:
    path, case = folder / "results.json", folder / "case.duckdb"
    path.write_text(json.dumps(content))
    load(case, get("promptfoo_results"), path)
    found = rows(case, "SELECT input_text FROM eval_samples ORDER BY item_id::INT")
    return [row[0] for row in found]


@pytest.mark.parametrize("more", ["contract", "expected", "shots"])
def test_the_question_is_told_from_what_goes_with_it(tmp_path: Path, more: str) -> None:
    tests = [
        {"clause": clause, "shots": shots if more == "shots" else "none",
         "contract": f"C-{n}", "expected": f"the clause of number {n} is an nda"}
        for n, (clause, shots) in enumerate(zip(CLAUSES, SHOTS, strict=True))
    ]  # fmt: skip
    template = "Contract {contract}\n{shots}\nClause: {clause}\nTag:"
    assert questions(tmp_path, export(*tests, template=template)) == CLAUSES


def test_a_chat_states_its_question_in_json(tmp_path: Path) -> None:
    tests = [{"q": f'Is "{clause}"\nallowed', "mood": "calm"} for clause in CLAUSES]
    content = export(*tests, template="{mood}")
    for result in content["results"]["results"]:
        turns = [{"role": "user", "content": f"Answer: {result['vars']['q']}"}]
        result["prompt"]["raw"] = json.dumps(turns)
    assert questions(tmp_path, content) == [test["q"] for test in tests]


def test_without_a_prompt_the_item_is_all_that_was_given(tmp_path: Path) -> None:
    content = export({"a": "x", "b": "y"}, template="nothing")
    assert [json.loads(text) for text in questions(tmp_path, content)] == [{"a": "x", "b": "y"}]


def test_a_long_prompt_is_searched_in_time(tmp_path: Path) -> None:
    content = export({"q": "ab" + "a" * 100_000}, template="nothing")
    content["results"]["results"][0]["prompt"]["raw"] = "a" * 200_000
    start = time.process_time()
    assert len(questions(tmp_path, content)) == 1
    assert time.process_time() - start < 1


def test_many_variables_are_searched_in_time(tmp_path: Path) -> None:
    content = export({f"v{n}": f"{n}" + "a" * 200 for n in range(5_000)}, template="nothing")
    content["results"]["results"][0]["prompt"]["raw"] = "b" * 500_000
    start = time.process_time()
    assert len(questions(tmp_path, content)) == 1
    assert time.process_time() - start < 1


@given(st.text("ab", max_size=12), st.text("ab", max_size=4))
def test_what_stands_last_is_found(text: str, part: str) -> None:
    assert _last(text[::-1], part) == text.rfind(part)
