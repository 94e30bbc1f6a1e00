"""What Schemathesis does not send: parameters of Content-Type, bodies in chunks, OPTIONS, hostile text."""

import random
from collections.abc import Iterator
from typing import Any

from tests.api.test_hostile_text import SHAPES, locations
from tests.setup.service import Service

PARAMETERS = ("charset=utf-8", 'charset="UTF-8"', "charset=utf8", "charset=punycode", "charset=idna", "charset=utf-7",
              "charset=nonsense", "charset*=utf-8''punycode", "x*=nonsense''%41", "x=y", ";", "=", 'x="', "boundary=x",
              'boundary="x;y"', f"x={'y' * 600}", ";" * 4_000)  # fmt: skip
KINDS = (
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "*",
    "",
)
BODIES = (
    b"{}",
    b"[]",
    b"null",
    b"1e400",
    b"[" * 600,
    b'{"parent": 1e400}',
    b"a=1&b=2",
    b"--x--\r\n",
    b"",
)
SECONDS = 2.0  # the limit of each response: the machine is busy


def requests_of(seed: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Generate method, path and arguments of requests, from a fixed seed."""
    chosen = random.Random(seed)
    seen = {(location.method.upper(), location.path) for location in locations() if location.path != "/account/"}
    for method, path in sorted(seen):
        yield "OPTIONS", path, {"headers": {"Accept": chosen.choice(["*/*", "text/html", "image/png"])}}
        for _ in range(12):
            body, kind = chosen.choice(BODIES), chosen.choice(KINDS)
            headers = {"Content-Type": f"{kind}; {chosen.choice(PARAMETERS)}"}
            yield method, path, {"headers": headers, "data": iter([body]) if body and chosen.random() < 0.5 else body}
        unit = chosen.choice(list(SHAPES.values()))
        text = unit * (chosen.choice([1_000, 16_000, 900_000]) // len(unit.encode()))
        yield method, path, {"json": {"name": text, "username": text, "password": text, "email": text}}
        yield method, path, {"params": {"search": text[:1_500], "name": text[:1_500]}}


def faults(service: Service, token: str, seed: int = 0) -> list[str]:
    """Send the requests; return responses that are a 5xx, no problem document, or late."""
    found = []
    for method, path, sent in requests_of(seed):
        answer = service.request(method, path, token=token, allow_redirects=False, **sent)
        summary = f"{method} {path} {answer.status_code} {str(sent)[:200]}"
        if answer.status_code >= 500:
            found.append(f"a fault: {summary}")
        if answer.elapsed.total_seconds() > SECONDS:
            found.append(f"late by {answer.elapsed.total_seconds():.1f} s: {summary}")
        kind = answer.headers.get("Content-Type", "")
        if answer.status_code >= 400 and not kind.startswith(("application/problem+json", "text/html")):
            found.append(f"no problem document: {summary}")
    return found
