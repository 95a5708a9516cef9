"""When the configuration was taken out of service again, and by what."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from casework.case import Query
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._stale_measures import Blind
from casework.diagnoses._stale_runs import FIRSTS
from casework.diagnoses._stale_served import CONFIGS, PUSHES, STARTS, TRAFFIC
from casework.diagnoses._stale_words import name_of
from casework.findings import Finding
from casework.visible import shorten
from casework.words import count, duration, instant

REPLACED = Query(
    "replaced",
    """
    SELECT p.pushed_at, p.version, f.version AS own,
           (SELECT min(o.pushed_at) FROM pushes AS o
            WHERE o.prompt_name = p.prompt_name AND o.version = f.version
              AND o.pushed_at > p.pushed_at) AS again_at,
           EXISTS (SELECT 1 FROM pushes AS o
                   WHERE o.prompt_name = p.prompt_name AND o.version = p.version
                     AND o.pushed_at < f.began_at) AS is_rollback
    FROM pushes AS p JOIN firsts AS f ON f.prompt_name = p.prompt_name
    WHERE f.config = $config AND p.pushed_at > f.began_at
      AND p.version IS DISTINCT FROM f.version AND p.version IS DISTINCT FROM f.prompt_hash
    ORDER BY p.pushed_at, p.version LIMIT 1
    """,
    "The first push of another version after the configuration began, whether that version had "
    "been pushed before it, and when its own was pushed again.",
    uses=(PUSHES, FIRSTS),
)

WENT_ON = Query(
    "went_on",
    """
    SELECT a.so_far - e.so_far AS others_after,
           s.odds * (a.so_far - e.so_far) >= 20 AS without_it
    FROM starts AS s
    JOIN configs AS c ON c.config = s.config
    JOIN traffic AS e ON e.prompt_name = c.prompt_name AND e.minute = c.last_minute
    JOIN (SELECT prompt_name, max(so_far) AS so_far FROM traffic GROUP BY prompt_name) AS a
      ON a.prompt_name = c.prompt_name
    WHERE s.config = $config
    """,
    "Requests of the prompt after the last one of the configuration, and whether twenty of them "
    "would be expected to be of it, had it gone on.",
    uses=(CONFIGS, TRAFFIC, STARTS),
)


def by_replacement(ask: Inquiry, blind: Blind, worst: dict[str, Any]) -> Iterator[Finding]:
    """Measure from the beginning to the push of another version, or to the end of service.

    Without a push the end is where traffic of the prompt went on without it. Where its requests
    name no version, the next push may be its own.
    """
    config = blind.worst
    if config is None:
        return
    name, began, last = name_of(config), config["began_at"], config["last_served"]
    pushes, seconds, by = ask.ask(REPLACED, **worst), None, REPLACED
    said = f"Nothing shows that {name} was replaced; it was last met {instant(last)}."
    if pushes and pushes[0]["own"] is not None:
        seconds = (pushes[0]["pushed_at"] - began).total_seconds()
        said = _said_push(name, pushes[0], seconds, last)
    elif pushes:
        after = (pushes[0]["pushed_at"] - began).total_seconds()
        said = (
            f"{duration(after)} after it began {shorten(pushes[0]['version'], 40)} was pushed, "
            f"which replaced {name} or is its own version: its requests name none. It was last met "
            f"{instant(last)}."
        )
    elif (after := ask.one(WENT_ON, **worst))["without_it"]:
        by, seconds = WENT_ON, (last - began).total_seconds()
        said = (
            f"No push of another version is on record. {name} was last met {duration(seconds)} "
            f"after it began, and {count(int(after['others_after']), 'requests')} of its prompt "
            "came after that."
        )
    ask.measure("time_to_replacement_s", seconds, "s", by)
    yield Finding(said, ("time_to_replacement_s",), (ask.evidence_id(by),))


def _said_push(name: str, push: dict[str, Any], seconds: float, last: datetime) -> str:
    how = "rolled back to" if push["is_rollback"] else "replaced by"
    late = (last - push["pushed_at"]).total_seconds()
    left = f"last met {duration(late)} after that" if late > 0 else "not met after that"
    if push["again_at"] is not None:
        left = f"pushed again {instant(push['again_at'])}, and {left}"
    version = shorten(push["version"], 40)
    return f"{duration(seconds)} after it began {name} was {how} {version}, and {left}."
