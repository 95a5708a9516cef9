"""The fresh questions of the target: those of suites that were drawn regardless of thumbs.

To have a thumb is not to be chosen by one: a random draw holds as many requests with a thumb, and
as many thumbs up, as there are. To leave those out would choose as well, since who clicks is not
missing at random (METHODS section 6). So suites are judged as a whole. Where none was drawn so,
questions without a thumb are all that is left, and their selection stays open.
"""

from dataclasses import dataclass
from typing import Any

from casework.diagnoses import _poisoning_customers as c
from casework.diagnoses import _poisoning_evals as e
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._poisoning_target import Rows, Target
from casework.findings import Rival
from casework.stats.proportions import fisher
from casework.words import count, number, p_value, share

FEWEST_FRESH = 30
ADVISED = 200
"""Graded questions that METHODS section 6 asks of a fresh sample."""
_LEVEL = 0.001
"""Of the test whether a suite departs from a random draw, as for a check of randomisation."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """Graded questions of the target customers.

    Attributes:
        rows: rows of `fresh` that are used.
        set_aside: how many more were graded and are not used, as thumbs may have chosen them.
        draws: rows of `draws` of the suites that the used rows are of.
        untraced: graded questions of theirs in other suites that no request is known of.
    """

    rows: Rows
    set_aside: int
    draws: Rows
    untraced: int

    def selection(self) -> Rival:
        """Whether thumbs had to do with which questions were graded."""
        explanation = "Which of their questions were graded hangs on thumbs"
        test = (
            "graded questions with a thumb, and thumbs up, against all of their requests meanwhile"
        )
        aside = self._aside()
        if not self.draws:
            why = f"{aside}no graded question is one of their requests"
            return Rival(explanation, test, "not_testable", why)
        drawn = all(_p(row) >= _LEVEL for row in self.draws)
        why = "; ".join(_told(row) for row in self.draws[:3])
        return Rival(explanation, test, "excluded" if drawn else "not_excluded", f"{aside}{why}")

    def limits(self) -> tuple[str, ...]:
        """How many graded questions are set aside, if any."""
        said = []
        if self.set_aside:
            said.append(
                f"{count(self.set_aside, 'graded questions')} of theirs are not used: thumbs may "
                "have chosen them, or they are items of the eval itself."
            )
        if self.untraced:
            said.append(
                f"{count(self.untraced, 'graded questions')} of theirs in other suites are not "
                "used: nothing says that they are requests. Where they are, load them with "
                "source_event_id, or of condition replay."
            )
        return tuple(said)

    def _aside(self) -> str:
        return f"{number(self.set_aside)} set aside; " if self.set_aside else ""


def fresh_of(ask: Inquiry, target: Target) -> Fresh:
    """Read the graded questions and settle which are used."""
    rows = ask.ask(e.FRESH, **target.params)
    untraced = ask.one(e.UNTRACED, **target.params)["questions"]
    if not rows:
        return Fresh([], 0, [], untraced)
    draws = {row["suite"]: row for row in ask.ask(c.DRAWS, **target.params)}
    at_random = {suite for suite in {row["suite"] for row in rows}
                 if suite not in draws or _p(draws[suite]) >= _LEVEL}  # fmt: skip
    drawn = [row for row in rows if row["suite"] in at_random]
    pools = (
        # items of the eval itself are no sample beside it, where there is one
        [row for row in drawn if row["suite"] != target.suite],
        drawn,
        [row for row in rows if row["suite"] in at_random or row["signal"] is None],
    )
    used = next((pool for pool in pools if len(pool) >= FEWEST_FRESH), pools[-1])
    suites = {row["suite"] for row in used}
    of_used = [row for suite, row in draws.items() if suite in suites]
    return Fresh(used, len(rows) - len(used), of_used, untraced)


def _p(row: dict[str, Any]) -> float:
    """Of a random draw: of as many with a thumb, and of as many of these up (Bonferroni)."""
    rest = {name: row[name] - row[f"graded_{name}"] for name in ("rated", "up")}
    others = row["requests"] - row["graded"]
    with_thumb = fisher((row["graded_rated"], row["graded"]), (rest["rated"], others))
    up = fisher((row["graded_up"], row["graded_rated"]), (rest["up"], rest["rated"]))
    return min(1.0, 2 * min(with_thumb, up))


def _told(row: dict[str, Any]) -> str:
    shares = [
        f"{share(row[f'{of}rated'] / row[total])} have a thumb"
        + (
            f", {share(row[f'{of}up'] / row[f'{of}rated'])} of those up"
            if row[f"{of}rated"]
            else ""
        )
        for of, total in (("graded_", "graded"), ("", "requests"))
    ]
    return (
        f"of {number(row['graded'])} graded {shares[0]}; of {count(row['requests'], 'requests')} "
        f"{shares[1]}; {p_value(_p(row))}"
    )
