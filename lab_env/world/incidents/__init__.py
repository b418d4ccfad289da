"""The incidents of Tiffin, one small class each, and the list of them all."""

from difflib import get_close_matches

from lab_env.world.errors import WorldError
from lab_env.world.incidents.base import Action, Incident, Kind, refuse_contradictions
from lab_env.world.incidents.fraud import FraudRing, FraudWave
from lab_env.world.incidents.inputs import (
    CourierShortage,
    DecoyWeek,
    Festival,
    Monsoon,
    NewBridge,
    NewZone,
    OrderStacking,
    UnseenRain,
)
from lab_env.world.incidents.systems import (
    BadDeploy,
    BrokenLabels,
    DoubledFeed,
    LateLabels,
    Metres,
    Nulls,
    RenamedColumn,
    ServingSkew,
    ShiftedClock,
    SlowService,
)

CATALOGUE: dict[str, type[Incident]] = {
    incident.name: incident
    for incident in (
        DecoyWeek,
        Monsoon,
        UnseenRain,
        NewZone,
        CourierShortage,
        NewBridge,
        OrderStacking,
        Festival,
        Metres,
        Nulls,
        RenamedColumn,
        DoubledFeed,
        ShiftedClock,
        BrokenLabels,
        BadDeploy,
        ServingSkew,
        SlowService,
        LateLabels,
        FraudWave,
        FraudRing,
    )
}


def find_incident(name: str) -> type[Incident]:
    """The class of the incident called `name`.

    Raises:
        WorldError: there is none; names the nearest.
    """
    if name in CATALOGUE:
        return CATALOGUE[name]
    near = get_close_matches(name, CATALOGUE, n=1, cutoff=0.4)
    hint = f"Did you mean `{near[0]}`?" if near else f"There are: {', '.join(CATALOGUE)}."
    raise WorldError(f"Nothing called `{name}` ever happens to Tiffin. {hint}")


__all__ = [
    "CATALOGUE",
    "Action",
    "BadDeploy",
    "BrokenLabels",
    "CourierShortage",
    "DecoyWeek",
    "DoubledFeed",
    "Festival",
    "FraudRing",
    "FraudWave",
    "Incident",
    "Kind",
    "LateLabels",
    "Metres",
    "Monsoon",
    "NewBridge",
    "NewZone",
    "Nulls",
    "OrderStacking",
    "RenamedColumn",
    "ServingSkew",
    "ShiftedClock",
    "SlowService",
    "UnseenRain",
    "find_incident",
    "refuse_contradictions",
]
