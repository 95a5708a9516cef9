"""Items that may stand in the bank in other words: candidates, which a person has to read.

Tier T4 of METHODS section 12. Embeddings are near for the same subject as well as for the same
question, so that a candidate alone is no leak.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casework.case import Query
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._leak_prompts import InPrompt, stood_in
from casework.diagnoses._leak_references import NONE, Questions, Reference
from casework.diagnoses._leak_samples import Samples
from casework.stats.estimates import Estimate, wilson
from casework.stats.neighbours import (
    FEWEST,
    Radius,
    most_items,
    nearest,
    radius_of,
    unit_vectors,
)
from casework.stats.proportions import difference_of_shares
from casework.stats.tokens import Places

Vectors = NDArray[np.float32]
_TOP = 3

TEXT_IDS = Query(
    "text_ids",
    """
    SELECT text_id, max(item_id) AS item_id, min(bank) AS bank, max(exemplar_id) AS exemplar_id
    FROM (SELECT DISTINCT item_id AS text_id, item_id, CAST(NULL AS VARCHAR) AS bank,
                 CAST(NULL AS VARCHAR) AS exemplar_id, input_text AS text
          FROM eval_samples
          WHERE run_id = $run AND coalesce(condition, 'as_run') = $condition
            AND input_text IS NOT NULL
          UNION ALL
          SELECT exemplar_id, CAST(NULL AS VARCHAR), bank, exemplar_id, text
          FROM exemplars WHERE $bank IS NULL OR bank = $bank)
    GROUP BY text_id HAVING count(DISTINCT text) = 1
    """,
    "Ids that name one text, of an item or of an example. What names two of them is left out.",
)

EMBEDDED = Query(
    "embedded",
    """
    SELECT v.embedding_model AS model, array_length(v.vector) AS dimensions,
           count(DISTINCT t.item_id) AS items, count(DISTINCT t.exemplar_id) AS examples
    FROM vectors AS v JOIN text_ids AS t ON t.text_id = v.text_id
    GROUP BY v.embedding_model, array_length(v.vector)
    ORDER BY least(items, examples) DESC, model NULLS LAST, dimensions
    """,
    "Items and examples that have an embedding, by model and length of the vector.",
    uses=(TEXT_IDS,),
)

EMBEDDINGS = Query(
    "embeddings",
    """
    SELECT t.item_id, t.bank, t.exemplar_id, v.vector
    FROM vectors AS v JOIN text_ids AS t ON t.text_id = v.text_id
    WHERE v.embedding_model IS NOT DISTINCT FROM $model AND array_length(v.vector) = $dimensions
    QUALIFY row_number() OVER (PARTITION BY v.text_id ORDER BY v.occurred_at DESC, v.locator) = 1
    ORDER BY v.text_id
    """,
    "The latest embedding of each item and example by one model.",
    uses=(TEXT_IDS,),
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item and an example that are nearer than unrelated texts, and share no run of words.

    `in_prompt` says whether the example stood in the item's own prompt; None where no prompt in
    which the question was found is recorded.
    """

    item: int
    row: int
    similarity: float
    in_prompt: bool | None


@dataclass(frozen=True, slots=True)
class Paraphrases:
    """What embeddings tell of items and examples.

    Attributes:
        candidates: the pairs, nearest first.
        items: items that were compared.
        examples: examples that they were compared with.
        radius: how near unrelated texts come.
    """

    candidates: tuple[Candidate, ...]
    items: int
    examples: int
    radius: Radius

    @property
    def found(self) -> int:
        """Items with a candidate."""
        return len({c.item for c in self.candidates})

    @property
    def in_prompt(self) -> int:
        """Items with a candidate that stood in their own prompt."""
        return len({c.item for c in self.candidates if c.in_prompt})

    @property
    def rate(self) -> Estimate:
        """Share of the items with a candidate."""
        return wilson(self.found, self.items)

    @property
    def beyond_chance(self) -> bool:
        """Whether more candidates stood in prompts than unrelated texts alone would make."""
        expected = round(self.radius.by_chance * self.radius.items)
        gap = difference_of_shares((expected, self.radius.items), (self.in_prompt, self.items))
        return gap.low > 0


def find_paraphrases(
    ask: Inquiry, samples: Samples, asked: Questions, bank: Reference | None,
    found: InPrompt | None, params: dict[str, Any], near: float, seed: int,
) -> Paraphrases | None:  # fmt: skip
    """Compare embeddings of items and examples; None where the case does not hold both."""
    if bank is None or not ask.case.filled("vectors"):
        return None
    models = ask.ask(EMBEDDED, **params)
    if not models or models[0]["items"] < FEWEST or not models[0]["examples"]:
        return None
    by = {"model": models[0]["model"], "dimensions": models[0]["dimensions"]}
    table = ask.case.arrow(EMBEDDINGS, **params, **by)
    item, row = _rows(table, samples, bank)
    vectors, kept = unit_vectors(_matrix(table["vector"], by["dimensions"]))
    item, row = item[kept], row[kept]
    return _compared(
        (vectors[item >= 0], item[item >= 0]), (vectors[row >= 0], row[row >= 0]),
        samples, asked, bank, found, near, seed,
    )  # fmt: skip


def _compared(
    ours: tuple[Vectors, Places], theirs: tuple[Vectors, Places], samples: Samples,
    asked: Questions, bank: Reference, found: InPrompt | None, near: float, seed: int,
) -> Paraphrases | None:  # fmt: skip
    of_items, item = ours
    of_bank, row = theirs
    _, once = np.unique(asked.text[item], return_index=True)
    radius = radius_of(of_items[once], len(row), seed)
    if radius is None:
        return None
    if len(item) > most_items(len(row)):
        rng = np.random.default_rng(seed)
        drawn = np.sort(rng.choice(len(item), most_items(len(row)), replace=False))
        of_items, item = of_items[drawn], item[drawn]
    places, cosines = nearest(of_items, of_bank, _TOP)
    within = (cosines >= radius.similarity) & (bank.tier[item] == NONE)[:, None]
    who, which = np.nonzero(within)
    pairs = [(int(item[i]), int(row[places[i, k]])) for i, k in zip(who, which, strict=True)]
    stood = [None] * len(pairs) if found is None else stood_in(samples, bank, found, pairs, near)
    candidates = [
        Candidate(own, example, float(cosines[i, k]), there)
        for (own, example), i, k, there in zip(pairs, who, which, stood, strict=True)
    ]
    candidates.sort(key=lambda c: (-c.similarity, c.item, c.row))
    return Paraphrases(tuple(candidates), len(item), len(row), radius)


def _rows(table: Any, samples: Samples, bank: Reference) -> tuple[Places, Places]:
    """For each embedding its item and its row of the bank, -1 where it is none."""
    place = {name: i for i, name in enumerate(samples.ids)}
    names = zip(bank.table["bank"].to_pylist(), bank.table["exemplar_id"].to_pylist(), strict=True)
    row = {name: i for i, name in enumerate(names)}
    pairs = zip(table["bank"].to_pylist(), table["exemplar_id"].to_pylist(), strict=True)
    items = [place.get(name, -1) for name in table["item_id"].to_pylist()]
    return np.array(items, np.int64), np.array([row.get(pair, -1) for pair in pairs], np.int64)


def _matrix(column: Any, dimensions: int) -> Vectors:
    """Vectors as rows of an array; what is NULL in one becomes NaN."""
    flat = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat, np.float32).reshape(-1, dimensions)
