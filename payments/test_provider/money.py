"""Amounts and times as the API of the test provider writes them."""

import re
from datetime import UTC, datetime

AMOUNT = re.compile(r"(0|[1-9][0-9]{0,14})\.([0-9]{2})", re.ASCII)


def cents(amount: object) -> int:
    """Parse an amount such as "19.90". Raises ValueError unless it is one, and positive."""
    found = AMOUNT.fullmatch(amount) if isinstance(amount, str) else None
    parsed = int(found[1] + found[2]) if found else 0
    if not parsed:
        raise ValueError('an amount is a text with two decimals, such as "19.90", and positive')
    return parsed


def amount(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def time(seconds: float) -> str:
    """ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
