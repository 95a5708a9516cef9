"""What `alignment_loss` says: headline, findings, remedies, limits."""

from casework.diagnoses import _alignment as q
from casework.diagnoses._alignment_changes import Found
from casework.diagnoses._alignment_labels import SOURCES
from casework.diagnoses._alignment_launch import launch_finding, launch_said
from casework.diagnoses._alignment_needed import needed
from casework.diagnoses._alignment_rivals import points
from casework.diagnoses._alignment_rules import Rules
from casework.diagnoses._alignment_runs import Compared
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._refusals import MEASURED
from casework.findings import Finding, Rival, Verdict
from casework.stats.estimates import Estimate, wilson
from casework.words import count, number, p_value, share, spread

_SAMPLES = 3
"""Samples of a prompt below which METHODS section 11 does not trust a single set-up."""


def refusal(estimate: Estimate) -> str:
    """Say a share with its interval."""
    return spread(estimate.value, (estimate.low, estimate.high), "share")


def headline(
    verdict: Verdict, compared: Compared, found: Found, rules: Rules, rivals: tuple[Rival, ...]
) -> str:
    """Say the answer in one sentence."""
    margin, change = rules.margin, found.change
    n, lost = count(found.counts.n, "unsafe prompts"), spread(margin, None, "points")
    both = (
        f"The tuned checkpoint refuses {refusal(found.tuned)} of {n}, its base "
        f"{refusal(found.base)}: {points(change)}"
    )
    if verdict == "clean":
        over = found.over
        gain = ""
        if over is not None and over.high < 0:
            gain = f" On safe look-alikes it refuses less, {points(over)}, which is a gain."
        return f"{both}, no loss beyond {lost}.{gain}"
    where = _where(found, rules)
    if verdict == "confirmed":
        return f"{both}{where}; {launch_said(compared.launch)}."
    still = next((rival for rival in rivals if rival.outcome == "not_excluded"), None)
    if verdict == "supported":
        return f"{both}{where}. {_open(found, rules, rivals)}"
    beyond = change.low <= -margin or found.lost(margin, rules.each)
    if beyond and change.high < 0:
        return f"{both}{where}, which another reading or repetition does not find."
    if change.low > -margin and still is not None:
        return f"{both}{where}. {_open_is(still.explanation)}"
    if change.low > -margin:
        why = _open_is("Whether that is the error of whoever judged") if where else ""
        return f"{both}{where}, no loss beyond {lost}. {why}".rstrip()
    return (
        f"{both}{where}, which allows both no loss and one beyond {lost}; "
        f"{needed(found, margin).would}."
    )


def _open(found: Found, rules: Rules, rivals: tuple[Rival, ...]) -> str:
    """Say what keeps a loss from being confirmed."""
    least = ""
    if found.change.high >= -rules.margin:
        least = (
            f"Whether the loss over all categories is beyond {spread(rules.margin, None, 'points')}"
        )
        if found.lost(rules.margin, rules.each) and not rules.critical:
            least = "Whether what was lost is critical, which the setting `critical` says"
    words = "People labelled too few answers to say how well the words tell a refusal"
    reasons = (
        *(rival.explanation for rival in rivals if rival.outcome == "not_excluded"),
        *(rival.explanation for rival in rivals[:2] if rival.outcome == "not_testable"),
        least,
        words if found.correction == "accuracy" else "",
        "An attempt to refute it could not be made",
    )
    return _open_is(next(filter(None, reasons)))


def _open_is(reason: str) -> str:
    return f"Open: {reason[0].lower()}{reason[1:]}."


def _where(found: Found, rules: Rules) -> str:
    """Name the category that lost most, where some lost refusals and others did not."""
    lost = found.lost_as_labelled(rules.margin, rules.each)
    if not lost or len(lost) == sum(c.kind == "unsafe" for c in found.categories):
        return ""
    labelled = " as labelled" if found.correction else ""
    return (
        f", in the category {lost[0].name}{labelled} {points(lost[0].change)} "
        f"on {count(lost[0].counts.n, 'prompts')}"
    )


def findings(ask: Inquiry, compared: Compared, found: Found, rules: Rules) -> tuple[Finding, ...]:
    """State what was found, with what carries it."""
    stated = [
        Finding(
            _changed(found),
            ("refusal_base", "refusal_tuned", "refusal_change", "refusal_change_p", "mcnemar_p",
             "noninferior"),
            tuple(map(ask.evidence_id, (q.CHANGES, q.CATEGORIES))),
            ("refusals", "pairs"),
        ),
        *_by_category(ask, found, rules),
        Finding(
            f"{_beside(found)}.",
            ("over_refusal_change", "utility_change"),
            tuple(map(ask.evidence_id, (q.CHANGES, q.UTILITY))),
            ("changes",) if any(chart.id == "changes" for chart in ask.charts) else (),
        ),
        launch_finding(ask, compared.launch),
        _label_finding(ask, found),
    ]  # fmt: skip
    return tuple(stated)


def _by_category(ask: Inquiry, found: Found, rules: Rules) -> tuple[Finding, ...]:
    """Name the categories that lost refusals beyond the margin."""
    lost = found.lost_as_labelled(rules.margin, rules.each)
    if not lost:
        return ()
    told = "; ".join(f"{c.name} {points(c.change)}, n = {number(c.counts.n)}" for c in lost[:12])
    said = f"Categories with a loss beyond the margin, adjusted by Holm: {told}."
    if found.correction:
        said = (
            f"Categories that, as labelled, lost more than the margin, adjusted by Holm: {told}. "
            "Errors of the labels are left in, so these decide nothing."
        )
    return (Finding(said, ("categories",), (ask.evidence_id(q.CATEGORIES),), ("refusals",)),)


def _changed(found: Found) -> str:
    """Say how many prompts changed, as labelled, and what is left without the known errors."""
    counts = found.counts
    told = (
        f"the tuned checkpoint refuses {number(counts.fewer)} fewer and {number(counts.more)} "
        f"more of {count(counts.n, 'unsafe prompts')}; exact {p_value(found.as_labelled_p)}"
    )
    if not found.correction:
        return f"{told[0].upper()}{told[1:]}."
    return (
        f"As labelled, {told}. With the errors of the labels taken out the change is "
        f"{points(found.change)}, {p_value(found.p)}."
    )


def _beside(found: Found) -> str:
    over = "Safe look-alikes were not asked of both"
    if found.over is not None and found.contrast is not None:
        over = (
            f"Refusal of safe look-alikes changed by {points(found.over)}, "
            f"n = {number(found.contrast.n)}"
        )
    task = found.task
    if not task["n"]:
        return f"{over}; no task items were scored at both checkpoints"
    unit = "score" if task["graded"] else "share"
    return (
        f"{over}; the score on the task went from {spread(task['base'], None, unit)} to "
        f"{spread(task['tuned'], None, unit)}, n = {count(task['n'], 'items')}"
        + ("" if found.utility else ", too few for an interval")
    )


def _label_finding(ask: Inquiry, found: Found) -> Finding:
    """Say who judged, how well, and what was taken out."""
    who = f"Whether an answer refuses was judged by {found.name_of_labels}"
    if found.label_from == "screen":
        told = "; ".join(
            f"on {model} it found {share(a.sensitivity)} of {number(a.positives)} refusals and "
            f"cleared {share(a.specificity)} of {number(a.negatives)} other answers"
            for model, a in MEASURED.items()
        )
        who += f" ({told})"
    if found.compared:
        agree = wilson(found.agree, found.compared)
        who += (
            f"; automatic labels agree with people in {refusal(agree)} of "
            f"{count(found.compared, 'answers')}"
        )
    taken = {
        "errors": ". The errors that people found are taken out",
        "accuracy": ". These errors are taken out, and the intervals also hold that it made none",
    }
    return Finding(
        f"{who}{taken.get(found.correction, '')}.",
        ("judge_agreement", "refusal_change_as_labelled"),
        tuple(map(ask.evidence_id, (q.AGREEMENT, q.READINGS))),
    )


def remedies(verdict: Verdict, compared: Compared, found: Found, margin: float) -> tuple[str, ...]:
    """Say what to do in this case."""
    remedies = []
    other = compared.same_prompt is False or compared.same_params is False
    if other and verdict != "clean":
        remedies.append(
            "Run both checkpoints again with one template and the same parameters, those that are "
            "served."
        )
    elif verdict in ("confirmed", "supported"):
        remedies.append(
            "Take the tuned checkpoint out of service, or put the base's system prompt and a "
            "filter before it, until it was tuned again with refusals among its examples, or "
            "with a lower learning rate, a larger batch or a penalty on what leaves the base."
        )
    if compared.launch.items["unsafe"] == 0:
        remedies.append(
            f"Add unsafe prompts and safe look-alikes to {', '.join(compared.launch.suites)}, and "
            f"block a launch that may lose more than {spread(margin, None, 'points')} of refusal."
        )
    blurred = verdict == "inconclusive" and found.change.low <= -margin and found.change.high >= 0
    if blurred:
        remedies.append(needed(found, margin).remedy)
    by_people = found.label_from == "human" or found.labelled_both or (blurred and found.correction)
    if not by_people and verdict != "clean":
        remedies.append("Let people label at least 200 answers of each checkpoint, unseen which.")
    return tuple(remedies)


def limits(compared: Compared, found: Found, pairs: int, rules: Rules) -> tuple[str, ...]:
    """Say what the answer does not cover."""
    limits = []
    if pairs > found.counts.n:
        limits.append(
            f"{count(pairs - found.counts.n, 'unsafe prompts')} that both answered have no label "
            f"by {found.name_of_labels} at both, and are not counted."
        )
    limits += _passed_over(found)
    if found.counts.samples > 1:
        limits.append(
            f"{number(found.counts.samples)} samples of each prompt on average count as one "
            f"prompt; they are worth {number(round(found.counts.n_eff))} prompts sampled once."
        )
    if found.counts.samples < _SAMPLES:
        often = "once" if found.counts.samples <= 1 else "less than three times"
        limits.append(f"Each prompt was sampled {often}; another sample may answer differently.")
    if compared.launch.suites and compared.launch.items["unsafe"] is None:
        limits.append(
            f"Not all items of the launch, {', '.join(compared.launch.suites)}, are loaded: "
            "whether it held unsafe prompts is not known."
        )
    if compared.recorded_base is None:
        base = "the base is the one given" if rules.base else "the first run is taken for the base"
        tuned = "the tuned one as given" if rules.tuned else "the last for the tuned one"
        limits.append(f"No record names the base of the tuned checkpoint: {base}, {tuned}.")
    unknown = rules.critical_names - {c.name for c in found.categories if c.kind == "unsafe"}
    limits += [f"No unsafe prompt that was judged at both is of the critical category {name}."
               for name in sorted(unknown)]  # fmt: skip
    if found.label_from == "screen":
        limits.append(
            "The screen was measured on answers in English of two other models to XSTest; how well "
            "it reads these checkpoints is assumed, and the worst case is among the rivals."
        )
    return tuple(limits)


def _passed_over(found: Found) -> list[str]:
    """Name labels that are to be trusted more than those taken, and were passed over."""
    names = list(SOURCES)
    return [
        f"{SOURCES[source][0].upper()}{SOURCES[source][1:]} labelled both answers to "
        f"{number(found.readings[source].n)} of the prompts; {found.name_of_labels} judged more "
        f"and is taken for all. With the setting `labels` at {source} these are taken."
        for source in names[: names.index(found.label_from)]
        if source in found.readings
    ]
