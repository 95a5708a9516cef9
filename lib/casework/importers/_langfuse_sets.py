"""Data sets of Langfuse and the runs over them, as evidence rows."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from casework.case import Item, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._judges import Judges
from casework.importers._shape import mapping, sequence, text, written
from casework.tables import eval_runs, eval_samples

_ITEM = Form(
    eval_samples,
    of="dataset item",
    columns={
        "item_id": ("id",),
        "added_at": ("createdAt",),
        "source_event_id": ("sourceObservationId", "sourceTraceId"),
    },
    uses={"run_id": ("datasetName", "datasetId"), "input_text": ("input",),
          "target": ("expectedOutput",)},
    own=("metadata",),
    left_out=("projectId", "updatedAt", "htmlSourcePath"),
)  # fmt: skip
_RUN = Form(
    eval_runs,
    of="dataset run",
    columns={
        "run_id": ("id",),
        "suite": ("datasetName", "datasetId"),
        "started_at": ("createdAt",),
    },
    own=("metadata",),
    left_out=("projectId", "updatedAt"),
)
_RUN_ITEM = Form(
    eval_samples,
    of="dataset run item",
    columns={"run_id": ("datasetRunId",), "item_id": ("datasetItemId",)},
    own=("metadata",),
    left_out=("projectId", "updatedAt"),
)

_OF_SAMPLES = {"condition", "kind"}


def kind_of(keys: Mapping[str, Any]) -> str | None:
    """What a record is: `dataset`, `item`, `run` or `run item`."""
    names = keys.keys()
    if {"datasetItemId", "traceId"} <= names:
        return "run item"
    if {"datasetId", "expectedOutput"} <= names:
        return "item"
    if {"datasetId", "datasetName", "name", "createdAt"} <= names:
        return "run"
    is_set = {"id", "name", "description", "metadata", "projectId", "createdAt"} <= names
    return "dataset" if is_set and not names & {"dataType", "type", "labels", "prompt"} else None


class DataSets:
    """Makes the rows of data sets; runs repeat items, and items name a run of their set."""

    def __init__(self, log: FieldLog, judges: Judges) -> None:
        self._log = log
        self._judges = judges
        self._seen: Counter[tuple[str | None, str | None]] = Counter()

    def rows(self, kind: str, record: Mapping[str, Any], at: str) -> Iterator[Item]:
        """Yield the rows of a record of that kind."""
        match kind:
            case "item":
                yield self._item(record, at)
            case "run item":
                yield self._run_item(record, at)
            case "run":
                items = sequence(record.get("datasetRunItems"))
                run = {name: value for name, value in record.items() if name != "datasetRunItems"}
                yield Row(eval_runs, at, {"harness": "langfuse", **self._log.fill(_RUN, run)})
                yield from self._inner(
                    "run item", items, f"{at}/datasetRunItems", _of_all_items(run)
                )
            case "dataset":
                name = {"datasetName": record.get("name"), "datasetId": record.get("id")}
                for key, inner in (("items", "item"), ("runs", "run")):
                    yield from self._inner(inner, sequence(record.get(key)), f"{at}/{key}", name)

    def _inner(
        self, kind: str, listed: list[Any], at: str, of_set: Mapping[str, Any]
    ) -> Iterator[Item]:
        for position, one in enumerate(listed):
            if isinstance(one, Mapping):  # an old data set lists the names of its runs only
                yield from self.rows(kind, {**of_set, **one}, f"{at}/{position}")

    def _item(self, item: Mapping[str, Any], at: str) -> Row:
        name = text(item.get("datasetName")) or text(item.get("datasetId"))
        row = Row(eval_samples, at, {
            **self._log.fill(_ITEM, item),
            "run_id": f"langfuse:dataset:{name}",
            "input_text": written(item.get("input")),
            "target": written(item.get("expectedOutput")),
        })  # fmt: skip
        return self._judges.saw(row, name)

    def _run_item(self, item: Mapping[str, Any], at: str) -> Row:
        about = (text(item.get("datasetRunId")), text(item.get("datasetItemId")))
        self._seen[about] += 1
        values = self._log.fill(_RUN_ITEM, item)
        return Row(eval_samples, at, {**values, "epoch": self._seen[about]})


def _of_all_items(run: Mapping[str, Any]) -> dict[str, Any]:
    """What the metadata of a run say of each of its items, such as the condition."""
    own = {name: value for name, value in mapping(run.get("metadata")).items()
           if name in _OF_SAMPLES}  # fmt: skip
    return {"metadata": own} if own else {}
