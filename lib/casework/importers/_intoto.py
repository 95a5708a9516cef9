"""In-toto statements, bare or in the envelopes that carry them. No signature is verified here."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from casework.case import Reject
from casework.errors import CaseworkError
from casework.importers._json_document import document, first_entries
from casework.importers._records import records
from casework.importers._shape import mapping, sequence, text
from casework.importers._source import Source

ENVELOPE = "signatures and certificates of the envelope"
UNVERIFIED = "the signature was not verified: only digests were compared"

_URL_SAFE = str.maketrans("-_", "+/")  # either alphabet of base64 may be used in an envelope
_CUT_PAYLOAD = re.compile(r'"payload"\s*:\s*"([A-Za-z0-9+/_-]+)\Z')
_NAMES = ("sha256", "sha512", "sha384", "blake2b", "gitCommit", "sha1", "md5")


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
        for pointer, one in _envelopes(found.values):
            at = found.locator + pointer
            try:
                inner = unwrapped(one)
            except CaseworkError as error:
                yield Reject(at, error.code, error.what, found.raw or "")
                continue
            yield Statement(at, inner, inner is not one)


def _envelopes(record: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Where each envelope stands in a record, and it: registries list several, `gh` wraps one."""
    summary = mapping(record.get("provenance_summary"))
    listed = {
        "/attestations": (record.get("attestations"), "bundle"),
        "/provenance_summary/provenance": (summary.get("provenance"), "envelope"),
    }
    held = [(f"{at}/{n}/{name}", mapping(mapping(one).get(name)))
            for at, (several, name) in listed.items()
            for n, one in enumerate(sequence(several))]  # fmt: skip
    held.append(("/attestation/bundle", mapping(mapping(record.get("attestation")).get("bundle"))))
    return [(at, one) for at, one in held if one] or [("", record)]


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
        data = base64.b64decode(payload.translate(_URL_SAFE), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CaseworkError("ENVELOPE", f"its payload is no base64: {error}", "ask for it again",
                            where="") from error  # fmt: skip
    return mapping(document(data, "").value())


def kinds_of(source: Source) -> Iterator[str]:
    """The predicate types of the statements in the head of a source, in order."""
    begun = {"attestations": [source.within("attestations")]}  # a long list is cut off there
    for record in (*source.first_objects(), begun):
        for _, one in _envelopes(record):
            try:
                found = unwrapped(one)
            except CaseworkError:
                continue
            if kind := text(found.get("predicateType")):
                yield kind
    if kind := text(_cut(source).get("predicateType")):
        yield kind


def _cut(source: Source) -> Mapping[str, Any]:
    """How the first statement begins whose envelope is longer than what detection looks at."""
    found = _CUT_PAYLOAD.search(source.head().decode("ascii", "replace"))
    if not found:
        return {}
    whole = found[1].translate(_URL_SAFE)
    return first_entries(base64.b64decode(whole[: len(whole) // 4 * 4]))


def digest(value: Any) -> str | None:
    """The digest of a subject or dependency, `sha256:<hex>`, by which all else names it.

    Where there is no SHA-256, the strongest; where none is known, the first by name.
    """
    found = mapping(value)
    for name in (*_NAMES, *sorted(found)):
        if hexadecimal := text(found.get(name)):
            return f"{name}:{hexadecimal}"
    return None


def subjects(statement: Mapping[str, Any]) -> list[tuple[str | None, str | None]]:
    """Name and digest of each subject, each None where it is missing."""
    listed = map(mapping, sequence(statement.get("subject")))
    return [(text(one.get("name")), digest(one.get("digest"))) for one in listed]
