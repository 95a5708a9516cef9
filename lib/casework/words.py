"""How numbers and verdicts are said: one place for report, charts, terminal and apps.

Prose gets two or three significant digits, tables and JSON get full precision. A true minus sign
is used, thousands have commas, instants are UTC, and what is unknown is a word.

Units of a measure are `share` (said in percent), `p`, `count`, `s` (seconds), `label`, `smd`
(standardised difference), `score`, `points` (a difference of two shares, said in percentage
points), `table`, or free text such as `tasks per user`. `count` and `share` may name what is
counted: `count:decisions`, `share:requests`.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from casework import digits
from casework.findings import Measure, Outcome, Severity, Source, Verdict
from casework.visible import on_one_line

VERDICT_WORD: Mapping[Verdict, str] = {
    "confirmed": "Confirmed",
    "supported": "Supported",
    "inconclusive": "Inconclusive",
    "clean": "Clean",
    "not_testable": "Not testable",
}
VERDICT_MEANING: Mapping[Verdict, str] = {
    "confirmed": "The interval excludes the smallest effect that matters, the attempt to refute "
    "was made and failed, and no rival explanation fits as well.",
    "supported": "The interval excludes zero, but one of the other conditions is still open.",
    "inconclusive": "The data allow both no effect and an effect that matters.",
    "clean": "We looked and it is not there: any effect is smaller than what matters, or complete "
    "records hold no case of it.",
    "not_testable": "We could not look: evidence is missing. This is not a pass.",
}
_SIGN: Mapping[Verdict, str] = {
    "confirmed": "●",
    "supported": "◐",
    "inconclusive": "○",
    "clean": "✓",
    "not_testable": "◌",
}
SEVERITY_MEANING: Mapping[Severity, str] = {
    "S1": "confirmed, and customers or a regulator are affected, or a shipped decision reverses",
    "S2": "confirmed and contained, or supported with the reach of S1",
    "S3": "supported or inconclusive, with plausible harm",
    "S4": "hygiene",
}
OUTCOME_WORD: Mapping[Outcome, str] = {
    "excluded": "excluded",
    "not_excluded": "not excluded",
    "not_testable": "could not be tested",
}
SOURCE_WORD: Mapping[Source, str] = {
    "given": "given by the investigator",
    "inferred": "inferred from the evidence",
    "default": "default",
}
UNKNOWN = "not recorded"
UNMEASURED = "not measured"
"""What is said of a measure without a value: the evidence did not suffice for it."""

_ABBREVIATIONS = {
    word.lower(): word
    for word in (*"ABCDEI", "ID", "LLM", "McNemar", "Newcombe", "NPS", "SMD", "SRM", "UTC")
}
_UNIT_WORDS = {"smd": "standardised difference", "s": "time", "points": "percentage points"}
_PERCENT = {"share": " %", "points": " points"}
_NOISE = 12
"""Decimals beyond which the ends of an interval differ by the rounding of floats alone."""
_SILENT_UNITS = frozenset({"smd", "score", "count", "label", "table", ""})


def verdict_sign(verdict: Verdict) -> str:
    """One character for a terminal, told apart by shape alone."""
    return _SIGN[verdict]


def title(name: str, unit: str = "") -> str:
    """Say the name of a diagnosis or a measure in words: `cohort_skew` is `Cohort skew`.

    A measure in seconds is said as a duration, so its name loses the `s` of its unit.
    """
    name = name.removesuffix("_s") if unit == "s" else name
    spoken = (_ABBREVIATIONS.get(word, word) for word in on_one_line(name).split("_"))
    return _capital(" ".join(spoken))


def sentence(text: str) -> str:
    """Return the text with a capital at its beginning and one full stop at its end."""
    return _capital(closed(text))


def headline(text: str, verdict: Verdict) -> str:
    """Return the sentence of a result without the verdict before it, which stands beside it."""
    word, plain = VERDICT_WORD[verdict], on_one_line(text)
    if plain[: len(word)].lower() == word.lower() and plain[len(word) : len(word) + 1] in (*".:,",):
        plain = plain[len(word) + 1 :].strip()
    return sentence(plain)


def closed(text: str) -> str:
    """Return the text with one full stop at its end."""
    plain = on_one_line(text).rstrip(".")
    return plain if plain.endswith(("!", "?", ":", "…")) or not plain else f"{plain}."


def _capital(text: str) -> str:
    """Give a word a capital; signs such as `p`, `n` and `v38` keep their letter."""
    first = text.split(" ", 1)[0].rstrip(",;:")
    word = first.isalpha() and (len(first) > 1 or first == "a")
    return text[:1].upper() + text[1:] if word else text


def number(value: float | None, significant: int = 3) -> str:
    """Say a number in so many significant digits at most; whole numbers are said in full."""
    if value is None:
        return UNKNOWN
    if isinstance(value, int) or not math.isfinite(value):
        return digits.fixed(value, 0)
    if value and not 1e-6 <= abs(value) < 1e15:
        mantissa, exponent = f"{value:.{significant - 1}e}".split("e")
        return f"{mantissa} × 10^{int(exponent)}".replace("-", digits.MINUS)
    return digits.fixed(value, digits.decimals([value], significant))


def share(value: float | None) -> str:
    """Say a share in percent. It reaches `0 %` or `100 %` only where it is exactly that."""
    if value is None:
        return UNKNOWN
    return f"{digits.fixed(100 * value, digits.share_decimals(value))} %"


def count(value: int, noun: str = "") -> str:
    """Say how many, `4,312 requests`. The noun is given in the plural."""
    return f"{number(value)} {_singular(noun) if value == 1 else noun}".rstrip()


def several(value: int, one: str, more: str) -> str:
    """Say how many with words that agree: `1 version records`, `2,000 versions record`."""
    return f"{number(value)} {one if value == 1 else more}"


def p_value(p: float | None) -> str:
    """Say a p-value: `p = 0.012`, `p < 0.001`, never `p = 0.000`."""
    if p is None or math.isnan(p):
        return f"p {UNKNOWN}"
    if p < 0.001:
        return "p < 0.001"
    if p > 0.99:
        return "p > 0.99"
    return f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def duration(seconds: float | None) -> str:
    """Say a time span as people do, in its two largest units: `8 h 1 min`."""
    if seconds is None:
        return UNKNOWN
    if not math.isfinite(seconds):
        return number(seconds)
    if seconds < 0:
        return digits.MINUS + duration(-seconds)
    if 0 < seconds < 0.9995:
        return "under 1 ms" if seconds < 0.001 else f"{number(seconds * 1000)} ms"
    if seconds < 59.5:
        return f"{number(seconds)} s"
    return _clock(seconds)


def _clock(seconds: float) -> str:
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    largest = next(i for i, (_, size) in enumerate(units) if round(seconds) >= size)
    smallest = units[min(largest + 1, len(units) - 1)][1]
    rest, parts = round(seconds / smallest) * smallest, []
    for name, size in units:
        if rest >= size:
            parts.append(f"{rest // size:,} {name}")
            rest %= size
    return " ".join(parts)


def parse_instant(value: Any) -> datetime | None:
    """Read an instant from a datetime or from RFC 3339 text; None where it is neither."""
    if isinstance(value, str) and len(value) > 10 and value[10] in "T ":
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    try:
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except OverflowError:  # in UTC it is in the year 0 or 10000
        return None


def instant(value: datetime | str | None) -> str:
    """Say an instant in UTC to the second; a naive one is UTC. Data keep the fractions."""
    moment = parse_instant(value)
    if moment is None:
        return UNKNOWN if value is None else on_one_line(str(value))
    return moment.strftime(f"%Y-%m-%d {'%H:%M:%S' if moment.second else '%H:%M'} UTC")


def said(value: Any, unit: str) -> str:
    """Say one value in its unit, as prose does."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return UNKNOWN
    if isinstance(value, int | float):
        return _said_number(value, unit)
    if isinstance(value, Mapping):
        return ", ".join(f"{title(str(key))} {said(item, '')}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return count(len(value), "rows") if unit == "table" else _listed(value, unit)
    return instant(value) if parse_instant(value) else on_one_line(str(value))


def _listed(values: Sequence[Any], unit: str) -> str:
    """Say values after each other; a unit that all have stands once, at the end."""
    told = [said(value, unit) for value in values]
    word = _PERCENT.get(unit.partition(":")[0])
    if word and all(text.endswith(word) for text in told):
        told = [text.removesuffix(word) for text in told[:-1]] + told[-1:]
    return "; ".join(told) or "none"


def _said_number(value: float, unit: str) -> str:
    kind, _, noun = unit.partition(":")
    if kind == "count" and (isinstance(value, int) or value.is_integer()):
        return count(int(value), noun)
    if kind in _PERCENT:
        told = share(value)
        one = kind == "points" and told.lstrip(digits.MINUS) == "1 %"
        return told.replace(" %", " point" if one else _PERCENT[kind])
    if kind == "p":
        return p_value(value)
    if kind == "s":
        return duration(value)
    return number(value) + ("" if kind in _SILENT_UNITS else f" {on_one_line(unit)}")


def unit_word(unit: str) -> str:
    """Say a unit alone, for a column or an axis: `share:requests` is `% of requests`."""
    kind, _, noun = unit.partition(":")
    if kind == "share":
        return f"% of {noun}" if noun else "%"
    if kind == "count":
        return noun or "count"
    return _UNIT_WORDS.get(kind, on_one_line(unit))


def interval(measure: Measure) -> str:
    """Say a measure with its interval and n: `12.4 % (10.9 to 14.0), n = 4,312 requests`."""
    if measure.value is None:
        return UNMEASURED
    kind, _, noun = measure.unit.partition(":")
    text = spread(measure.value, measure.ci95, measure.unit)
    if measure.n is None or (kind == "count" and measure.n == measure.value):
        return text
    return f"{text}, n = {count(measure.n, noun if kind == 'share' else '')}"


def spread(value: Any, ci95: tuple[float, float] | None, unit: str, *, signed: bool = False) -> str:
    """Say a value and its interval with the same decimals.

    All carry a sign where one of them is negative, or where `signed` asks for it since the value
    stands among others that are.
    """
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if ci95 is None or not numeric:
        return said(value, unit)
    kind = unit.partition(":")[0]
    if kind == "s":
        return f"{duration(value)} ({duration(ci95[0])} to {duration(ci95[1])})"
    scale = 100 if kind in _PERCENT else 1
    scaled = [round(scale * x, _NOISE) for x in (value, *ci95)]
    places = digits.interval_decimals(scaled, (0.0, 100.0) if kind == "share" else (0.0,))
    signed = signed or min(scaled) < 0
    middle, low, high = (digits.fixed(x, places, signed=signed) for x in scaled)
    one = kind == "points" and middle.lstrip(f"+{digits.MINUS}") == "1"
    word = " point" if one else _PERCENT.get(kind) or _said_unit(unit)
    return f"{middle}{word} ({low} to {high})"


def _said_unit(unit: str) -> str:
    kind, _, noun = unit.partition(":")
    word = noun if kind == "count" else "" if kind in _SILENT_UNITS else on_one_line(unit)
    return f" {word}" if word else ""


def _singular(noun: str) -> str:
    head = re.split(r" (?=(?:in|of|with|without|that|by|below|to|on|from|at|per) )", noun)[0]
    short = 2 if head.endswith(("sses", "xes", "ches", "shes")) else 1
    one = head[:-3] + "y" if head.endswith("ies") else head[:-short] if head[-1:] == "s" else head
    one = re.sub("gnose$", "gnosis", re.sub("people$", "person", one))
    return one + noun[len(head) :]
