import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from casework.stats.shares import clustered_share

clusters = st.lists(
    st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=2,
    max_size=30,
)


@given(clusters)
def test_the_interval_holds_the_share(found):
    estimate = clustered_share(found)
    assert estimate is not None
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert estimate.n == len(found)


def test_the_standard_error_is_that_of_a_clustered_regression():
    """A mean with errors clustered by endpoint, statsmodels with its small-sample factor."""
    rng = np.random.default_rng(3)
    sizes = rng.integers(5, 200, 25)
    yes = rng.binomial(sizes, rng.beta(8, 2, 25))
    rows = np.concatenate(
        [np.r_[np.ones(k), np.zeros(n - k)] for k, n in zip(yes, sizes, strict=True)]
    )
    groups = np.repeat(np.arange(25), sizes)
    fit = sm.OLS(rows, np.ones(len(rows))).fit(cov_type="cluster", cov_kwds={"groups": groups})
    estimate = clustered_share(list(zip(yes.tolist(), sizes.tolist(), strict=True)))
    assert estimate is not None
    assert estimate.value == pytest.approx(fit.params[0])
    from scipy.stats import t

    factor = (len(rows) - 1) / len(rows)  # (N - 1)/(N - K) aside, the factor is G/(G - 1)
    se = (estimate.high - estimate.value) / t.ppf(0.975, 24)
    assert se == pytest.approx(fit.bse[0] * np.sqrt(factor * len(rows) / (len(rows) - 1)), rel=2e-3)


def test_one_cluster_has_no_interval():
    assert clustered_share([(3, 10), (0, 0)]) is None


@pytest.mark.parametrize(("k", "low", "high"), [(0, 0.0, 0.7076), (10, 0.2924, 1.0)])
def test_clusters_that_agree_are_not_certain(k, low, high):
    """The exact interval of none, and of all, of three."""
    estimate = clustered_share([(k, 10), (5 * k, 50), (100 * k, 1000)])
    assert estimate is not None
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=1e-4)
