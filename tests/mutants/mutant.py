"""One changed line of the service, which some tests have to notice."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """Replaces `old`, which the file has once, by `new`.

    `net` has the paths of the tests that catch it, with spaces between; empty for the suites from outside.
    """

    file: str
    old: str
    new: str
    net: str = ""
