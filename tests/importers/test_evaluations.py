"""Exports of evaluations: what stands in unusual places, or is of unusual kind, is told so."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.importers.loading import load, refusal_of, rows, takers_of

from casework.case import Case
from casework.importers import get
from casework.importers._excerpt import excerpt
from casework.importers._importer import Options
from casework.records import Exhibit


def lines(path: Path, *values: Any) -> Path:
    path.write_text("".join(f"{json.dumps(value)}\n" for value in values))
    return path


# TREC


def trec(case: Path, data: bytes) -> Exhibit:
    path = case.with_name("run.txt")
    path.write_bytes(data)
    assert takers_of(path) == ["trec_files"]
    (exhibit,) = load(case, get("trec_files"), path)
    return exhibit


def test_a_byte_order_mark_is_no_part_of_a_query(case: Path) -> None:
    trec(case, b"\xef\xbb\xbfq1 Q0 d1 1 2.5 bm25\r\nq1 Q0 d2 2 1.5 bm25\r\n")
    assert rows(case, "SELECT DISTINCT query_id FROM candidates") == [("q1",)]


def test_forms_of_lines_of_trec(case: Path) -> None:
    """Judgments name the round of judging or nothing; numbers have a sign, a point, or neither."""
    trec(case, b"1 4.5 005b2j4b 2\n1 0 17 1.0\n")
    assert rows(case, "SELECT doc_id, grade FROM judgments") == [("005b2j4b", 2), ("17", 1)]
    trec(case, b"1 Q0 17 3 .5 bm25\n1 Q0 18 4 +5.5 bm25\n")
    assert rows(case, "SELECT doc_id, dense_score FROM candidates") == [("17", 0.5), ("18", 5.5)]


def test_a_table_of_numbers_is_no_judgment(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("1 4.5 17 2\n2 0.5 18 1\n")
    assert takers_of(path) == []


def test_a_long_first_line_behind_a_byte_order_mark_is_one_reject(case: Path) -> None:
    long = b"q1 Q0 d" + b"x" * 5_000 + b" 1 2.5 bm25"
    trec(case, b"\xef\xbb\xbf" + long + b"\nq1 Q0 d1 1 2.5 bm25\n")
    assert rows(case, "SELECT locator FROM rejects") == [("line 1",)]
    assert rows(case, "SELECT locator FROM candidates") == [("line 2",)]


@pytest.mark.parametrize(
    "line",
    [b"q1 Q0 d1 1 1e999 bm25", b"q1 Q0 d\xe9 1 2.5 bm25", b"x" * 4090 + b" q1 Q0 d1 1 2.5 bm25"],
)
def test_a_line_of_trec_that_cannot_be_read_is_one_reject(case: Path, line: bytes) -> None:
    good = b"q1 Q0 d7 1 3.5 bm25\n"
    exhibit = trec(case, good * 20 + line + b"\nq1 Q0 d8 2 2.5 bm25\n")
    assert exhibit.rows_rejected == 1
    assert rows(case, "SELECT locator FROM rejects") == [("line 21",)]
    assert rows(case, "SELECT locator FROM candidates WHERE doc_id = 'd8'") == [("line 22",)]


# HELM


def stat(name: str, mean: float, **about: Any) -> dict[str, Any]:
    """A statistic as HELM writes it: of one trial, so that its count is 1."""
    return {"name": {"name": name, "split": "test", **about}, "count": 1, "mean": mean}


def helm(case: Path, states: list[Any], **files: Any) -> None:
    folder = case.with_name("run")
    folder.mkdir()
    spec = {"name": "sums:model=m", "adapter_spec": {"model": "m"}}
    files |= {"run_spec": spec, "scenario_state": {"request_states": states}}
    for name, value in files.items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    load(case, get("helm_run"), folder)


def request(item: int, trial: int = 0, **about: Any) -> dict[str, Any]:
    result = {"request_datetime": 1_770_000_000, "completions": [{"text": "2"}]}
    instance = {"id": f"id{item}", "split": "test", **about}
    return {"instance": instance, "train_trial_index": trial, "result": result}


NOISY = {"perturbation": {"name": "typos"}}


def test_the_items_of_a_run_of_helm_are_its_instances(case: Path) -> None:
    stats = [stat("exact_match", 0.1, **NOISY), stat("exact_match", 0.2, split="valid"),
             stat("exact_match", 0.5), stat("exact_match", 0.9, split="train")]  # fmt: skip
    states = [*map(request, range(3)), request(0, **NOISY), request(9, split="valid")]
    each = [{"instance_id": f"id{n}", "stats": [stat("exact_match", 1.0)]} for n in range(2)]
    helm(case, states, stats=stats, per_instance_stats=each)
    assert rows(case, "SELECT score, n_items FROM eval_runs") == [(0.5, 2)]


def test_instances_of_helm_count_where_none_has_the_metric(case: Path) -> None:
    helm(case, [request(n, trial) for n in range(3) for trial in range(2)],
         stats=[stat("bleu", 0.5)])  # fmt: skip
    assert rows(case, "SELECT score, n_items FROM eval_runs") == [(0.5, 3)]


def test_instances_of_helm_count_without_statistics(case: Path) -> None:
    helm(case, [request(0), request(1)])
    assert rows(case, "SELECT score, n_items FROM eval_runs") == [(None, 2)]


def test_each_trial_of_helm_has_its_score(case: Path) -> None:
    each = [{"instance_id": "id0", "train_trial_index": trial,
             "stats": [stat("exact_match", float(trial))]} for trial in range(2)]  # fmt: skip
    helm(case, [request(0, 0), request(0, 1)], stats=[stat("exact_match", 0.5)],
         per_instance_stats=each)  # fmt: skip
    assert rows(case, "SELECT epoch, score FROM eval_samples ORDER BY 1") == [(1, 0.0), (2, 1.0)]


# lm-evaluation-harness


def harness(case: Path, name: str, value: Any) -> Exhibit:
    path = lines(case.parent / name, value)
    (importer,) = takers_of(path)
    (exhibit,) = load(case, get(importer), path)
    assert exhibit.rows_kept == exhibit.rows_read
    return exhibit


def results(**changes: Any) -> dict[str, Any]:
    return {"results": {"t": {"alias": "t", "acc,none": 0.5}}, "configs": {"t": {}},
            "versions": {"t": 1}, "config": {}, **changes}  # fmt: skip


def answered(**changes: Any) -> dict[str, Any]:
    return {"doc_id": 0, "doc": {"question": "1+1"}, "target": "2",
            "arguments": {"gen_args_0": {"arg_0": "Q: 1+1", "arg_1": {}}}, "resps": [["2"]],
            "filtered_resps": ["2"], "filter": "none", "metrics": ["acc"], "acc": 1.0,
            **changes}  # fmt: skip


def test_an_instant_in_the_name_of_a_file_has_no_zone(case: Path) -> None:
    exhibit = harness(case, "results_2026-01-01T10-00-00.123456.json", results())
    assert any("no time zone" in note for note in exhibit.notes)


@pytest.mark.parametrize("value", [[results(), results()], results(results={})])
def test_what_holds_no_results_of_one_run_is_refused(case: Path, value: Any) -> None:
    name = "results_2026-01-01T10-00-00.json"
    assert refusal_of(lambda: harness(case, name, value)) == "NO_RESULTS"


def test_a_group_without_a_metric_of_its_own_names_none(case: Path) -> None:
    found = {"g": {" ": " ", "alias": "g"}}
    harness(case, "results_2026-01-01T10-00-00.json", results(results=found))
    sql = "SELECT score, attributes->>'metric', attributes->>'metrics' FROM eval_runs"
    assert rows(case, sql) == [(None, None, None)]


@pytest.mark.parametrize("kind", ["peft", "delta"])
def test_the_digest_of_a_base_is_not_that_of_what_is_put_upon_it(case: Path, kind: str) -> None:
    config = {"model_args": {"pretrained": "org/base", kind: "org/tuned"}, "model_sha": "abc"}
    harness(case, "results_2026-01-01T10-00-00.json", results(config=config))
    sql = "SELECT endpoint, checkpoint, attributes->>'base_checkpoint' FROM eval_runs"
    assert rows(case, sql) == [("org/tuned", None, "abc")]


def test_a_group_counts_the_items_of_groups_within_it_once(case: Path) -> None:
    named = {name: {"alias": name, "acc,none": 0.5} for name in ("all", "some", "a", "b", "loop")}
    within = {"all": ["some", "b"], "some": ["a", "b"], "a": [], "b": [], "loop": ["loop"]}
    found = results(
        results=named,
        group_subtasks=within,
        **{"n-samples": {"a": {"effective": 3}, "b": {"effective": 4}}},
    )
    harness(case, "results_2026-01-01T10-00-00.json", found)
    assert dict(rows(case, "SELECT suite, n_items FROM eval_runs")) == {
        "all": 7, "some": 7, "a": 3, "b": 4, "loop": None,
    }  # fmt: skip


def test_a_name_with_a_slash_is_found_again(case: Path) -> None:
    name = "org/t~1"
    path = case.with_name("results_2026-01-01T10-00-00.json")
    path.write_text(json.dumps(results(results={name: {"alias": name, "acc,none": 0.5}})))
    load(case, get("lm_eval_results"), path)
    ((locator,),) = rows(case, "SELECT locator FROM eval_runs")
    with Case(case) as opened:
        (exhibit,) = opened.exhibits()
    held = path.read_bytes()
    exhibit = replace(exhibit, bytes=len(held), sha256=sha256(held).hexdigest())
    assert json.loads(excerpt(exhibit, locator, case.parent))["alias"] == name


@pytest.mark.parametrize(("taken", "began"), [("90", 58), (None, 59)])
def test_without_a_date_a_run_ends_when_it_was_saved(
    case: Path, taken: str | None, began: int
) -> None:
    """The harness names its files by the instant at which it saves them."""
    found = results(total_evaluation_time_seconds=taken)
    exhibit = harness(case, "results_2026-01-01T09-59-30.json", found)
    told = rows(case, "SELECT minute(started_at), minute(ended_at) FROM eval_runs")
    assert told == [(began, 59)]
    assert any("at which it was saved" in note for note in exhibit.notes)


def test_fields_of_results_are_told_where_they_are_there(case: Path) -> None:
    more = {"date": 1_770_000_000.5, "model_source": "hf", "config": {"model_args": "pretrained=m"}}
    exhibit = harness(case, "results_2026-01-01T10-00-00.json", results(**more))
    assert exhibit.left_out == {"model_source": 1}
    assert set(exhibit.fields) == {
        *("results", "configs", "versions", "date", "config", "config.model_args")
    }


@pytest.mark.parametrize(("value", "score"), [(True, 1.0), (False, 0.0), ("yes", None)])
@pytest.mark.parametrize("absent", [(), ("metrics",)])
def test_a_flag_of_the_harness_is_a_score(
    case: Path, value: Any, score: float | None, absent: tuple[str, ...]
) -> None:
    given = answered(acc=value)
    for name in absent:
        del given[name]
    harness(case, "samples_t_2026-01-01T10-00-00.jsonl", given)
    assert rows(case, "SELECT score FROM eval_samples") == [(score,)]


def test_a_target_may_be_several(case: Path) -> None:
    path = lines(
        case.parent / "samples_t_2026-01-01T10-00-00.jsonl",
        *(answered(doc_id=n, target=one) for n, one in enumerate([["a", 2], [["a"]], "a"])),
    )
    (exhibit,) = load(case, get("lm_eval_samples"), path)
    found = rows(case, "SELECT target FROM eval_samples ORDER BY item_id")
    assert found == [("a\n2",), (None,), ("a",)]
    assert any("1 values of target cannot be read" in note for note in exhibit.notes)


def test_samples_without_an_instant_are_of_the_model_of_their_folder(case: Path) -> None:
    for model in "AB":
        (case.parent / model).mkdir()
        harness(case, f"{model}/samples_t.jsonl", answered())
    found = rows(case, "SELECT run_id FROM eval_samples ORDER BY 1")
    assert found == [("t@unknown/A",), ("t@unknown/B",)]


def test_a_metric_that_is_not_finite_gives_its_place_to_no_other(case: Path) -> None:
    given = answered(metrics=["words", "bits", "acc"], words=[1, 2], bits=float("nan"))
    harness(case, "samples_t_2026-01-01T10-00-00.jsonl", given)
    assert rows(case, "SELECT score FROM eval_samples") == [(None,)]


SAID = [{"role": "system", "content": "Sum.", "type": "text"}, {"role": "user", "content": "1+1"}]


@pytest.mark.parametrize("prompt", [[json.dumps(SAID)], SAID])
@pytest.mark.parametrize("old", [False, True])
def test_a_chat_is_a_prompt(case: Path, prompt: list[Any], old: bool) -> None:
    arguments: Any = [[prompt, {}]] if old else {"gen_args_0": {"arg_0": prompt, "arg_1": {}}}
    harness(case, "samples_t_2026-01-01T10-00-00.jsonl", answered(arguments=arguments))
    assert rows(case, "SELECT prompt_text FROM eval_samples") == [("system: Sum.\nuser: 1+1",)]


def test_a_long_document_is_a_sample_too(case: Path) -> None:
    long = answered(doc={"context": "word " * 20_000, "question": "1+1"})
    harness(case, "samples_t_2026-01-01T10-00-00.jsonl", long)
    assert rows(case, "SELECT input_text FROM eval_samples") == [("1+1",)]
    path = lines(case.with_name("other.jsonl"), {"doc_id": 1, "doc": "word " * 20})
    assert takers_of(path) == []


def test_a_bad_sample_of_a_list_takes_no_other_with_it(case: Path) -> None:
    good = json.dumps(answered(bits=float("nan")))
    path = case.with_name("samples_t_2026-01-01T10-00-00.json")
    path.write_text(f'[{good}, {{"doc_id": 1, "doc_id": 2}}, 7, {good.replace("0", "3", 1)}]')
    (exhibit,) = load(case, get("lm_eval_samples"), path)
    assert (exhibit.rows_kept, exhibit.rows_rejected) == (2, 2)
    sql = "SELECT locator, code, raw FROM rejects ORDER BY locator"
    found = rows(case, sql)
    assert found == [
        ("/1", "JSON_DUPLICATE_KEY", '{"doc_id": 1, "doc_id": 2}'),
        ("/2", "JSON", "7"),
    ]


def test_samples_in_a_list_join_their_results_too(case: Path) -> None:
    harness(case, "samples_t_2026-01-01T10-00-00.5.json", [answered()])
    harness(case, "results_2026-01-01T10-00-00.5.json", results())
    sql = "SELECT count(*) FROM eval_samples JOIN eval_runs USING (run_id)"
    assert rows(case, sql) == [(1,)]


# promptfoo


def evaluation(*assertions: Any, **prompt: Any) -> dict[str, Any]:
    """Results of version 3 of promptfoo: one prompt and one test, which says what it expects."""
    test = {
        "assert": list(assertions),
        "metadata": {"target": "four", "epoch": 3, "kind": "unsafe"},
    }
    result = {"promptIdx": 0, "testIdx": 0, "prompt": {"raw": "2+2?"}, "vars": {"q": "2+2?"},
              "response": {"output": "4"}, "score": 1, "testCase": test}  # fmt: skip
    prompt = {"raw": "{{q}}", "label": "p", "provider": "m", **prompt}
    held = {"version": 3, "timestamp": "2026-03-01T10:00:00Z", "prompts": [prompt],
            "results": [result], "stats": {"successes": 1}}  # fmt: skip
    return {"evalId": "e", "results": held, "config": {"description": "sums"}, "shareableUrl": None,
            "metadata": {"promptfooVersion": "0.120.0", "platform": "linux"}}  # fmt: skip


@pytest.mark.parametrize(
    ("assertions", "target"),
    [([], "four"), ([{"type": "equals", "value": "4"}], "4")],
)
def test_what_metadata_of_promptfoo_says_is_not_lost(
    case: Path, assertions: list[Any], target: str
) -> None:
    harness(case, "results.json", evaluation(*assertions))
    (found,) = rows(case, "SELECT target, epoch, kind, attributes::VARCHAR FROM eval_samples")
    assert found[:3] == (target, 1, "unsafe")
    held = json.loads(found[3])["testCase"]["metadata"]
    assert held == {"epoch": 3} | ({"target": "four"} if assertions else {})


@pytest.mark.parametrize(
    ("metrics", "items"), [({}, None), ({"testPassCount": 0}, 0), ({"testPassCount": 2}, 2)]
)
def test_items_that_promptfoo_does_not_count_are_unknown(
    case: Path, metrics: Any, items: int | None
) -> None:
    harness(case, "results.json", evaluation(metrics=metrics))
    assert rows(case, "SELECT n_items FROM eval_runs") == [(items,)]


def test_fields_of_promptfoo_are_told(case: Path) -> None:
    exhibit = harness(case, "results.json", evaluation())
    of_samples = {name for name in exhibit.fields if name.startswith(("prompt.", "result."))}
    assert exhibit.fields.keys() - of_samples == {
        *("evalId", "config.description", "results.timestamp", "metadata.promptfooVersion")
    }
    assert exhibit.left_out.keys() == {
        *("config", "results.stats", "results.version", "metadata.platform")
    }


# OpenAI evals


def record(case: Path, *events: Any, options: Options | None = None) -> Exhibit:
    path = lines(case.with_name("log.jsonl"), *events)
    assert takers_of(path) == ["openai_evals"]
    (exhibit,) = load(case, get("openai_evals"), path, options=options)
    return exhibit


SPEC = {"spec": {"run_id": "R", "eval_name": "sums", "completion_fns": ["m"],
                 "created_at": "2026-03-01 10:00:00.500000"}}  # fmt: skip


def event(number: int, kind: str, run: str = "R", sample: str = "s", **data: Any) -> dict[str, Any]:
    return {"run_id": run, "event_id": number, "sample_id": sample, "type": kind, "data": data,
            "created_at": "2026-03-01 10:01:00+00:00"}  # fmt: skip


GRADED = (
    event(0, "sampling", prompt="2+2?", sampled=["4"]),
    event(1, "sampling", prompt="Is 4 right?", sampled=["Y"]),
    event(2, "metrics", choice="Y", score=0.25),
    event(3, "match", correct=True, expected="4"),
)


@pytest.mark.parametrize("order", [1, -1])
def test_the_answer_is_that_of_the_model_and_not_of_its_grader(case: Path, order: int) -> None:
    exhibit = record(case, SPEC, *GRADED[::order])
    sql = "SELECT prompt_text, output_text, target, score, attributes->>'metrics' FROM eval_samples"
    (found,) = rows(case, sql)
    assert found[:4] == ("2+2?", "4", "4", 1.0)
    assert json.loads(found[4]) == {"choice": "Y", "score": 0.25}
    assert exhibit.left_out["further events sampling"] == 1
    assert exhibit.fields["event.data.sampled"] == ["eval_samples.output_text"]


@pytest.mark.parametrize(
    ("report", "score"),
    [
        (
            {"counts/choice/Y": 3, "score/choice": 0.75, "invalid_request_during_completion": 0},
            0.75,
        ),
        ({"invalid_request_during_completion": 0, "counts/choice/Y": 3}, None),
        ({"boostrap_std": 0.1, "accuracy": 0.5}, 0.5),
        ({"bleu": 0.5}, 0.5),
        ({"accuracy": float("nan"), "boostrap_std": 0.1}, None),
    ],
)
def test_a_count_is_no_score(case: Path, report: Any, score: float | None) -> None:
    record(case, SPEC, {"final_report": report})
    assert rows(case, "SELECT score FROM eval_runs") == [(score,)]


def test_openai_writes_instants_in_utc(case: Path) -> None:
    exhibit = record(case, SPEC, options=Options(timezone="America/New_York"))
    found = rows(case, "SELECT epoch_ms(started_at) FROM eval_runs")
    assert found == [(datetime(2026, 3, 1, 10, 0, 0, 500_000, UTC).timestamp() * 1000,)]
    assert not any("zone" in note for note in exhibit.notes)


def test_events_of_another_run_are_not_of_this_one(case: Path) -> None:
    exhibit = record(case, event(9, "match", run="B", sample="b", correct=True), SPEC, *GRADED)
    assert exhibit.rows_rejected == 1
    assert rows(case, "SELECT run_id, n_items FROM eval_runs") == [("R", 1)]
    assert rows(case, "SELECT run_id, item_id FROM eval_samples") == [("R", "s")]


def test_logs_of_several_runs_in_one_file_are_refused(case: Path) -> None:
    other = {"spec": {**SPEC["spec"], "run_id": "B"}}
    assert refusal_of(lambda: record(case, SPEC, SPEC, other)) == "SEVERAL_RUNS"
    assert record(case, SPEC, SPEC).rows_kept == 1


# Every Eval Ever


def aggregate(*of_results: Any, **changes: Any) -> dict[str, Any]:
    return {"schema_version": "0.2.1", "evaluation_id": "E", "model_info": {"id": "org/m"},
            "retrieved_timestamp": "1750000000.5", "eval_library": {"name": "helm", "version": "1"},
            "evaluation_results": list(of_results), **changes}  # fmt: skip


def result(name: str | None = "n", **changes: Any) -> dict[str, Any]:
    named = {} if name is None else {"evaluation_name": name}
    return {**named, "score_details": {"score": 0.5}, **changes}


def every(case: Path, name: str, *values: Any) -> Exhibit:
    path = lines(case.with_name(name), *values)
    assert takers_of(path) == ["every_eval_ever"]
    (exhibit,) = load(case, get("every_eval_ever"), path)
    return exhibit


@pytest.mark.parametrize("stamp", ["1740000000.25", "2025-02-19T21:20:00.25Z"])
def test_a_result_has_its_own_instant(case: Path, stamp: str) -> None:
    exhibit = every(case, "e.json", aggregate(result(evaluation_timestamp=stamp)))
    assert rows(case, "SELECT epoch(started_at) FROM eval_runs") == [(1740000000.25,)]
    assert exhibit.notes == ()
    assert exhibit.left_out == {"record.schema_version": 1}
    assert exhibit.fields["record.retrieved_timestamp"] == ["eval_runs.started_at"]
    assert exhibit.fields["record.model_info"] == ["eval_runs.attributes", "eval_runs.endpoint"]


@pytest.mark.parametrize("stamp", [None, "soon", 10**400])
def test_a_result_without_an_instant_is_dated_by_its_record_and_told(
    case: Path, stamp: Any
) -> None:
    given = [result(evaluation_timestamp="1740000000"), result("o", evaluation_timestamp=stamp)]
    exhibit = every(case, "e.json", aggregate(*given))
    assert any("dated by" in note for note in exhibit.notes)


def test_a_record_without_results_is_no_silence(case: Path) -> None:
    assert every(case, "e.json", aggregate()).rows_rejected == 1


def test_what_has_no_name_has_no_id(case: Path) -> None:
    exhibit = every(case, "e.json", aggregate(result(None), result()))
    assert (exhibit.rows_kept, exhibit.rows_rejected) == (1, 1)
    sample = {"schema_version": "0.2.1", "evaluation_id": None, "evaluation_name": "n",
              "sample_id": "s", "input": {"raw": "2+2?", "reference": ["4"]}}  # fmt: skip
    assert every(case, "s.jsonl", sample).rows_rejected == 1


@pytest.mark.parametrize(("given", "held"), [("4", "4"), (["4", "four"], "4\nfour"), ([], None)])
def test_answers_are_texts_or_lists_of_them(case: Path, given: Any, held: str | None) -> None:
    sample = {"schema_version": "0.1.0", "evaluation_id": "E", "evaluation_name": "n",
              "sample_id": "s", "input": {"raw": "2+2?", "reference": given},
              "output": {"raw": given}}  # fmt: skip
    every(case, "s.jsonl", sample)
    assert rows(case, "SELECT target, output_text FROM eval_samples") == [(held, held)]


def test_metrics_of_one_evaluation_are_runs_of_their_own(case: Path) -> None:
    ids = ("n/exact", "n/f1")
    exhibit = every(case, "e.json", aggregate(*(result(evaluation_result_id=id) for id in ids)))
    assert exhibit.rows_kept == 2
    samples = [
        {"schema_version": "0.2.1", "evaluation_id": "E", "evaluation_name": "n", "sample_id": "s",
         "evaluation_result_id": id, "input": {"raw": "2+2?", "reference": ["4"]},
         "evaluation": {"score": score}}
        for score, id in enumerate(ids)
    ]  # fmt: skip
    assert every(case, "s.jsonl", *samples).rows_kept == 2
    sql = "SELECT count(*) FROM eval_samples JOIN eval_runs USING (run_id)"
    assert rows(case, sql) == [(2,)]
