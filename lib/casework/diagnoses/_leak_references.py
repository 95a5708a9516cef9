"""Examples or training rows that items may stand in, and which item stands in which of them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from casework.case import Query
from casework.diagnoses._inquiry import Inquiry
from casework.stats.boilerplate import Items, without_boilerplate
from casework.stats.shingles import Flags, distinct
from casework.stats.texts import Matches, items_with_long_run, match
from casework.stats.tokens import Places, Tokens, tokenise

NONE = 9
"""Tier of an item that was not found: behind 0 same source, 1 exact, 2 nearly, 3 a long run."""
_LINKED = 50


@dataclass(frozen=True, slots=True)
class Questions:
    """The items as texts: `text` gives for each item its row among the different ones."""

    tokens: Tokens
    text: Places


@dataclass(frozen=True, slots=True)
class Reference:
    """What was compared with the items, and what was found.

    Attributes:
        table: rows with `bank`, `exemplar_id`, `text`, `label` (`pyarrow.Table`).
        first: for each different text its first row.
        items: the items without boilerplate, as they were looked for here.
        matches: pairs of a different item and a different text.
        by_text: for each item the best tier that was found by its text.
        tier: the same, or 0 where it is the same row of the same source.
        long_run: for each item whether it shares 13 words with any text.
        same_source: for each item the rows that are the same row of the same source.
    """

    table: Any
    first: Places
    items: Items
    matches: Matches
    by_text: Places
    tier: Places
    long_run: Flags
    same_source: Mapping[int, list[int]]

    def linked(self, item: int, text: int) -> list[tuple[int, int]]:
        """Rows of this reference that an item was found in, and the tier, best first."""
        begin, end = np.searchsorted(self.matches.item, [text, text + 1])
        found = dict.fromkeys(self.same_source.get(item, ()), 0)
        order = begin + np.argsort(self.matches.tier[begin:end], kind="stable")[:_LINKED]
        for pair in order.tolist():
            row = int(self.first[self.matches.document[pair]])
            found.setdefault(row, int(self.matches.tier[pair]))
        return sorted(((row, tier) for row, tier in found.items()), key=lambda pair: pair[1])


def questions(inputs: Any) -> Questions:
    """Tokens of the different questions of a column, one row an item."""
    tokens = tokenise(inputs)
    first, text = distinct(tokens)
    return Questions(tokens.take(first), text)


def refer(
    ask: Inquiry,
    asked: Questions,
    ids: list[str],
    texts: Query,
    sources: Query,
    params: Mapping[str, Any],
    near: float,
    boilerplate: float,
    before: Reference | None = None,
) -> Reference:
    """Compare the items with the rows of a query, by text and by source.

    `before` is the same for another run with the same items: texts are not compared again.
    """
    found = before or _by_text(ask, asked, texts, params, near, boilerplate)
    same_source = _same_source(ask, ids, found.table, sources, params)
    tier = found.by_text.copy()
    tier[list(same_source)] = 0
    return replace(found, tier=tier, same_source=same_source)


def _by_text(
    ask: Inquiry, asked: Questions, texts: Query, params: Mapping[str, Any], near: float,
    boilerplate: float,
) -> Reference:  # fmt: skip
    table = ask.case.arrow(texts, **params)
    tokens = tokenise(table["text"])
    first, _ = distinct(tokens)
    documents = tokens.take(first)
    items = without_boilerplate(asked.tokens, documents, boilerplate)
    matches = match(items, documents, near)
    best = np.full(asked.tokens.rows, NONE)
    np.minimum.at(best, matches.item, matches.tier)
    tier = best[asked.text]
    long_run = items_with_long_run(items, documents)[asked.text]
    return Reference(table, first, items, matches, tier, tier, long_run, {})


def _same_source(
    ask: Inquiry, ids: list[str], table: Any, sources: Query, params: Mapping[str, Any]
) -> dict[int, list[int]]:
    links = ask.case.rows(sources, **params).dicts()
    if not links:
        return {}
    item = {name: place for place, name in enumerate(ids)}
    names = zip(table["bank"].to_pylist(), table["exemplar_id"].to_pylist(), strict=True)
    row = {name: place for place, name in enumerate(names)}
    found: dict[int, list[int]] = defaultdict(list)
    for link in links:
        place = row.get((link["bank"], link["exemplar_id"]))
        if link["item_id"] in item and place is not None:
            found[item[link["item_id"]]].append(place)
    return dict(found)
