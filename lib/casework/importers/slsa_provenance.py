"""SLSA provenance: what an artifact was built from, by what, and when.

## Reads
In-toto statements with a predicate of SLSA 0.2 or 1, bare, as JSON Lines, in DSSE envelopes and
in Sigstore bundles; also as registries list them (`attestations` of npm and of the API of GitHub,
`provenance_summary` of Google Cloud), and as `gh attestation verify` prints them.

## Fills
Each subject becomes a row of `checkpoints`; each thing that it was built from a row of
`artifact_inputs` for that digest.

| column of `artifact_inputs` | from |
|---|---|
| `artifact` | the digest of the subject |
| `kind` | `code` for a Git address or commit, `environment` for packages, their lists and images, \
`base_checkpoint`, `train_data` for models and data sets of the hub and data files, `procedure` \
for the builder |
| `uri`, `digest` | `uri` or `name`, `digest` |
| `pin` | `pinned` with a digest, else `floating` |

## Leaves out
Signatures; what else the predicate says, such as internal parameters and byproducts; dependencies
whose kind cannot be told; statements with other predicates, or without a subject. All are counted.

## Known limits
Signatures are not verified. The kind is read off the address. Of a statement with more than
200,000 pairs of subject and dependency the dependencies are one reject.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from casework.case import Item, Note, Reject, Row
from casework.importers._fields import MOST_PAIRS, FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._intoto import ENVELOPE, UNVERIFIED, digest, kinds_of, statements, subjects
from casework.importers._shape import filled, mapping, sequence, text
from casework.importers._source import Source
from casework.tables import ATTRIBUTES, artifact_inputs, checkpoints
from casework.words import count, number

_TYPE = "https://slsa.dev/provenance/"
_STATEMENT = Form(
    checkpoints,
    of="statement",
    columns={},
    uses={
        "checkpoint": ("subject",),
        "uri": ("subject",),
        ATTRIBUTES: (
            *("predicate.buildType", "predicate.buildDefinition.buildType"),
            *("predicate.metadata", "predicate.runDetails.metadata"),
            *("predicate.invocation", "predicate.buildDefinition.externalParameters"),
        ),
    },
    left_out=("_type", "predicateType"),
    keeps=False,
)
_DEPENDENCY = Form(
    artifact_inputs,
    of="dependency",
    columns={"uri": ("uri", "name")},
    uses={"digest": ("digest",), "kind": ("uri", "name")},
)
_BUILDER = Form(artifact_inputs, of="builder", columns={"uri": ("id",)})
_DATA = re.compile(r"\.(parquet|csv|tsv|jsonl?|arrow|tfrecord)(?:\.\w+)?$")


def _is_data(address: str) -> bool:
    """Whether the file at an address holds data, by its ending; JSON may be a list of packages."""
    last = address.rpartition("/")[2]
    found = _DATA.search(last)
    is_list = "lock" in last or "manifest" in last
    return found is not None and not (found[1] == "json" and is_list)


# In this order: a commit of Git is code whatever file of it is named, and a file that lies with a
# host of code is what its ending says.
_KINDS: tuple[tuple[str, Callable[[str], object]], ...] = (
    (
        "train_data",
        re.compile(r"huggingface\.co/datasets/|^hf://datasets/|^pkg:mlflow-dataset").search,
    ),
    ("base_checkpoint", re.compile(r"huggingface\.co/|^hf://|^pkg:huggingface|^models:/").search),
    ("code", re.compile(r"^git[+:@]|\.git(?:@|#|$)|^pkg:git").search),
    (
        "environment",
        re.compile(r"(?:^|/)(?:package|npm-shrinkwrap|composer)(?:-lock)?\.json$").search,
    ),
    ("train_data", _is_data),
    ("code", re.compile(r"github\.com|gitlab\.").search),
    ("environment", re.compile(r"^pkg:|^docker:|^oci:|@sha256:").search),
)


def _recognises(source: Source) -> bool:
    return any(kind.startswith(_TYPE) for kind in kinds_of(source))


def _read(source: Source, options: Options) -> Iterator[Item]:
    log, untold, others, signed = FieldLog(options.timezone), 0, 0, 0
    for found in statements(source):
        if isinstance(found, Reject):
            yield found._replace(table=artifact_inputs)
            continue
        signed += found.signed
        named = subjects(found.content)
        if not (text(found.content.get("predicateType")) or "").startswith(_TYPE) or not named:
            others += 1
            continue
        predicate = mapping(found.content.get("predicate"))
        log.fill(_STATEMENT, {**found.content, "predicate": _beside_inputs(predicate)})
        made_of = list(_made_of(log, predicate, f"{found.locator}/predicate"))
        untold += sum(1 for _ in _inputs(predicate)) - len(made_of)
        if len(named) * len(made_of) > MOST_PAIRS:
            pairs = f"{count(len(named), 'subjects')} and {count(len(made_of), 'inputs')}"
            reason = f"{pairs} make more than {number(MOST_PAIRS)} rows, one for each pair"
            yield Reject(found.locator, "STATEMENT_TOO_LARGE", reason, "", artifact_inputs)
            made_of = []
        for name, artifact in named:
            about = {"checkpoint": artifact, "uri": name, "attributes": _about(predicate)}
            yield Row(checkpoints, found.locator, about)
            for locator, values in made_of:
                yield Row(artifact_inputs, locator, {**values, "artifact": artifact or name})
    what = "dependencies whose kind cannot be told"
    yield from log.leave_told(what, untold, "dependency whose kind cannot be told")
    what = "statements that tell no provenance of a subject"
    yield from log.leave_told(what, others, "statement that tells no provenance of a subject")
    if signed:
        log.leave(ENVELOPE, signed)
        yield Note(UNVERIFIED)
    yield from log.items()


def _made_of(
    log: FieldLog, predicate: Mapping[str, Any], at: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where each thing stands that the subjects were built from, and its row but for them."""
    for pointer, one in _inputs(predicate):
        if (kind := _kind(one, pointer)) is None:
            continue
        known = digest(one.get("digest"))
        yield (
            at + pointer,
            {
                **log.fill(_BUILDER if kind == "procedure" else _DEPENDENCY, one),
                "kind": kind,
                "digest": known,
                "pin": "pinned" if known else "floating",
            },
        )


def _inputs(predicate: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    definition = mapping(predicate.get("buildDefinition"))
    lists = {
        "/materials": predicate.get("materials"),
        "/buildDefinition/resolvedDependencies": definition.get("resolvedDependencies"),
    }
    for pointer, listed in lists.items():
        for position, one in enumerate(sequence(listed)):
            yield f"{pointer}/{position}", mapping(one)
    for pointer, holder in (("", predicate), ("/runDetails", mapping(predicate.get("runDetails")))):
        builder = mapping(holder.get("builder"))
        if text(builder.get("id")):
            yield f"{pointer}/builder", builder


def _beside_inputs(predicate: Mapping[str, Any]) -> dict[str, Any]:
    """The predicate without the things that the artifact was built from, which have their rows."""
    inputs = ("materials", "resolvedDependencies", "builder")
    parts = {"": predicate, **{name: mapping(predicate.get(name))
                               for name in ("buildDefinition", "runDetails")}}  # fmt: skip
    bare = {name: {key: value for key, value in part.items() if key not in inputs}
            for name, part in parts.items()}  # fmt: skip
    return {**bare.pop(""), **bare}


def _kind(made_of: Mapping[str, Any], pointer: str) -> str | None:
    if pointer.endswith("/builder"):
        return "procedure"
    address = text(made_of.get("uri")) or text(made_of.get("name")) or ""
    for kind, is_of_kind in _KINDS:
        if is_of_kind(address):
            return kind
    return "code" if {"gitCommit", "sha1"} & mapping(made_of.get("digest")).keys() else None


def _about(predicate: Mapping[str, Any]) -> dict[str, Any]:
    definition = mapping(predicate.get("buildDefinition"))
    details = mapping(mapping(predicate.get("runDetails")).get("metadata"))
    return filled({
        "build_type": predicate.get("buildType") or definition.get("buildType"),
        "metadata": predicate.get("metadata") or details,
        "invocation": predicate.get("invocation") or definition.get("externalParameters"),
    })  # fmt: skip


slsa_provenance = Importer(
    name="slsa_provenance",
    doc=__doc__ or "",
    tables=(artifact_inputs, checkpoints),
    recognises=_recognises,
    read=_read,
)
