"""Routes of MLflow's AI gateway as configuration events."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from casework import canonical
from casework.case import Item, Note, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._instants import from_ms
from casework.importers._shape import filled, mapping, number, text
from casework.importers._sqlite import rows
from casework.tables import config_events

TABLES = ("endpoints", "model_definitions", "endpoint_model_mappings")
SOURCE = "mlflow gateway (current only)"
_ROUTE = Form(
    config_events,
    of="endpoint",
    columns={"actor": ("last_updated_by", "created_by")},
    uses={
        "key": ("name",),
        "occurred_at": ("last_updated_at", "created_at"),
        "new_value": ("routes",),
    },
    left_out=("endpoint_id",),
)


def routes(database: sqlite3.Connection, log: FieldLog) -> Iterator[Item]:
    """Yield one event an endpoint: the models behind it with their parts of the traffic.

    Changing an endpoint makes its mappings anew, and changing a model changes it in place: the
    last of these instants is the one from which the whole route is known to be in force. A hosted
    model's name is no digest, so that a route makes no alias event.
    """
    models = {one["model_definition_id"]: one for one in rows(database, "model_definitions")}
    behind: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows(database, "endpoint_model_mappings"):
        model = mapping(models.get(row.get("model_definition_id")))
        behind[row.get("endpoint_id")].append({**row, "model": model})
    count = 0
    for endpoint in rows(database, "endpoints"):
        mappings = behind.pop(endpoint["endpoint_id"], [])
        locator = f"endpoints/{endpoint.pop('rowid')}"
        count += 1
        yield _route(endpoint, mappings, locator, log)
    log.leave("models of endpoints that are not here", sum(map(len, behind.values())))
    if count:
        yield Note("routes of the gateway are the present ones; earlier ones are not recorded")


def _route(
    endpoint: Mapping[str, Any], mappings: list[Mapping[str, Any]], locator: str, log: FieldLog
) -> Item:
    primary = [one for one in mappings if one.get("linkage_type", "PRIMARY") == "PRIMARY"]
    whole = sum(number(one.get("weight")) or 0.0 for one in primary)
    parts = [
        filled({
            "model": _name(one),
            "share": _share(one, whole, len(primary)) if one in primary else None,
            "weight": number(one.get("weight")),
            "linkage": text(one.get("linkage_type")),
            "fallback_order": one.get("fallback_order"),
            "definition": text(mapping(one["model"]).get("name")),
        })
        for one in mappings
    ]  # fmt: skip
    instants = [
        from_ms(value)
        for one in (endpoint, *mappings, *(mapping(each["model"]) for each in mappings))
        for value in (one.get("created_at"), one.get("last_updated_at"))
    ]
    said = " + ".join(
        f"{part['model']} " + (f"{part['share'] * 100:.4g}%" if "share" in part else "(fallback)")
        for part in parts
    )
    values = {
        **log.fill(_ROUTE, {**endpoint, "routes": canonical.plain(parts)}),
        "occurred_at": max(filter(None, instants), default=None),
        "key": f"route:{text(endpoint.get('name')) or text(endpoint.get('endpoint_id'))}",
        "new_value": said or "no model",
        "source": SOURCE,
    }
    values["attributes"] = {**values.get("attributes", {}), "routes": canonical.plain(parts)}
    return Row(config_events, locator, values)


def _share(one: Mapping[str, Any], whole: float, count: int) -> float:
    """The part of the traffic: by weight, or equal parts where no weight is given."""
    weight = number(one.get("weight")) or 0.0
    return weight / whole if whole > 0 else 1 / count


def _name(one: Mapping[str, Any]) -> str:
    model = mapping(one["model"])
    said = (text(model.get("provider")), text(model.get("model_name")))
    return "/".join(filter(None, said)) or str(one.get("model_definition_id"))
