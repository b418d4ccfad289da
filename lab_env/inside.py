"""Which commands of `lab` are done in the container, where the labs of a home are."""

from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

# What runs a learner's work. `lab start` decides for itself, as it is what chooses the container.
INSIDE = ("check", "watch", "hint", "reset", "submit", "update", "up")


class Commands(TyperGroup):
    """The commands; one of INSIDE is handed to the container as it was typed, when there is one."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that the words ask for, or end with the exit code that it had in the container."""
        found = super().resolve_command(ctx, args)
        if args[0] in INSIDE and "--help" not in args:
            hand_in(args)
        return found


def hand_in(words: Sequence[str]) -> None:
    """Run the words in the container if the labs are there, and end."""
    from lab_env import compose, container
    from lab_env.workspace import find_home, here

    home = find_home(here())
    if words[0] == "up" and ("--container" in words or compose.is_up(home)):
        return
    if container.is_chosen(home):
        raise typer.Exit(container.run(home, ["lab", *words], here()))
