"""No line of a whole shopping trip contains what the customer typed."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models.signals import post_save
from rest_framework.test import APIClient

from orders.models import Order
from productbackend.observability.logs import JSONFormatter
from tests.passwords import PASSWORD
from tests.payments.books import Books
from tests.payments.conftest import books as books
from tests.person import Person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("with_guests")]

OURS = ["productbackend", *(config.name for config in apps.get_app_configs() if str(settings.BASE_DIR) in config.path)]


class Lines(logging.Handler):
    """Collects lines as they are written, and the messages of our own loggers before they are redacted."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(JSONFormatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))
        if record.name.split(".")[0] in OURS:
            self.lines.append(record.getMessage())


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """The lines of all loggers, of our own from DEBUG on."""
    handler, loggers = Lines(), [logging.getLogger(name) for name in OURS]
    levels = [logger.level for logger in loggers]
    logging.getLogger().addHandler(handler)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield handler.lines
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    logging.getLogger().removeHandler(handler)


def leaks(lines: list[str], person: Person) -> list[str]:
    secrets = {text.casefold() for text in person.typed | {PASSWORD}}
    return [line for line in lines if any(secret in line.casefold() for secret in secrets)]


def test_no_line_of_a_shopping_trip_contains_what_was_typed(
    books: Books, lines: list[str], api: APIClient, staff: APIClient
) -> None:
    person = Person(api)
    person.live(staff)
    person.close()
    assert len([line for line in lines if '"logger":"productbackend.access"' in line]) > 30
    assert leaks(lines, person) == []


def test_a_logger_that_logs_one_is_found(lines: list[str], api: APIClient, staff: APIClient) -> None:
    columns = ("email", "phone", "note", "shipping_name", "shipping_line1", "shipping_phone")

    def careless(sender: Any, instance: Order, **kwargs: Any) -> None:
        for column in columns:
            logging.getLogger("orders.control").debug("Its %s is %s", column, getattr(instance, column))

    person = Person(api)
    post_save.connect(careless, sender=Order)
    try:
        person.live(staff)
    finally:
        post_save.disconnect(careless, sender=Order)
    found = "\n".join(leaks(lines, person))
    assert [column for column in columns if f"Its {column} is" not in found] == []
