"""The mail server: greeted as a worker greets it, and left without a mail unless one is asked for."""

import smtplib
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import get_connection, send_mail

from productbackend.doctor.configuration import LOOPBACK
from productbackend.doctor.findings import Findings, bad, brief, good, warn

TIMEOUT = 5


def server() -> Findings:
    """Greeting, TLS, log-in and the sender's address; then the server is told to forget it."""
    if not settings.EMAIL_HOST:
        yield warn("none: mails are printed by the worker, and nobody gets them. Set EMAIL_HOST")
        return
    where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    connection: Any = get_connection(timeout=TIMEOUT)
    try:
        connection.open()
        smtp: smtplib.SMTP = connection.connection
        smtp.ehlo_or_helo_if_needed()
        code, said = smtp.mail(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])
        smtp.rset()
    except (OSError, smtplib.SMTPException) as error:
        yield bad(f"{where}: {brief(error)}; see EMAIL_*")
        return
    finally:
        connection.close()
    if code >= 400:
        yield bad(f"{where} refuses DEFAULT_FROM_EMAIL: {code} {said.decode(errors='replace')}")
    elif not settings.EMAIL_USE_TLS and settings.EMAIL_HOST not in LOOPBACK:
        with_password = " and the password" if settings.EMAIL_HOST_USER else ""
        yield warn(f"{where} takes mail, but texts{with_password} travel in the clear: EMAIL_USE_TLS=true")
    else:
        signed_in = f", signed in as {settings.EMAIL_HOST_USER}" if settings.EMAIL_HOST_USER else ""
        yield good(f"{where} takes mail{' over TLS' if settings.EMAIL_USE_TLS else ''}{signed_in}")


def sender() -> Findings:
    if not settings.EMAIL_HOST:
        return
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    if "." not in domain:
        yield warn(f"{settings.DEFAULT_FROM_EMAIL} is taken by no server elsewhere: DEFAULT_FROM_EMAIL")
    else:
        yield good(settings.DEFAULT_FROM_EMAIL)


def sent(address: str) -> Findings:
    """One mail to the address that was named."""
    try:
        send_mail(f"{settings.SHOP_NAME}: a test", "manage.py doctor sent this.", None, [address])
    except (OSError, smtplib.SMTPException) as error:
        yield bad(f"not sent to {address}: {brief(error)}")
    else:
        yield good(f"sent to {address}; see whether it arrives, and not among the spam")
