"""What results and samples of lm-evaluation-harness share: names of runs and of metrics."""

import re

from casework.importers._source import Source

_STAMP = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}[-:]\d{2}[-:]\d{2}(?:\.\d+)?)\.jsonl?$")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def stamp(source: Source) -> str | None:
    """The instant in the name of a file, which all files of one run bear; None without one."""
    found = _STAMP.search(source.bare_name)
    return found.group(1).replace(":", "-") if found else None


def run_id(task: str, when: str) -> str:
    """Id of the run of one task, the same from its results and from its samples."""
    return f"{task}@{when}"


def is_score(metric: str) -> bool:
    """Whether a metric scores answers; `bypass` is 999 for all that are kept without a score."""
    return metric.partition(",")[0] != "bypass"


def without_addresses(text: str) -> str:
    """Text of a configuration without the addresses of Python objects, new in each process."""
    return _ADDRESS.sub("", text)
