"""Tiffin, simulated: a food-delivery company whose truth is known.

>>> from lab_env.world import World
>>> orders = World(seed=7, scenario="monsoon").orders(first_day=0, days=2)
>>> sorted(set(orders["day"].tolist()))
[0, 1]
"""

from lab_env.world.city import World
from lab_env.world.errors import WorldError
from lab_env.world.files import write_orders
from lab_env.world.orders import ZONES, Columns
from lab_env.world.scenarios import SCENARIOS, Scenario
from lab_env.world.streams import SEED

__all__ = ["SCENARIOS", "SEED", "ZONES", "Columns", "Scenario", "World", "WorldError", "write_orders"]
