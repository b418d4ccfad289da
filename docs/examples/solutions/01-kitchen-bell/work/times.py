# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # How long a dish takes

# %%
import csv
from pathlib import Path

# %% Read the dishes
rows = csv.DictReader(Path("dishes.csv").read_text().splitlines())
minutes = {row["dish"]: int(row["minutes"]) for row in rows}

# %% Take the mean
# BEGIN SOLUTION
mean_minutes = sum(minutes.values()) / len(minutes)
# INSTEAD: mean_minutes = ...
# END SOLUTION


# %% Say what is slow
def is_slow(dish):
    # BEGIN SOLUTION
    return minutes[dish] > mean_minutes
    # INSTEAD: raise NotImplementedError
    # END SOLUTION


# %% check="slow_dishes_are_known"
assert is_slow("biryani")
