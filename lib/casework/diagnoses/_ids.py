"""Whether ids repeat. Where none does, rows need not be grouped by them, which is most of the work.

A diagnosis that counts each request once takes the earliest record of each id, and has to compare
all ids for it. Sorting their hashes tells for a third of that time whether there is anything to do.
"""

from typing import Any

import numpy as np

from casework.case import Query
from casework.diagnoses._inquiry import Inquiry

IDS = Query(
    "ids", "SELECT hash(request_id) AS id FROM requests", "Hashes of the ids of all requests."
)


def ids_differ(ask: Inquiry, query: Query = IDS, **params: Any) -> bool:
    """Whether no hash in the column `id` of a query is there twice.

    Two ids of one hash count as a repetition: then the ids themselves are compared, and nothing is
    missed.
    """
    ids = np.sort(ask.case.arrow(query, **params)["id"].to_numpy())
    return bool((ids[1:] != ids[:-1]).all())
