"""Exports of evaluations: what stands in unusual places, or is of unusual kind, is told so."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from tests.importers.loading import load, refusal_of, rows, source_of, takers_of

from casework.case import Case, Note, Row
from casework.importers import get
from casework.importers._excerpt import excerpt
from casework.importers._helm_stats import headline, means
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
    trec(case, b"1 4.5 005b2j4b 2\n1 0 17 1.0\n1 0 18 3.25\n1 2 a -1\n")
    found = rows(case, "SELECT doc_id, grade FROM judgments")
    assert found == [("005b2j4b", 2), ("17", 1), ("18", 3.25), ("a", -1)]
    trec(case, b"1 Q0 17 3 .5 bm25\n1 Q0 18 4 +5.5 bm25\n")
    assert rows(case, "SELECT doc_id, dense_score FROM candidates") == [("17", 0.5), ("18", 5.5)]


def test_comments_of_trec_are_no_lines_of_it(case: Path) -> None:
    exhibit = trec(case, b"# made by hand\n#q1 0 d9 1\nq1 0 d#1 1\n # end\n")
    assert exhibit.rows_read == 1
    assert exhibit.left_out == {"column.second": 1, "comments": 3}
    assert rows(case, "SELECT doc_id, locator FROM judgments") == [("d#1", "line 3")]


@pytest.mark.parametrize(
    "table",
    ["1 4.5 17 2\n2 0.5 18 1\n", "web-1 12 cpu 3\n", "web-1 1 cpu 3.25\n", "a 1.25 cpu 3\n"],
)
def test_a_table_of_numbers_is_no_judgment(tmp_path: Path, table: str) -> None:
    path = tmp_path / "x.txt"
    path.write_text(table)
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


def helm(case: Path, states: list[Any], folder: str = "run", **files: Any) -> Exhibit:
    path = case.with_name(folder)
    path.mkdir()
    spec = {"name": "sums:model=m", "adapter_spec": {"model": "m"}}
    files = {"run_spec": spec, "scenario_state": {"request_states": states}, **files}
    for name, value in files.items():
        (path / f"{name}.json").write_text(json.dumps(value))
    (exhibit,) = load(case, get("helm_run"), path)
    return exhibit


def request(item: int, trial: int = 0, at: int = 1_770_000_000, **about: Any) -> dict[str, Any]:
    result = {"request_datetime": at, "completions": [{"text": "2"}]}
    instance = {"id": f"id{item}", "split": "test", **about}
    return {"instance": instance, "train_trial_index": trial, "result": result}


NOISY: dict[str, Any] = {"perturbation": {"name": "typos"}}


def test_the_items_of_a_run_of_helm_are_its_instances(case: Path) -> None:
    stats = [stat("exact_match", 0.1, **NOISY), stat("exact_match", 0.2, split="valid"),
             stat("exact_match", 0.5), stat("exact_match", 0.9, split="train")]  # fmt: skip
    states = [*map(request, range(3)), request(0, **NOISY), request(9, split="valid")]
    each = [{"instance_id": f"id{n}", "stats": [stat("exact_match", 1.0)]} for n in range(2)]
    helm(case, states, stats=stats, per_instance_stats=each)
    assert rows(case, "SELECT score, n_items FROM eval_runs") == [(0.5, 2)]


def test_instances_of_helm_count_where_none_has_the_metric(case: Path) -> None:
    told: list[Mapping[str, Any]] = [stat("num_references", 4.0), stat("bits_per_byte", 2.0)]
    helm(case, [request(n, trial) for n in range(3) for trial in range(2)],
         stats=[*told, stat("bleu", 0.5)])  # fmt: skip
    assert rows(case, "SELECT score, n_items FROM eval_runs") == [(0.5, 3)]
    assert headline(told) == ("bits_per_byte", "test")
    assert headline(told[:1]) == (None, "test")
    assert headline([]) == (None, None)


def test_a_request_of_helm_that_failed_is_told(case: Path) -> None:
    broken = {"success": False, "error": "too many", "request_datetime": 1_770_000_000}
    answered = {**request(0), "output_mapping": {"A": "two", "B": "three"}}
    exhibit = helm(case, [answered, {**request(1), "result": broken}])
    assert any("1 request failed" in note for note in exhibit.notes)
    assert exhibit.left_out == {"result.success": 1}
    sql = "SELECT attributes->'output_mapping'->>'B', attributes->>'error' FROM eval_samples"
    assert rows(case, sql) == [("three", None), (None, "too many")]


def test_instances_of_helm_count_without_statistics(case: Path) -> None:
    helm(case, [request(0), request(1)])
    assert rows(case, "SELECT score, n_items FROM eval_runs") == [(None, 2)]


def test_each_trial_of_helm_has_its_score(case: Path) -> None:
    each = [{"instance_id": "id0", "train_trial_index": trial,
             "stats": [stat("exact_match", float(trial))]} for trial in range(2)]  # fmt: skip
    helm(case, [request(0, 0), request(0, 1)], stats=[stat("exact_match", 0.5)],
         per_instance_stats=each)  # fmt: skip
    assert rows(case, "SELECT epoch, score FROM eval_samples ORDER BY 1") == [(1, 0.0), (2, 1.0)]


def of_instance(item: int, *stats: Any, **about: Any) -> dict[str, Any]:
    return {"instance_id": f"id{item}", "stats": list(stats), **about}


@pytest.mark.parametrize(("told", "score"), [(True, 0.7), (False, None)])
def test_sub_splits_of_helm_count_by_their_instances(
    case: Path, told: bool, score: float | None
) -> None:
    stats = [stat("exact_match", 0.9, sub_split="toxic"),
             stat("exact_match", 0.1, sub_split="other"),
             stat("exact_match", 0.5, split="valid")]  # fmt: skip
    parts = ["toxic"] * 3 + ["other"]
    each = [of_instance(n, stat("exact_match", 0.5, sub_split=part)) for n, part in
            enumerate(parts)]  # fmt: skip
    noisy = of_instance(9, stat("exact_match", 0.0, sub_split="other", **NOISY), **NOISY)
    files: dict[str, Any] = {"per_instance_stats": [*each, noisy]} if told else {}
    states = [request(n, sub_split=part) for n, part in enumerate(parts)]
    exhibit = helm(case, states, stats=stats, **files)
    ((found, items),) = rows(case, "SELECT score, n_items FROM eval_runs")
    assert (found, items) == (pytest.approx(score), 4)
    assert any("no mean" in note for note in exhibit.notes) is not told


def test_many_sub_splits_of_helm_are_read_in_time() -> None:
    stats: list[Mapping[str, Any]] = [stat("bleu", 0.5, sub_split=f"{n}") for n in range(10_000)]
    start = process_time()
    assert means(stats, []) == {"bleu": None}
    assert process_time() - start < 0.5


def test_perturbations_of_helm_with_other_settings_are_other_items(case: Path) -> None:
    kinds: list[dict[str, Any]] = [
        {"perturbation": {"name": "misspellings", "prob": prob, "computed_on": "perturbed"}}
        for prob in (0.05, 0.5)
    ]
    each = [of_instance(0, stat("exact_match", score, **kind), **kind)
            for score, kind in zip((1.0, 0.0), kinds, strict=True)]  # fmt: skip
    exhibit = helm(case, [request(0, **kind) for kind in kinds],
                   stats=[stat("exact_match", 1.0)], per_instance_stats=each)  # fmt: skip
    assert exhibit.rows_rejected == 0
    assert rows(case, "SELECT item_id, score FROM eval_samples ORDER BY score") == [
        ('id0/misspellings{"prob":0.5}', 0.0), ('id0/misspellings{"prob":0.05}', 1.0)
    ]  # fmt: skip


def test_a_run_of_helm_that_is_made_again_is_another_run(case: Path) -> None:
    for at, score in ((1_770_000_000, 1.0), (1_780_000_000, 0.0)):
        each = [of_instance(0, stat("exact_match", score))]
        exhibit = helm(case, [request(0, at=at)], folder=str(at),
                       stats=[stat("exact_match", score)], per_instance_stats=each)  # fmt: skip
        assert exhibit.rows_rejected == 0
    sql = "SELECT s.score, r.score FROM eval_samples s JOIN eval_runs r USING (run_id) ORDER BY 1"
    assert rows(case, sql) == [(0.0, 0.0), (1.0, 1.0)]
    assert ("sums:model=m@2026-02-02T02:40:00Z",) in rows(case, "SELECT run_id FROM eval_runs")


def run_made_of(path: Path, importer: str) -> dict[str, Any]:
    """The row of the run that an importer makes, as no case has it yet."""
    items = get(importer).read(source_of(path), Options())
    (found,) = [one for one in items if isinstance(one, Row) and one.table.name == "eval_runs"]
    return dict(found.values)


def run_of_helm(folder: Path, name: str, adapter: dict[str, Any]) -> dict[str, Any]:
    folder.mkdir()
    (folder / "run_spec.json").write_text(json.dumps({"name": name, "adapter_spec": adapter}))
    (folder / "scenario_state.json").write_text(json.dumps({"request_states": [request(0)]}))
    return run_made_of(folder, "helm_run")


@pytest.mark.parametrize(
    ("name", "suite"),
    [
        ("boolq:model=m,data_augmentation=robustness", "boolq:data_augmentation=robustness"),
        ("mmlu:subject=law,model=m,model_deployment=d,stop=hash", "mmlu:subject=law,stop=hash"),
        ("mmlu:subject=law,model=m", "mmlu:subject=law"),
        ("boolq:model=m", "boolq"),
        ("boolq", "boolq"),
    ],
)
def test_the_suite_of_helm_is_the_run_without_its_model(
    tmp_path: Path, name: str, suite: str
) -> None:
    assert run_of_helm(tmp_path / "run", name, {"model": "m"})["suite"] == suite


def test_examples_and_suffixes_make_a_prompt_of_helm(tmp_path: Path) -> None:
    adapters: list[dict[str, Any]] = [
        {"instructions": "Q"}, {"input_prefix": "Q"}, {"instructions": "Q", "global_suffix": "!"},
        {"instructions": "Q", "max_train_instances": 0},
        {"instructions": "Q", "max_train_instances": 5},
        {"instructions": "Q", "model": "other"}, {},
    ]  # fmt: skip
    found = [run_of_helm(tmp_path / f"{number}", "sums", adapter)["prompt_hash"]
             for number, adapter in enumerate(adapters)]  # fmt: skip
    assert len(set(found)) == len(adapters) - 1
    assert found[0] == found[5]
    assert found[6] is None


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


def test_a_task_without_a_score_names_none(case: Path) -> None:
    """A group may have no metric of its own; of answers that are only kept `bypass` is 999."""
    found = {"g": {" ": " ", "alias": "g"}, "t": {"alias": "t", "bypass,none": 999}}
    harness(case, "results_2026-01-01T10-00-00.json", results(results=found))
    sql = "SELECT score, attributes->>'metric', attributes->>'metrics' FROM eval_runs"
    assert rows(case, sql) == [(None, None, None), (None, None, '{"bypass,none":999}')]


@pytest.mark.parametrize(("kind", "given"), [("peft", dict), ("delta", json.dumps)])
def test_the_digest_of_a_base_is_not_that_of_what_is_put_upon_it(
    case: Path, kind: str, given: Any
) -> None:
    arguments = given({"pretrained": "org/base", kind: "org/tuned"})
    config = {"model_args": arguments, "model_sha": "abc"}
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


def test_groups_that_nest_too_much_are_told_and_tasks_are_counted(tmp_path: Path) -> None:
    names = [f"g{n}" for n in range(1_500)]
    within = {"all": names, **{name: [after, "a"] for name, after in pairwise(names)}}
    counts = {"a": {"effective": 3}, names[-1]: {"effective": 1}}
    found = results(group_subtasks=within, **{"n-samples": counts})
    found["results"] = {name: {"alias": name} for name in (*names[::-1], "all", "a")}
    path = lines(tmp_path / "results_2026-01-01T10-00-00.json", found)
    items = [*get("lm_eval_results").read(source_of(path), Options())]
    told = [item.values["n_items"] for item in items if isinstance(item, Row)]
    assert (told[0], told[500], told[-2:]) == (1, 4, [None, 3])
    assert any("nest too much" in item.text for item in items if isinstance(item, Note))


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
    assert exhibit.fields.get("total_evaluation_time_seconds") == (
        ["eval_runs.started_at"] if taken else None
    )


def test_fields_of_results_are_told_where_they_are_there(case: Path) -> None:
    more = {
        "date": 1_770_000_000.5,
        "total_evaluation_time_seconds": "90",
        "model_source": "hf",
        "config": {"model_args": "pretrained=m"},
    }
    exhibit = harness(case, "results_2026-01-01T10-00-00.json", results(**more))
    assert exhibit.left_out == {"model_source": 1}
    assert set(exhibit.fields) == {
        *("results", "configs", "versions", "date", "config", "config.model_args"),
        "total_evaluation_time_seconds",
    }
    assert exhibit.fields["total_evaluation_time_seconds"] == ["eval_runs.ended_at"]


@pytest.mark.parametrize(("value", "score"), [(True, 1.0), (False, 0.0), ("yes", None)])
@pytest.mark.parametrize("absent", [(), ("metrics",)])
def test_a_flag_of_the_harness_is_a_score(
    case: Path, value: Any, score: float | None, absent: tuple[str, ...]
) -> None:
    given = answered(acc=value, bypass=999, metrics=["bypass", "acc"])
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
    assert any("1 value of target cannot be read" in note for note in exhibit.notes)


def test_a_response_may_be_alone_in_a_list(case: Path) -> None:
    given = [["2"], [["2"]], [[""]], [["2", "3"]], [["-1.5", "False"], ["-2.5", "False"]]]
    path = lines(
        case.parent / "samples_t_2026-01-01T10-00-00.jsonl",
        *(answered(doc_id=n, doc={"problem": "1+1", "level": 1}, filtered_resps=one)
          for n, one in enumerate(given)),
    )  # fmt: skip
    load(case, get("lm_eval_samples"), path)
    found = rows(case, "SELECT output_text, input_text FROM eval_samples ORDER BY item_id")
    said = ("2", "2", None, '["2","3"]', '[["-1.5","False"],["-2.5","False"]]')
    assert found == [(one, "1+1") for one in said]


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


COMPARED = [
    ("{{expected}}", "as graded", "as graded"),
    ("{{expected}}", None, "4"),
    ("It is {{ expected }}, not {{n}}.", None, "It is 4, not 5."),
    ("file://answer.txt", "as graded", "as graded"),
    ("file://answer.txt", None, None),
    ("{{absent}}", None, None),
    ("{{ expected | upper }}", None, None),
    ("4", None, "4"),
]


@pytest.mark.parametrize("in_a_set", [False, True])
def test_a_target_is_what_promptfoo_compared_with(case: Path, in_a_set: bool) -> None:
    whole, results = evaluation(), []
    for number, (value, graded, _) in enumerate(COMPARED):
        check = {"type": "equals", "value": value}
        other = {"assertion": {"type": "equals", "value": "?"},
                 "metadata": {"renderedAssertionValue": "other"}}  # fmt: skip
        said = {"metadata": {"renderedAssertionValue": graded}} if graded else {}
        checks = [{"type": "assert-set", "assert": [check]}] if in_a_set else [check]
        results.append({
            **whole["results"]["results"][0], "testIdx": number, "testCase": {"assert": checks},
            "vars": {"q": f"{number}", "expected": "4", "n": 5},
            "gradingResult": {"componentResults": [other, {"assertion": check, **said}]},
        })  # fmt: skip
    whole["results"]["results"] = results
    exhibit = harness(case, "results.json", whole)
    found = rows(case, "SELECT target FROM eval_samples ORDER BY item_id")
    assert found == [(target,) for *_, target in COMPARED]
    (note,) = [note for note in exhibit.notes if note.startswith("3 values of assertions")]
    assert note.endswith("left out of the target")


@pytest.mark.parametrize("order", [1, -1])
def test_a_test_that_promptfoo_repeats_is_one_item(case: Path, order: int) -> None:
    whole = evaluation(metrics={"testPassCount": 3, "testFailCount": 1})
    (result,) = whole["results"]["results"]
    tests = ["2+2?", "2+2?", "3+3?", "3+3?"]
    whole["results"]["results"] = [
        {**result, "testIdx": n, "vars": {"q": q}, "response": {"output": str(n)}}
        for n, q in enumerate(tests)
    ][::order]
    harness(case, "results.json", whole)
    found = rows(
        case, "SELECT item_id, count(*), max(epoch) FROM eval_samples GROUP BY 1 ORDER BY 1"
    )
    assert found == [("0", 2, 2), ("2", 2, 2)]
    assert rows(case, "SELECT score, n_items FROM eval_runs") == [(0.75, 2)]


def test_tests_of_promptfoo_without_their_variables_are_not_one(case: Path) -> None:
    whole = evaluation()
    (result,) = whole["results"]["results"]
    whole["results"]["results"] = [
        {**result, "testIdx": n, "vars": {}, "failureReason": reason}
        for n, reason in enumerate((1, 2))
    ]
    exhibit = harness(case, "results.json", whole)
    assert rows(case, "SELECT item_id FROM eval_samples ORDER BY 1") == [("0",), ("1",)]
    assert any(note.startswith("1 result is an error") for note in exhibit.notes)


def test_an_evaluation_of_promptfoo_that_no_database_holds_has_its_instant(case: Path) -> None:
    whole = {**evaluation(), "evalId": None}
    harness(case, "results.json", whole)
    sql = "SELECT run_id FROM eval_runs JOIN eval_samples USING (run_id)"
    assert rows(case, sql) == [("eval@2026-03-01T10:00:00Z/0",)]
    del whole["results"]["timestamp"]
    assert refusal_of(lambda: harness(case, "r.json", whole)) == "NOT_A_PROMPTFOO_EXPORT"


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
        ({"counts/choice/Y": 1, "usage_completion_tokens": 1234}, None),
        ({"boostrap_std": 0.1, "accuracy": 0.5}, 0.5),
        ({"bleu": 0.5}, 0.5),
        ({"bleu": 0}, 0),
        ({"valid_games": 9, "won": 6, "won_ratio": 0.75, "p_value": 0.1}, 0.75),
        ({"accuracy": float("nan"), "boostrap_std": 0.1}, None),
    ],
)
def test_a_count_is_no_score(case: Path, report: Any, score: float | None) -> None:
    record(case, SPEC, {"final_report": report})
    assert rows(case, "SELECT score FROM eval_runs") == [(score,)]


def test_a_setting_of_the_log_is_no_parameter_of_the_calls(case: Path) -> None:
    spec = {**SPEC["spec"], "run_config": {"initial_settings": {"visible": False}}}
    record(case, {"spec": spec})
    sql = "SELECT params_hash, (attributes->'spec'->'run_config') IS NULL FROM eval_runs"
    assert rows(case, sql) == [(None, False)]


@pytest.mark.parametrize(
    ("said", "endpoint"),
    [
        ({"completion_fns": ["a", "b"]}, "a,b"),
        ({"model_name": "a", "model_names": {"completions": ["a", "b"]}}, "a,b"),
        ({"model_name": "a"}, "a"),
        ({}, None),
    ],
)
def test_logs_of_openai_name_what_answered(tmp_path: Path, said: Any, endpoint: str | None) -> None:
    spec = {name: value for name, value in SPEC["spec"].items() if name != "completion_fns"}
    path = lines(tmp_path / "log.jsonl", {"spec": {**spec, **said}})
    assert run_made_of(path, "openai_evals")["endpoint"] == endpoint


@pytest.mark.parametrize(("judged", "items"), [(True, 1), (False, None)])
def test_items_are_judged_without_a_score_too(
    tmp_path: Path, judged: bool, items: int | None
) -> None:
    verdict = event(0, "metrics" if judged else "extra", score=None, choice="?")
    answer = event(1, "sampling", sample="t", sampled=["4"])
    path = lines(tmp_path / "log.jsonl", SPEC, verdict, answer)
    assert run_made_of(path, "openai_evals")["n_items"] == items


def test_a_further_report_takes_the_place_of_none(case: Path) -> None:
    reports = [{"final_report": {"accuracy": score}} for score in (0.9, 0.9, 0.1)]
    assert record(case, SPEC, *reports).rows_rejected == 1
    assert rows(case, "SELECT score, x.locator FROM eval_runs, rejects AS x") == [(0.9, "line 4")]


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


@pytest.mark.parametrize("name", ["messages", "interactions"])
def test_a_conversation_is_an_answer(case: Path, name: str) -> None:
    said = [{"turn_idx": 0, "role": "user", "content": "2+2?"},
            {"turn_idx": 1, "role": "assistant", "content": "4"}]  # fmt: skip
    sample = {"schema_version": "0.2.0", "evaluation_id": "E", "evaluation_name": "n",
              "sample_id": "s", "input": {"raw": "2+2?"}, "output": None, name: said}  # fmt: skip
    exhibit = every(case, "s.jsonl", sample)
    assert exhibit.fields[f"instance.{name}"] == ["eval_samples.output_text"]
    found = rows(case, "SELECT output_text FROM eval_samples")
    assert found == [("user: 2+2?\nassistant: 4",)]


@pytest.mark.parametrize("written", [-1, "-1"])
def test_a_score_that_stands_for_unknown_is_none(case: Path, written: Any) -> None:
    known = [{"has_unknown_level": False}, {"min_score": -1}, {"min_score": None}]
    unknown = [{"has_unknown_level": True}, {"min_score": 0.0, "max_score": 1.0}]
    given = [result(f"n{n}", metric_config=config, score_details={"score": written})
             for n, config in enumerate([*known, *unknown])]  # fmt: skip
    exhibit = every(case, "e.json", aggregate(*given, evaluation_timestamp="1740000000"))
    assert rows(case, "SELECT score FROM eval_runs") == [(-1.0,)] * 3 + [(None,)] * 2
    assert [note for note in exhibit.notes if "unknown" in note] == [
        "2 scores are -1, which their metric takes for unknown or cannot give: no score"
    ]


@pytest.mark.parametrize("named", [{"evaluation_result_id": "n/exact"}, {}])
def test_samples_that_name_no_result_are_told(case: Path, named: Any) -> None:
    sample = {"schema_version": "0.2.1", "evaluation_id": "E", "evaluation_name": "n",
              "sample_id": "s", "input": {"raw": "2+2?", "reference": ["4"]}, **named}  # fmt: skip
    exhibit = every(case, "s.jsonl", sample)
    assert any("evaluation_result_id" in note for note in exhibit.notes) is (not named)


def test_metrics_of_one_evaluation_are_runs_of_their_own(case: Path) -> None:
    ids = ("n/exact", "n/f1")
    exhibit = every(case, "e.json", aggregate(*(result(evaluation_result_id=id) for id in ids)))
    assert exhibit.rows_kept == 2
    without_ids = [result(score_details={"score": score}) for score in (0.5, 0.25, 0.5)]
    exhibit = every(case, "without_ids.json", aggregate(*without_ids))
    assert (exhibit.rows_kept, exhibit.rows_duplicate) == (2, 1)
    assert rows(case, "SELECT score FROM eval_runs WHERE run_id = 'E#n/2'") == [(0.25,)]
    samples = [
        {"schema_version": "0.2.1", "evaluation_id": "E", "evaluation_name": "n", "sample_id": "s",
         "evaluation_result_id": id, "input": {"raw": "2+2?", "reference": ["4"]},
         "evaluation": {"score": score}}
        for score, id in enumerate(ids)
    ]  # fmt: skip
    assert every(case, "s.jsonl", *samples).rows_kept == 2
    sql = "SELECT count(*) FROM eval_samples JOIN eval_runs USING (run_id)"
    assert rows(case, sql) == [(2,)]
