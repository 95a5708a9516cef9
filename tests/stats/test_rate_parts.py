"""What made a rate change, against the decompositions that it applies twice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.oaxaca import OaxacaBlinder

from casework.stats.rate_parts import rate_parts


def sums_of(pairs: dict[tuple[int, int], tuple[int, int, int, int]]) -> list[list[float]]:
    """One row for each query, from (n0, y0, n1, y1) of each pair of query and document."""
    rows = []
    for query in sorted({query for query, _ in pairs}):
        own = [pair for (q, _), pair in pairs.items() if q == query]
        n0, y0, n1, y1 = (sum(pair[i] for pair in own) for i in range(4))
        change = y1 / n1 - y0 / n0 if n0 and n1 else 0.0
        same = sum(
            (pair[0] / n0 + pair[2] / n1) / 2 * (pair[3] / pair[2] - pair[1] / pair[0])
            for pair in own if pair[0] and pair[2]
        )  # fmt: skip
        rows.append([n0, y0, n1, y1, n0 * change, n1 * change, n0 * same, n1 * same])
    return rows


def test_other_queries_are_the_explained_part_of_oaxaca_and_blinder() -> None:
    """Dummies of the queries; of the three-fold form the interaction is shared out in halves."""
    rng = np.random.default_rng(3)
    pairs = {}
    period, query, dropped = [], [], []
    for q in range(6):
        n0, n1 = (int(n) for n in rng.integers(20, 60, 2))
        y0, y1 = int(rng.binomial(n0, 0.1 + 0.1 * q)), int(rng.binomial(n1, 0.2 + 0.1 * q))
        pairs[q, 0] = (n0, y0, n1, y1)
        period += [0] * n0 + [1] * n1
        query += [q] * (n0 + n1)
        dropped += [1] * y0 + [0] * (n0 - y0) + [1] * y1 + [0] * (n1 - y1)
    found = rate_parts(sums_of(pairs), 6)
    assert found is not None
    dummies = np.equal.outer(query, range(6)).astype(float)
    model = OaxacaBlinder(np.array(dropped, float), np.column_stack([period, dummies]), 0,
                          hasconst=True, swap=False)  # fmt: skip
    endowments, coefficients, interaction, gap = model.three_fold().params
    assert found.total.value == pytest.approx(-gap)
    assert found.other_groups.value == pytest.approx(-(endowments + interaction / 2))
    assert found.same_things.value == pytest.approx(-(coefficients + interaction / 2))
    assert found.other_things.value == pytest.approx(0, abs=1e-12)


def test_each_part_is_what_was_planted() -> None:
    """One query drops a document that it let pass; the other gets one that is dropped."""
    pairs = {
        (0, 0): (1, 0, 1, 1), (0, 1): (1, 0, 1, 0),
        (1, 0): (1, 0, 1, 0), (1, 1): (1, 0, 0, 0), (1, 2): (0, 0, 1, 1),
    }  # fmt: skip
    found = rate_parts(sums_of(pairs), 2)
    assert found is not None
    parts = found.same_things, found.other_things, found.other_groups
    assert [part.value for part in parts] == pytest.approx([0.25, 0.25, 0.0])


counts = st.tuples(st.integers(0, 5), st.integers(0, 5)).map(lambda n: (max(n), min(n)))
asked = st.dictionaries(
    st.tuples(st.integers(0, 4), st.integers(0, 3)),
    st.tuples(counts, counts).map(lambda both: (*both[0], *both[1])).filter(any),
    min_size=2,
)


@given(asked)
def test_parts_sum_to_the_change(pairs: dict[tuple[int, int], tuple[int, int, int, int]]) -> None:
    found = rate_parts(sums_of(pairs), len(pairs), draws=20)
    n0, y0, n1, y1 = (sum(pair[i] for pair in pairs.values()) for i in range(4))
    if found is None:
        assert not (n0 and n1) or len({query for query, _ in pairs}) == 1
        return
    assert found.total.value == pytest.approx(y1 / n1 - y0 / n0)
    parts = found.same_things, found.other_things, found.other_groups
    assert sum(part.value for part in parts) == pytest.approx(found.total.value)


def test_interval_is_that_of_the_delta_method() -> None:
    from casework.stats.periods import PeriodSums

    rng = np.random.default_rng(4)
    n0, n1 = rng.integers(5, 15, (2, 400))
    y0, y1 = rng.binomial(n0, rng.beta(2, 6, 400)), rng.binomial(n1, rng.beta(3, 6, 400))
    pairs = {(q, 0): tuple(map(int, row)) for q, row in enumerate(zip(n0, y0, n1, y1, strict=True))}
    found = rate_parts(sums_of(pairs), 400)  # type: ignore[arg-type]
    each = {"n0": n0, "y0": y0, "n1": n1, "y1": y1}
    sums: dict[str, float] = {name: float(x.sum()) for name, x in each.items()}
    for name in PeriodSums.__slots__[5:]:
        sums[name] = float((each[name[:2]] * each[name[2:]]).sum())
    expected = PeriodSums.of(sums | {"clusters": 400}).difference
    assert found is not None
    assert found.total.value == pytest.approx(expected.value)
    width = found.total.high - found.total.low
    assert width == pytest.approx(expected.high - expected.low, rel=0.1)
