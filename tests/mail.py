"""Delivers mails of the outbox to Django's, without a worker, and reads their links."""

import re
from urllib.parse import parse_qs, urlsplit

from django.core import mail as django_mail
from django.core.mail import EmailMessage

from outbox import sending


def deliver() -> list[EmailMessage]:
    """Send all due mails, and return those that were sent."""
    before = len(django_mail.outbox)
    for mail_id in sending.due():
        sending.send(mail_id)
    return django_mail.outbox[before:]


def link(mail: EmailMessage) -> str:
    """The first link in the text."""
    found = re.search(r"https?://\S+", str(mail.body))
    assert found
    return found[0]


def query(mail: EmailMessage) -> dict[str, str]:
    """The parameters of the link."""
    return {name: values[0] for name, values in parse_qs(urlsplit(link(mail)).query).items()}
