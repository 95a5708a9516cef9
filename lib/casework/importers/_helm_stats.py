"""What the statistics of a run of HELM say of it as a whole.

HELM takes a mean for each metric, split, sub split and perturbation, and none over the sub splits.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from casework.importers._shape import mapping, number, sequence, text

SPLITS = ("test", "valid", None)
_HEADLINES = ("exact_match", "quasi_exact_match", "f1_score")
_OF_EVERY_RUN = (
    "num_", "training_", "inference_", "batch_size", "finish_reason_", "prompt_truncated",
    "max_prob", "predicted_index", "logprob", "perplexity", "bits_per_byte",
)  # fmt: skip
"""Beginnings of the names of what HELM tells of any run: no measure of how good answers are."""
_OF_LANGUAGE_MODELS = "bits_per_byte"


class _Part(NamedTuple):
    """What a statistic is of, where no instance is perturbed."""

    metric: str | None
    split: str | None
    sub_split: str | None


def metric_of(stat: Mapping[str, Any]) -> str | None:
    """The name of the metric of a statistic."""
    return text(mapping(stat.get("name")).get("name"))


def is_plain(about: Mapping[str, Any], *splits: str | None) -> bool:
    """Whether an instance, or the name of a statistic, is of a split and of no perturbation."""
    return about.get("split") in splits and not about.get("perturbation")


def plain(stats: list[Any]) -> list[Mapping[str, Any]]:
    """Statistics of no perturbation, those of the test split first, then of validation."""
    found = [one for one in map(mapping, stats) if is_plain(mapping(one.get("name")), *SPLITS)]
    return sorted(found, key=lambda one: SPLITS.index(mapping(one.get("name")).get("split")))


def headline(stats: list[Mapping[str, Any]]) -> tuple[str | None, str | None]:
    """The metric that sums up the run, if any, and the split that it is of."""
    named = {name: one for one in reversed(stats) if (name := metric_of(one))}
    names = filter(None, map(metric_of, stats))
    own = (name for name in names if not name.startswith(_OF_EVERY_RUN))
    listed = (*_HEADLINES, *own, _OF_LANGUAGE_MODELS)
    metric = next((name for name in listed if name in named), None)
    about = named[metric] if metric else next(iter(stats), {})
    return metric, mapping(about.get("name")).get("split")


def means(stats: list[Mapping[str, Any]], each: list[Any]) -> dict[str | None, float | None]:
    """The mean of each metric over the first split that has it.

    Sub splits count by the instances that `each`, the statistics of instances, says have a value
    of the metric. None where it says so of none: such a value is of a group and not of its
    instances, as a perplexity is, and several have no mean.
    """
    parts: dict[str | None, dict[_Part, float | None]] = {}
    for one in stats:
        of_metric = parts.setdefault(metric_of(one), {})
        part = _part(one)
        if part.split == next(iter(of_metric), part).split:
            of_metric.setdefault(part, number(one.get("mean")))
    weights = _weights(each) if any(len(found) > 1 for found in parts.values()) else Counter()
    return {metric: _mean(found, weights) for metric, found in parts.items()}


def _mean(found: Mapping[_Part, float | None], weights: Mapping[_Part, int]) -> float | None:
    if len(found) == 1:
        return next(iter(found.values()))
    weighed = [(weights[part], mean) for part, mean in found.items() if part in weights]
    total, whole = 0, 0.0
    for weight, mean in weighed:
        if mean is None:
            return None
        total += weight
        whole += weight * mean
    return number(whole / total) if total else None


def _weights(each: Iterable[Any]) -> Counter[_Part]:
    """How many instances have a value of a metric, in each trial."""
    found: Counter[_Part] = Counter()
    for one in map(mapping, each):
        for stat in map(mapping, sequence(one.get("stats"))):
            about = mapping(stat.get("name"))
            valued = number(stat.get("mean")) is not None
            if valued and not one.get("perturbation") and is_plain(about, *SPLITS):
                found[_part(stat)] += 1
    return found


def _part(stat: Mapping[str, Any]) -> _Part:
    about = mapping(stat.get("name"))
    return _Part(metric_of(stat), text(about.get("split")), text(about.get("sub_split")))
