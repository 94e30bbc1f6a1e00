"""manage.py doctor on a group of three servers behind a proxy, good and with one fault at a time."""

import pytest

from tests.services.doctoring import doctor, doctor_until, finding, names, workers_are_ready
from tests.services.group import MEMBERS, Grouped
from tests.services.stack import NAME

pytestmark = [pytest.mark.xdist_group("group"), pytest.mark.release]

# The test provider is not asked, since these runs have a SECRET_KEY of their own.
UNPAID = {"PAYMENT_METHODS": ""}
SHOP = UNPAID | {"MYSQL_USER": "shop", "MYSQL_PASSWORD": "only for a test"}


@pytest.fixture(autouse=True)
def workers_ready(group: Grouped) -> None:
    workers_are_ready(group)


@pytest.fixture
def shop(group: Grouped) -> dict[str, str]:
    """The settings of a user with rights on the shop's database only."""
    group.execute(f"CREATE USER IF NOT EXISTS shop IDENTIFIED BY '{SHOP['MYSQL_PASSWORD']}'")
    group.execute(f"GRANT ALL ON {NAME}.* TO shop")
    return SHOP


def test_a_good_group_and_who_may_see_it(group: Grouped, shop: dict[str, str]) -> None:
    code, lines = doctor_until(group, lambda lines: not names(lines, "bad"), **UNPAID)
    assert code == 0, lines
    primary = f"127.0.0.1:{group.primary().port}"
    assert finding(lines, "group") == f"good  group: 3 of 3 servers are online, and {primary} is the primary"
    assert f"127.0.0.1:{group.proxy.port}" in finding(lines, "database")
    _, lines = doctor(group, **shop)
    assert f"GRANT SELECT ON {MEMBERS} TO shop" in finding(lines, "group")
    group.execute(f"GRANT SELECT ON {MEMBERS} TO shop")
    _, lines = doctor(group, **shop)
    assert finding(lines, "group").startswith("good"), lines


def test_a_proxy_that_leads_to_a_secondary(group: Grouped) -> None:
    secondary = next(member for member in group.members if member is not group.primary())
    code, lines = doctor(group, MYSQL_PORT=str(secondary.port), **UNPAID)
    assert code == 1
    assert names(lines, "bad") >= {"group", "database writes"}, lines
    assert "not the primary" in finding(lines, "group")


def test_a_new_primary_that_may_show_old_rows(group: Grouped) -> None:
    primary = group.primary()
    primary.execute("SET GLOBAL group_replication_consistency = 'EVENTUAL'")
    try:
        _, lines = doctor(group, **UNPAID)
    finally:
        primary.execute("SET GLOBAL group_replication_consistency = DEFAULT")
    [warned] = [line for line in lines if line.startswith("bad   group:")]
    assert "BEFORE_ON_PRIMARY_FAILOVER" in warned


def test_a_member_that_is_gone(group: Grouped) -> None:
    """The shop goes on, and its other findings stay good."""
    gone = next(member for member in group.members if member is not group.primary())
    gone.kill()
    code, lines = doctor_until(group, lambda lines: names(lines, "bad") == {"group"}, **UNPAID)
    assert code == 1
    assert names(lines, "bad") == {"group"}, lines
    assert "2 of 3 servers are online" in finding(lines, "group")
    assert {"database", "database writes", "site"} <= names(lines, "good"), lines
