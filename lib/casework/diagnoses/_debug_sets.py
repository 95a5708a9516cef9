"""Which of several training sets `debug_feedback` judges, and what the others show."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from casework.diagnoses import _debug_rows as q
from casework.diagnoses._debug_changes import Moves
from casework.diagnoses._debug_classes import agree, classify
from casework.diagnoses._debug_origins import Known, place
from casework.diagnoses._debug_rivals import Limits, falsify
from casework.diagnoses._debug_verdict import conclude, primary_of
from casework.diagnoses._inquiry import Inquiry
from casework.errors import unknown_name
from casework.findings import VERDICTS, Verdict
from casework.visible import shorten
from casework.words import count, number

_MOST = 8
"""Sets that are looked at; each is read as a whole."""
_NAMED = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """The set to judge, of how many with labels it is chosen, and a limit that names the others."""

    dataset: str
    tested: int = 1
    limits: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """The set, where there are others that could be meant."""
        return f" of {shorten(self.dataset, 60)}" if self.limits else ""


@dataclass(frozen=True, slots=True)
class _Seen:
    dataset: str
    rows: int
    verdict: Verdict
    share: float
    tested: bool

    @property
    def rank(self) -> tuple[bool, bool, int, float, int]:
        """What speaks against a set counts first, then that its rows are labelled at all."""
        against = self.verdict in ("confirmed", "supported")
        gravity = VERDICTS.index(self.verdict)
        return not against, not self.tested, gravity, -self.share, -self.rows


def choose(
    ask: Inquiry,
    given: str | None,
    settle: Callable[[Inquiry, str], Known],
    limits: Limits,
    seed: int,
) -> Choice:
    """Take the set asked for, else the one whose rows speak most against it.

    A large set of rows from elsewhere says nothing of a small one that thumbs made.

    Raises:
        UsageError: there is no such set.
    """
    rows = ask.ask(q.DATASETS)
    sizes = {row["dataset"]: row["rows"] for row in rows}
    if given is not None:
        if given not in sizes:
            raise unknown_name("training set", given, list(sizes))
        return Choice(given, limits=_others(ask, given, sizes, []))
    if len(sizes) == 1:
        return Choice(rows[0]["dataset"])
    likely = sorted(rows, key=lambda row: not row["with_event"])
    names = [str(row["dataset"]) for row in islice(likely, _MOST)]
    seen = [_look(ask, settle, name, limits, seed) for name in names]
    chosen = min(seen, key=lambda one: one.rank)
    others = [one for one in seen if one is not chosen]
    tested = max(1, sum(one.tested for one in seen))
    return Choice(chosen.dataset, tested, _others(ask, chosen.dataset, sizes, others))


def _look(
    ask: Inquiry, settle: Callable[[Inquiry, str], Known], name: str, limits: Limits, seed: int
) -> _Seen:
    looked = Inquiry(ask.case, ask.diagnosis)  # what is not judged leaves no evidence
    known = settle(looked, name)
    origins = place(looked, known)
    if not origins.weight:
        return _Seen(name, origins.rows, "not_testable", 0.0, tested=False)
    agreement = agree(looked, known, seed)
    classes = classify(looked, known, agreement)
    falsifier = falsify(classes, Moves())
    verdict = conclude(
        origins, classes, agreement, (), falsifier, limits, primary_of(classes, limits)
    )
    value = classes.contamination.value if classes else origins.suspect
    return _Seen(name, origins.rows, verdict, value, tested=classes is not None)


def _others(ask: Inquiry, chosen: str, sizes: dict[str, int], seen: list[_Seen]) -> tuple[str, ...]:
    """Name the sets that are not judged, and what a first look at them says."""
    verdicts = {one.dataset: one.verdict for one in seen}
    names = [name for name in (*verdicts, *sizes) if name != chosen]
    names = list(dict.fromkeys(names))
    if not names:
        return ()
    told = [
        f"{shorten(name, 60)} ({count(sizes[name], 'rows')}, "
        f"{_SAID[verdicts[name]] if name in verdicts else 'not looked at'})"
        for name in names[:_NAMED]
    ]
    if len(names) > _NAMED:
        told.append(f"{number(len(names) - _NAMED)} more")
    return (
        f"Of {count(len(sizes), 'training sets')}, {shorten(chosen, 60)} is judged. The others at "
        f"a first look: {', '.join(told)}. Name one with --set {ask.diagnosis}.dataset=NAME.",
    )


_SAID: dict[Verdict, str] = {
    "confirmed": "above the limit",
    "supported": "above the limit, not settled",
    "inconclusive": "not settled",
    "clean": "below the limit",
    "not_testable": "nothing known of its rows",
}
