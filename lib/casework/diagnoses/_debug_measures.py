"""The measures of `debug_feedback`."""

from casework.diagnoses import _debug_labels as labels
from casework.diagnoses import _debug_rows as q
from casework.diagnoses import _debug_slices as evals
from casework.diagnoses._debug_changes import Moves
from casework.diagnoses._debug_classes import Agreement, Classes
from casework.diagnoses._debug_origins import Known, Origins, marginal
from casework.diagnoses._inquiry import Inquiry

_MOST_SHOWN = 2_000


def measure_origins(ask: Inquiry, known: Known, origins: Origins) -> None:
    """Record where the rows came from, a census by weight, and what behaviour says."""
    n = origins.rows
    ask.measure("rows", n, "count:rows", q.SCREEN, n=n)
    shares = {
        "internal_share": origins.internal,
        "internal_share_at_most": min(
            1.0, origins.internal + origins.disputed + origins.open + origins.unmatched
        ),
        "non_production_share": origins.elsewhere,
        "unmatched_share": origins.unmatched,
        "unplaced_share": origins.unplaced,
    }
    unknown = ["internal_share"] if origins.insiders_unknown else []
    if origins.environments_unknown:
        unknown.append("non_production_share")
    for name, value in shares.items():
        ask.measure(name, None if name in unknown else value, "share:rows", q.ORIGINS, n=n)
    nothing = origins.environments_unknown and origins.insiders_unknown
    suspect = None if nothing else origins.suspect
    ask.measure("suspect_share", suspect, "share:rows", q.SCREEN, n=n)
    ask.measure("duplicate_share", origins.screened("repeats"), "share:rows", q.SCREEN, n=n)
    ask.measure("screened_share", origins.screened("flagged"), "share:rows", q.SCREEN, n=n)
    for name in ("no_answer", "same_answer", "is_mash", "is_hammered", "in_burst"):
        said = name.removeprefix("is_").removeprefix("in_")
        ask.measure(f"screen_{said}", origins.screened(name), "share:rows", q.SCREEN, n=n)
    squares = float(origins.screen["squares"])
    ask.measure("n_eff", origins.weight**2 / squares, "count:rows", q.SCREEN, n=n)
    rules = marginal(ask.ask(q.RULES, **known), origins.weight)
    ask.measure("internal_rules", rules, "table", q.RULES, n=n)
    ask.measure("origins", origins.table[:_MOST_SHOWN], "table", q.ORIGINS, n=n)


def measure_classes(ask: Inquiry, classes: Classes | None, agreement: Agreement) -> None:
    """Record what the rows are, and how far raters agree."""
    c = classes
    share = c.contamination if c else None
    ask.estimate("contamination", share, "share:rows", labels.COUNTED)
    ask.estimate("contamination_known", c.known if c else None, "share:rows", labels.COUNTED)
    by = labels.COUNTED_ONCE if c else labels.COUNTED
    ask.estimate("contamination_once", c.once if c else None, "share:rows", by)
    ask.estimate("contamination_suspect", c.suspect if c else None, "share:rows", labels.COUNTED)
    ask.estimate("wrong_share", c.wrong if c else None, "share:rows", labels.COUNTED)
    for name in ("style", "dislike", "test", "unknown"):
        mixed = c.mix[name] if c else None
        ask.estimate(f"{name}_share", mixed, "share:rows", labels.COUNTED)
    table = [{"class": name, "share": e.value, "low": e.low, "high": e.high}
             for name, e in c.mix.items()] if c else None  # fmt: skip
    n = c.labelled if c else 0
    ask.measure("classes", table, "table", labels.COUNTED, n=n)
    ask.measure("labelled_rows", n, "count:rows", labels.STRATA, n=n)
    ask.measure("label_coverage", c.covered if c else 0.0, "share:rows", labels.STRATA, n=n)
    ask.estimate("alpha", agreement.alpha, "score", labels.TALLIES)
    by = labels.CROSSED if agreement.cohen else labels.TALLIES
    ask.estimate("cohen_kappa", agreement.cohen, "score", by)
    ask.measure("fleiss_kappa", agreement.fleiss, "score", labels.TALLIES)
    ask.measure("rater_disagreement", agreement.apart, "share:pairs of labels", labels.TALLIES)


def measure_moves(ask: Inquiry, moves: Moves) -> None:
    """Record which slices moved, and whom the tuned checkpoint answered."""
    by, m = (evals.SLICES, len(moves.slices)) if moves.slices else (evals.RUNS, None)
    up = moves.up if moves.slices else None
    down = len(moves.fallen) if moves.slices else None
    ask.measure("slices_up", up, "count:slices", by, n=m)
    ask.measure("slices_down", down, "count:slices", by, n=m)
    table = [
        {"slice": s.name, "items": s.items, "before": s.before, "after": s.after,
         "change": s.change.value, "low": s.change.low, "high": s.change.high, "p": s.p, "q": s.q,
         "recovered": s.back.value if s.back else None}
        for s in moves.slices
    ]  # fmt: skip
    ask.measure("slices", table or None, "table", by, n=m)
    ask.measure("retrains", moves.retrains, "count:retrains", evals.RUNS)
    tuned = {"tuned_checkpoints": list(moves.tuned) or [""]}
    served, revenue = ask.one(evals.SERVED, **tuned), ask.one(evals.REVENUE, **tuned)
    held = moves.tuned and ask.case.filled("requests", ("checkpoint",))
    value = served["requests"] if held else None
    ask.measure("served_requests", value, "count:requests", evals.SERVED, n=value)
    ask.measure("served_accounts", served["accounts"] if held else None, "count:accounts",
                evals.SERVED)  # fmt: skip
    days = (served["last"] - served["first"]).total_seconds() / 86_400 if value else None
    ask.measure("served_days", days, "days", evals.SERVED)
    ask.measure("served_revenue", revenue["revenue"], "a year", evals.REVENUE,
                n=revenue["accounts"])  # fmt: skip
