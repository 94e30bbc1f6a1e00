"""The processes that `make run` starts besides those of the Procfile. Apps register theirs in `ready()`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Process:
    """A shell command that listens at `url`, on this machine alone; the setting of this name changes the URL."""

    command: str
    title: str  # as `make run` prints it with the URL
    url: str
    setting: str


REGISTERED: dict[str, Process] = {}  # by the name that stands before their lines of output
