"""Calls of providers: one that does not answer is not called for a while, so that nobody waits for it.

A call may take 10 seconds. With the provider away, customers who start or look at payments would fill all threads of
the service, and the sweeps all workers: after some calls without an answer the others fail at once, but for one every
few seconds that tries whether it answers again. The count is in the cache, for all processes, and a little inexact.

A provider whose code fails is one that does not answer, to all who call it: what is known stands. Such calls are not
counted, since nobody waits for them, and the fault may be of one payment alone.
"""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.core.cache import cache
from django.db import Error as DatabaseError
from redis.exceptions import RedisError

from payments.providers import provider
from payments.providers.base import InvalidSignature, Provider, ProviderRefused, ProviderUnavailable

logger = logging.getLogger(__name__)

FAILURES = 5  # without an answer in between: one slow call is no reason
REMEMBERED = 120  # seconds after the last failure
PROBE_EVERY = 10  # seconds
UNREACHABLE_CACHE = (RedisError, OSError)
FRAMES = 3  # of a fault's traceback that are logged


class ProviderFaulty(ProviderUnavailable):
    """The provider's code failed, and the fault is logged: whether the call had an effect is unknown."""


@contextmanager
def calling(method: str, about: str) -> Iterator[Provider]:
    """Yield the provider for one call, which is `about` a payment or a refund.

    Raises ProviderRefused if the call does, and ProviderUnavailable if it does, if its code fails, and immediately if
    the provider has not answered lately. Each call without an answer is logged here, once.
    """
    failures = _failures(method)
    if failures >= FAILURES and not _may_probe(method):
        logger.warning("%s: %s is not called, since it did not answer a moment ago", about, method)
        raise ProviderUnavailable("It did not answer a moment ago.")
    try:
        with faults_logged(method, about):
            yield provider(method)
    except ProviderFaulty:
        raise
    except ProviderUnavailable as error:
        logger.warning("%s: %s did not answer: %s", about, method, type(error.__cause__ or error).__name__)
        _count(method)
        raise
    except ProviderRefused:
        _forget(method, failures)
        raise
    _forget(method, failures)


@contextmanager
def faults_logged(method: str, about: str) -> Iterator[None]:
    """Raise ProviderFaulty for all errors of a provider's code that no provider may raise, and log where it failed.

    Their text is not logged, since it may quote a secret. An error of the shop's own database is no provider's fault.
    """
    try:
        yield
    except (ProviderUnavailable, ProviderRefused, InvalidSignature, DatabaseError):
        raise
    except Exception as error:  # whatever it is, the shop goes on
        frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
        where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
        logger.error("%s: the code of %s failed: %s at %s", about, method, type(error).__name__, where)
        raise ProviderFaulty(f"The code of {method} failed.") from None


def _failures(method: str) -> int:
    try:
        return int(cache.get(_key(method), 0))
    except UNREACHABLE_CACHE as error:
        logger.warning("Providers are called whether or not they answer while the cache is unreachable: %s", error)
        return 0


def _may_probe(method: str) -> bool:
    try:
        return bool(cache.add(f"{_key(method)}:probe", 1, PROBE_EVERY))
    except UNREACHABLE_CACHE:
        return True


def _count(method: str) -> None:
    with suppress(*UNREACHABLE_CACHE):  # logged when it was read
        cache.set(_key(method), _failures(method) + 1, REMEMBERED)


def _forget(method: str, failures: int) -> None:
    if failures:
        with suppress(*UNREACHABLE_CACHE):
            cache.delete(_key(method))


def _key(method: str) -> str:
    return f"payments:unanswered:{method}"
