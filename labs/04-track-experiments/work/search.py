"""A small search: each setting with the same seeds, each as a run."""

# task: search

from model import Settings
from track import run

# At least three settings, each with the same three seeds.
