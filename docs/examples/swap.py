"""What a request finds while the bundle is changed under it.

    python docs/examples/swap.py

A change has moments, and a request may come at each: every `yield` is one.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain


# --8<-- [start:bundle]
@dataclass(frozen=True)
class Bundle:
    """A model, and the features that it takes, in their order."""

    version: str
    features: tuple[str, ...]
    model: Callable[[Sequence[float]], float]

    def minutes(self, order: dict[str, float]) -> float:
        """What the model says, asked with its own features."""
        return self.model([order[name] for name in self.features])


SAMPLE = {"distance_km": 2.0, "items": 3.0}
FIRST = Bundle(
    "1", ("distance_km", "items"), lambda row: 18 + 4 * row[0] + row[1]
)
SECOND = Bundle(
    "2", ("items", "distance_km"), lambda row: 17 + row[0] + 4.4 * row[1]
)
BROKEN = Bundle("3", ("items",), lambda row: row[0] * math.nan)
# --8<-- [end:bundle]


# --8<-- [start:halves]
class InHalves:
    """Keeps the parts of a bundle by themselves, and changes each."""

    def __init__(self, bundle: Bundle) -> None:
        self.version, self.model = bundle.version, bundle.model
        self.features = bundle.features

    def deploy(self, new: Bundle) -> Iterator[str]:
        """Change part after part."""
        self.features = new.features
        yield "features changed"
        self.model = new.model
        yield "model changed"
        self.version = new.version
        yield "version changed"

    def answer(self) -> tuple[str, float]:
        """The version, and its minutes for the sample."""
        served = Bundle(self.version, self.features, self.model)
        return served.version, served.minutes(SAMPLE)


# --8<-- [end:halves]


# --8<-- [start:whole]
class Whole:
    """Holds one bundle, and nothing of it twice."""

    def __init__(self, bundle: Bundle) -> None:
        self.served = bundle

    def deploy(self, new: Bundle) -> Iterator[str]:
        """Ask the new one first; let go of the old one last."""
        said = new.minutes(SAMPLE)
        if not math.isfinite(said):
            yield f"{new.version} says {said}, refused"
            return
        yield "asked"
        self.served = new
        yield "replaced"

    def answer(self) -> tuple[str, float]:
        """The version, and its minutes for the sample: in one grip."""
        served = self.served
        return served.version, served.minutes(SAMPLE)


# --8<-- [end:whole]


def main() -> None:
    """Ask at every moment of three changes."""
    sound = [
        (each.version, each.minutes(SAMPLE)) for each in (FIRST, SECOND)
    ]
    for title, service, new in (
        ("in halves", InHalves(FIRST), SECOND),
        ("in one step", Whole(FIRST), SECOND),
        ("in one step, a broken one", Whole(SECOND), BROKEN),
    ):
        print(title)
        for moment in chain(["before"], service.deploy(new)):
            version, minutes = service.answer()
            note = "" if (version, minutes) in sound else "  of neither"
            print(f"  {moment:22} {minutes:5.1f} by {version}{note}")


if __name__ == "__main__":
    main()
