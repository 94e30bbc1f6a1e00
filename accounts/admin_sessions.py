"""Sessions of the admin: begun by a password, and by the second factor where the shop asks for it."""

import time
from typing import Any

from django.conf import settings
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare

from accounts import networks, two_factor
from accounts.models import User

FACTOR = "second_factor"  # the key of what a session has of it:
GIVEN, SKIPPED = "given", "skipped"  # or nothing, if none was set up
PENDING = "pending_sign_in"
PENDING_SECONDS = 600  # between the password and the code


def begin(request: HttpRequest, user: User, page: str) -> HttpResponseRedirect:
    """After the right password sign the user in, or continue with the second factor. `page` is where to go then."""
    if settings.STAFF_TWO_FACTOR == "off":
        return complete(request, user, page, factor=SKIPPED)
    is_set_up = two_factor.is_set_up(user)
    if not is_set_up and settings.STAFF_TWO_FACTOR != "required":
        return complete(request, user, page)
    # A session of its own: whoever knows the browser's former cookie must not continue this one.
    request.session.flush()
    request.session[PENDING] = {
        "user": user.pk,
        "hash": user.get_session_auth_hash(),
        "until": time.time() + PENDING_SECONDS,
        "page": page,
    }
    return redirect("two-factor-code" if is_set_up else "two-factor")


def pending_user(request: HttpRequest) -> User | None:
    """Return the user whose password was right within ten minutes and who has not signed in yet."""
    pending: dict[str, Any] = request.session.get(PENDING) or {}
    if pending.get("until", 0) < time.time():
        return None
    user = User.objects.filter(pk=pending["user"], is_active=True, is_staff=True).first()
    # A new password or "sign out everywhere" ends it.
    is_current = user is not None and constant_time_compare(pending["hash"], user.get_session_auth_hash())
    return user if is_current else None


def pending_page(request: HttpRequest) -> str:
    page: str = request.session[PENDING]["page"]
    return page


def complete(request: HttpRequest, user: User, page: str, *, factor: str | None = None) -> HttpResponseRedirect:
    """Sign the user in, and continue with `page`."""
    login(request, user)
    request.session.pop(PENDING, None)
    request.session[FACTOR] = factor
    networks.record_sign_in(user=user, request=request)
    return HttpResponseRedirect(page)


def keep(request: HttpRequest, user: User, *, factor: str | None) -> None:
    """Keep this session of `user`, whose second factor was set up or removed."""
    user.refresh_from_db(fields=["token_version"])
    update_session_auth_hash(request, user)
    request.session[FACTOR] = factor


def checked_user(request: HttpRequest, user: Any) -> Any:
    """Return the session's user, or nobody if the session began without the second factor that is asked for now."""
    if not user.is_authenticated or settings.STAFF_TWO_FACTOR == "off":
        return user
    factor = request.session.get(FACTOR)
    if factor == GIVEN or (factor is None and settings.STAFF_TWO_FACTOR == "optional"):
        return user
    return AnonymousUser()
