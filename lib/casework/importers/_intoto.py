"""In-toto statements, bare or in the envelopes that carry them. No signature is verified here."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from casework.case import Reject
from casework.errors import CaseworkError
from casework.importers._json_document import document
from casework.importers._records import records
from casework.importers._shape import mapping, sequence, text
from casework.importers._source import Source

ENVELOPE = "signatures and certificates of the envelope"
UNVERIFIED = "the signature was not verified: only digests were compared"


class Statement(NamedTuple):
    """One statement and where it stands; `signed` tells whether an envelope carried it."""

    locator: str
    content: Mapping[str, Any]
    signed: bool


def statements(source: Source) -> Iterator[Statement | Reject]:
    """Yield the statements of a source: JSON, JSON Lines, DSSE envelopes, Sigstore bundles."""
    for found in records(source):
        if isinstance(found, Reject):
            yield found
            continue
        try:
            inner = unwrapped(found.values)
        except CaseworkError as error:
            yield Reject(found.locator, error.code, error.what, found.raw or "")
            continue
        yield Statement(found.locator, inner, inner is not found.values)


def unwrapped(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The statement in an envelope or bundle, or the record itself.

    Raises:
        CaseworkError: ENVELOPE, the payload is no JSON in base64.
    """
    envelope = mapping(record.get("dsseEnvelope")) or record
    payload = envelope.get("payload")
    if not isinstance(payload, str) or "payloadType" not in envelope:
        return record
    try:
        data = base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise CaseworkError("ENVELOPE", f"its payload is no base64: {error}", "ask for it again",
                            where="") from error  # fmt: skip
    return mapping(document(data, "").value())


def kind_of(source: Source) -> str:
    """The predicate type of the first statement of a source; empty where there is none."""
    first = source.first_object
    try:
        return text(unwrapped(first).get("predicateType")) or ""
    except CaseworkError:
        return ""


def digest(value: Any) -> str | None:
    """The digest of a subject or dependency, `sha256:<hex>`, the strongest that is there."""
    found = mapping(value)
    for name in ("sha512", "sha256", "blake2b", "gitCommit", "sha1", "md5"):
        if hexadecimal := text(found.get(name)):
            return f"{name}:{hexadecimal}"
    return None


def subjects(statement: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """Name and digest of each subject."""
    listed = map(mapping, sequence(statement.get("subject")))
    return [(text(one.get("name")) or "", digest(one.get("digest"))) for one in listed]
