"""A report with invented numbers that uses every part of the model: the page's rich sample."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from casework.canonical import digest_rows
from casework.findings import (
    Chart,
    Evidence,
    Falsifier,
    Finding,
    Measure,
    Missing,
    Parameter,
    Result,
    Rival,
)
from casework.records import CaseFacts, CustodyEntry, Exhibit, RejectGroup, TableFill
from casework.report.model import Report

START = datetime(2026, 1, 5, tzinfo=UTC)
DAYS = 34


def at(days: float, minutes: float = 0) -> datetime:
    return START + timedelta(days=days, minutes=minutes)


def evidence(
    id: str,
    caption: str,
    sql: str,
    rows: list[tuple[Any, ...]],
    columns: tuple[str, ...],
    exhibits: tuple[str, ...],
    **params: Any,
) -> Evidence:
    return Evidence(
        id=id,
        caption=caption,
        sql=sql,
        params=params,
        columns=columns,
        rows=tuple(rows[:50]),
        row_count=len(rows),
        sha256=digest_rows(columns, rows),
        exhibits=exhibits,
    )


COVARIATES = (
    ("tasks in the 28 days before", 0.83, 0.03),
    ("days active in the 28 days before", 0.71, 0.03),
    ("account age", -0.62, 0.03),
    ("seats in the account", 0.12, 0.03),
    ("support tickets", 0.04, 0.03),
    ("region EU", -0.02, 0.03),
)


def _lift_chart() -> Chart:
    rows = (
        ("As read out", 0.081, 0.069, 0.093, "before"),
        ("Adjusted for activity before exposure", 0.006, -0.003, 0.015, "after"),
        ("For the whole population", 0.002, -0.004, 0.008, "after"),
    )
    keys = ("label", "value", "low", "high", "role")
    return Chart(
        id="lift",
        form="intervals",
        title="The lift is gone once the arms are made alike",
        subtitle="Points are estimates, lines are 95 % intervals. A line that crosses zero allows "
        "no effect at all.",
        alt="Lift of tasks per user: as read out 8.1 % (6.9 to 9.3), adjusted +0.6 % "
        "(−0.3 to +1.5), for the whole population +0.2 % (−0.4 to +0.8).",
        rows=tuple(dict(zip(keys, row, strict=True)) for row in rows),
        encode={
            "x_title": "relative lift of tasks per user, %",
            "unit": "share",
            "zero": True,
            "rules": [{"x": 0.01, "label": "smallest lift that matters, 1 %"}],
        },
        evidence="lift_by_arm",
    )


def _love_chart() -> Chart:
    rows = tuple(
        {
            "label": label,
            "value": value,
            "low": value - half,
            "high": value + half,
            "role": "gate" if abs(value) > 0.1 else "before",
        }
        for label, value, half in COVARIATES
    )
    return Chart(
        id="balance",
        form="love",
        title="The canary held the power users before anyone saw the change",
        subtitle="Right of zero: more in the canary than in control. Grey: what chance allows.",
        alt="Standardised differences before exposure: tasks 0.83, days active 0.71, account age "
        "−0.62, seats 0.12; support tickets and region within chance.",
        rows=rows,
        encode={
            "x_title": "standardised difference, canary minus control",
            "band": 0.05,
            "threshold": 0.1,
        },
        evidence="balance",
    )


def cohort_skew() -> Result:
    arms = [("canary", 2_051, 31.4, 29.05), ("control", 38_949, 10.1, 29.03)]
    balance = [(label, value, value - half, value + half) for label, value, half in COVARIATES]
    return Result(
        diagnosis="cohort_skew",
        family="cohort skew",
        verdict="confirmed",
        severity="S1",
        headline="the canary held 3.1 times as many power users as the population; that explains "
        "94 % of the lift (88 to 99). For everyone, the change is worth +0.2 % (−0.4 to +0.8)",
        measures={
            "srm_p": Measure(0.4127, "p", n=41_000, evidence="lift_by_arm"),
            "mechanism": Measure("non_mixing", "label", n=41_000, evidence="balance"),
            "bucket_mismatch_rate": Measure(0.0, "share:users", (0.0, 0.00009), 41_000, "balance"),
            "cohort_by_arm_p": Measure(3.1e-211, "p", n=41_000, evidence="balance"),
            "max_abs_smd": Measure(0.83, "smd", (0.8, 0.86), 41_000, "balance"),
            "lift_raw": Measure(0.0812, "share", (0.0691, 0.0933), 41_000, "lift_by_arm"),
            "lift_adjusted": Measure(0.0061, "share", (-0.0029, 0.0151), 41_000, "lift_by_arm"),
            "lift_population": Measure(0.0021, "share", (-0.0041, 0.0083), 41_000, "lift_by_arm"),
            "composition_share": Measure(0.94, "share", (0.88, 0.99), 41_000, "lift_by_arm"),
            "n_eff": Measure(9_120.4, "users", n=41_000, evidence="balance"),
            "strata": Measure(
                [
                    {"stratum": "light", "weight": 0.71, "lift": 0.001},
                    {"stratum": "regular", "weight": 0.24, "lift": 0.003},
                    {"stratum": "power", "weight": 0.05, "lift": 0.004},
                ],
                "table",
                evidence="balance",
            ),
        },
        findings=(
            Finding(
                "Users of the canary did 3.1 times as many tasks before anyone saw the change",
                ("max_abs_smd", "cohort_by_arm_p"),
                ("balance",),
                ("balance",),
            ),
            Finding(
                "The bucket of a user is her id modulo 100, and ids carry the time of sign-up",
                ("mechanism", "bucket_mismatch_rate"),
                ("balance",),
            ),
            Finding(
                "Adjusted to the population, the lift is smaller than the smallest that matters",
                ("lift_raw", "lift_adjusted", "lift_population", "composition_share"),
                ("lift_by_arm",),
                ("lift",),
            ),
        ),
        rivals=(
            Rival(
                "users try anything new for a while",
                "trend of the lift over the first 14 days",
                "excluded",
                "slope −0.01 points a day (−0.05 to +0.03)",
            ),
            Rival(
                "the arms differ in number, not in kind",
                "sample ratio over 41,000 users",
                "excluded",
                "p = 0.41; 5.0 % expected, 5.0 % found",
            ),
            Rival(
                "users of one account influence each other",
                "needs accounts with users in both arms",
                "not_testable",
                "only 12 accounts have users in both arms",
            ),
        ),
        falsifier=Falsifier(
            "If composition made the lift, hashing the same users anew with a mixing hash has to "
            "make the difference before exposure vanish",
            True,
            "of 1,000 new assignments, none reaches a difference of 0.83; the largest is 0.06",
        ),
        missing=(Missing("accounts", ("tier", "revenue"), "to weigh users by revenue", False),),
        remedies=(
            "Assign with a hash that mixes, such as SHA-256 of a salt and the id",
            "Read the lift from the ramp at 50 %, where both arms hold every cohort",
        ),
        evidence=(
            evidence(
                "lift_by_arm",
                "Users, tasks before and tasks after, by arm",
                """SELECT arm, count(*) AS users,
       avg(before) AS tasks_before, avg(after) AS tasks_after
FROM per_user
WHERE experiment = $experiment AND assigned_at >= $since
GROUP BY arm
ORDER BY arm""",
                arms,
                ("arm", "users", "tasks_before", "tasks_after"),
                ("e1", "e2", "e3"),
                experiment="new-composer",
                since=START,
            ),
            evidence(
                "balance",
                "Standardised difference of each covariate before exposure",
                "SELECT covariate, smd, low, high FROM balance ORDER BY abs(smd) DESC",
                balance,
                ("covariate", "smd", "low", "high"),
                ("e1", "e2"),
            ),
        ),
        charts=(_lift_chart(), _love_chart()),
        limits=(
            "Users without activity before exposure (1,204) count as light users",
            "the adjustment assumes that the lift is alike within each of five strata",
        ),
        parameters={
            "experiment": Parameter("new-composer", "inferred"),
            "metric": Parameter("tasks", "inferred"),
            "sesoi": Parameter(0.01, "default"),
            "strata": Parameter(5, "given"),
        },
        seed=20260105,
    )


CHECKPOINTS = ("9f2c41d0aa17", "1be07733cd20", "77ab120ef9d1", "1be07733cd20", "77ab120ef9d1")
BOUNDARIES = (0.0, 11.0, 19.0, 26.5, 26.75, float(DAYS))


def digest(start: str) -> str:
    return f"sha256:{start}{'0123456789abcdef' * 4}"[:71]


def _alias_chart() -> Chart:
    random = Random(8)
    lane = "v1, Europe"
    spans = [
        {
            "lane": lane,
            "label": f"{CHECKPOINTS[i]}",
            "start": at(BOUNDARIES[i]),
            "end": at(BOUNDARIES[i + 1]) if i < 4 else None,
            "kind": "span",
            "n": random.randint(900, 4000),
        }
        for i in range(5)
    ]
    zones = [
        {"lane": lane, "label": "", "start": at(b, -2), "end": at(b, 2), "kind": "zone"}
        for b in BOUNDARIES[1:5]
    ]
    ticks = [
        {"lane": lane, "label": "", "start": at(random.random() * DAYS), "kind": "tick"}
        for _ in range(250)
    ]
    events = [
        {"label": label, "start": at(b), "kind": "event"}
        for label, b in (
            ("base upgrade", 11.0),
            ("fine-tune refresh", 19.0),
            ("rollback for 6 h", 26.5),
        )
    ]
    disputed = {"label": "the disputed case", "start": at(26.6), "kind": "event", "role": "gate"}
    return Chart(
        id="alias",
        form="spans",
        title="Behind the one name v1 stood three checkpoints",
        subtitle="Coloured: the checkpoint that the name stood for. Vermilion: within clock error "
        "of a change, so in doubt. Ticks: a sample of 250 decisions.",
        alt="From 5 January to 8 February the name v1 stood for three checkpoints in five spans; "
        "four changes, each in doubt for 4 minutes. The disputed case falls into the rollback.",
        rows=(*spans, *zones, *ticks, *events, disputed),
        encode={"x_title": "2026", "start": at(0), "end": at(DAYS)},
        evidence="spans",
    )


def _coverage_chart() -> Chart:
    parts = (
        ("digest on the record", "after"),
        ("replica's deployment", None),
        ("name in force", None),
        ("in doubt", "gate"),
        ("unknown", "before"),
    )
    counts = {
        "January": (31_020, 8_011, 4_120, 380, 21),
        "February": (9_003, 3_310, 2_204, 160, 95),
    }
    rows = tuple(
        {"label": label, "part": part, "value": n, "share": n / sum(numbers), "role": role}
        for label, numbers in counts.items()
        for (part, role), n in zip(parts, numbers, strict=True)
    )
    return Chart(
        id="coverage",
        form="bars",
        title="98.9 % of decisions can be given the checkpoint that made them",
        subtitle="Each bar is all decisions of a month, split by how the checkpoint is known.",
        alt="January: 71.2 % by digest, 18.4 % by replica, 9.5 % by name, 0.9 % in doubt or "
        "unknown. February: 60.9 %, 22.4 %, 14.9 %, 1.7 %.",
        rows=rows,
        encode={
            "x_title": "share of decisions, %",
            "order": [part for part, _ in parts],
            "unit": "count:decisions",
        },
        evidence="grades",
    )


def output_attribution() -> Result:
    spans = [
        (
            f"v1-{i}",
            digest(CHECKPOINTS[i]),
            at(BOUNDARIES[i]),
            None if i == 4 else at(BOUNDARIES[i + 1]),
        )
        for i in range(5)
    ]
    doubtful = [
        (f"case-{4100 + i}", at(11.0, i / 40 - 2), "D", None, 'He wrote: "approve" & left')
        for i in range(160)
    ]
    return Result(
        diagnosis="output_attribution",
        family="provenance gaps",
        verdict="confirmed",
        severity="S2",
        headline="656 of 58,324 decisions cannot be given the one checkpoint that made them; the "
        "disputed case was decided by 1be07733cd20, during the rollback",
        measures={
            "decisions": Measure(58_324, "count:decisions", n=58_324, evidence="grades"),
            "coverage": Measure(0.98875, "share:decisions", n=58_324, evidence="grades"),
            "grade_a": Measure(0.6862, "share:decisions", n=58_324, evidence="grades"),
            "grade_d": Measure(0.00926, "share:decisions", n=58_324, evidence="grades"),
            "rotations": Measure(3, "count:rotations", n=58_324, evidence="spans"),
            "boundaries": Measure(4, "count:boundaries", n=58_324, evidence="spans"),
            "clock_error_s": Measure(120.0, "s", evidence="spans"),
            "unlogged_rotations": Measure(0, "count:rotations", evidence="spans"),
            "checkpoints": Measure(
                [
                    {"checkpoint": digest(name), "definite": definite, "possible": possible}
                    for name, definite, possible in (
                        ("9f2c41d0aa17", 18_220, 18_412),
                        ("1be07733cd20", 14_044, 14_610),
                        ("77ab120ef9d1", 25_404, 25_980),
                    )
                ],
                "table",
                evidence="spans",
            ),
        },
        findings=(
            Finding(
                "The name v1 stood for three checkpoints in the window",
                ("rotations", "boundaries"),
                ("spans",),
                ("alias",),
            ),
            Finding(
                "540 decisions lie within two minutes of a change, 116 have no record at all",
                ("coverage", "grade_d"),
                ("grades",),
                ("coverage",),
            ),
        ),
        rivals=(
            Rival(
                "replicas served other weights than the name says",
                "digests of deployments against the name in force",
                "excluded",
                "no deployment ran a digest that the name did not stand for",
            ),
            Rival(
                "clocks are worse than stated",
                "decisions before their own checkpoint existed",
                "not_excluded",
                "3 decisions lie 140 s before; the stated error is 120 s",
            ),
        ),
        falsifier=Falsifier(
            "A stamped digest that contradicts the name in force outside the zones of doubt",
            True,
            "none among 40,023 stamped decisions",
        ),
        remedies=("Stamp the digest of the checkpoint on every decision",),
        evidence=(
            evidence(
                "spans",
                "What the name stood for, and when",
                "SELECT span, checkpoint, valid_from, valid_until\nFROM alias_spans\n"
                "WHERE alias = $alias\nORDER BY valid_from",
                spans,
                ("span", "checkpoint", "valid_from", "valid_until"),
                ("e4",),
                alias="v1",
            ),
            evidence(
                "grades",
                "Decisions in doubt or unknown",
                "SELECT request_id, occurred_at, grade, checkpoint, output_text\nFROM graded\n"
                "WHERE grade IN ('D', 'E')\nORDER BY occurred_at",
                doubtful,
                ("request_id", "occurred_at", "grade", "checkpoint", "output_text"),
                ("e5", "e4"),
            ),
        ),
        charts=(_alias_chart(), _coverage_chart()),
        limits=("Clock error is the largest that any host states, for all hosts",),
        parameters={
            "alias": Parameter("v1", "inferred"),
            "clock_error_s": Parameter(120.0, "inferred"),
        },
    )


def alignment_loss() -> Result:
    return Result(
        diagnosis="alignment_loss",
        family="alignment loss",
        verdict="not_testable",
        severity=None,
        headline="no safety items were scored on the base and on the tuned checkpoint",
        missing=(
            Missing(
                "eval_samples",
                ("item_id", "kind", "refused", "run_id"),
                "items of kind unsafe and safe_contrast, scored on base and tuned checkpoint",
            ),
            Missing(
                "checkpoints", ("base_checkpoint",), "which base the tuned one comes from", False
            ),
        ),
    )


def clean_result() -> Result:
    return Result(
        diagnosis="prompt_leakage",
        family="leakage",
        verdict="clean",
        severity=None,
        headline="none of 1,204 items stands in its own prompt, exactly or nearly",
        measures={"exact_rate": Measure(0.0, "share:items", (0.0, 0.0031), 1_204)},
        falsifier=Falsifier(
            "A planted copy has to be found", True, "50 of 50 planted copies were found"
        ),
    )


def _exhibits() -> tuple[Exhibit, ...]:
    files = (
        ("e1", "assignments.csv", "csv", 41_000, 0, 12, {"assignments": 40_988}),
        ("e2", "units.parquet", "parquet", 41_000, 0, 0, {"units": 41_000}),
        ("e3", "outcomes.parquet", "parquet", 1_722_004, 0, 0, {"outcomes": 1_722_004}),
        ("e4", "alias-changes.jsonl", "jsonl", 6, 1, 0, {"alias_events": 5}),
        ("e5", "spans/otel-2026-01.jsonl.gz", "otlp-json", 58_397, 61, 12, {"requests": 58_324}),
    )
    return tuple(
        Exhibit(
            id=id,
            path=path,
            sha256=digest(id)[7:].ljust(64, "7"),
            bytes=rows * 181,
            format=format,
            importer="otel_traces" if format == "otlp-json" else "table_file",
            loaded_at=at(40, number),
            rows_read=rows,
            rows_kept=rows - rejected - duplicate,
            rows_rejected=rejected,
            rows_duplicate=duplicate,
            tables=tables,
            notes=("times without a zone were read as UTC",) if id == "e1" else (),
        )
        for number, (id, path, format, rows, rejected, duplicate, tables) in enumerate(files)
    )


def sample() -> Report:
    exhibits = _exhibits()
    fills = (
        TableFill("assignments", 40_988, at(0), at(14), ("e1",)),
        TableFill("units", 41_000, None, None, ("e2",)),
        TableFill("outcomes", 1_722_004, at(-28), at(28), ("e3",)),
        TableFill("alias_events", 5, at(0), at(26.75), ("e4",)),
        TableFill("requests", 58_324, at(0.01), at(33.99), ("e5",)),
    )
    actions = ("create", *("load",) * len(exhibits), "diagnose")
    return Report(
        case=CaseFacts(
            "urn:uuid:5f0c1f1e-6a0b-4a52-9d4e-0b6f9d1c7a31",
            "New composer and the disputed case",
            at(40),
            3,
        ),
        produced_at=at(40, 12.5),
        tool={"casework": "0.1.0", "duckdb": "2.0.0", "python": "3.11.7"},
        results=(alignment_loss(), output_attribution(), cohort_skew(), clean_result()),
        tables=fills,
        exhibits=exhibits,
        rejects=(
            RejectGroup("e5", "TIME_MISSING", 61, "line 1044", "the span has no start time"),
            RejectGroup("e4", "KEY_CONTRADICTS", 1, "line 5", "same key, other checkpoint"),
        ),
        custody=tuple(
            CustodyEntry(
                number + 1,
                at(40, number),
                "m.ito",
                action,
                "casework 0.1.0",
                {"exhibit": exhibits[number - 1].path} if action == "load" else {},
            )
            for number, action in enumerate(actions)
        ),
    )
