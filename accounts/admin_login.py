"""The admin pages that ask for the user's own password. They count password guesses as the API does."""

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from accounts import admin_sessions, guesses
from accounts.models import User
from productbackend.api.limits import SmallBodyView
from productbackend.errors import Throttled

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def throttled_error(request: Any, error: Throttled) -> forms.ValidationError:
    """Return the error for the form, and mark the request so that the view responds with 429."""
    request.throttled = error
    return forms.ValidationError(error.detail, code="throttled")


def is_password(request: HttpRequest, user: User, password: str) -> bool:
    """Return whether it is the signed-in user's password, as a guess. Raises ValidationError after too many."""
    try:
        guesses.check_client(request)
        return guesses.check_password(user=user, password=password, request=request)
    except Throttled as error:
        raise throttled_error(request, error) from None


class LoginForm(AdminAuthenticationForm):
    def clean(self) -> dict[str, Any]:
        try:
            guesses.check_client(self.request)
            return super().clean()
        except Throttled as error:
            raise throttled_error(self.request, error) from None


@method_decorator(never_cache, "dispatch")
class PasswordView(LoginView):
    """The admin's log-in page, which continues with the second factor where the shop asks for it."""

    template_name = "admin/login.html"
    authentication_form = LoginForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            **admin.site.each_context(self.request),
            "title": "Log in",
            "subtitle": None,
            "app_path": self.request.get_full_path(),
            "username": self.request.user.get_username(),
            "next": self.get_success_url(),
        }

    def get_default_redirect_url(self) -> str:
        return reverse("admin:index")

    def form_valid(self, form: forms.Form) -> HttpResponse:
        return admin_sessions.begin(self.request, form.get_user(), self.get_success_url())  # type: ignore[attr-defined]


class ChangeForm(AdminPasswordChangeForm):
    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        self.request = request
        super().__init__(*args, **kwargs)

    def clean_old_password(self) -> str:
        password: str = self.cleaned_data["old_password"]
        if is_password(self.request, self.user, password):
            return password
        raise forms.ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")


class ChangeView(PasswordChangeView):
    form_class = ChangeForm
    template_name = "registration/password_change_form.html"

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def get_success_url(self) -> str:
        return reverse("admin:password_change_done")


def limit_body(view: View) -> View:
    """Limit the request body as the account endpoints of the API do."""
    view.body_max_bytes = SmallBodyView.body_max_bytes  # type: ignore[attr-defined]
    return view


@limit_body
def login(request: HttpRequest) -> HttpResponseBase:
    if request.method == "GET" and admin.site.has_permission(request):
        return HttpResponseRedirect(reverse("admin:index"))
    return with_status(request, PasswordView.as_view()(request))


@limit_body
def password_change(request: HttpRequest) -> HttpResponseBase:
    def page(request: HttpRequest) -> Any:
        return ChangeView.as_view(extra_context=admin.site.each_context(request))(request)

    return with_status(request, admin.site.admin_view(page, cacheable=True)(request))


def with_status(request: Any, response: HttpResponseBase) -> HttpResponseBase:
    """Respond with 429 if `throttled_error` marked the request."""
    error: Throttled | None = getattr(request, "throttled", None)
    if error is not None:
        response.status_code = 429
        response["Retry-After"] = str(error.retry_after)
    return response
