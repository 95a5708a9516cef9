"""Identity of a configuration where a source holds its content and no hash of it.

Every importer makes these hashes here, so that what was served and what was evaluated compare.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from casework import canonical


def hash_prompt(system: Sequence[str]) -> str | None:
    """SHA-256 of a system prompt in UTF-8, several messages joined by a newline; None of none."""
    if not system:
        return None
    return sha256("\n".join(system).encode("utf-8", "surrogatepass")).hexdigest()


def hash_params(parameters: Mapping[str, Any]) -> str | None:
    """SHA-256 of call parameters as canonical JSON; None where none is set.

    Names are those after `gen_ai.request.` of the OpenTelemetry conventions, without the model. A
    parameter that is None is not set, and 1.0 is 1: tools write the same number both ways.
    """
    chosen = {name: _plain(value) for name, value in parameters.items() if value is not None}
    return sha256(canonical.dumps(chosen).encode()).hexdigest() if chosen else None


def hash_invocation(value: Any) -> str | None:
    """Hash of call parameters that one attribute holds, as an object or as its JSON text.

    None where it is neither, or sets nothing besides the model.
    """
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (ValueError, RecursionError):
            return None
    if not isinstance(value, Mapping):
        return None
    chosen = {name: setting for name, setting in value.items() if name != "model"}
    return hash_params(canonical.plain(chosen))


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
