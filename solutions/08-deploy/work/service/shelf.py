"""What is served: `release.json` and the bundles that it names, in memory."""

# task: swap

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.bundle import BrokenBundle, Bundle, load

RELEASE = Path("release.json")
LOOK_S = 0.2


@dataclass(frozen=True)
class Served:
    """A release and its bundles by version. A request takes one of these and looks at nothing else."""

    release: Mapping[str, Any]
    bundles: Mapping[str, Bundle]


class Shelf:
    """Holds what is served now, and why the newest release is not."""

    def __init__(self) -> None:
        self.served: Served | None = None
        self.problem = "nothing was loaded yet"
        self._seen = ""

    def refresh(self) -> None:
        """Load what `release.json` names, unless it was looked at before; keep the old when that fails."""
        try:
            text = RELEASE.read_text()
            if text == self._seen:
                return
            self._seen = text
            release = json.loads(text)
            self.served = Served(release, self._bundles(release))
            self.problem = ""
        except (OSError, ValueError, KeyError, TypeError, AttributeError, BrokenBundle) as error:
            self.problem = str(error)
            logging.getLogger("uvicorn.error").error("not served: %s", error)

    def watch(self, stop: threading.Event) -> None:
        """Refresh until `stop` is set."""
        # BEGIN SOLUTION
        while not stop.wait(LOOK_S):
            self.refresh()
        # INSTEAD: ...
        # END SOLUTION

    def _bundles(self, release: Mapping[str, Any]) -> dict[str, Bundle]:
        """The bundles of a release; a version that is in memory already is not read again."""
        canary = (release.get("canary") or {}).get("version")
        names = {release["champion"], canary, release.get("shadow")} - {None}
        have = self.served.bundles if self.served else {}
        return {name: have.get(name) or load(name) for name in names}
