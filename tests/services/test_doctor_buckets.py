"""manage.py doctor on pictures in buckets, good and with one fault at a time."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.services.buckets import ORIGINALS, RENDITIONS, Objects, policy
from tests.services.doctoring import doctor_until, names, workers_are_ready
from tests.services.stack import Stack

pytestmark = pytest.mark.xdist_group("deployment")

CHECKS = {"storage", "renditions", "originals"}


@pytest.fixture(scope="module")
def objects(session_stack: Stack) -> Iterator[Objects]:
    """An S3 server that web and the workers of pictures use."""
    objects = Objects()
    objects.start()
    objects.make_buckets()
    try:
        with session_stack.with_settings(web=objects.environment(), images=objects.environment()):
            workers_are_ready(session_stack)
            yield objects
    finally:
        objects.stop()


@contextmanager
def private_renditions(objects: Objects) -> Iterator[None]:
    objects.client.delete_bucket_policy(Bucket=RENDITIONS)
    try:
        yield
    finally:
        objects.client.put_bucket_policy(Bucket=RENDITIONS, Policy=policy())


@contextmanager
def public_originals(objects: Objects) -> Iterator[None]:
    objects.client.put_bucket_policy(
        Bucket=ORIGINALS, Policy=json.dumps(json.loads(policy().replace(RENDITIONS, ORIGINALS)))
    )
    try:
        yield
    finally:
        objects.client.delete_bucket_policy(Bucket=ORIGINALS)


def checked(stack: Stack, objects: Objects, expected: set[str], **settings: str) -> tuple[int, list[str]]:
    """Run doctor until just these checks of files are bad."""
    environment = objects.environment() | settings
    return doctor_until(stack, lambda lines: names(lines, "bad") & CHECKS == expected, **environment)


def test_good_buckets(stack: Stack, objects: Objects) -> None:
    code, lines = checked(stack, objects, set())
    assert names(lines, "good") >= CHECKS, lines
    assert code == 0, lines
    assert not [line for line in lines if "disk:" in line]  # there is none to be full
    assert [line for line in lines if f"written in {RENDITIONS}" in line or f"written in {ORIGINALS}" in line]
    assert objects.names() == []  # what was written to try is deleted


FAULTS: dict[str, tuple[set[str], Callable[[Objects], AbstractContextManager[None]]]] = {
    "renditions that nobody may read": ({"renditions"}, private_renditions),
    "originals that everybody may read": ({"originals"}, public_originals),
    "a server that is away": (CHECKS, Objects.gone),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(stack: Stack, objects: Objects, fault: str) -> None:
    expected, cause = FAULTS[fault]
    with cause(objects):
        code, lines = checked(stack, objects, expected)
    assert code == 1
    assert names(lines, "bad") & CHECKS == expected, lines
    assert {"database", "cache", "queue"} <= names(lines, "good"), lines
    assert objects.names() == []


def test_a_bucket_that_does_not_exist(stack: Stack, objects: Objects) -> None:
    code, lines = checked(stack, objects, {"storage", "originals"}, S3_ORIGINALS_BUCKET="another")
    assert code == 1
    assert names(lines, "bad") & CHECKS == {"storage", "originals"}, lines
    assert "renditions" in names(lines, "good"), lines
