"""A pickle that leaves a trace when it is read."""

from typing import Any


class Attack:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return open, (self.path, "w")
