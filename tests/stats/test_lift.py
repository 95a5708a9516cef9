import math

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
import tea_tasting as tt
from scipy import integrate, stats

from casework.stats.lift import (
    Cells,
    RatioSums,
    decompose,
    difference_of_means,
    exaggeration,
    ratio_difference,
)


def cells_of(x: np.ndarray, y: np.ndarray, arm: np.ndarray, group: np.ndarray) -> Cells:
    """Sums per arm and group, as the database gives them."""
    columns = np.column_stack([x, y])
    columns = columns - columns.mean(axis=0)
    groups, d = int(group.max()) + 1, columns.shape[1]
    n, s, ss = np.zeros((2, groups)), np.zeros((2, groups, d)), np.zeros((2, groups, d, d))
    np.add.at(n, (arm, group), 1)
    np.add.at(s, (arm, group), columns)
    np.add.at(ss, (arm, group), columns[:, :, None] * columns[:, None, :])
    return Cells(n, s, ss)


def experiment(rng, n: int, lift: float, skew: float, share: float = 0.2):
    """Units whose two covariates drive the outcome; treated ones are higher by `skew`."""
    arm = (rng.random(n) < share).astype(int)
    x = rng.exponential(size=(n, 2)) @ np.array([[1.0, 0.5], [0.0, 1.0]])
    x[:, 0] += skew * arm
    y = lift * arm + x @ [1.0, -0.4] + rng.normal(size=n)
    return x, y, arm, rng.integers(0, 100, n)


def test_adjusted_lift_is_the_coefficient_of_the_arm():
    x, y, arm, group = experiment(np.random.default_rng(1), 3000, 0.3, 0.5)
    found = decompose(cells_of(x, y, arm, group), draws=99)
    fit = sm.OLS(y, sm.add_constant(np.column_stack([arm, x]))).fit()
    raw = sm.OLS(y, sm.add_constant(arm)).fit()
    assert found.adjusted.value == pytest.approx(fit.params[1], abs=1e-9)
    assert found.raw.value == pytest.approx(raw.params[1], abs=1e-9)
    gap = x[arm == 1].mean(axis=0) - x[arm == 0].mean(axis=0)
    assert found.slopes == pytest.approx(fit.params[2:], abs=1e-9)
    assert found.parts == pytest.approx(fit.params[2:] * gap, abs=1e-9)
    assert found.composition.value == pytest.approx(sum(found.parts), abs=1e-12)
    assert found.raw.value == pytest.approx(found.adjusted.value + found.composition.value)
    assert found.share is not None
    assert found.share.value == pytest.approx(found.composition.value / found.raw.value)
    assert found.raw.n == 3000


def test_intervals_are_as_wide_as_robust_errors():
    x, y, arm, group = experiment(np.random.default_rng(2), 4000, 0.3, 0.5)
    found = decompose(cells_of(x, y, arm, group), draws=2000)
    for estimate, columns in ((found.adjusted, [arm, x]), (found.raw, [arm])):
        fit = sm.OLS(y, sm.add_constant(np.column_stack(columns))).fit(cov_type="HC1")
        half = (estimate.high - estimate.low) / 2 / 1.96
        assert half == pytest.approx(fit.bse[1], rel=0.15)


def test_composition_alone_makes_the_lift():
    x, y, arm, group = experiment(np.random.default_rng(3), 6000, 0.0, 0.5)
    found = decompose(cells_of(x, y, arm, group))
    assert found.raw_excludes_zero
    assert found.share is not None
    assert not found.share.excludes(1.0)
    assert found.share.excludes(0.5)
    assert not found.adjusted.excludes(0.0)
    assert found.adjusted.excludes(found.raw.value)
    assert found.parts[0] == pytest.approx(0.5, abs=0.05)


def test_no_share_of_a_lift_that_may_be_none():
    x, y, arm, group = experiment(np.random.default_rng(4), 3000, 0.0, 0.0)
    found = decompose(cells_of(x, y, arm, group))
    assert not found.raw.excludes(0.0)
    assert (found.share, found.raw_excludes_zero) == (None, False)


def covered(seeds: range, draws: int) -> np.ndarray:
    """How many of the experiments have intervals that hold the truth: raw, adjusted, C, share."""
    lift, skew = 0.3, 0.3
    hits = np.zeros(4)
    for seed in seeds:
        data = experiment(np.random.default_rng(seed), 2500, lift, skew)
        found = decompose(cells_of(*data), draws=draws, seed=seed)
        estimates = (found.raw, found.adjusted, found.composition, found.share)
        for i, truth in enumerate((lift + skew, lift, skew, skew / (lift + skew))):
            estimate = estimates[i]
            hits[i] += estimate is not None and not estimate.excludes(truth)
    return hits


def test_intervals_cover():
    hits = covered(range(1000, 1250), 299)
    assert np.all(hits >= stats.binom.ppf(0.001, 250, 0.94))
    assert np.all(hits <= stats.binom.ppf(0.999, 250, 0.95))


@pytest.mark.slow
def test_intervals_cover_95_percent():
    share = covered(range(2000, 5000), 499) / 3000
    assert np.all((share > 0.93) & (share < 0.97)), share


def test_repeated_and_constant_covariates_change_nothing():
    x, y, arm, group = experiment(np.random.default_rng(5), 2000, 0.3, 0.5)
    plain = decompose(cells_of(x, y, arm, group), draws=99)
    wide = np.column_stack([x, x[:, 0] * 1e6, np.full(2000, 7.0)])
    found = decompose(cells_of(wide, y, arm, group), draws=99)
    assert found.adjusted.value == pytest.approx(plain.adjusted.value, abs=1e-9)
    assert found.adjusted.low == pytest.approx(plain.adjusted.low, abs=1e-7)
    assert found.parts[3] == 0.0


def test_same_seed_same_result():
    cells = cells_of(*experiment(np.random.default_rng(6), 500, 0.3, 0.5))
    assert decompose(cells, 99, seed=1) == decompose(cells, 99, seed=1)
    assert decompose(cells, 99, seed=1) != decompose(cells, 99, seed=2)


def test_a_small_canary_leaves_groups_empty():
    rng = np.random.default_rng(7)
    x, y, arm, group = experiment(rng, 2000, 1.0, 0.0, share=0.03)
    cells = cells_of(x, y, arm, group)
    assert (cells.n[1] == 0).any()
    found = decompose(cells)
    assert not found.raw.excludes(1.0)
    assert found.raw.excludes(0.0)


def test_what_cannot_be_decomposed_is_refused():
    n, s, ss = np.ones((2, 5)), np.ones((2, 5, 2)), np.ones((2, 5, 2, 2))
    with pytest.raises(ValueError, match="covariate"):
        decompose(Cells(n, s[..., :1], ss[..., :1, :1]))
    n[1, 1:] = 0
    with pytest.raises(ValueError, match="two groups"):
        decompose(Cells(n, s, ss))


@pytest.fixture(scope="module")
def arms():
    rng = np.random.default_rng(8)
    d = rng.poisson(5, 4000) + 1
    y = rng.binomial(d, rng.beta(2, 5, 4000)).astype(float)
    return pl.DataFrame({"variant": (rng.random(4000) < 0.2).astype(int), "y": y, "d": d})


def analysed(arms: pl.DataFrame, metric: "tt.metrics.MetricBase[object]"):
    return tt.Experiment(m=metric).analyze(arms)["m"]


def test_means_agree_with_tea_tasting(arms):
    by_arm = arms.group_by("variant").agg(
        n=pl.len(), mean=pl.col("y").mean(), var=pl.col("y").var(ddof=1)
    )
    columns = by_arm.sort("variant").select("n", "mean", "var")
    found = difference_of_means(*(tuple(column) for column in columns))
    other = analysed(arms, tt.Mean("y", use_t=True, equal_var=False))
    assert (found.value, found.low, found.high, found.p) == pytest.approx(
        (
            other.effect_size,
            other.effect_size_ci_lower,
            other.effect_size_ci_upper,
            other.pvalue,
        ),
        rel=1e-9,
    )
    assert found.se == pytest.approx(found.value / other.statistic, rel=1e-9)
    assert found.n == 4000


def test_few_units_agree_with_scipy():
    a, b = [1.0, 4.0, 2.5], [3.0, 9.0, 5.0, 11.0]
    found = difference_of_means(
        (3, 4), (np.mean(a), np.mean(b)), (np.var(a, ddof=1), np.var(b, ddof=1))
    )
    test = stats.ttest_ind(b, a, equal_var=False)
    interval = test.confidence_interval()
    assert (found.p, found.low, found.high) == pytest.approx(
        (test.pvalue, interval.low, interval.high), rel=1e-9
    )


def test_ratios_agree_with_tea_tasting(arms):
    y, d = pl.col("y"), pl.col("d")
    sums = (
        arms.group_by("variant")
        .agg(n=pl.len(), y=y.sum(), d=d.sum(), yy=(y * y).sum(), yd=(y * d).sum(), dd=(d * d).sum())
        .sort("variant")
        .drop("variant")
    )
    found = ratio_difference(*(RatioSums(*row) for row in sums.iter_rows()))
    other = analysed(arms, tt.RatioOfMeans("y", "d", use_t=False, equal_var=False))
    assert (found.value, found.low, found.high, found.p) == pytest.approx(
        (
            other.effect_size,
            other.effect_size_ci_lower,
            other.effect_size_ci_upper,
            other.pvalue,
        ),
        rel=1e-9,
    )


def test_differences_without_variation():
    same = difference_of_means((5, 5), (2.0, 2.0), (0.0, 0.0))
    apart = difference_of_means((5, 5), (2.0, 3.0), (0.0, 0.0))
    assert (same.p, same.low, same.high) == (1.0, 0.0, 0.0)
    assert (apart.p, apart.low, apart.high) == (0.0, 1.0, 1.0)
    constant = RatioSums(4, 2, 8, 1, 4, 16)
    assert ratio_difference(constant, constant).p == 1.0


def test_differences_need_units():
    with pytest.raises(ValueError, match="two units"):
        difference_of_means((1, 5), (0.0, 0.0), (1.0, 1.0))
    with pytest.raises(ValueError, match="two units"):
        ratio_difference(RatioSums(4, 2, 8, 1, 4, 16), RatioSums(4, 0, 0, 0, 0, 0))


@pytest.mark.parametrize(("effect", "se"), [(2.0, 8.1), (-0.1, 3.28), (1.0, 0.5), (5.0, 1.0)])
def test_exaggeration_is_the_mean_of_significant_results(effect, se):
    z, size = stats.norm.ppf(0.975), abs(effect)

    def weighted(estimate: float, power: int) -> float:
        return abs(estimate) ** power * stats.norm.pdf(estimate, size, se)

    def tails(power: int) -> float:
        ends = ((-math.inf, -z * se), (z * se, math.inf))
        return sum(integrate.quad(weighted, *end, args=(power,), epsabs=1e-13)[0] for end in ends)

    assert exaggeration(effect, se) == pytest.approx(tails(1) / tails(0) / size, rel=1e-6)


def test_exaggeration_of_hopeless_and_of_strong_designs():
    """Gelman & Carlin 2014: an effect of 2 with error 8.1 is overstated almost ten times."""
    assert 9 < exaggeration(2.0, 8.1) < 10
    assert exaggeration(0.0, 1.0) == math.inf
    assert exaggeration(100.0, 1.0) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="standard error"):
        exaggeration(1.0, 0.0)
