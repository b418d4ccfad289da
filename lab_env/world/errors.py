"""The one error of the world."""


class WorldError(Exception):
    """A world that was asked for something it does not have. The text says what to ask for instead."""
