"""What else could explain a lift that evaporates, tested one by one, and the attempt to refute."""

import re

from casework.diagnoses._arms import Comparison
from casework.diagnoses._composition import Composition
from casework.diagnoses._dealing import Dealing
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Falsifier, Outcome, Rival
from casework.stats.composition import independence
from casework.stats.estimates import Z95, Z99, Estimate
from casework.stats.strata import two_proportion_z
from casework.visible import shorten
from casework.words import number, p_value, share, spread

_STRICT = 0.001
_HALF = 0.5
_BEFORE = ("pre", "before", "prior", "previous", "baseline")
_SPAN = re.compile(r"\d+(d|w|days?|weeks?)")
"""Words by which a column says that it is of the time before, and of how long a time."""


def falsify(found: Composition, sesoi: float) -> Falsifier:
    """Look at the metric itself before exposure: arms that agree in it refute composition."""
    statement = (
        f"The metric before exposure is the same in both arms, within {sesoi} standard deviations"
    )
    names = [f"before: {found.metric}"]  # outcomes first, then what the units say of themselves
    names += [c.name for c in found.covariates if is_before(c.name, found.metric)]
    known = {c.name: c for c in found.covariates}
    before = next((known[name] for name in names if name in known), None)
    if before is None:
        return Falsifier(
            statement, False, "not run: no outcomes are known to be from before exposure"
        )
    d = before.difference
    gap = f"difference {spread(d.value, (d.low, d.high), 'standard deviations')}"
    if before.name != names[0]:
        gap += f", by {shorten(before.name, 40)} of the units"
    return Falsifier(statement, True, gap, falsified=d.inside(-sesoi, sesoi))


def is_before(name: str, metric: str | None) -> bool:
    """Whether a covariate of the units is named as the metric from before: `pre_tasks`."""
    words = re.findall(r"[^\W_]+", name.lower())
    rest = [word for word in words if word not in _BEFORE and not _SPAN.fullmatch(word)]
    if rest == ["metric"]:
        return rest != words
    return bool(rest) and rest == re.findall(r"[^\W_]+", (metric or "").lower())


def rivals_of(
    ask: Inquiry, compared: Comparison, dealing: Dealing, found: Composition, alpha: float
) -> tuple[Rival, ...]:
    """Test the rival explanations of METHODS section 1."""
    return (
        _chance(dealing, found, alpha),
        _filter(found, alpha),
        _fading(compared, found),
        _season(compared, found),
        _logging(found),
    )


def _chance(dealing: Dealing, found: Composition, alpha: float) -> Rival:
    tail = f"{p_value(found.rehash_p)} in arms dealt anew"
    outcome: Outcome = "not_excluded"
    if dealing.verified:
        why = f"every bucket recomputes from a hash that mixes, so any difference is chance; {tail}"
    elif found.rehash_p >= alpha:
        why = f"{tail}: chance alone makes such differences"
    else:
        outcome = "excluded"
        why = f"{tail}, and the log does not prove a hash that mixes"
    return Rival(
        "Bad luck in dealing the arms",
        "buckets recomputed, covariates against arms dealt by fresh salts",
        outcome,
        why,
    )


def _filter(found: Composition, alpha: float) -> Rival:
    outcome: Outcome = "excluded"
    why = "no unit was set apart"
    if found.rehash_everyone:
        p = found.rehash_everyone.p
        outcome = "excluded" if p < alpha else "not_excluded"
        why = f"with nobody set apart, {p_value(p)} in arms dealt anew"
    return Rival(
        "The filter of staff and bots made the arms differ",
        "the re-hash test repeated with nobody set apart",
        outcome,
        why,
    )


def _fading(compared: Comparison, found: Composition) -> Rival:
    """Novelty and interference: the lift of the same units falls, with time or with the ramp."""
    explanation = "Novelty or interference: the lift of the same units falls with time"
    test = "lift of the same units, second half of the window against the first"
    lift, by_ramp = found.lift, found.change is not None and found.change.by_ramp
    if found.change is None or lift is None:
        return Rival(explanation, test, "not_testable", "too few observations after exposure")
    unseen = ""
    if by_ramp:
        explanation = "Novelty or interference: the lift of the same units falls with the ramp"
        test = "lift of the same units after the share was raised against before it, controls as "
        test += "long as they are not given the treatment"
    elif compared.raised_at is not None:
        explanation = "Novelty: the lift of the same units falls with time"
        unseen = "; too little is observed after the share was raised to see interference"
    change = found.change.lift
    sign = 1 if lift.raw.value >= 0 else -1
    fall = Estimate(
        sign * change.value, min(sign * change.low, sign * change.high),
        max(sign * change.low, sign * change.high), change.n,
    )  # fmt: skip
    half = (fall.high - fall.low) / 2
    text = f"it changed by {spread(change.value, (change.low, change.high), found.unit)}"
    text += unseen
    # A fall must be beyond chance at the level of one in a hundred to keep the rival open.
    if fall.value + half * Z99 / Z95 < 0 and fall.value < -_HALF * abs(lift.raw.value) / 2:
        return Rival(explanation, test, "not_excluded", text)
    if fall.low > -_HALF * abs(lift.raw.value):
        return Rival(explanation, test, "excluded", text)
    return Rival(explanation, test, "not_testable", f"{text}, too uncertain to exclude a fall")


def _season(compared: Comparison, found: Composition) -> Rival:
    explanation = "Season: everybody's metric moved"
    test = "both arms measured over the same time; the control's own change"
    control = next((row for row in found.levels if not row["treated"]), None)
    if control is None or control["before"] is None or control["after"] is None:
        unknown = "no outcomes of the control are known to be from before exposure and from after"
        return Rival(explanation, test, "not_testable", unknown)
    change = control["after"] - control["before"]
    by, level = spread(change, None, "points"), share(control["before"])
    if not found.is_ratio:
        by, level = number(change), f"{number(control['before'])} {found.metric} per observation"
    return Rival(
        explanation,
        test,
        "excluded",
        f"the arms ran side by side; the control changed by {by} from {level}",
    )


def _logging(found: Composition) -> Rival:
    explanation = "One arm's outcomes are missing or late"
    test = "units with outcomes, and observations in the second half of the window, by arm"
    if len(found.levels) < 2 or not any(row["observed"] for row in found.levels):
        unknown = "no outcomes are known to be from after exposure"
        return Rival(explanation, test, "not_testable", unknown)
    control, treated = found.levels
    unseen = independence(
        [[row["observed"], row["units"] - row["observed"]] for row in found.levels]
    )
    late = [(row["late_times"] or 0) / max(1, row["times"] or 0) for row in found.levels]
    # Rows of one unit are not independent, so the units are what counts.
    thinner = two_proportion_z(
        [late[0] * control["observed"], late[1] * treated["observed"]],
        [max(1, control["observed"]), max(1, treated["observed"])],
    )
    differ = (unseen is not None and unseen.p < _STRICT) or thinner.p < _STRICT
    return Rival(
        explanation,
        test,
        "not_excluded" if differ else "excluded",
        f"observed are {share(control['observed'] / control['units'])} of control and "
        f"{share(treated['observed'] / treated['units'])} of treatment; {share(late[0])} and "
        f"{share(late[1])} of their observations are from the second half of the window",
    )
