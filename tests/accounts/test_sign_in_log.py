"""Each sign-in is a line of the log and counted."""

import logging
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests import factories
from tests.observability.metrics.reading import parsed
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db

HOME, AWAY = "192.0.2.1", "198.51.100.1"


def test_each_sign_in_is_logged_and_counted(api: APIClient, caplog: Any) -> None:
    user = factories.user("carla")

    def count(result: str) -> float:
        name = "productbackend_sign_ins_total"
        found = parsed(APIClient().get("/metrics").content.decode())
        return sum(value for key, value in found.items() if key[0] == name and ("result", result) in key[1])

    before = {result: count(result) for result in ("success", "failure")}
    caplog.set_level(logging.INFO, "accounts.sign_in")
    sign_in(api, "carla", "wrong", REMOTE_ADDR=AWAY)
    sign_in(api, "carla", REMOTE_ADDR=HOME)
    sign_in(api, "nobody@example.com", "wrong", REMOTE_ADDR=AWAY)
    lines = [record for record in caplog.records if record.name == "accounts.sign_in"]
    logged = [(line.fields["account"], line.fields["client"], line.fields["result"]) for line in lines]
    assert logged == [(user.pk, AWAY, "failure"), (user.pk, HOME, "success"), (None, AWAY, "failure")]
    assert f"account {user.pk}, from {AWAY}" in lines[0].getMessage()
    assert not any("carla" in line.getMessage() or "nobody" in line.getMessage() for line in lines)
    assert {result: count(result) - before[result] for result in before} == {"success": 1, "failure": 2}
