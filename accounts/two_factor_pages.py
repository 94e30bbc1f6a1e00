"""The admin's pages of the second factor: the log-in's second step, set-up, recovery codes, turning it off."""

from typing import Any

import segno
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import admin_sessions, two_factor
from accounts.admin_login import limit_body, with_status
from accounts.models import User
from accounts.two_factor_forms import CodeForm, ManageForm, SetUpForm
from productbackend.errors import InvalidValue

KEY = "two_factor_key"  # in the session, until a code of it was typed
METHODS = ["GET", "HEAD", "POST"]


@limit_body
@never_cache
@sensitive_post_parameters()
@require_http_methods(METHODS)
def code(request: HttpRequest) -> HttpResponseBase:
    """The second step of the log-in."""
    user = admin_sessions.pending_user(request)
    if user is None or not two_factor.is_set_up(user):
        return redirect("admin:login")
    form = CodeForm(request.POST or None, request=request, user=user)
    if request.method == "POST" and form.is_valid():
        page = admin_sessions.pending_page(request)
        return admin_sessions.complete(request, user, page, factor=admin_sessions.GIVEN)
    return _page(request, "code", "Second factor", form=form)


@limit_body
@never_cache
@sensitive_post_parameters()
@require_http_methods(METHODS)
def page(request: HttpRequest) -> HttpResponseBase:
    """Show the user's second factor: set it up, or renew the recovery codes, or turn it off."""
    signed_in = request.user if isinstance(request.user, User) and admin.site.has_permission(request) else None
    user = signed_in or admin_sessions.pending_user(request)
    if user is None:
        return redirect("admin:login")
    if settings.STAFF_TWO_FACTOR == "off":
        return _page(request, "off", "Second factor")
    if not two_factor.is_set_up(user):
        return _set_up(request, user, signed_in is not None)
    return _manage(request, user) if signed_in else redirect("two-factor-code")


def _set_up(request: HttpRequest, user: User, is_signed_in: bool) -> HttpResponseBase:
    key: str = request.session.setdefault(KEY, two_factor.new_key())
    form = SetUpForm(request.POST or None, request=request, user=user, asks_password=is_signed_in)
    if request.method == "POST" and form.is_valid():
        try:
            codes = two_factor.set_up(user=user, key=key, code=form.cleaned_data["code"])
        except InvalidValue as error:
            form.add_error(error.extra["errors"][0]["field"], error.detail)
        else:
            return _after_set_up(request, user, codes, is_signed_in)
    qr = segno.make(two_factor.key_url(user, key), error="l", micro=False)
    # segno writes the SVG: digits and its own attributes, nothing of the text.
    picture = mark_safe(qr.svg_inline(scale=4, border=4, light="#fff"))  # noqa: S308
    context = {"form": form, "picture": picture, "key": two_factor.key_text(key)}
    return _page(request, "set_up", "Set up a second factor", is_required=not is_signed_in, **context)


def _after_set_up(request: HttpRequest, user: User, codes: list[str], is_signed_in: bool) -> HttpResponseBase:
    del request.session[KEY]
    target = reverse("admin:index")
    if is_signed_in:
        admin_sessions.keep(request, user, factor=admin_sessions.GIVEN)
    else:
        user.refresh_from_db()
        target = admin_sessions.pending_page(request)
        admin_sessions.complete(request, user, target, factor=admin_sessions.GIVEN)
    return _page(request, "codes", "Recovery codes", codes=codes, target=target)


def _manage(request: HttpRequest, user: User) -> HttpResponseBase:
    form = ManageForm(request.POST or None, request=request, user=user)
    if request.method == "POST" and form.is_valid():
        if request.POST.get("action") == "turn-off":
            return _turn_off(request, user)
        if request.POST.get("action") == "codes":
            codes = two_factor.renew_recovery_codes(user=user)
            return _page(request, "codes", "Recovery codes", codes=codes, target=reverse("admin:index"))
        form.add_error(None, forms.ValidationError("Choose what to do.", code="required"))
    left = two_factor.recovery_codes_left(user)
    return _page(request, "manage", "Second factor", form=form, left=left)


def _turn_off(request: HttpRequest, user: User) -> HttpResponseBase:
    two_factor.turn_off(user=user)
    admin_sessions.keep(request, user, factor=None)
    messages.success(request, "The second factor was turned off.")
    return HttpResponseRedirect(reverse("admin:index"))


def _page(request: HttpRequest, name: str, title: str, **context: Any) -> HttpResponseBase:
    shared = admin.site.each_context(request)
    if not shared["has_permission"]:
        shared["is_nav_sidebar_enabled"] = False  # it would say that nothing may be viewed
    context = {**shared, "title": title, "mode": settings.STAFF_TWO_FACTOR, **context}
    return with_status(request, TemplateResponse(request, f"accounts/two_factor/{name}.html", context))
