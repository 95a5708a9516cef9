"""Which categories of unsafe prompts the launch suite held; one without a prompt is untested."""

from dataclasses import dataclass
from typing import Any

from casework.case import Query
from casework.diagnoses import _alignment as q
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.estimates import upper_if_none
from casework.words import count, number, share

_SHOWN = 12
_UNNAMED = "without a category"

LAUNCH_CATEGORIES = Query(
    "launch_categories",
    """
    SELECT s.category,
           count(DISTINCT CASE WHEN list_contains($launch_runs, s.run_id)
                          THEN (r.suite, s.item_id) END) AS launched,
           count(DISTINCT (r.suite, s.item_id)) AS asked
    FROM eval_samples AS s
    JOIN eval_runs AS r ON r.run_id = s.run_id
    WHERE s.kind = 'unsafe' AND coalesce(s.condition, 'as_run') = 'as_run'
    GROUP BY s.category ORDER BY s.category
    """,
    "Unsafe prompts in any run and in those of the launch, by category.",
)


LAUNCH_ITEMS = Query(
    "launch_items",
    """
    SELECT count(DISTINCT (suite, item_id)) FILTER (WHERE kind = 'unsafe') AS unsafe,
           count(DISTINCT (suite, item_id)) FILTER (WHERE kind = 'safe_contrast') AS safe_contrast,
           count(DISTINCT (suite, item_id)) FILTER (WHERE kind = 'utility') AS utility,
           count(DISTINCT (suite, item_id)) FILTER (WHERE kind IS NULL) AS unmarked
    FROM (
        SELECT r.suite, s.item_id, s.kind
        FROM eval_samples AS s
        JOIN eval_runs AS r ON r.run_id = s.run_id
        WHERE list_contains($launch_runs, s.run_id) AND coalesce(s.condition, 'as_run') = 'as_run'
    )
    """,
    "The items of the runs of the launch by kind, each once however many runs held it.",
)


@dataclass(frozen=True, slots=True)
class Launch:
    """The runs that a checkpoint was launched on.

    Attributes:
        suites: their names.
        items: the items in them, by kind; unsafe ones are None where no such suite is known or its
            items are not all loaded.
        runs: the runs.
    """

    suites: tuple[str, ...]
    items: dict[str, int | None]
    runs: tuple[str, ...]


def launch_said(launch: Launch) -> str:
    """Say what the launch suite held."""
    if not launch.suites:
        return "no suite that it was launched on is recorded"
    held = launch.items["unsafe"]
    suites = "suites" if len(launch.suites) > 1 else "suite"
    if held is None:
        return f"what the launch {suites} held is not known"
    none = "no prompt marked unsafe" if launch.items["unmarked"] else "no unsafe prompt"
    return f"the launch {suites} held {count(held, 'unsafe prompts') if held else none}"


def measure_launch(ask: Inquiry, launch: Launch) -> tuple[Finding, ...]:
    """Measure the unsafe prompts of the launch, over all and by category, and state the latter.

    All is None where no such suite is known; what its categories hold also where items have no
    recorded kind. Categories are those that any run asks.
    """
    ask.measure("launch_safety_items", launch.items["unsafe"], "count:items", LAUNCH_ITEMS)
    rows = ask.ask(LAUNCH_CATEGORIES, launch_runs=list(launch.runs))
    known = launch.items["unsafe"] is not None and not launch.items["unmarked"]
    covered = [_covered(row) for row in rows] if known else []
    untested = [row["category"] for row in covered if row["untested"]]
    n = len(covered) or None
    ask.measure("launch_coverage", covered or None, "table", LAUNCH_CATEGORIES, n=n)
    ask.measure(
        "launch_categories_untested", len(untested) if covered else None, "count:categories",
        LAUNCH_CATEGORIES, n=n,
    )  # fmt: skip
    return (_tell(ask, covered, untested),) if covered else ()


def launch_finding(ask: Inquiry, launch: Launch) -> Finding:
    """State how many items the launch held, by kind."""
    said = launch_said(launch)
    items = launch.items
    names, tail = ", ".join(launch.suites), ""
    if launch.suites and items["unsafe"] is None:
        tail = f", as not all items of {names} are loaded"
    elif launch.suites:
        tail = f": {names}, {count(items['utility'] or 0, 'task items')}"
    if items["unmarked"]:
        tail += f", {count(items['unmarked'], 'items')} of no recorded kind"
    untested = items["unsafe"] == 0 and not items["unmarked"]
    blind = " It could not have shown a loss." if untested else ""
    return Finding(
        f"{said[0].upper()}{said[1:]}{tail}.{blind}",
        ("launch_safety_items",),
        tuple(map(ask.evidence_id, (LAUNCH_ITEMS, q.SERVED))),
    )


def _covered(row: dict[str, Any]) -> dict[str, Any]:
    """A category as a row of the table; without a lost refusal so many exclude a loss of 3/n."""
    n = row["launched"]
    return {
        "category": row["category"] or _UNNAMED, "launch_items": n, "asked": row["asked"],
        "untested": n == 0, "least_loss_excluded": upper_if_none(n) if n else None,
    }  # fmt: skip


def _tell(ask: Inquiry, covered: list[dict[str, Any]], untested: list[str]) -> Finding:
    kinds = count(len(covered), "categories")
    if untested:
        more = f" and {number(len(untested) - _SHOWN)} more" if len(untested) > _SHOWN else ""
        said = (
            f"Of {kinds} of unsafe prompts that any run asks, the launch tested "
            f"{number(len(covered) - len(untested))}. Untested: {', '.join(untested[:_SHOWN])}"
            f"{more}."
        )
    else:
        least = min(covered, key=lambda row: (row["launch_items"], row["category"]))
        said = (
            f"The launch held unsafe prompts of all {kinds} that any run asks, the fewest of "
            f"{least['category']}, {count(least['launch_items'], 'prompts')}: if none of these "
            f"loses its refusal, a loss of {share(least['least_loss_excluded'])} and more is "
            "excluded (95 %)."
        )
    return Finding(
        said,
        ("launch_coverage", "launch_categories_untested"),
        (ask.evidence_id(LAUNCH_CATEGORIES),),
    )
