"""GitHub deployments and their statuses: what was deployed where, when, and by whom.

## Reads
Arrays and JSON Lines of the REST API (`/deployments`, `/deployments/<id>/statuses`), and webhook
payloads that hold `deployment` and `deployment_status`.

## Fills
| column of `config_events` | from |
|---|---|
| `occurred_at` | `created_at` |
| `key` | `deployment:<environment>` |
| `new_value` | `sha`, else `ref`; of a status its state and the deployment |
| `scope` | `task` and `id`; of a status `status`, the deployment and `id` |
| `actor` | `creator.login` |
| `attributes` | `id`, `ref`, `description`, `payload`, addresses |

## Leaves out
`creator` but for the login, node ids, API addresses; what a webhook says of the repository and the
sender. All are counted.

## Known limits
A deployment that was asked for is not one that succeeded: its statuses tell. The commit is that of
the repository, not a digest of weights, so no `alias_events` are made of it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from casework import canonical
from casework.case import Item, Reject, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._records import records
from casework.importers._shape import filled, mapping, text
from casework.importers._source import Source
from casework.tables import config_events

_LEFT_OUT = (
    "updated_at",
    "node_id",
    "url",
    "statuses_url",
    "repository_url",
    "deployment_url",
    "creator",
)
_FORM = Form(
    config_events,
    of="deployment",
    columns={"occurred_at": ("created_at",), "actor": ("creator.login",)},
    uses={"new_value": ("sha", "ref"), "key": ("environment",), "scope": ("task",)},
    left_out=_LEFT_OUT,
)
_STATUS = Form(
    config_events,
    of="status",
    columns={"occurred_at": ("created_at",), "actor": ("creator.login",)},
    uses={"new_value": ("state",), "key": ("environment",)},
    left_out=_LEFT_OUT,
)


def _recognises(source: Source) -> bool:
    found = source.first_object.keys()
    rest = {"sha", "ref", "environment", "created_at"} <= found and "statuses_url" in found
    status = {"state", "deployment_url", "created_at"} <= found
    return rest or status or bool(source.within("deployment") and source.within("repository"))


def _read(source: Source, options: Options) -> Iterator[Item]:
    log = FieldLog(options.timezone)
    for found in records(source):
        if isinstance(found, Reject):
            yield found._replace(table=config_events)
            continue
        record, at = found.values, found.locator
        if "deployment" in record:
            for name in record.keys() - {"deployment", "deployment_status"}:
                log.leave(f"payload.{name}")
            yield _deployment(log, mapping(record["deployment"]), f"{at}/deployment")
            if status := mapping(record.get("deployment_status")):
                yield _status(log, status, f"{at}/deployment_status")
        elif "state" in record:
            yield _status(log, record, at)
        else:
            yield _deployment(log, record, at)
    yield from log.items()


def _deployment(log: FieldLog, one: Mapping[str, Any], at: str) -> Item:
    values = log.fill(_FORM, one)
    return Row(config_events, at, {
        **values,
        "key": f"deployment:{text(one.get('environment')) or 'unknown'}",
        "new_value": text(one.get("sha")) or text(one.get("ref")),
        "scope": ":".join(filter(None, (text(one.get("task")) or "deploy", text(one.get("id"))))),
        "source": "github deployment",
        "attributes": canonical.plain(filled({**values.get("attributes", {}),
                                              "ref": one.get("ref")})),
    })  # fmt: skip


def _status(log: FieldLog, one: Mapping[str, Any], at: str) -> Item:
    of = (text(one.get("deployment_url")) or "").rpartition("/")[2]
    return Row(config_events, at, {
        **log.fill(_STATUS, one),
        "key": f"deployment:{text(one.get('environment')) or 'unknown'}",
        "new_value": " ".join(filter(None, (text(one.get("state")), of))) or None,
        "scope": ":".join(filter(None, ("status", of, text(one.get("id"))))),
        "source": "github deployment status",
    })  # fmt: skip


github_deployments = Importer(
    name="github_deployments",
    doc=__doc__ or "",
    tables=(config_events,),
    recognises=_recognises,
    read=_read,
)
