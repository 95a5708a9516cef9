"""Where the rows came from: names of environments and surfaces settled, shares by weight."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from casework.diagnoses import _debug_rows as q
from casework.diagnoses._debug_clicks import COARSE
from casework.diagnoses._inquiry import Inquiry

Known = dict[str, Any]

_ALL = 1 - 1e-9
"""A share of everything, as far as sums of weights agree."""
_PRODUCTION = frozenset(("prod", "production", "live", "prd"))
_ELSEWHERE = frozenset(
    (
        *("staging", "stage", "stg", "dev", "devel", "development", "test", "testing", "qa"),
        *("uat", "sandbox", "local", "localhost", "preview", "preprod", "preproduction", "demo"),
        *("nonprod", "nonproduction", "ci", "debug", "integration", "int", "lab", "experimental"),
    )
)
_BEFORE = frozenset(("pre", "non", "not"))
_BUILDS = frozenset(
    (
        *("debug", "debugger", "dogfood", "internal", "staging", "nightly", "playground"),
        *("devtools", "dev", "qa", "admin", "sandbox", "ci"),
    )
)
_PUBLIC_MAIL = frozenset(
    (
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com"),
        *("icloud.com", "me.com", "aol.com", "proton.me", "protonmail.com", "gmx.de", "gmx.net"),
        *("web.de", "qq.com", "163.com", "mail.ru", "yandex.ru"),
    )
)
MASH = (
    "^((asd|sdf|dfg|qwe|wer|zxc|hjk|jkl|uio|fgh)[asdfghjklqwertyuiopzxcvbnm]* ?)+$"
    "|^(test|testing|tests|foo|bar|baz|blah|lorem ipsum|lorem|abc|xyz|xxx|hello world|123|1234) ?"
    "((test|testing|tests|foo|bar|baz|blah|1|2|3|123) ?)*$"
    "|^([bcdfghjklmnpqrstvwxz]{6,} ?)+$"
)
RULES = {
    "by_flag": "flagged as internal",
    "by_directory": "in the directory",
    "by_domain": "corporate domain",
    "by_tenant": "test tenant or bot",
    "by_build": "debug surface",
}


@dataclass(frozen=True, slots=True)
class Origins:
    """Shares of the weight of the set. What cannot be known is its own class.

    Attributes:
        rows: rows of the set.
        weight: sum of their weights.
        suspect: internal or not from production.
        internal: of insiders, wherever they gave it.
        disputed: of the corporate domain alone, with something that says customer.
        open: of a matched event, with nothing that could tell an insider from a customer.
        elsewhere: from an environment that is not production.
        unmatched: without a feedback event in the case.
        unplaced: of a matched event without an environment, or one of an unknown name.
        by_request: how many rows were matched by the request of their event.
        screen: sums of the behavioural screen, as weights.
        table: rows by environment, surface and internal.
    """

    rows: int
    weight: float
    suspect: float
    internal: float
    disputed: float
    open: float
    elsewhere: float
    unmatched: float
    unplaced: float
    by_request: int
    screen: dict[str, Any]
    table: list[dict[str, Any]]

    @property
    def is_unknown(self) -> bool:
        """Whether no row can be traced to its feedback, so that nothing tells where any is from."""
        return self.unmatched > _ALL

    @property
    def environments_unknown(self) -> bool:
        """Whether of no row it is known in which environment its feedback was given."""
        return not self.elsewhere and self.unmatched + self.unplaced > _ALL

    @property
    def insiders_unknown(self) -> bool:
        """Whether nothing in the case could tell an insider, for any row."""
        return not self.internal and self.open + self.unmatched > _ALL

    def screened(self, name: str) -> float:
        """Share of the weight that one part of the screen marks."""
        return float(self.screen[name]) / self.weight

    @property
    def suspect_once(self) -> float:
        """The suspect share where repeated rows are counted once."""
        once = float(self.screen["weight_once"])
        return float(self.screen["suspect_once"]) / once if once else 0.0


def settle(
    ask: Inquiry,
    dataset: str,
    production: str | None,
    domains: str | None,
    corrections: str | None,
) -> Known:
    """Settle the names that say what is production, internal and a correction."""
    named = [row["environment"] for row in ask.ask(q.ENVIRONMENTS)]
    live = listed(production) or [name for name in named if _is_production(name)]
    ask.infer("production", production, ", ".join(sorted(live)))
    other = [name for name in named if name not in live and (production or _is_elsewhere(name))]
    found = {row["domain"] for row in ask.ask(q.STAFF_DOMAINS)} - _PUBLIC_MAIL
    corporate = listed(domains) or sorted(found)
    ask.infer("domains", domains, ", ".join(corporate))
    surfaces = [row["surface"] for row in ask.ask(q.SURFACES) if _words(row["surface"]) & _BUILDS]
    right = ask.infer("corrections", corrections, "wrong, style" if goal(dataset) == "style"
                      else "wrong")  # fmt: skip
    coarse = ask.one(COARSE)
    answers = ask.one(q.ANSWERED, dataset=dataset)["rows"] > 0
    return {
        "dataset": dataset,
        "production": live or [""],
        "elsewhere": other or [""],
        "domains": corporate or [""],
        "surfaces": surfaces or [""],
        "corrections": listed(str(right)),
        "directory_used": ask.one(q.DIRECTORY)["events"] > 0,
        "fine": coarse["finer"] > 0,
        "answers": answers,
        "mash": MASH,
        "once": False,
    }


def goal(dataset: str) -> str | None:
    """What the name of a set says that it is for: `style`, `corrections`, or nothing."""
    words = _words(dataset)
    if words & {"style", "styles", "tone", "voice", "brand", "formatting", "styleguide"}:
        return "style"
    if words & {"correction", "corrections", "corrected", "fix", "fixes", "errors", "factual"}:
        return "corrections"
    return None


def place(ask: Inquiry, known: Known) -> Origins:
    """Count where the rows came from, each row by its weight in training."""
    for query in (q.LINKED, q.SCREENED):
        ask.case.hold(query, **known)
    table = ask.ask(q.ORIGINS, **known)
    screen = ask.one(q.SCREEN, **known)
    weight = float(screen["weight"] or 0.0)

    def share(column: str, *stages: str, internal: bool | None = None) -> float:
        held = [row[column] for row in table
                if (not stages or row["stage"] in stages)
                and (internal is None or row["is_internal"] == internal)]  # fmt: skip
        return min(1.0, sum(held) / weight) if weight else 0.0

    return Origins(
        rows=screen["rows"],
        weight=weight,
        suspect=min(1.0, float(screen["suspect"]) / weight) if weight else 0.0,
        internal=share("weight", internal=True),
        disputed=share("disputed_weight"),
        open=share("open_weight"),
        elsewhere=share("weight", "elsewhere"),
        unmatched=share("weight", "unmatched"),
        unplaced=share("weight", "not recorded", "not recognised"),
        by_request=ask.one(q.BY_REQUEST, **known)["rows"],
        screen=screen,
        table=table,
    )


def marginal(rows: Sequence[dict[str, Any]], weight: float) -> list[dict[str, Any]]:
    """For each rule that makes a row internal: the share it finds, and that it alone finds."""
    found = []
    for column, said in RULES.items():
        own = [row for row in rows if row[column]]
        alone = [row for row in own if sum(bool(row[name]) for name in RULES) == 1]
        found.append(
            {"rule": said, "rows": sum(row["rows"] for row in own),
             "share": sum(row["weight"] for row in own) / weight,
             "alone_rows": sum(row["rows"] for row in alone),
             "alone_share": sum(row["weight"] for row in alone) / weight,
             "disputed_rows": sum(row["rows"] for row in alone if row["is_disputed"])}
        )  # fmt: skip
    return found


def listed(text: str | None) -> list[str]:
    """The parts of a setting that lists names, separated by commas, in lower case."""
    return [part.strip().lower() for part in (text or "").split(",") if part.strip()]


def _words(name: str) -> set[str]:
    return set(re.split(r"[^a-z]+", name.lower()))


def _is_elsewhere(name: str) -> bool:
    words = _words(name)
    return bool(words & _ELSEWHERE or (words & _BEFORE and words & _PRODUCTION))


def _is_production(name: str) -> bool:
    return bool(_words(name) & _PRODUCTION) and not _is_elsewhere(name)
