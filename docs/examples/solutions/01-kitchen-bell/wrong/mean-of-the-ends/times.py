# %% Take the mean
mean_minutes = (min(minutes.values()) + max(minutes.values())) / 2
