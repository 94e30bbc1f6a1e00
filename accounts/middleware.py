"""Rejects requests while the hashing pool is full, and sessions without the second factor."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from accounts import admin_sessions, hashers
from productbackend.api import problems

# Endpoints at which an anonymous client causes a password hash.
HASHING_PATHS = {"/token/", "/register/", "/password-reset/confirm/", "/admin/login/"}


class PasswordMiddleware:
    """Responds with 503 while the hashing pool is full, so that a flood of passwords costs little."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST" and request.path_info in HASHING_PATHS and hashers.pool.is_full:
            response = problems.unavailable(request, hashers.pool_full_error().detail)
            response["Cache-Control"] = "private, no-store"
            return response
        return self.get_response(request)


class TwoFactorMiddleware:
    """Makes a session anonymous that began without the second factor that the shop asks for now."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        # Lazy, so that a request that needs no user reads no session.
        request.user = SimpleLazyObject(lambda: admin_sessions.checked_user(request, user))  # type: ignore[assignment]
        return self.get_response(request)
