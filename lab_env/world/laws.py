"""Conditional laws: how a target spreads, row by row, given what is known when it is predicted.

A law is exact. It gives the best possible predictor of each kind, and the loss that even this one has:
the floor that no model can beat except by luck.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import nbinom

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class LogNormal:
    """exp of a normal with mean `mu` and standard deviation `sigma`; shape (n,) each.

    >>> law = LogNormal(np.log([20.0, 40.0]), np.array([0.2, 0.2]))
    >>> law.median.round(1).tolist(), law.mean.round(2).tolist()
    ([20.0, 40.0], [20.4, 40.81])
    """

    mu: Vector
    sigma: Vector

    @property
    def median(self) -> Vector:
        """The prediction with the smallest expected absolute error."""
        return np.exp(self.mu)

    @property
    def mean(self) -> Vector:
        """The prediction with the smallest expected squared error."""
        return np.exp(self.mu + self.sigma**2 / 2)

    @property
    def variance(self) -> Vector:
        """In squared units of the target."""
        return self.mean**2 * np.expm1(self.sigma**2)

    def quantile(self, q: ArrayLike) -> Vector:
        """What is not exceeded with probability `q`."""
        return np.asarray(np.exp(self.mu + self.sigma * ndtri(q)))

    def cdf(self, value: ArrayLike) -> Vector:
        """The probability of at most `value`; uniform on [0, 1] over the real outcomes."""
        return np.asarray(ndtr((np.log(value) - self.mu) / self.sigma))

    def absolute_error(self, prediction: ArrayLike | None = None) -> Vector:
        """The expected absolute error of a prediction; of the best one, the median, when None.

        E|Y - p| = p (2 F(p) - 1) + mean (1 - 2 F(p) shifted by sigma), by the partial expectation of a
        lognormal variable.
        """
        if prediction is None:
            return np.asarray(self.mean * (2 * ndtr(self.sigma) - 1))
        p = np.maximum(prediction, 1e-9)
        z = (np.log(p) - self.mu) / self.sigma
        return np.asarray(p * (2 * ndtr(z) - 1) + self.mean * (1 - 2 * ndtr(z - self.sigma)))

    def squared_error(self, prediction: ArrayLike | None = None) -> Vector:
        """The expected squared error of a prediction; of the mean when None."""
        if prediction is None:
            return self.variance
        return np.asarray(self.variance + (self.mean - np.asarray(prediction)) ** 2)


@dataclass(frozen=True)
class NegativeBinomial:
    """Counts with mean `mean` whose rate varies from day to day by a gamma with shape `shape`."""

    mean: Vector
    shape: float

    @property
    def variance(self) -> Vector:
        """In squared counts: more than the mean, as orders of one day share its luck."""
        return self.mean + self.mean**2 / self.shape

    @property
    def median(self) -> Vector:
        """The smallest count that is not exceeded in half of all cases."""
        return self.quantile(0.5)

    def quantile(self, q: ArrayLike) -> Vector:
        """The smallest count that is not exceeded with probability `q`."""
        return np.asarray(nbinom.ppf(q, self.shape, self._stop), dtype=float)

    def cdf(self, value: ArrayLike) -> Vector:
        """The probability of at most `value`."""
        return np.asarray(nbinom.cdf(value, self.shape, self._stop), dtype=float)

    def absolute_error(self) -> Vector:
        """The expected absolute error of the median.

        E|N - m| = E[N] - m + 2 m F(m) - 2 E[N; N <= m], and k P(N = k) of a negative binomial is
        mean * P(N' = k - 1) with N' of shape + 1.
        """
        m = self.median
        below = self.mean * nbinom.cdf(m - 1, self.shape + 1, self._stop)
        return np.asarray(self.mean - m + 2 * m * self.cdf(m) - 2 * below)

    def squared_error(self) -> Vector:
        """The expected squared error of the mean."""
        return self.variance

    @property
    def _stop(self) -> Vector:
        return self.shape / (self.shape + self.mean)


@dataclass(frozen=True)
class Bernoulli:
    """Yes with the given probability; shape (n,)."""

    probability: Vector

    @property
    def mean(self) -> Vector:
        """The probability: the prediction with the smallest expected log loss and squared error."""
        return self.probability

    def log_loss(self, prediction: ArrayLike | None = None) -> Vector:
        """The expected log loss, in nats, of a predicted probability; of the true one when None."""
        guess = np.clip(self.probability if prediction is None else prediction, 1e-15, 1 - 1e-15)
        return np.asarray(-self.probability * np.log(guess) - (1 - self.probability) * np.log1p(-guess))
