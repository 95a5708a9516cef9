import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from casework.stats.multiplicity import benjamini_hochberg, holm

values = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(values)
@pytest.mark.parametrize(("adjust", "method"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
def test_adjusted_p_values_agree_with_statsmodels(adjust, method, p):
    assert adjust(p) == pytest.approx(list(multipletests(p, method=method)[1]), abs=1e-12)


def test_nothing_tested_is_nothing_adjusted():
    assert holm([]) == benjamini_hochberg([]) == []
