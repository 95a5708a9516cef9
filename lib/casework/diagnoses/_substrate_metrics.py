"""Which metric carries the lift, and which one the substrate does not touch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._substrate import Change
from casework.diagnoses._substrate_lifts import Effects, Metric, effects_of, metric_of
from casework.errors import UsageError, unknown_name


@dataclass(frozen=True, slots=True)
class Metrics:
    """The metrics as they are used.

    Attributes:
        metric: of the lift.
        control: one that the substrate does not touch, if there is one.
        is_control_said: whether somebody said so; else it is the only other metric.
        alike: names of the metrics that were tested alike; one where the metric was named.
    """

    metric: Metric
    control: Metric | None
    is_control_said: bool
    alike: tuple[str, ...]


def within(changes: Sequence[Change], metric: Metric) -> tuple[Change, ...]:
    """Changes while the metric was observed."""
    return tuple(one for one in changes if metric.first < one.ended and one.started < metric.last)


def cuts_of(changes: Sequence[Change]) -> list[tuple[datetime, datetime]]:
    """Ends of the stretches before and after each change; of changes that touch, of all at once.

    Models that are judged together may move within each other's bracket, with no regime between.
    """
    cuts: list[tuple[datetime, datetime]] = []
    for one in sorted(changes, key=lambda one: one.started):
        if cuts and one.started <= cuts[-1][1]:
            cuts[-1] = (cuts[-1][0], max(cuts[-1][1], one.ended))
        else:
            cuts.append((one.started, one.ended))
    return cuts


def settle_metrics(
    ask: Inquiry, seen: Sequence[dict[str, Any]], changes: Sequence[Change],
    params: dict[str, Any], metric: str | None, negative: str | None, alpha: float, seed: int,
) -> Metrics:  # fmt: skip
    """Settle the metric of the lift, and one that the substrate does not touch.

    Where none is named every metric is under test, and that of which the lifts agree least carries
    the lift where they disagree by Holm over all; else the one with most observations.

    Raises:
        UsageError: a given metric was not observed, or is given as both.
    """
    rows = {row["metric"]: row for row in seen}
    for given in (metric, negative):
        if given is not None and given not in rows:
            raise unknown_name("metric", given, list(rows))
    alike = [metric] if metric else [name for name in rows if name != negative] or list(rows)
    tested = [metric_of(ask, rows[name], seed, len(alike)) for name in alike]
    chosen = tested[0]
    if len(tested) > 1 and any(within(changes, one) for one in tested):
        found = [effects_of(ask, params, one, cuts_of(within(changes, one))) for one in tested]
        least = min(range(len(found)), key=lambda i: _p(found[i]))
        chosen = tested[least] if _p(found[least]) < alpha else chosen
    if negative == chosen.name:
        raise UsageError(
            "BAD_VALUE", f"{ask.diagnosis}.negative_control is the metric of the lift itself",
            "name a metric that the substrate does not touch",
        )  # fmt: skip
    ask.infer("metric", metric, chosen.name)
    others = [name for name in rows if name != chosen.name]
    is_said = negative is not None
    if negative is None and len(others) == 1:
        negative = str(ask.infer("negative_control", None, others[0]))
    other = metric_of(ask, rows[negative], seed) if negative in others else None
    return Metrics(chosen, other, is_said, tuple(alike))


def _p(effects: Effects) -> float:
    """P-value of equal lifts, Holm's least one; 1 where there are fewer than two."""
    return effects.agreement.p if effects.agreement else 1.0
