"""Tiffin, simulated: a food-delivery company whose truth is known.

>>> from lab_env.world import World
>>> orders = World(seed=7, scenario="monsoon").orders(first_day=0, days=2)
>>> sorted(set(orders["day"].tolist()))
[0, 1]
"""

from lab_env.world.columns import Columns
from lab_env.world.conditions import ZONES, Conditions
from lab_env.world.errors import WorldError
from lab_env.world.incidents import CATALOGUE, Action, Incident, Kind, find_incident
from lab_env.world.laws import Bernoulli, LogNormal, NegativeBinomial
from lab_env.world.scenarios import SCENARIOS, Scenario
from lab_env.world.streams import SEED
from lab_env.world.tables import as_arrow, as_frame, write, write_orders
from lab_env.world.tiffin import World
from lab_env.world.truth import floors, tail

__all__ = [
    "CATALOGUE",
    "SCENARIOS",
    "SEED",
    "ZONES",
    "Action",
    "Bernoulli",
    "Columns",
    "Conditions",
    "Incident",
    "Kind",
    "LogNormal",
    "NegativeBinomial",
    "Scenario",
    "World",
    "WorldError",
    "as_arrow",
    "as_frame",
    "find_incident",
    "floors",
    "tail",
    "write",
    "write_orders",
]
