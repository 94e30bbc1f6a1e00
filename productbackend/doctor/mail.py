"""Checks the mail server by the same connection as a worker's; sends a mail only on request."""

import smtplib
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import get_connection, send_mail

from productbackend.doctor.configuration import LOOPBACK
from productbackend.doctor.findings import Findings, bad, brief, good, warn

TIMEOUT = 5


def server() -> Findings:
    """Connect, start TLS, log in and give the sender's address; then reset the session."""
    if not settings.EMAIL_HOST:
        yield warn("none: the worker prints mails, and nobody receives them. Set EMAIL_HOST")
        return
    address = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    connection: Any = get_connection(timeout=TIMEOUT)
    try:
        connection.open()
        smtp: smtplib.SMTP = connection.connection
        smtp.ehlo_or_helo_if_needed()
        code, reply = smtp.mail(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])
        smtp.rset()
    except (OSError, smtplib.SMTPException) as error:
        yield bad(f"{address}: {brief(error)}; see EMAIL_*")
        return
    finally:
        connection.close()
    if code >= 400:
        yield bad(f"{address} refuses DEFAULT_FROM_EMAIL: {code} {reply.decode(errors='replace')}")
    elif not settings.EMAIL_USE_TLS and settings.EMAIL_HOST not in LOOPBACK:
        with_password = " and the password" if settings.EMAIL_HOST_USER else ""
        yield warn(f"{address} accepts mail, but mails{with_password} are sent unencrypted: EMAIL_USE_TLS=true")
    else:
        signed_in = f", signed in as {settings.EMAIL_HOST_USER}" if settings.EMAIL_HOST_USER else ""
        yield good(f"{address} accepts mail{' over TLS' if settings.EMAIL_USE_TLS else ''}{signed_in}")


def sender() -> Findings:
    if not settings.EMAIL_HOST:
        return
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    if "." not in domain:
        yield warn(f"{settings.DEFAULT_FROM_EMAIL} has no public domain: set DEFAULT_FROM_EMAIL")
    else:
        yield good(settings.DEFAULT_FROM_EMAIL)


def sent(address: str) -> Findings:
    """Send one mail to `address`."""
    try:
        send_mail(f"{settings.SHOP_NAME}: a test", "manage.py doctor sent this.", None, [address])
    except (OSError, smtplib.SMTPException) as error:
        yield bad(f"not sent to {address}: {brief(error)}")
    else:
        yield good(f"sent to {address}; verify that it arrives, and not as spam")
