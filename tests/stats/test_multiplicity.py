import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from casework.stats.multiplicity import benjamini_hochberg, holm


@pytest.mark.parametrize(
    "p",
    [[0.03], [0.0, 0.0], [0.03] * 7, np.random.default_rng(1).random(40) ** 4],
    ids=["one", "nought", "ties", "many"],
)  # few, as statsmodels collects all garbage at each call
@pytest.mark.parametrize(("adjust", "method"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
def test_adjusted_p_values_agree_with_statsmodels(adjust, method, p):
    assert adjust(list(p)) == pytest.approx(list(multipletests(p, method=method)[1]), abs=1e-12)


def test_nothing_tested_is_nothing_adjusted():
    assert holm([]) == benjamini_hochberg([]) == []
