# %% Measure the error
def mae(actual, predicted):
    """The mean of |actual - predicted|. Orders without an actual value do not count."""
    return float(np.mean(misses(actual, predicted)))


def p90_error(actual, predicted):
    """What nine of ten orders stay under: the 0.9 quantile of |actual - predicted|."""
    return float(np.quantile(misses(actual, predicted), 0.9))


def misses(actual, predicted):
    actual, predicted = np.asarray(actual, dtype=float), np.asarray(predicted, dtype=float)
    there = ~np.isnan(actual - predicted)
    return np.abs(actual[there] - predicted[there])
