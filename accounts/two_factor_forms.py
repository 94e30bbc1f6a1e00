"""The forms of the second factor. They count codes and passwords as guesses."""

from functools import partial
from typing import Any

from django import forms
from django.http import HttpRequest

from accounts import guesses, two_factor
from accounts.admin_login import is_password, throttled_error
from accounts.backends import PASSWORD_MAX
from accounts.models import User
from productbackend.errors import Throttled

CODE_ATTRIBUTES = {
    "autocomplete": "one-time-code",
    "autocapitalize": "none",
    "spellcheck": "false",
    "autofocus": True,
}
PASSWORD_ATTRIBUTES = {"autocomplete": "current-password"}


class CodeForm(forms.Form):
    """A code of the app or a recovery code, which is used up if it is right."""

    code = forms.CharField(max_length=two_factor.CODE_MAX, widget=forms.TextInput(attrs=CODE_ATTRIBUTES))

    def __init__(self, *args: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
        self.request, self.user = request, user
        super().__init__(*args, **kwargs)

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if self.errors:  # the password is wrong: the code stays unused
            return code
        try:
            guesses.check_client(self.request, what=guesses.CODE)
            check = partial(two_factor.use_code, user=self.user, code=code)
            if guesses.check_code(user=self.user, request=self.request, check=check):
                return code
        except Throttled as error:
            raise throttled_error(self.request, error) from None
        raise forms.ValidationError("This code is wrong, or was used already.", code="incorrect")


class PasswordMixin(forms.Form):
    """The password of the signed-in user, in front of the other fields."""

    request: HttpRequest
    user: User

    password = forms.CharField(
        strip=False, max_length=PASSWORD_MAX, widget=forms.PasswordInput(attrs=PASSWORD_ATTRIBUTES)
    )

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if is_password(self.request, self.user, password):
            return password
        raise forms.ValidationError("This is not your password.", code="incorrect")


class ManageForm(CodeForm, PasswordMixin):
    """What changes a second factor takes the password and a code."""


class SetUpForm(PasswordMixin):
    """The first code of the app. The password too, if it was not typed just now."""

    code = forms.CharField(
        max_length=two_factor.CODE_MAX,
        label="Code that the app shows",
        widget=forms.TextInput(attrs={**CODE_ATTRIBUTES, "inputmode": "numeric", "autofocus": False}),
    )

    def __init__(self, *args: Any, request: HttpRequest, user: User, asks_password: bool, **kwargs: Any) -> None:
        self.request, self.user = request, user
        super().__init__(*args, **kwargs)
        if not asks_password:
            del self.fields["password"]
