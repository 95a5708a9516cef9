"""What the log of `benchmarks.validity` says, as tables, a plot and the page `docs/validity.md`."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from fixtures import Incident
from scipy.stats import beta

from casework.charts import svg
from casework.diagnoses import ALL as DIAGNOSES
from casework.findings import VERDICTS, Chart
from casework.stats.cluster_means import cluster_mean, clusters_of
from casework.stats.estimates import clopper_pearson
from casework.words import title

PAGE = Path(__file__).parents[1] / "docs" / "validity.md"
PLOT = PAGE.parent / "images" / "p-values.svg"
KEPT = Path(__file__).parent / "validity.jsonl.gz"
"""The log that the page was made of, for whoever checks it or goes on with it."""


class Outcome(NamedTuple):
    """What one diagnosis made of one written incident.

    `counted` says whether what is counted is exactly what was planted, `covered` whether the 95 %
    interval holds the planted value; None where there is neither. `p` is that of the primary test,
    `commit` what ran.
    """

    incident: str
    seed: int
    diagnosis: str
    verdict: str
    counted: bool | None
    covered: bool | None
    p: float | None
    headline: str
    commit: str = ""

    @property
    def key(self) -> tuple[str, int, str]:
        """What is run once."""
        return self.incident, self.seed, self.diagnosis


def read_outcomes(log: Path) -> list[Outcome]:
    """The outcomes in the log, and in the one that is kept, each once: the last one counts."""
    kept = gzip.decompress(KEPT.read_bytes()).decode() if KEPT.exists() else ""
    lines = kept.splitlines() + (log.read_text("utf-8").splitlines() if log.exists() else [])
    found = (Outcome(**json.loads(line)) for line in lines)
    return list({outcome.key: outcome for outcome in found}.values())


def keep(incidents: Sequence[Incident], outcomes: Sequence[Outcome]) -> None:
    """Keep what the page is made of, without the headlines of what is right."""
    right = {i.name: i.verdicts for i in incidents}
    lines = []
    for outcome in sorted(outcomes):
        told = "" if outcome.verdict in right.get(outcome.incident, ()) else outcome.headline
        lines.append(json.dumps(outcome._replace(headline=told)._asdict()))
    KEPT.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))


def verdict_table(incidents: Sequence[Incident], outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Verdicts of the diagnosis that each incident was made for, and how many were right."""
    heads = " | ".join(VERDICTS)
    yield f"| incident | right | {heads} | right verdict (95 %) | counts right | covered |"
    yield "|---|---|" + "---:|" * (len(VERDICTS) + 3)
    for incident in incidents:
        found = _of(incident, outcomes)
        if not found:
            yield f"| {incident.name} | {', '.join(incident.verdicts)} | not run |"
            continue
        verdicts = Counter(o.verdict for o in found)
        right = clopper_pearson(sum(verdicts[v] for v in incident.verdicts), len(found))
        counts = [o.counted for o in found if o.counted is not None]
        held = [o.covered for o in found if o.covered is not None]
        cells = " | ".join(str(verdicts[v]) for v in VERDICTS)
        yield (
            f"| {incident.name} | {', '.join(incident.verdicts)} | {cells} | "
            f"{round(right.value * right.n)}/{right.n} ({right.low:.3f} to {right.high:.3f}) | "
            f"{_of_all(counts)} | {_of_all(held)} |"
        )


def _of_all(told: Sequence[bool]) -> str:
    return f"{sum(told)}/{len(told)}" if told else "none compared"


def coverage(incidents: Sequence[Incident], outcomes: Sequence[Outcome]) -> Iterator[str]:
    """How often the 95 % interval of the primary estimate held the planted value."""
    yield "| diagnosis | planted | covered (95 %) | healthy and traps | covered (95 %) | all |"
    yield "|---|---:|---:|---:|---:|---:|"
    everything: list[list[Outcome]] = [[], []]
    for diagnosis in DIAGNOSES:
        held: list[list[Outcome]] = [[], []]
        for incident in incidents:
            if incident.diagnosis == diagnosis.name:
                held[incident.kind != "planted"] += [
                    o for o in _of(incident, outcomes) if o.covered is not None
                ]
        if any(held):
            yield _coverage_row(diagnosis.name, held)
        everything = [a + b for a, b in zip(everything, held, strict=True)]
    yield _coverage_row("all", everything)


def _coverage_row(name: str, held: list[list[Outcome]]) -> str:
    cells = [cell for cases in held for cell in (str(len(cases)), _covered(cases))]
    both = [o.covered for cases in held for o in cases]
    return f"| {name} | {' | '.join(cells)} | {sum(map(bool, both)) / len(both):.1%} |"


def _covered(cases: Sequence[Outcome]) -> str:
    """The share that was covered, with an interval over seeds: cases of one share their draw."""
    if not cases:
        return "none"
    found = cluster_mean(clusters_of([bool(o.covered) for o in cases], [o.seed for o in cases]), 0)
    return f"{found.value:.1%} ({found.low:.1%} to {found.high:.1%})"


def _share_of(cases: Sequence[bool]) -> str:
    if not cases:
        return "none"
    share = clopper_pearson(sum(cases), len(cases))
    return f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%})"


def false_confirmations(
    incidents: Sequence[Incident], outcomes: Sequence[Outcome]
) -> Iterator[str]:
    """How often a healthy twin or a trap was confirmed, for each and for all of a diagnosis."""
    heads = ("diagnosis", "incidents", "seeds each", "cases", "confirmed", "share (95 %)",
             "seeds with any (95 %)")  # fmt: skip
    yield f"| {' | '.join(heads)} | worst incident |"
    yield "|---|---:|---:|---:|---:|---:|---|---|"
    everything: list[Outcome] = []
    for diagnosis in DIAGNOSES:
        quiet = [i for i in incidents if i.diagnosis == diagnosis.name and i.kind != "planted"]
        quiet = [i for i in quiet if "confirmed" not in i.verdicts]
        found = {i.name: _of(i, outcomes) for i in quiet}
        cases = [o for rows in found.values() for o in rows]
        if not cases:
            continue
        everything += cases
        seeds = sorted({len(rows) for rows in found.values()})
        least = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
        worst = max(found, key=lambda name: _share_confirmed(found[name]))
        told = f"{worst}: {_seeds_confirmed(found[worst])}" if found[worst] else "none"
        yield f"| {diagnosis.name} | {len(quiet)} | {least} | {_confirmed(cases)} | {told} |"
    yield f"| all | | | {_confirmed(everything)} | |"


def power(incidents: Sequence[Incident], outcomes: Sequence[Outcome]) -> Iterator[str]:
    """How often what is planted was confirmed; 1x and 2x are multiples of what matters."""
    yield "| planted | cases | confirmed | at least supported |"
    yield "|---|---:|---:|---:|"
    for incident in incidents:
        found = _of(incident, outcomes) if incident.kind == "planted" else []
        if not found:
            continue
        cells = []
        for verdicts in (("confirmed",), ("confirmed", "supported")):
            cells.append(_share_of([o.verdict in verdicts for o in found]))
        yield f"| {incident.name} | {len(found)} | {' | '.join(cells)} |"


def _share_confirmed(cases: Sequence[Outcome]) -> float:
    """Upper end of the interval of the share that was confirmed."""
    wrong = sum(o.verdict == "confirmed" for o in cases)
    return clopper_pearson(wrong, len(cases)).high if cases else 0.0


def _confirmed(cases: Sequence[Outcome]) -> str:
    """How many cases there are, how many were confirmed, their share, and the seeds with any."""
    wrong = sum(o.verdict == "confirmed" for o in cases)
    share = _share_over_seeds(cases) if cases else "none"
    return f"{len(cases)} | {wrong} | {share} | {_seeds_confirmed(cases)}"


def _share_over_seeds(cases: Sequence[Outcome]) -> str:
    """The share that was confirmed, with Korn and Graubard's interval over seeds.

    That is Clopper and Pearson's, of as many cases as would vary so much if each had a seed of its
    own. Where none was confirmed nothing tells how alike the cases of a seed are: then as many as
    there are seeds.
    """
    sizes = Counter(o.seed for o in cases)
    wrong = Counter(o.seed for o in cases if o.verdict == "confirmed")
    share, many = wrong.total() / len(cases), float(len(sizes))
    if wrong and share < 1:
        squares = sum((wrong[seed] - share * n) ** 2 for seed, n in sizes.items())
        variance = squares * many / (many - 1) / len(cases) ** 2
        many = min(len(cases), share * (1 - share) / variance)
    low = beta.ppf(0.025, share * many, (1 - share) * many + 1) if wrong else 0.0
    high = beta.ppf(0.975, share * many + 1, (1 - share) * many) if share < 1 else 1.0
    return f"{share:.2%} ({low:.2%} to {high:.2%})"


def _seeds_confirmed(cases: Sequence[Outcome]) -> str:
    """The share of seeds in which any case was confirmed: those of one seed share their draw."""
    if not cases:
        return "none"
    seeds = {o.seed for o in cases}
    share = clopper_pearson(len({o.seed for o in cases if o.verdict == "confirmed"}), len(seeds))
    return f"{share.value:.2%} of {share.n} ({share.low:.2%} to {share.high:.2%})"


def confusion(incidents: Sequence[Incident], outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Rows: incidents by what was planted. Columns: how many cases each diagnosis confirmed."""
    names = [d.name for d in DIAGNOSES]
    yield "| planted | cases | " + " | ".join(title(name) for name in names) + " |"
    yield "|---|---:|" + "---:|" * len(names)
    for kind, word in (("planted", ""), ("healthy", "healthy twin of ")):
        for name in names:
            kept = {i.name for i in incidents if i.diagnosis == name and i.kind == kind}
            found = [o for o in outcomes if o.incident in kept]
            seeds = {(o.incident, o.seed) for o in found if o.diagnosis != name}
            found = [o for o in found if (o.incident, o.seed) in seeds]
            if not seeds:
                continue
            counts = Counter(o.diagnosis for o in found if o.verdict == "confirmed")
            cells = " | ".join(str(counts[other] or "·") for other in names)
            yield f"| {word}{title(name).lower()} | {len(seeds)} | {cells} |"


def p_values(incidents: Sequence[Incident], outcomes: Sequence[Outcome]) -> dict[str, list[float]]:
    """By diagnosis, the sorted p-values of the primary test on its healthy twins."""
    healthy = {i.name for i in incidents if i.kind == "healthy"}
    found: dict[str, list[float]] = {}
    for outcome in outcomes:
        own = outcome.incident.startswith(f"{outcome.diagnosis}.")
        if own and outcome.incident in healthy and outcome.p is not None:
            found.setdefault(outcome.diagnosis, []).append(outcome.p)
    return {name: sorted(values) for name, values in found.items()}


def plot(found: dict[str, list[float]]) -> Chart:
    """The share of healthy cases with a p-value of at most x: a diagonal, where all is right."""
    rows: list[dict[str, object]] = []
    for name, values in found.items():
        panel = f"{title(name)}, {len(values)} cases"
        places = [i for i in range(len(values)) if i % max(1, len(values) // 100) == 0]
        points = [(values[i], (i + 1) / len(values)) for i in places]
        for series, role, line in (
            ("cases", "after", points),
            ("expected", "muted", [(0.0, 0.0), (1.0, 1.0)]),
        ):
            rows += [{"panel": panel, "series": series, "role": role, "x": x, "value": share,
                      "low": None, "high": None} for x, share in line]  # fmt: skip
    return Chart(
        id="p_values",
        form="lines",
        title="P-values of the primary tests where nothing is planted",
        subtitle="Share of cases with a p-value of at most x. Below the diagonal: cautious.",
        alt="Empirical distribution of the p-values of each primary test over healthy cases.",
        rows=tuple(rows),
        encode={"x_title": "p", "y_title": "share of cases", "unit": "share", "zero": True},
    )


def write_page(incidents: Sequence[Incident], outcomes: Sequence[Outcome]) -> None:
    """Write the page and its plot, and keep the log.

    Raises:
        ValueError: a case ended in an error, which is no verdict.
    """
    if broken := [f"{o.incident} seed {o.seed}" for o in outcomes if o.verdict == "error"]:
        raise ValueError(f"{len(broken)} cases ended in an error, run them again: {broken[:5]}")
    keep(incidents, outcomes)
    planted = {i.name for i in incidents if i.kind == "planted"}
    by_kind = [[o for o in outcomes if (o.incident in planted) is one] for one in (True, False)]
    tests = p_values(incidents, outcomes)
    PLOT.write_text(svg(plot(tests)), encoding="utf-8")
    lines = [
        "# Validity",
        "",
        "How often the verdicts are right, over seeds of every incident in `fixtures/`: planted, "
        "healthy, and traps that look alike. Written by `python -m benchmarks.validity --page` "
        "from the log of that command with the seeds named below, and of `--all`. Intervals of one "
        "incident are Clopper and Pearson's. Incidents of one seed share their draw, so that "
        "intervals over several incidents are over seeds: of a share of cases Korn and Graubard's.",
        "",
        f"Planted: {_told_of(by_kind[0])}. Healthy and traps: {_told_of(by_kind[1])}. All are in "
        f"`benchmarks/{KEPT.name}`; a line is of the commit that ran it.",
        "",
        "## False confirmations",
        "",
        *false_confirmations(incidents, outcomes),
        "",
        "## Power",
        "",
        *power(incidents, outcomes),
        "",
        "## Coverage of intervals",
        "",
        "Over all cases whose estimate can be compared with what was planted: not where a lift is "
        "planted in `cohort_skew` (as a share of the level, and measured in the unit of the "
        "metric), nor where by chance the NPS of another tier fell in `feedback_poisoning`, nor "
        "where a verdict needs no interval. Where the change that is planted is none the estimate "
        "often lies at the end of what can be: no pair of answers differs, every question is "
        "covered. There no interval can miss as often as one time in twenty.",
        "",
        *coverage(incidents, outcomes),
        "",
        "## Confusion",
        "",
        "How many cases each diagnosis confirmed (columns), by what was planted (rows).",
        "",
        *confusion(incidents, outcomes),
        "",
        "## P-values under the null",
        "",
        f"![P-values](images/{PLOT.name})",
        "",
        "## Every incident",
        "",
        "`counts right`: what is counted is exactly what was planted. `covered`: the 95 % interval "
        "holds the planted value.",
        "",
        *verdict_table(incidents, outcomes),
        "",
    ]
    PAGE.write_text("\n".join(lines), encoding="utf-8")


def _told_of(outcomes: Sequence[Outcome]) -> str:
    """How many outcomes, of which seeds, by which commits."""
    counts = Counter(o.commit or "not recorded" for o in outcomes)
    commits = ", ".join(f"{commit} ({n:,})" for commit, n in counts.most_common())
    seeds = _ranges(sorted({o.seed for o in outcomes}))
    return f"{len(outcomes):,} outcomes, seeds {seeds}, by commit {commits}"


def _ranges(numbers: Sequence[int]) -> str:
    starts = [n for i, n in enumerate(numbers) if not i or numbers[i - 1] != n - 1]
    ends = [n for i, n in enumerate(numbers) if numbers[i + 1 : i + 2] != [n + 1]]
    return ", ".join(f"{a}" if a == b else f"{a} to {b}"
                     for a, b in zip(starts, ends, strict=True))  # fmt: skip


def _of(incident: Incident, outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [o for o in outcomes if (o.incident, o.diagnosis) == (incident.name, incident.diagnosis)]
