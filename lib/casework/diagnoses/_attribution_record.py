"""Which fields of a minimum decision record the evidence holds, and for what share of records.

The fields are those that an auditor needs to say later what decided: METHODS section 8, with the
article of Regulation (EU) 2024/1689 (EU AI Act) that asks for their like. It is a target of design
for the log. Whether and from when the regulation applies is not judged.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from casework.case import Query
from casework.diagnoses._answers import is_answer
from casework.diagnoses._environments import of_environment
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.words import count, duration, number, share

_SIX_MONTHS_S = 183 * 86_400.0


class _Field(NamedTuple):
    """A field of the record: where it stands, if any column can hold it, and what asks for it."""

    name: str
    held_in: str | None
    purpose: str


_EVENTS = "Art. 12(1) events over the lifetime"
_CHANGES = "Art. 12(2)(a) risks and substantial changes"
_OPERATION = "Art. 12(2)(b, c) monitoring after market and in operation"
_VERSIONS = "Annex IV 1 versions"
FIELDS = (
    _Field("id", "requests.request_id", _EVENTS),
    _Field("instant (UTC)", "requests.occurred_at", _EVENTS),
    _Field("clock and its error", "clocks.host of requests.replica or service", _EVENTS),
    _Field("weights", "requests.checkpoint", _VERSIONS),
    _Field("alias", "requests.endpoint", _VERSIONS),
    _Field("replica", "requests.replica", _VERSIONS),
    _Field("prompt", "requests.prompt_hash", _CHANGES),
    _Field("parameters", "requests.params_hash", _CHANGES),
    _Field("input", "requests.input_text", _OPERATION),
    _Field("output", "requests.output_text", _OPERATION),
    _Field("decision", "requests.decision", _OPERATION),
    _Field("person on whose behalf", "requests.user_id", _OPERATION),
    _Field("adapter", None, _VERSIONS),
    _Field("tokenizer", None, _VERSIONS),
    _Field("tools and index", None, _CHANGES),
    _Field("person who verified", None, "Art. 12(3)(d), remote biometric systems only"),
    _Field("hash chain of the log", None, "no article; shows that nothing was taken out"),
)
"""In the order of the table; the columns of `RECORDED` are those with a place, by number."""

_COUNTS = (
    "count(request_id)", "count(occurred_at)",
    "count(*) FILTER (WHERE replica IN (SELECT host FROM clocks)"
    " OR service IN (SELECT host FROM clocks))",
    "count(checkpoint)", "count(endpoint)", "count(replica)", "count(prompt_hash)",
    "count(params_hash)", "count(input_text)", "count(output_text)", "count(decision)",
    "count(user_id)",
)  # fmt: skip
"""How many records hold each field. A plain count of a text that all hold reads none of it."""

RECORDED = Query(
    "recorded",
    f"""
    SELECT count(*) AS records, {", ".join(f"{n} AS field_{i}" for i, n in enumerate(_COUNTS))},
           count(*) FILTER (WHERE checkpoint IS NOT NULL AND endpoint IS NOT NULL
                              AND replica IS NOT NULL AND prompt_hash IS NOT NULL
                              AND params_hash IS NOT NULL) AS whole_system,
           min(occurred_at) AS first, max(occurred_at) AS last
    FROM requests
    WHERE (decision IS NOT NULL OR $population = 'requests' AND {is_answer("operation")})
      AND {of_environment("environment")}
    """,  # noqa: S608  the text is put together of constants
    "Records of decisions, retries among them, that hold each field of a minimum decision record; "
    "those that hold weights, alias, replica, prompt and parameters; and the first and the last.",
)


def measure_record(ask: Inquiry, known: dict[str, Any]) -> None:
    """Measure what the records of decisions hold, field by field."""
    found = ask.one(RECORDED, **known)
    n = found["records"]
    held = [found[f"field_{i}"] for i in range(len(_COUNTS))]
    rows = [
        {"field": field.name, "held_in": field.held_in or "no column", "purpose": field.purpose,
         "records": many, "share": None if many is None else many / n}
        for field, many in zip(FIELDS, [*held, *[None] * (len(FIELDS) - len(held))], strict=True)
    ]  # fmt: skip
    ask.measure("decision_record", rows, "table", RECORDED, n=n)
    ask.measure("whole_system_records", found["whole_system"] / n, "share:records", RECORDED, n=n)
    kept = (found["last"] - found["first"]).total_seconds()
    ask.measure("records_span_s", kept, "s", RECORDED, n=n)


def of_record(ask: Inquiry) -> Iterator[Finding]:
    """State which fields all records hold, which a part, and which none."""
    measure = ask.measures["decision_record"]
    known = [row for row in measure.value if row["records"] is not None]
    n = measure.n or 0
    whole = [row["field"] for row in known if row["records"] == n]
    some = [f"{row['field']} {share(row['share'])}" for row in known if 0 < row["records"] < n]
    none = [row["field"] for row in known if not row["records"]]
    without = [row["field"] for row in measure.value if row["records"] is None]
    told = [f"all hold {', '.join(whole)}"]
    told += [f"a part {', '.join(some)}"] if some else []
    told += [f"none {', '.join(none)}"] if none else []
    span = ask.measures["records_span_s"].value
    kept = "as long as" if span >= _SIX_MONTHS_S else "less than"
    system = share(ask.measures["whole_system_records"].value)
    yield Finding(
        f"Of {number(len(known))} fields of a minimum decision record that a log can show here, in "
        f"{count(n, 'records')}: {'; '.join(told)}. {system} hold weights, alias, replica, prompt "
        f"and parameters together. No evidence table has a column for {', '.join(without)}. The "
        f"records loaded span {duration(span)}, {kept} the six months of Articles 19 and 26(6) of "
        "the EU AI Act. Its Article 12 is taken as a target of design: no breach is claimed or "
        "excluded.",
        ("decision_record", "whole_system_records", "records_span_s"),
        (ask.evidence_id(RECORDED),),
    )


def log_the_rest(ask: Inquiry) -> Iterator[str]:
    """Say what to add to the log, where a field that it could hold is on no record."""
    rows = ask.measures["decision_record"].value
    none = [row["field"] for row in rows if row["records"] == 0]
    if none:
        yield (
            f"Log with each decision what no record holds ({', '.join(none)}), as text or as a "
            "hash, and chain the log by hashes."
        )
