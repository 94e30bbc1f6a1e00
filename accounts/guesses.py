"""Limits password guesses: one count for every endpoint and page that checks a password.

Each guess is counted by the typed name or address and by the account. `FREE_GUESSES` an hour and a day are checked, and
at most THROTTLE_TOKEN within its period. After that one guess is checked after each wait; the wait doubles up to an
hour (backoff). A correct password uncounts its guess. Requests are also counted by client address (`THROTTLE_TOKEN`).

- No account is locked out: guesses of a client that has signed in to it before are counted separately.
- Codes of the second factor have counts of their own, with the same limits: a right password does not use up the code
  after it, and nobody without the password uses up codes. Only a client that gave a right code before is known, and no
  code is checked while the counters are unreachable: six digits can be guessed.
- The response does not show whether an account exists: only the count of the typed name decides between 401 and 429.
  A guess that the account's count rejects gets the response of a wrong password, and every guess takes the time of a
  check.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from accounts import sign_in_log
from accounts.models import User
from productbackend.api.clients import client_network
from productbackend.caches.counters import CONNECTION_ERRORS, count, counter_key, counters, parse_rate
from productbackend.database.fields import fold
from productbackend.errors import DomainError, Throttled
from productbackend.text.addresses import canonical_address

T = TypeVar("T")
Counter = tuple[str, int]  # its name and its period in seconds

logger = logging.getLogger(__name__)

HOUR, DAY = 3600, 86400
# Period in seconds -> the guesses checked without a wait. The hour's alone would allow 600 a day at one account.
FREE_GUESSES = {HOUR: 20, DAY: 100}
BACKOFF_MIN, BACKOFF_MAX = 60, 3600  # seconds
KNOWN_CLIENT_TTL = 30 * DAY
PASSWORD, CODE = "Password", "Code"


@dataclass
class Guess:
    """A counted guess. `is_allowed` says whether a correct password is accepted."""

    request: HttpRequest | None
    user: User | None
    known_key: str
    counted: list[Counter]
    is_allowed: bool = True
    wait: float = 0.0  # seconds, by the count of the typed name
    what: str = PASSWORD

    def __enter__(self) -> None:
        """Check the password inside the `with` block."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is not None:  # not checked: the hashing pool is full
            _ignoring_outages(lambda: _uncount(self.counted))

    def finish(self, correct: bool) -> bool:
        """Log the guess and return whether it is accepted. Raises Throttled if the typed name had too many guesses."""
        accepted = correct and self.is_allowed
        result = "success" if accepted else "throttled" if self.wait else "failure"
        sign_in_log.record(self.request, self.user, result, what=self.what)
        if accepted:
            _ignoring_outages(self._record_success)
        elif self.wait:
            raise Throttled(self.wait, _detail(self.what))
        return accepted

    def _record_success(self) -> None:
        _uncount(self.counted)
        counters.set(self.known_key, 1, KNOWN_CLIENT_TTL)


def check_client(request: HttpRequest | None, *, what: str = PASSWORD) -> None:
    """Count a request with a password or a code by client address. Raises Throttled.

    API views use PasswordThrottle instead.
    """
    allowed, period = _rate()
    counted, left = _ignoring_outages(lambda: count(f"token:address:{client_network(request)}", period)) or (0, 0.0)
    if counted > allowed:
        sign_in_log.record(request, None, "throttled", what=what)
        raise Throttled(left, _detail(what))


def count_sign_in(request: HttpRequest | None, *, user: User | None, typed: str) -> Guess:
    """Count a guess at the account found by `typed`, or at no account."""
    # An unknown name is counted as an account is: the same work, so the same time.
    account = str(user.pk) if user else f"none:{_normalized(typed)}"
    guess = Guess(request, user, _known_key(request, account), [])
    _ignoring_outages(lambda: _count_sign_in_guess(guess, account, f"typed:{_normalized(typed)}"))
    return guess


def check_password(*, user: User, password: str, request: HttpRequest) -> bool:
    """Return whether the password is the signed-in user's. Raises Throttled, without checking, after too many."""
    guess = Guess(request, user, _known_key(request, str(user.pk)), [])
    _ignoring_outages(lambda: _count_check(guess, str(user.pk)))
    with guess:
        correct = not guess.wait and user.check_password(password)
    return guess.finish(correct)


def check_code(*, user: User, request: HttpRequest, check: Callable[[], bool]) -> bool:
    """Return whether `check` accepts the code of the user, whose password was right.

    Raises Throttled, without checking, after too many, and unavailable while the counters' cache is unreachable.
    """
    # Whoever knows the password signs in to /token/ from any address: that must not give it a count of its own.
    account = f"code:{user.pk}"
    guess = Guess(request, user, _known_key(request, account), [], what=CODE)
    try:
        _count_check(guess, account)
    except CONNECTION_ERRORS as error:
        logger.warning("No code is checked: the counters' cache is unreachable: %s", error)
        raise DomainError("unavailable", "Codes cannot be checked at the moment: try again in a minute.") from None
    with guess:
        correct = not guess.wait and check()
    return guess.finish(correct)


def remember_client(request: HttpRequest, user: User) -> None:
    """Mark the client as known to the account, after it used a mailed token: guesses of others do not throttle it."""
    _ignoring_outages(lambda: counters.set(_known_key(request, str(user.pk)), 1, KNOWN_CLIENT_TTL))


def _count_sign_in_guess(guess: Guess, account: str, typed: str) -> None:
    is_known = counters.get(guess.known_key) is not None
    guess.wait = _count_guess(typed, guess.counted)
    # A known client has a count of its own.
    account_wait = _count_guess(_account_counter(guess, account, is_known), guess.counted)
    guess.is_allowed = not account_wait and (is_known or not guess.wait)


def _count_check(guess: Guess, account: str) -> None:
    is_known = counters.get(guess.known_key) is not None
    guess.wait = _count_guess(_account_counter(guess, account, is_known), guess.counted)
    guess.is_allowed = not guess.wait


def _account_counter(guess: Guess, account: str, is_known: bool) -> str:
    return f"pair:{guess.known_key}" if is_known else f"account:{account}"


def _count_guess(name: str, counted: list[Counter]) -> float:
    """Count a guess; return 0.0 if it may be checked, else the seconds until the next one may be."""
    allowed, period = _rate()
    recent, left = count(f"token:{name}", period)
    if recent > allowed:
        return left
    failures = [(f"guesses:{period}:{name}", period) for period in FREE_GUESSES]
    excess = max(count(*failure)[0] - FREE_GUESSES[failure[1]] for failure in failures)
    wait = min(BACKOFF_MIN * 2 ** min(excess, 10), BACKOFF_MAX)
    key, now = f"{counter_key(f'guesses:{name}')}:next", time.time()
    if excess < 0 or counters.add(key, now + wait, wait):
        counted += failures
        return 0.0
    # Of concurrent guesses one is checked. The others are not counted: they would prolong the wait for ever.
    _uncount(failures)
    return max((counters.get(key) or now) - now, 1.0)


def _uncount(failures: list[Counter]) -> None:
    for name, period in failures:
        count(name, period, -1)


def _detail(what: str) -> str:
    return f"Too many {what.lower()}s were tried."


def _rate() -> tuple[int, int]:
    return parse_rate(str(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]["token"]))


def _normalized(typed: str) -> str:
    return canonical_address(typed) if "@" in typed else fold(User.normalize_username(typed))


def _known_key(request: HttpRequest | None, account: str) -> str:
    """Return the cache key that marks the client as known to the account. The key is a digest and reveals neither."""
    digest = salted_hmac("accounts.known", f"{account}:{client_network(request)}", algorithm="sha256").hexdigest()
    return f"known:{digest}"


def _ignoring_outages(action: Callable[[], T]) -> T | None:
    """Return the result of `action`, or None if the counters' cache is unreachable: sign-ins go on uncounted."""
    try:
        return action()
    except CONNECTION_ERRORS as error:
        logger.warning("Password guesses are not counted: the counters' cache is unreachable: %s", error)
        return None
