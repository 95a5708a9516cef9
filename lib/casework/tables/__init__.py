"""The evidence tables of a case, in the order of the contract. Instants are UTC."""

from casework.errors import unknown_name
from casework.tables._table import ATTRIBUTES, Column, Table
from casework.tables.accounts import accounts
from casework.tables.alias_events import alias_events
from casework.tables.artifact_inputs import artifact_inputs
from casework.tables.assignments import assignments
from casework.tables.benchmarks import benchmarks
from casework.tables.candidates import candidates
from casework.tables.checkpoints import checkpoints
from casework.tables.clocks import clocks
from casework.tables.config_events import config_events
from casework.tables.deployments import deployments
from casework.tables.engagements import engagements
from casework.tables.eval_runs import eval_runs
from casework.tables.eval_samples import eval_samples
from casework.tables.exemplars import exemplars
from casework.tables.feedback import feedback
from casework.tables.judgments import judgments
from casework.tables.model_versions import model_versions
from casework.tables.nps import nps
from casework.tables.outcomes import outcomes
from casework.tables.people import people
from casework.tables.requests import requests
from casework.tables.reruns import reruns
from casework.tables.row_labels import row_labels
from casework.tables.tickets import tickets
from casework.tables.training_rows import training_rows
from casework.tables.units import units
from casework.tables.vectors import vectors

ALL: tuple[Table, ...] = (
    requests,
    candidates,
    judgments,
    vectors,
    assignments,
    units,
    outcomes,
    config_events,
    alias_events,
    deployments,
    checkpoints,
    model_versions,
    people,
    benchmarks,
    engagements,
    artifact_inputs,
    reruns,
    eval_runs,
    eval_samples,
    exemplars,
    feedback,
    nps,
    accounts,
    training_rows,
    row_labels,
    tickets,
    clocks,
)


def get(name: str) -> Table:
    """Return the table of that name.

    Raises:
        UsageError: there is none; names the nearest.
    """
    for table in ALL:
        if table.name == name:
            return table
    raise unknown_name("table", name, [table.name for table in ALL])


__all__ = [
    "ALL",
    "ATTRIBUTES",
    "Column",
    "Table",
    "accounts",
    "alias_events",
    "artifact_inputs",
    "assignments",
    "benchmarks",
    "candidates",
    "checkpoints",
    "clocks",
    "config_events",
    "deployments",
    "engagements",
    "eval_runs",
    "eval_samples",
    "exemplars",
    "feedback",
    "get",
    "judgments",
    "model_versions",
    "nps",
    "outcomes",
    "people",
    "requests",
    "reruns",
    "row_labels",
    "tickets",
    "training_rows",
    "units",
    "vectors",
]
