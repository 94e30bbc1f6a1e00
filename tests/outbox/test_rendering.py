"""Templates of mails: a shop replaces them by a folder, and a broken one loses no mail."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings as project
from django.core import mail as django_mail
from django.template import TemplateDoesNotExist
from rest_framework.test import APIClient

from outbox import sending
from outbox.models import Mail
from outbox.rendering import render
from productbackend import fixed_settings
from tests import factories
from tests.mail import deliver
from tests.orders.placed import place

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    """The shop's own folder of templates, in use."""
    (tmp_path / "orders" / "mails").mkdir(parents=True)
    settings.TEMPLATES = fixed_settings.templates(mails=[tmp_path])
    return tmp_path


def test_a_shop_replaces_one_template(folder: Path, customer: APIClient) -> None:
    template = folder / "orders" / "mails" / "placed.txt"
    template.write_text("Danke, {{ shop }}! {{ amounts.total|money:'€'|decimal_comma }}")
    number = place("carla", (factories.product(price=Decimal("1234.50")), 1))
    (mail,) = deliver()
    assert mail.body == "Danke, Product Backend! 1.234,50 €\n"
    assert number in mail.subject  # its own template is still the built-in one
    assert number in str(mail.alternatives[0][0])  # type: ignore[attr-defined]
    template.write_text("Vielen Dank")  # without a restart
    place("carla", (factories.product("Hat"), 1))
    assert [mail.body for mail in deliver()] == ["Vielen Dank\n"]


def test_the_folder_is_for_mails_alone(folder: Path, client: Any) -> None:
    (folder / "admin").mkdir()
    (folder / "admin" / "login.html").write_text("Mine")
    (folder / "page.html").write_text("Mine")
    assert "Mine" not in client.get("/admin/login/").content.decode()
    assert "Mine" not in client.get("/email/confirm/?token=x").content.decode()


def test_a_broken_template_loses_no_mail(folder: Path, customer: APIClient, caplog: pytest.LogCaptureFixture) -> None:
    template = folder / "orders" / "mails" / "placed.html"
    template.write_text("{% if order %}")
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        number = place("carla", (factories.product(), 1))
        mail = Mail.objects.get()
        for minutes in (0, 1, 5, 30):
            clock.shift(minutes * 60)
            sending.send(mail.pk)
            mail.refresh_from_db()
            assert (mail.status, mail.attempts > 0) == ("pending", True)
            assert "TemplateSyntaxError" in mail.last_error
        assert caplog.text.count("could not be composed") == 4
        template.unlink()
        clock.shift(2 * 60 * 60)
        sending.send(mail.pk)
    assert [number in each.subject for each in django_mail.outbox] == [True]


def test_a_subject_has_one_line_and_a_text_no_gaps(folder: Path) -> None:
    texts = {"subject.txt": "One\nline\n", "txt": "\n\n\nOne\n\n \n\n\nTwo\n\n", "html": "<p>{{ subject }}"}
    for name, text in texts.items():
        (folder / f"news.{name}").write_text(text)
    message = render("news", {})
    assert (message.subject, message.text, message.html) == ("One line", "One\n\nTwo\n", "<p>One line")


def test_a_missing_template_is_an_error() -> None:
    with pytest.raises(TemplateDoesNotExist):
        render("orders/mails/nothing", {})


def test_times_are_in_the_shops_zone(folder: Path, settings: Any, customer: APIClient) -> None:
    settings.SHOP_TIME_ZONE = "Asia/Tokyo"
    (folder / "orders" / "mails" / "placed.txt").write_text('{{ order.created_at|date:"H:i" }}')
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False):
        place("carla", (factories.product(), 1))
        assert [mail.body for mail in deliver()] == ["21:00\n"]


def test_the_page_about_templates_names_each_of_them() -> None:
    page = (project.BASE_DIR / "docs" / "howto" / "mail-templates.md").read_text()
    named = set(re.findall(r"`((?:orders|accounts)/templates/[\w/]+)(?:\.txt|\.html)?`", page))
    files = [file for app in ("orders", "accounts") for file in (project.BASE_DIR / app).glob("templates/*/mails/*")]
    assert {str(file.relative_to(project.BASE_DIR)).partition(".")[0] for file in files} == named
