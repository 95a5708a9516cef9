"""Registered prompts of MLflow as configuration events."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from casework.case import Item, Note, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._instants import from_ms
from casework.importers._shape import text
from casework.tables import config_events

REGISTERED_ONLY = "mlflow prompt registry (registered, not deployed)"
_IS_PROMPT = "mlflow.prompt.is_prompt"
_TEMPLATE = "mlflow.prompt.text"
_PROMPT = Form(
    config_events,
    of="prompt",
    columns={"new_value": ("version",), "actor": ("user_id",)},
    uses={"key": ("name",), "occurred_at": ("creation_timestamp",)},
    # MLflow writes these for every version of a model; of a prompt they say nothing.
    left_out=("_creation_timestamp", "current_stage", "source", "status", "storage_location"),
)


def is_prompt(tags: Mapping[str, Any]) -> bool:
    """Whether the tags of a registered model or of a version mark it as a prompt."""
    return text(tags.get(_IS_PROMPT)) == "true"


def prompt_row(
    log: FieldLog,
    name: str,
    fields: Mapping[str, Any],
    tags: Mapping[str, Any],
    aliases: Sequence[str],
    locator: str,
) -> Item:
    """The configuration event of a registered version of a prompt.

    The template is that of the fields, else the tag in which registries keep it.
    """
    template = fields.get("template") or tags.get(_TEMPLATE)
    is_text = isinstance(template, str)
    record = {
        **fields,
        "template": template,
        "template_sha256": sha256(str(template).encode("utf-8", "replace")).hexdigest()
        if is_text
        else None,
        "aliases": sorted(aliases),
        "tags": {key: value for key, value in tags.items() if key not in (_TEMPLATE, _IS_PROMPT)},
    }
    values = {
        **log.fill(_PROMPT, record),
        "occurred_at": from_ms(fields.get("creation_timestamp")),
        "key": f"prompt:{name}",
        "source": REGISTERED_ONLY,
    }
    return Row(config_events, locator, values)


def prompt_notes(count: int) -> Iterator[Note]:
    """Say what a registered prompt is evidence of."""
    if count:
        yield Note("prompt versions date from their registration; when one went live is not known")
