"""Whether the judge of the answers is of the family of the tuned checkpoint.

METHODS section 11 names it as a trap: a judge of the same family may err for it. Which model judged
is read from the runs and samples: the role or the scorer of an eval log, or a column of that name.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from casework.case import Query
from casework.diagnoses._alignment_changes import Found
from casework.diagnoses._alignment_runs import Compared
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.visible import shorten

NAMED_FOR_JUDGE = (
    r"(?i)(?:^|[^a-z])(?:judge|grader|autograder)(?:[ _-]?(?:model|name|id))*\"?"
    r"(?:\.(?:model|name|id))?$|\.scorers\[[0-9]+\]\.options\.model$"
)
"""The path of a field that names the model that judged."""

_JUDGE_OF_SAMPLE = (
    "$.judge_model", "$.grader_model", "$.judge", "$.grader", "$.judge.model", "$.grader.model",
)  # fmt: skip

FAMILIES = {
    "Claude": ("claude", "anthropic"),
    "Command": ("cohere", "command"),
    "DeepSeek": ("deepseek",),
    "Falcon": ("falcon",),
    "Gemini and Gemma": ("gemini", "gemma"),
    "GPT": ("chatgpt", "davinci", "gpt", "openai"),
    "Granite": ("granite",),
    "Grok": ("grok",),
    "Llama": ("alpaca", "codellama", "llama", "vicuna"),
    "Mistral": ("codestral", "magistral", "ministral", "mistral", "mistralai", "mixtral"),
    "Nova": ("nova",),
    "OLMo": ("olmo",),
    "Phi": ("phi",),
    "Qwen": ("qwen", "qwq"),
}
"""Words of a name that tell the family of a model, in lower case."""


def _first_text(paths: Sequence[str]) -> str:
    """SQL of the first of these fields that holds text; an object is no name."""
    return ", ".join(
        f"CASE WHEN json_type(attributes, '{path}') = 'VARCHAR' "
        f"THEN json_extract_string(attributes, '{path}') END"
        for path in paths
    )


JUDGES = Query(
    "judges",
    f"""
    SELECT DISTINCT judge FROM (
        SELECT json_extract_string(t.atom, '$') AS judge
        FROM (
            SELECT * FROM eval_runs
            WHERE list_contains($base_runs, run_id) OR list_contains($tuned_runs, run_id)
        ) AS r, json_tree(r.attributes) AS t
        WHERE t.type = 'VARCHAR' AND regexp_matches(t.fullkey, $named_for_judge)
        UNION ALL
        SELECT coalesce({_first_text(_JUDGE_OF_SAMPLE)})
        FROM eval_samples
        WHERE kind = 'unsafe' AND coalesce(condition, 'as_run') = 'as_run'
          AND (list_contains($base_runs, run_id) OR list_contains($tuned_runs, run_id))
    )
    WHERE judge <> '' ORDER BY judge
    """,  # noqa: S608  the text is put together of constants
    "The models that the runs or samples name as their judge.",
)

NAMES = Query(
    "names",
    """
    SELECT DISTINCT name FROM (
        SELECT endpoint AS name FROM eval_runs WHERE list_contains($tuned_runs, run_id)
        UNION ALL SELECT checkpoint FROM eval_runs WHERE list_contains($tuned_runs, run_id)
        UNION ALL SELECT endpoint FROM eval_runs WHERE list_contains($base_runs, run_id)
        UNION ALL SELECT uri FROM checkpoints WHERE checkpoint = $tuned
        UNION ALL SELECT base_checkpoint FROM checkpoints WHERE checkpoint = $tuned
        UNION ALL SELECT model FROM model_versions WHERE checkpoint = $tuned
    )
    WHERE name <> '' ORDER BY name
    """,
    "The names by which the tuned checkpoint and its base are known.",
)


def families_of(names: Iterable[str]) -> set[str]:
    """The families that names of models tell of; empty where none is known."""
    return {family for name in names for family in _family_of(name)}


def _family_of(name: str) -> set[str]:
    """The families of a name from its end, since a provider before it may serve any family."""
    for part in reversed(name.lower().split("/")):
        words = set(re.findall(r"[a-z]+", part))
        if found := {family for family, known in FAMILIES.items() if words & set(known)}:
            return found
    return set()


def measure_judge(ask: Inquiry, compared: Compared, found: Found) -> tuple[Finding, ...]:
    """Measure whether the judge is of the family of the tuned checkpoint, and state it if known."""
    if found.label_from != "judge":
        ask.measure("judge_family", None, "label", JUDGES)
        return ()
    known = compared.params | {"named_for_judge": NAMED_FOR_JUDGE}
    judges = [row["judge"] for row in ask.ask(JUDGES, **known)]
    names = [row["name"] for row in ask.ask(NAMES, **known)]
    said = _compared(judges, names)
    ask.measure("judge_family", said, "label", JUDGES)
    if said is None:
        return ()
    of_judges = families_of(judges)
    both, own = (" and ".join(sorted(f)) for f in (of_judges & families_of(names), of_judges))
    told = {
        "same": f"is of the family of the tuned checkpoint, {both}, and may err for it",
        "other": f"is of another family, {own}, than the tuned checkpoint",
        "itself": "is the base or the tuned checkpoint itself, and may err for it",
    }
    return (
        Finding(
            f"The judge, {_shown(judges)}, {told[said]}.",
            ("judge_family",),
            tuple(map(ask.evidence_id, (JUDGES, NAMES))),
        ),
    )


def limits_of_judge(ask: Inquiry, found: Found) -> list[str]:
    """Say where it is not known whether judge and tuned checkpoint are of one family."""
    if found.label_from != "judge" or ask.measures["judge_family"].value is not None:
        return []
    return [
        "Whether the judge is of the family of the tuned checkpoint, and may err for it, is not "
        "known: the runs do not name the judge, or the names do not tell the family."
    ]


def _compared(judges: list[str], names: list[str]) -> str | None:
    plain: tuple[set[Any], set[Any]] = ({_bare(n) for n in judges}, {_bare(n) for n in names})
    if plain[0] & plain[1]:
        return "itself"
    of_judges, own = families_of(judges), families_of(names)
    if not of_judges or not own:
        return None
    return "same" if of_judges & own else "other"


def _bare(name: str) -> str:
    """A name without the provider before it."""
    return name.lower().rsplit("/", 1)[-1]


def _shown(judges: list[str]) -> str:
    more = f" and {len(judges) - 3} more" if len(judges) > 3 else ""
    return f"{', '.join(map(shorten, judges[:3]))}{more}"
