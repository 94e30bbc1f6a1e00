"""The faults of the soak, in an order that is drawn from a seed. Each prepares, then begins at one moment, and ends."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.containers.provider import Relay
from tests.containers.stack import Failed, command, compose, containers, docker, main_pid

KILLED = ("db", "redis", "cache", "web", "worker", "images", "beat", "proxy")
TERMINATED = ("db", "redis", "web", "worker")
PAUSED = ("db", "redis", "cache", "worker")
CUT = (
    ("web", "db"), ("web", "cache"), ("web", "redis"), ("worker", "db"), ("worker", "redis"), ("images", "redis"),
    ("beat", "redis"), ("proxy", "web"),
)  # fmt: skip
SLOW = ("web", "worker", "db")
RATE = "256kbit"
FULL = ("redis", "cache")
JUMPING = ("web", "worker", "beat")
JUMP = 300  # seconds, ahead or back
MEMORY = "256mb"  # of Redis, as in docker-compose.yml
SECONDS = 4, 14  # how long a fault lasts


def nothing() -> None: ...


@dataclass(frozen=True)
class Fault:
    """A fault whose targets are known."""

    begin: Callable[[], Any]
    end: Callable[[], Any] = nothing


@dataclass
class Happened:
    """Times by time.monotonic(): the fault takes effect between `began` and `applied`."""

    name: str
    began: float
    applied: float = 0.0
    ended: float = 0.0


@dataclass
class Faults:
    seed: int
    relay: Relay
    disk: Path  # that of the pictures
    happened: list[Happened] = field(default_factory=list)

    def all(self) -> dict[str, Callable[[random.Random], Fault]]:
        found: dict[str, Callable[[random.Random], Fault]] = {"the provider is unreachable": self.cut_provider}
        found |= {f"kill -9 {name}": partial(kill, name, signal.SIGKILL) for name in KILLED}
        found |= {f"terminate {name}": partial(kill, name, signal.SIGTERM) for name in TERMINATED}
        found |= {f"pause {name}": partial(pause, name) for name in PAUSED}
        found |= {f"cut {here} from {there}": partial(cut, here, there) for here, there in CUT}
        found |= {f"slow {name}": partial(slow, name) for name in SLOW}
        found |= {f"no memory in {name}": partial(fill_redis, name) for name in FULL}
        found |= {f"jump of the clock of {name}": partial(jump, name) for name in JUMPING}
        found["the disk of the pictures is full"] = self.fill_disk
        return found

    def cut_provider(self, drawn: random.Random) -> Fault:
        return Fault(partial(setattr, self.relay, "is_cut", True), partial(setattr, self.relay, "is_cut", False))

    def fill_disk(self, drawn: random.Random) -> Fault:
        filled = self.disk / "filled"

        def fill() -> None:
            with suppress(OSError), filled.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(1_000_000))

        return Fault(fill, filled.unlink)

    def drawn(self) -> Iterator[Callable[[], Happened]]:
        """Each fault once in a random order, then again in another one. Call what is yielded to let it happen."""
        chosen = random.Random(self.seed)
        while True:
            faults = list(self.all().items())
            chosen.shuffle(faults)
            for name, prepare in faults:
                yield partial(self.happen, name, prepare, random.Random(chosen.random()), chosen.uniform(*SECONDS))

    def happen(
        self, name: str, prepare: Callable[[random.Random], Fault], drawn: random.Random, seconds: float
    ) -> Happened:
        """Let a fault happen, and wait for its end."""
        fault = prepare(drawn)
        this = Happened(name, time.monotonic())
        self.happened.append(this)
        try:
            fault.begin()
            this.applied = time.monotonic()
            if fault.end is not nothing:
                time.sleep(seconds)
        finally:
            fault.end()
            this.ended = time.monotonic()
        return this

    def outages(self, seconds: float) -> list[tuple[float, float]]:
        """When workers may not have reached the database, which is there again at most `seconds` after a fault."""
        return [(each.began, each.ended + seconds) for each in self.happened if " db" in each.name]


def kill(service: str, signum: signal.Signals, drawn: random.Random) -> Fault:
    """Signal the main process of a container, which the engine restarts."""
    return Fault(partial(os.kill, main_pid(drawn.choice(containers(service))), signum))


def pause(service: str, drawn: random.Random) -> Fault:
    """Freeze all processes of a container: its connections stay open, and nothing answers."""
    container = drawn.choice(containers(service))
    return Fault(partial(docker, "pause", container), partial(docker, "unpause", container))


def cut(here: str, there: str, drawn: random.Random) -> Fault:
    """Drop all packets between one container and those of another service, without a word to either."""
    pid = main_pid(drawn.choice(containers(here)))
    rules = [
        (chain, option, address)
        for container in containers(there)
        for address in addresses(container)
        for chain, option in (("INPUT", "--source"), ("OUTPUT", "--destination"))
    ]
    return Fault(partial(change_rules, pid, "--insert", rules), partial(change_rules, pid, "--delete", rules))


def change_rules(pid: int, change: str, rules: list[tuple[str, str, str]]) -> None:
    for chain, option, address in rules:
        inside(pid, "iptables", "--wait", change, chain, option, address, "--jump", "DROP")


def slow(service: str, drawn: random.Random) -> Fault:
    """Let the container send no more than RATE."""
    pid = main_pid(drawn.choice(containers(service)))
    links = [line.split()[1].split("@")[0] for line in inside(pid, "ip", "-oneline", "link").splitlines()]
    ours = [name.rstrip(":") for name in links if not name.startswith("lo")]
    shape = ("root", "tbf", "rate", RATE, "burst", "16k", "latency", "400ms")

    def change(what: str, *shape: str) -> None:
        for name in ours:
            inside(pid, "tc", "qdisc", what, "dev", name, *shape)

    return Fault(partial(change, "add", *shape), partial(change, "del", "root"))


def fill_redis(service: str, drawn: random.Random) -> Fault:
    """Let the server refuse each write, as one whose memory is full."""

    def limit(memory: str) -> None:
        compose("exec", "-T", service, "redis-cli", "config", "set", "maxmemory", memory)

    return Fault(partial(limit, "1"), partial(limit, MEMORY))


def jump(service: str, drawn: random.Random) -> Fault:
    """Let the clock of one container jump (clock.c), and jump back."""
    container, seconds = drawn.choice(containers(service)), drawn.choice((-JUMP, JUMP))

    def set_clock(seconds: int) -> None:
        docker("exec", container, "sh", "-c", f"echo {seconds} >/tmp/jump")

    return Fault(partial(set_clock, seconds), partial(set_clock, 0))


def addresses(container: str) -> list[str]:
    return docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}", container).split()


def inside(pid: int, *arguments: str) -> str:
    """Run a command of this host in the network namespace of a process, which may have ended: then it does nothing."""
    done = command("nsenter", "--target", str(pid), "--net", *arguments)
    if done.returncode and os.path.exists(f"/proc/{pid}"):
        raise Failed(f"{arguments}: {done.stderr}")
    return done.stdout
