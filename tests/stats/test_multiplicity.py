import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from casework.stats.multiplicity import benjamini_hochberg, holm


@pytest.mark.parametrize("size", [1, 2, 7, 40])
@pytest.mark.parametrize(("adjust", "method"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
def test_adjusted_p_values_agree_with_statsmodels(adjust, method, size):
    rng = np.random.default_rng(size)
    for p in (rng.random(size), rng.random(size) ** 4, np.full(size, 0.03), np.zeros(size)):
        assert adjust(list(p)) == pytest.approx(list(multipletests(p, method=method)[1]), abs=1e-12)


def test_nothing_tested_is_nothing_adjusted():
    assert holm([]) == benjamini_hochberg([]) == []
