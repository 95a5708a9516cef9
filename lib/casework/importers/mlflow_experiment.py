"""MLflow runs in a file store, one folder an experiment, or one a run.

## Reads
`mlruns/<experiment>`: its `meta.yaml` and `datasets/<id>/meta.yaml`, and of each run `meta.yaml`,
`params/<key>`, `metrics/<key>`, `tags/<key>` and `inputs/<id>/meta.yaml`. Also the folder of one
run without that of its experiment.

## Fills
Runs as `mlflow_database` does: `artifact_inputs` of `runs:/<run_id>` from commit, parameters, seeds
and data sets; `eval_runs` where a run has metrics and a tag `suite`, or a data set that was logged
for evaluation, or was made by `mlflow.evaluate` or `mlflow.genai.evaluate`. The value of a metric
is that of its last step, of the last instant in it, and there the greatest.

## Leaves out
Histories of metrics; models that runs took as input; tags of the experiment. The folders
`artifacts` of runs, `traces` and `models` are no part of it: what lies there is found for itself,
traces by `mlflow_traces`.

## Known limits
A run without the folder of its experiment has neither the name of that nor data sets. Runs in
`.trash`, which were deleted, are runs like any other.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from casework.case import Item
from casework.importers import _mlflow_runs
from casework.importers._fields import FieldLog
from casework.importers._importer import Importer, Options
from casework.importers._mlflow_entries import last_of, run_of
from casework.importers._mlflow_files import META, Files, lines, meta_keys
from casework.importers._mlflow_runs import Run, Runs
from casework.importers._shape import text
from casework.importers._source import Source, storable

_NOT_RUNS = ("datasets", "tags", "traces", "models")
_KEYS, _OTHER_KEYS = {b"experiment_id", b"artifact_location", b"name"}, {b"run_id", b"model_id"}
_KEYS_OF_RUN = {b"experiment_id", b"run_id", b"artifact_uri", b"status"}


def _recognises(source: Source) -> bool:
    keys = meta_keys(source)
    is_experiment = keys >= _KEYS and keys.isdisjoint(_OTHER_KEYS)
    return source.path.is_dir() and (is_experiment or keys >= _KEYS_OF_RUN)


@dataclass
class _Files:
    """The files of one run by what they are, each with its key."""

    meta: Path | None = None
    params: dict[str, Path] = field(default_factory=dict)
    metrics: dict[str, Path] = field(default_factory=dict)
    tags: dict[str, Path] = field(default_factory=dict)
    inputs: list[Path] = field(default_factory=list)


@dataclass
class _Folder:
    """The files of an experiment by what they are; `other` are not opened."""

    runs: dict[str, _Files] = field(default_factory=lambda: defaultdict(_Files))
    datasets: dict[str, Path] = field(default_factory=dict)
    other: int = 0


def _read(source: Source, options: Options) -> Iterator[Item]:
    log = FieldLog(options.timezone)
    folder, runs, reading = _Folder(), Runs(log), _Reading(source, log)
    # the folder of one run is read as an experiment of which nothing else is known
    alone = (storable(source.path.name),) if meta_keys(source) >= _KEYS_OF_RUN else ()
    for path in sorted(source.files):
        _sort_in(folder, path, (*alone, *reading.files.place(path).split("/")))
    about = {} if alone else reading.files.entries(source.path / META)
    datasets = {name: reading.files.entries(path) for name, path in folder.datasets.items()}
    for name, files in folder.runs.items():
        run = reading.run(name, files, datasets)
        yield from runs.rows(replace(run, experiment=text(about.get("name"))))
        yield from reading.files.refused()
    yield from reading.files.refused()
    yield from runs.notes()
    log.leave("files that are no part of a run", folder.other)
    yield from log.items()


def _sort_in(folder: _Folder, path: Path, parts: tuple[str, ...]) -> None:
    """Put a file where it belongs."""
    match parts:
        case ("meta.yaml",):
            pass
        case ("datasets", name, "meta.yaml"):
            folder.datasets[name] = path
        case (run, "meta.yaml") if run not in _NOT_RUNS:
            folder.runs[run].meta = path
        case (run, "params" | "metrics" | "tags" as kind, *key) if key and run not in _NOT_RUNS:
            getattr(folder.runs[run], kind)["/".join(key)] = path
        case (run, "inputs", _, "meta.yaml") if run not in _NOT_RUNS:
            folder.runs[run].inputs.append(path)
        case _:
            folder.other += 1


class _Reading:
    """Reads the runs of one folder."""

    def __init__(self, source: Source, log: FieldLog) -> None:
        self._source = source
        self._log = log
        self.files = Files(source)

    def run(self, name: str, files: _Files, datasets: Mapping[str, dict[str, Any]]) -> Run:
        """A run as the clients of MLflow write it, and read so."""
        listed = []
        for path in files.inputs:
            one = self.files.entries(path)
            dataset = datasets.get(text(one.get("source_id")) or "")
            self._log.leave("inputs of runs that are no data set of theirs", int(dataset is None))
            listed += [{"dataset": dataset, "tags": one.get("tags")}] if dataset else []
        data = {
            "params": self.files.values(files.params),
            "metrics": self.files.values(files.metrics, self._last),
            "tags": self.files.values(files.tags),
        }
        return run_of(name, self.files.entries(files.meta), data, {"dataset_inputs": listed})

    def _last(self, path: Path) -> Any:
        return last_of(self._history(path))

    def _history(self, path: Path) -> Iterator[dict[str, Any]]:
        """The values of a metric: instant, value and step, and maybe the data set behind."""
        for number, line in enumerate(lines(path, self._source), start=1):
            parts = line.split()
            try:
                step = int(parts[2]) if len(parts) > 2 else 0
                yield {"timestamp": int(parts[0]), "value": float(parts[1]), "step": step}
            except (ValueError, IndexError):
                place = f"{self.files.place(path)}:{number}"
                self.files.refuse(place, "METRIC", "no instant, value and step", line)


mlflow_experiment = Importer(
    name="mlflow_experiment",
    doc=__doc__ or "",
    tables=_mlflow_runs.TABLES,
    recognises=_recognises,
    read=_read,
    of_folders=True,
    apart=("artifacts", "*/artifacts", "traces", "models"),
)
