# %% Split by lot, and compare
shuffled = orders.sample(frac=1, random_state=1)
by_lot = shuffled[len(test) :], shuffled[: len(test)]
gain_by_lot = gain(*by_lot)
gain_by_time = gain(*by_lot)
print(f"by lot {gain_by_lot:+.3f} minutes, by time {gain_by_time:+.3f} minutes")
