"""Runs of MLflow as evidence rows, from whichever store, search or export."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from casework import canonical
from casework.case import Item, Note, Reject, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._instants import from_ms
from casework.importers._shape import filled, mapping, number, parsed, sequence, text
from casework.importers._splits import evaluates
from casework.tables import Table, artifact_inputs, eval_runs
from casework.words import several

TABLES: tuple[Table, ...] = (eval_runs, artifact_inputs)
_SEEDS = ("seed", "random_seed", "random_state")
# As `str` writes what was not set; with autologging sklearn has such a parameter for each argument.
_UNSET = ("none", "null", "nan")
_GENAI = "genai_evaluate"
# Where `mlflow.evaluate` notes on what; the data set that it logs besides has no context.
_NOTED = "mlflow.datasets"
_FINISHED = ("FINISHED", "3")
_SYSTEM = "system/"
# A database of MLflow holds this number where an infinity was logged, and a dump rounds it.
_INFINITE = 1.79e308
_COMMIT = "tags.mlflow.source.git.commit"
_PLACES = ("tags.mlflow.source.git.repoURL", "tags.mlflow.source.name")
_RUN = Form(
    eval_runs,
    of="run",
    columns={"run_id": ("run_id", "run_uuid"), "code_revision": (_COMMIT,)},
    uses={
        "started_at": ("start_time",),
        "ended_at": ("end_time",),
        "harness": (),
    },
    own=("tags",),
    left_out=("run_uuid", "deleted_time", "entry_point_name", "source_version"),
)
_INPUT = Form(artifact_inputs, of="run", columns={})


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data set that a run logged as its input; `context` says for what."""

    name: str | None
    digest: str | None
    source: str | None
    context: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """A run, under the names of MLflow. `metrics` has the last value of each, finite or not."""

    locator: str
    fields: Mapping[str, Any]
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, Any]
    experiment: str | None = None
    datasets: tuple[Dataset, ...] = field(default=())

    @property
    def name(self) -> str | None:
        """Its id."""
        return text(self.fields.get("run_id")) or text(self.fields.get("run_uuid"))

    @property
    def is_genai(self) -> bool:
        """Whether MLflow's own evaluation of answers made it; its data set has no context then."""
        return text(self.tags.get("mlflow.runType")) == _GENAI

    def evaluates(self, dataset: Dataset) -> bool:
        """Whether a data set is what the run was evaluated on."""
        is_noted = _NOTED in self.tags and not dataset.context
        return self.is_genai or is_noted or evaluates(dataset.context)

    def context(self, dataset: Dataset) -> str:
        """What a data set was logged for, or why it is taken for that."""
        if dataset.context or self.is_genai:
            return dataset.context or ""
        noted = "mlflow.evaluate made the run" if _NOTED in self.tags else "taken for training"
        return f"not recorded: {noted}"

    @property
    def whole(self) -> "Run":
        """The run with the data sets of its note, where it logged none that it evaluated on."""
        if any(map(self.evaluates, self.datasets)):
            return self
        noted = (
            Dataset(text(one.get("name")), text(one.get("hash")), text(one.get("path")), None)
            for one in map(mapping, sequence(parsed(self.tags.get(_NOTED))))
        )
        return replace(self, datasets=(*self.datasets, *noted))


class Runs:
    """Makes rows of the runs of one source, and remembers what a reader should know of them."""

    def __init__(self, log: FieldLog) -> None:
        self._log = log
        self._not_finite = self._undecided = self._silent = 0

    def rows(self, run: Run) -> Iterator[Item]:
        """The inputs of what a run made, and where it evaluated something, the run of the eval.

        A run is an eval where it has metrics and a tag `suite`, or a data set that it evaluated on.
        What it made is named `runs:/<run_id>`, as MLflow itself names it.
        """
        if run.name is None:
            raw = canonical.dumps(run.fields)
            yield Reject(run.locator, "NO_RUN", "nothing names the run", raw, eval_runs)
            return
        run = run.whole
        inputs = list(self._inputs(run))
        for pointer, values in inputs:
            name = {"artifact": f"runs:/{run.name}"}
            yield Row(artifact_inputs, run.locator + pointer, {**name, **values})
        evaluated = [one for one in run.datasets if run.evaluates(one)]
        if run.metrics and ("suite" in run.tags or evaluated or run.is_genai):
            yield self._eval(run, evaluated)
            return
        self._silent += not inputs
        self._log.leave("metrics of runs that evaluated nothing", len(run.metrics))
        self._log.leave("tags of runs that evaluated nothing", len(run.tags))

    def notes(self) -> Iterator[Note]:
        """Say where a run has no row or no score, and why."""
        one = "run that names nothing it used and evaluated nothing"
        more = "runs that name nothing they used and evaluated nothing"
        yield from self._log.leave_told(more, self._silent, one)
        if self._not_finite:
            one = "metric is NaN or infinite: it makes no score"
            more = "metrics are NaN or infinite: they make no score"
            yield Note(several(self._not_finite, one, more))
        if self._undecided:
            told = several(self._undecided, "run has", "runs have")
            yield Note(
                f"{told} several metrics and none is named by a tag `metric`: no score, and the "
                "metrics are attributes"
            )

    def _eval(self, run: Run, evaluated: list[Dataset]) -> Item:
        status = text(run.fields.get("status"))
        named = self._headline(run)
        metrics = {name: _restored(value) for name, value in run.metrics.items()}
        self._not_finite += sum(not math.isfinite(value) for value in metrics.values())
        if named:
            self._log.took(_RUN, "metrics", "score")
        record = {
            **run.fields,
            "metrics": metrics,
            "score_from": named,
            "params": run.params,
            "tags": filled(run.tags),
            "experiment": run.experiment,
            "datasets": [one.digest for one in evaluated],
        }
        measured = filled({
            "dataset_hash": evaluated[0].digest if evaluated else None,
            "score": number(metrics[named]) if named else None,
        })  # fmt: skip
        suite = None if run.is_genai or not evaluated else evaluated[0].name
        native = {
            "started_at": self._instant(run, "start_time"),
            # A run that broke off has measured nothing that one could call covered.
            "ended_at": self._instant(run, "end_time") if status in _FINISHED else None,
            "harness": "mlflow",
        }
        suite = suite or run.experiment or text(run.fields.get("experiment_id"))
        # No tag fills a column that the run itself does.
        form = replace(_RUN, uses={**_RUN.uses, **dict.fromkeys(measured, ())})
        values = {"suite": suite, "score": None, **self._log.fill(form, record)}
        return Row(eval_runs, run.locator, {**values, **measured, **native})

    def _instant(self, run: Run, name: str) -> datetime | None:
        """Milliseconds since 1970, or what tables of runs make of them."""
        value = run.fields.get(name)
        return from_ms(value) or self._log.instants.find(value)

    def _headline(self, run: Run) -> str | None:
        """The one metric that sums up a run: that of its tag `metric`, else the only one."""
        results = [name for name in run.metrics if not name.startswith(_SYSTEM)]
        said = text(run.tags.get("metric"))
        if said in results:
            return said
        self._undecided += len(results) > 1
        return results[0] if len(results) == 1 else None

    def _inputs(self, run: Run) -> Iterator[tuple[str, dict[str, Any]]]:
        tags = {f"tags.{name}": text(value) for name, value in run.tags.items()}
        commit = tags.get(_COMMIT)
        named = next((name for name in _PLACES if tags.get(name)), "")
        place = tags.get(named)
        if commit or place:
            for name, column in ((_COMMIT, "digest"), (named, "uri")):
                if tags.get(name):
                    self._log.took(_INPUT, name, column)
            pin = "pinned" if commit else "floating"
            yield "/tags", {"kind": "code", "uri": place, "digest": commit, "pin": pin}
        if run.params:
            self._log.took(_INPUT, "params", "digest")
            digest = sha256(canonical.dumps(run.params).encode("utf-8", "replace")).hexdigest()
            about = {"params": canonical.plain(run.params)}
            yield "/params", {"kind": "hyperparameters", "uri": None, "digest": f"sha256:{digest}",
                              "pin": "pinned", "attributes": about}  # fmt: skip
        for name in _SEEDS:
            seed = (text(run.params.get(name)) or "").strip()
            if seed and seed.lower() not in _UNSET:
                yield f"/params/{name}", {"kind": "seed", "uri": f"{name}={seed}", "pin": "pinned"}
        yield from self._datasets(run)

    def _datasets(self, run: Run) -> Iterator[tuple[str, dict[str, Any]]]:
        """The data sets, each once; several of one address go by their digests too."""
        told: dict[tuple[str, str | None], dict[str | None, list[str]]] = {}
        places: dict[tuple[str, str | None, str | None], int] = {}
        for position, one in enumerate(run.datasets):
            self._log.took(_INPUT, "datasets", "digest")
            named = ("eval_data" if run.evaluates(one) else "train_data", one.source or one.name)
            told.setdefault(named, {}).setdefault(one.digest, []).append(run.context(one))
            places.setdefault((*named, one.digest), position)
        for (kind, uri, digest), position in places.items():
            # parts of one set, or tables in memory
            is_one = len(told[kind, uri]) == 1 or not digest
            contexts = ", ".join(filter(None, dict.fromkeys(told[kind, uri][digest])))
            yield (
                f"/inputs/{position}",
                {
                    "kind": kind,
                    "uri": uri if is_one else f"{uri or ''}@{digest}",
                    "digest": digest,
                    "pin": "pinned" if digest else "floating",
                    "attributes": filled({"context": contexts}),
                },
            )


def _restored(value: float) -> float:
    return math.copysign(math.inf, value) if abs(value) >= _INFINITE else value
