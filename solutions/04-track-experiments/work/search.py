"""A small search: each setting with the same seeds, each as a run."""

# task: search

from model import Settings
from track import run

# BEGIN SOLUTION
for leaves in (15, 20, 30):
    for seed in (1, 2, 3):
        print(leaves, seed, run(Settings(leaves=leaves, seed=seed)))
# INSTEAD: # At least three settings, each with the same three seeds.
# END SOLUTION
