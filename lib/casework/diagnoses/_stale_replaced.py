"""When the configuration was taken out of service again, and by what."""

from collections.abc import Iterator
from typing import Any

from casework.case import Query
from casework.diagnoses import _stale_blind as b
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._stale_measures import Blind
from casework.diagnoses._stale_runs import FIRSTS
from casework.diagnoses._stale_served import PUSHES
from casework.diagnoses._stale_words import name_of
from casework.findings import Finding
from casework.words import duration, instant

REPLACED = Query(
    "replaced",
    """
    SELECT p.pushed_at, p.version,
           EXISTS (SELECT 1 FROM pushes AS o
                   WHERE o.prompt_name = p.prompt_name AND o.version = p.version
                     AND o.pushed_at < f.began_at) AS is_rollback
    FROM pushes AS p
    JOIN firsts AS f ON f.prompt_name = p.prompt_name OR f.prompt_name = ''
    WHERE f.config = $config AND p.pushed_at > f.began_at
      AND p.version IS DISTINCT FROM f.version AND p.version IS DISTINCT FROM f.prompt_hash
    ORDER BY p.pushed_at, p.version LIMIT 1
    """,
    "The first push of another version after the configuration began, and whether that version "
    "had been pushed before it.",
    uses=(PUSHES, FIRSTS),
)


def by_replacement(ask: Inquiry, blind: Blind, worst: dict[str, Any]) -> Iterator[Finding]:
    """Measure from the beginning to the push of another version, or to the end of service.

    Without a push the end is the last request, where traffic of the prompt went on without it.
    """
    config = blind.worst
    if config is None:
        return
    name, began, last = name_of(config), config["began_at"], config["last_served"]
    pushes = ask.ask(REPLACED, **worst)
    after = [spell["last_served"] for spell in blind.spells
             if spell["prompt_name"] == config["prompt_name"]
             and spell["config"] != config["config"]]  # fmt: skip
    ended = [spell["ends_at"] for spell in blind.spells if spell["config"] == config["config"]]
    if pushes:
        seconds = (pushes[0]["pushed_at"] - began).total_seconds()
        how = "rolled back to" if pushes[0]["is_rollback"] else "replaced by"
        late = (last - pushes[0]["pushed_at"]).total_seconds()
        left = f"last met {duration(late)} after that" if late > 0 else "not met after that"
        said = (f"{name} was {how} {pushes[0]['version']} {duration(seconds)} after it began, "
                f"and {left}.")  # fmt: skip
    elif ended and max(after, default=last) > last:
        seconds = (max(ended) - began).total_seconds()
        said = (f"No push of another version is on record. {name} was last met {instant(last)}, "
                f"{duration((last - began).total_seconds())} after it began, and other "
                "configurations of its prompt after that.")  # fmt: skip
    else:
        ask.measure("time_to_replacement_s", None, "s", REPLACED)
        yield Finding(f"{name} was still served when the requests end; nothing replaced it.",
                      ("time_to_replacement_s",), (ask.evidence_id(REPLACED),))  # fmt: skip
        return
    by = REPLACED if pushes else b.SPELLS
    ask.measure("time_to_replacement_s", seconds, "s", by)
    yield Finding(
        said, ("time_to_replacement_s",), (ask.evidence_id(REPLACED), ask.evidence_id(by))
    )
