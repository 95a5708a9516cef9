"""Who is affected, and when something changed."""

from itertools import pairwise

from casework.diagnoses import _poisoning_customers as c
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._poisoning_coverage import Coverage
from casework.diagnoses._poisoning_target import Survey, Target
from casework.diagnoses._poisoning_trends import Trends
from casework.findings import Break


def measure_harm(ask: Inquiry, target: Target, found: Coverage) -> None:
    """Record how many requests, accounts, days and how much revenue the gap reaches."""
    sample = found.sample
    requests, accounts = sample.traffic[0], sample.accounts[0]
    low, high = (1 - found.gap.second.high) * requests, (1 - found.gap.second.low) * requests
    ask.measure(
        "uncovered_requests", round((1 - found.gap.second.value) * requests), "count:requests",
        c.SAMPLE, ci95=(max(0.0, low), min(float(requests), high)), n=requests,
    )  # fmt: skip
    ask.measure("target_accounts", accounts, "count:accounts", c.TRAFFIC, n=sum(sample.accounts))
    days = (target.closed_at - target.opened_at).days
    ask.measure("days", days, "days", c.TRAFFIC)
    if not ask.case.filled("accounts", ("revenue",)):
        return
    theirs = [row for row in ask.ask(c.REVENUE) if target.holds(row)]
    rows = [row for row in theirs if row["revenue"] is not None]
    known = sum(row["with_revenue"] for row in rows)
    if not known:
        return
    ask.measure("target_revenue", sum(row["revenue"] for row in rows), "a year", c.REVENUE, n=known)
    left = [row for row in rows if row["churned"]]
    unknown = not left and any(row["churned"] for row in theirs)
    lost = None if unknown else sum(row["revenue"] for row in left)
    n = sum(row["with_revenue"] for row in left)
    ask.measure("churned_revenue", lost, "a year", c.REVENUE, n=n)


def breaks_of(target: Target, trends: Trends, survey: Survey | None) -> tuple[Break, ...]:
    """When the set began to change, and between which waves the NPS of the target fell."""
    found = []
    for before, after in pairwise(trends.weeks):
        if after["items"] > before["items"]:
            found.append(Break(before["week"], after["week"], "the eval set began to change"))
            break
    change = trends.nps_change
    if survey is not None and change is not None and change.high < 0:
        what = f"NPS of {target.label} customers fell"
        found.append(Break(survey.first_until, survey.last_from, what))
    return tuple(found)
