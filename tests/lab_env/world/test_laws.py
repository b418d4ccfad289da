"""The closed forms of `laws`, held against sums and against draws."""

import doctest

import numpy as np
import pytest
from scipy import integrate, stats

from lab_env.world import Bernoulli, LogNormal, NegativeBinomial, laws

LAW = LogNormal(np.log([12.0, 25.0, 60.0]), np.array([0.1, 0.2, 0.35]))
COUNTS = NegativeBinomial(np.array([0.4, 7.0, 180.0]), shape=90.0)


def test_the_example_in_the_docstring_runs() -> None:
    assert doctest.testmod(laws).failed == 0


@pytest.mark.parametrize("factor", [0.3, 0.9, 1.0, 1.4, 4.0])
def test_the_absolute_error_of_a_prediction_is_its_integral(factor: float) -> None:
    prediction = LAW.median * factor
    for at, p in enumerate(prediction):
        density = stats.lognorm(s=LAW.sigma[at], scale=LAW.median[at]).pdf
        parts = [(0, p), (p, 20 * LAW.median[at])]
        wanted = sum(
            integrate.quad(lambda y, p=p, f=density: abs(y - p) * f(y), low, high, limit=500)[0]
            for low, high in parts
        )
        assert LAW.absolute_error(prediction)[at] == pytest.approx(wanted, rel=1e-5)


def test_no_prediction_has_a_smaller_error_than_the_best_one() -> None:
    for factor in np.linspace(0.7, 1.3, 61):
        assert (LAW.absolute_error(LAW.median * factor) >= LAW.absolute_error() - 1e-12).all()
        assert (LAW.squared_error(LAW.mean * factor) >= LAW.squared_error() - 1e-9).all()


def test_quantiles_and_cdf_undo_each_other() -> None:
    for q in (0.01, 0.5, 0.9):
        np.testing.assert_allclose(LAW.cdf(LAW.quantile(q)), q)
    np.testing.assert_allclose(LAW.quantile(0.5), LAW.median)


def test_the_error_of_the_median_count_is_its_sum() -> None:
    k = np.arange(2000)
    for at, mean in enumerate(COUNTS.mean):
        chances = stats.nbinom.pmf(k, COUNTS.shape, COUNTS.shape / (COUNTS.shape + mean))
        assert COUNTS.absolute_error()[at] == pytest.approx((np.abs(k - COUNTS.median[at]) * chances).sum())
        assert COUNTS.variance[at] == pytest.approx(((k - mean) ** 2 * chances).sum())


def test_another_count_than_the_median_has_no_smaller_error() -> None:
    k = np.arange(2000)
    for at, mean in enumerate(COUNTS.mean):
        chances = stats.nbinom.pmf(k, COUNTS.shape, COUNTS.shape / (COUNTS.shape + mean))
        for other in (COUNTS.median[at] - 1, COUNTS.median[at] + 1):
            assert (np.abs(k - other) * chances).sum() >= COUNTS.absolute_error()[at] - 1e-9


def test_the_true_probability_has_the_smallest_log_loss() -> None:
    law = Bernoulli(np.array([0.001, 0.01, 0.4]))
    for factor in (0.2, 0.5, 0.99, 1.01, 2.0):
        assert (law.log_loss(law.probability * factor) > law.log_loss()).all()
    assert law.log_loss(np.array([0.0, 0.0, 0.0])).max() < 20  # a prediction of 0 is costly, not infinite
