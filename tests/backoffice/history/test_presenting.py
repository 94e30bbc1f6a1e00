"""The list of changes in the admin: what it says, who sees what of it, and how quickly."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from accounts import profile
from backoffice.history.models import Change
from tests import factories
from tests.backoffice.people import member
from tests.signing_in import client_of

pytestmark = pytest.mark.django_db

LIST = reverse("admin:backoffice_change_changelist")


def rows(client: Client, query: str = "") -> list[str]:
    """The text of each row of the list, without its time."""
    page = client.get(LIST + query)
    assert page.status_code == 200, page.status_code
    body = page.content.decode().partition('id="result_list"')[2].partition("</table>")[0].partition("<tbody>")[2]
    cells = [re.split(r"</t[dh]>", row)[1:] for row in body.split("</tr>")[:-1]]
    return [unescape(" ".join(" ".join(strip_tags(cell) for cell in row).split())) for row in cells]


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def boss(db: Any) -> Any:
    return factories.user("stella", is_staff=True, is_superuser=True)


def test_the_list_names_who_changed_what(boss: Any) -> None:
    shoes, boots = factories.category("Shoes"), factories.category("Boots")
    product = factories.product("Red shoe", category=shoes)
    Change.objects.all().delete()
    api = client_of(boss)
    api.patch(f"/products/{product.pk}/", {"price": "17.50", "category": boots.pk, "brand": "<b>Acme</b>"})
    factories.user("carla").groups.add(Group.objects.get(name="Support"))
    admin = signed_in(boss)
    carla, red = (Change.objects.get(kind=kind).object_id for kind in ("accounts.user", "products.product"))
    assert rows(admin) == [
        f"user carla ({carla}) groups added Support – command",
        f"product Red shoe ({red}) brand (empty) → <b>Acme</b> "
        f"category Shoes ({shoes.pk}) → Boots ({boots.pk}) price 19.90 → 17.50 stella api",
    ]
    gone = shoes.pk
    product.delete()
    shoes.delete()
    assert rows(admin, f"?kind=products.product&object_id={red}")[1].endswith(
        f"category {gone} (deleted) → Boots ({boots.pk}) price 19.90 → 17.50 stella api"
    )


def test_the_list_is_filtered(boss: Any) -> None:
    other = factories.user("otto", is_staff=True, is_superuser=True)
    product, rate = factories.product(), factories.tax_rate()
    Change.objects.all().delete()
    for user, path, body in (
        (boss, f"/products/{product.pk}/", {"price": "1.00"}),
        (other, f"/tax-rates/{rate.pk}/", {"rate": "7"}),
    ):
        assert client_of(user).patch(path, body).status_code == 200
    Change.objects.filter(kind="taxes.taxrate").update(created_at="2026-01-01T00:00:00Z")
    admin = signed_in(boss)
    for query, kinds in (
        ("", ["product", "tax"]),
        ("?kind=taxes.taxrate", ["tax"]),
        (f"?person={boss.pk}", ["product"]),
        (f"?person={other.pk}&kind=products.product", []),
        ("?created_at__lt=2026-01-02+00:00:00%2B00:00", ["tax"]),
        ("?person=x", ["product", "tax"]),
        (f"?person={'9' * 30}", ["product", "tax"]),
    ):
        assert [row.split()[0] for row in rows(admin, query)] == kinds, query


def test_staff_see_the_kinds_of_objects_that_they_may_see(boss: Any) -> None:
    factories.product()
    factories.tax_rate()
    manager = factories.user("mia", is_staff=True)
    manager.groups.add(Group.objects.get(name="Catalogue managers"))
    reader = member("backoffice.view_change", "taxes.view_taxrate", name="rita")
    seen = {
        name: {row.split()[0] for row in rows(signed_in(user))}
        for name, user in (("boss", boss), ("manager", manager), ("reader", reader))
    }
    assert seen == {"boss": {"product", "tax", "user"}, "manager": {"product", "tax"}, "reader": {"tax"}}
    hidden = Change.objects.filter(kind="accounts.user").latest("pk")
    page = reverse("admin:backoffice_change_change", args=[hidden.pk])
    assert [signed_in(user).get(page).status_code for user in (boss, manager)] == [200, 302]
    assert signed_in(member("products.view_product", name="vera")).get(LIST).status_code == 403


def test_nobody_changes_the_history(boss: Any) -> None:
    factories.product()
    admin, row = signed_in(boss), Change.objects.latest("pk")
    change = reverse("admin:backoffice_change_change", args=[row.pk])
    assert admin.post(change, {"way": "api"}).status_code == 403
    assert admin.get(reverse("admin:backoffice_change_delete", args=[row.pk])).status_code == 403
    assert admin.get(reverse("admin:backoffice_change_add")).status_code == 403
    assert "delete_selected" not in admin.get(LIST).content.decode()


def test_the_changes_of_a_closed_account_stay_under_its_number(boss: Any) -> None:
    anna = factories.user("anna", is_staff=True, is_superuser=True, first_name="Anna", last_name="Annis")
    product = factories.product()
    client_of(anna).patch(f"/products/{product.pk}/", {"price": "1.00"})
    number = anna.pk
    profile.close(user=anna)
    shown = rows(signed_in(boss), f"?person={number}")
    assert shown == [f"product Red shoe ({product.pk}) price 19.90 → 1.00 account {number} (closed) api"]
    closed = Change.objects.filter(kind="accounts.user", object_id=number)
    assert [(row.action, row.object_name) for row in closed] == [
        ("created", f"account {number}"), ("deleted", f"account {number}"),
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM backoffice_change")
        assert not re.search("anna|annis", str(cursor.fetchall()), re.IGNORECASE)


def test_the_queries_of_the_list_do_not_grow_with_it(boss: Any) -> None:
    admin, counts = signed_in(boss), []
    for prefix, number in (("a", 2), ("b", 10)):
        for n in range(number):
            category = factories.category(f"{prefix}{n}")
            factories.product(f"{prefix}{n}", category=category)
        with CaptureQueriesContext(connection) as captured:
            assert len(rows(admin)) >= number
        counts.append(len(captured))
    assert counts[0] == counts[1]
