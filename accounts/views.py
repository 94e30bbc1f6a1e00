"""Views of registration, sign-in and the account."""

from functools import partial
from typing import Any, cast

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import Serializer

from accounts import email_verification, guesses, guests, passwords, profile, registration, serializers, tokens
from accounts.models import User
from accounts.pages import PageView
from accounts.throttles import (
    AccountThrottle,
    EmailChangeThrottle,
    NewAddressThrottle,
    PasswordThrottle,
    RecipientThrottle,
)
from productbackend.api.conditional import precondition, with_etag
from productbackend.api.limits import SmallBodyView
from productbackend.api.openapi.schema import ETAGS, problem
from productbackend.api.throttling import ClientIPThrottle
from productbackend.errors import InvalidValue

PAGE = {(200, "text/html"): OpenApiResponse(response=str, description="A page with a form.")}
DONE_PAGE = {(200, "text/html"): OpenApiResponse(response=str, description="Done, as a page for a browser.")}
FROM_MAIL = partial(OpenApiParameter, type=str, description=serializers.FROM_MAIL)
THROTTLED = problem("throttled")
BAD_TOKEN = problem("validation-error", "malformed", "invalid-token")


def validated(serializer_class: type[Serializer], request: Request) -> dict[str, Any]:
    """Return the validated body. Raises ValidationError."""
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


class RegisterView(SmallBodyView):
    """Registers an account. It is active immediately; a mail asks to verify its address."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes = [ClientIPThrottle, AccountThrottle]
    throttle_scope = "register"

    @extend_schema(
        operation_id="register",
        summary="Register an account",
        request=serializers.RegistrationSerializer,
        responses={201: serializers.AccountSerializer, 429: THROTTLED},
    )
    def post(self, request: Request) -> Response:
        user = registration.register(**validated(serializers.RegistrationSerializer, request))
        data = serializers.AccountSerializer(user).data
        return Response(data, status=201, headers={"Location": reverse("account", request=request)})


class GuestView(SmallBodyView):
    """Creates a guest: a customer without an account, who has one cart and the orders made from it."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes = [ClientIPThrottle]
    throttle_scope = "guests"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if not settings.GUEST_CHECKOUT and request.method == "POST":
            raise NotFound("This shop has no guests: register at /register/.")
        super().initial(request, *args, **kwargs)

    @extend_schema(
        operation_id="guests_create",
        summary="Become a guest, with a cart and a checkout without an account",
        request=None,
        responses={201: serializers.GuestSerializer, 404: problem("not-found"), 429: THROTTLED},
    )
    def post(self, request: Request) -> Response:
        _, token = guests.create_guest()
        return Response({"guest_token": token}, status=201, headers={"Location": reverse("cart-list", request=request)})


class TokenView(SmallBodyView):
    """Signs in with the user name, in any case, or the e-mail address."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes = [PasswordThrottle]

    @extend_schema(
        operation_id="token_create",
        summary="Sign in",
        request=serializers.CredentialsSerializer,
        responses={200: serializers.TokenPairSerializer, 429: THROTTLED},
    )
    def post(self, request: Request) -> Response:
        pair = tokens.sign_in(request=request._request, **validated(serializers.CredentialsSerializer, request))
        return Response(serializers.TokenPairSerializer(pair).data)


class TokenRefreshView(SmallBodyView):
    """Exchanges a refresh token for the next pair. Each token works once."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="token_refresh",
        summary="Get the next pair of tokens; the refresh token works once",
        request=serializers.RefreshSerializer,
        responses=serializers.TokenPairSerializer,
    )
    def post(self, request: Request) -> Response:
        pair = tokens.rotate(**validated(serializers.RefreshSerializer, request))
        return Response(serializers.TokenPairSerializer(pair).data)


class TokenRevokeView(SmallBodyView):
    """Revokes a refresh token and its sign-in: signs out on one device."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="token_revoke",
        summary="Sign out on this device",
        request=serializers.RefreshSerializer,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        tokens.revoke(**validated(serializers.RefreshSerializer, request))
        return Response(status=204)


class TokenRevokeAllView(SmallBodyView):
    """Revokes every token and session of the account."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="token_revoke_all",
        summary="Sign out everywhere; access tokens are revoked too",
        request=None,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        tokens.revoke_all(user=current_user(request))
        return Response(status=204)


class AccountView(SmallBodyView):
    """The user's own account. Closing it anonymizes its orders."""

    etags = ETAGS
    permission_classes = [IsAuthenticated]
    throttle_classes = [PasswordThrottle, EmailChangeThrottle, NewAddressThrottle]
    delete_has_body = True
    throttle_scope = "email-change"

    @extend_schema(
        operation_id="account_retrieve",
        summary="Read the user's own account",
        responses=serializers.AccountSerializer,
    )
    def get(self, request: Request) -> Response:
        return with_etag(request, Response(serializers.AccountSerializer(current_user(request)).data))

    @extend_schema(
        operation_id="account_partial_update",
        summary="Change names, or request a new e-mail address",
        request=serializers.AccountChangeSerializer,
        responses={200: serializers.AccountSerializer, 429: THROTTLED},
    )
    def patch(self, request: Request) -> Response:
        changes = validated(serializers.AccountChangeSerializer, request)
        password = changes.pop("password", None)
        if "email" in changes:
            check_password(request, password)
        user = profile.update(user=current_user(request), precondition=self._precondition(request), **changes)
        return with_etag(request, Response(serializers.AccountSerializer(user).data))

    @extend_schema(
        operation_id="account_close",
        summary="Close the account, with its password",
        request=serializers.ClosingSerializer,
        responses={204: None, 429: THROTTLED},
    )
    def delete(self, request: Request) -> Response:
        check_password(request, validated(serializers.ClosingSerializer, request)["password"])
        profile.close(user=current_user(request), precondition=self._precondition(request))
        return Response(status=204)

    @staticmethod
    def _precondition(request: Request) -> profile.Precondition:
        return precondition(request, lambda user: serializers.AccountSerializer(user).data, "account")


class PasswordView(SmallBodyView):
    """Changes the password and revokes every token."""

    permission_classes = [IsAuthenticated]
    throttle_classes = [PasswordThrottle]

    @extend_schema(
        operation_id="account_password",
        summary="Change the password; every token is revoked",
        request=serializers.PasswordChangeSerializer,
        responses={204: None, 429: THROTTLED},
    )
    def post(self, request: Request) -> Response:
        body = validated(serializers.PasswordChangeSerializer, request)
        check_password(request, body["old_password"], field="old_password")
        passwords.change(user=current_user(request), new_password=body["new_password"])
        return Response(status=204)


class PasswordResetView(SmallBodyView):
    """Enqueues a mail to the address if an account has it. The response is the same for every address."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes = [ClientIPThrottle, RecipientThrottle]
    throttle_scope = "password-reset"

    @extend_schema(
        operation_id="password_reset",
        summary="Request a mail that resets the password",
        request=serializers.PasswordResetSerializer,
        responses={202: OpenApiResponse(description="Accepted, whether or not the address is known."), 429: THROTTLED},
    )
    def post(self, request: Request) -> Response:
        passwords.request_reset(**validated(serializers.PasswordResetSerializer, request))
        return Response(status=202)


class PasswordResetConfirmView(PageView):
    """Sets a new password with the token of the mail. GET returns a page with a form and changes nothing."""

    permission_classes = [AllowAny]
    page = "accounts/reset_password.html"
    page_fields = ("uid", "token")

    @extend_schema(
        operation_id="password_reset_page",
        summary="The page of the mail's link",
        parameters=[FROM_MAIL("uid"), FROM_MAIL("token")],
        responses=PAGE,
    )
    def get(self, request: Request) -> Response:
        return self.show(request)

    @extend_schema(
        operation_id="password_reset_confirm",
        summary="Set a new password with the token of the mail",
        request=serializers.NewPasswordSerializer,
        responses={204: None, **DONE_PAGE, 400: BAD_TOKEN},
    )
    def post(self, request: Request) -> Response:
        user = passwords.reset(**validated(serializers.NewPasswordSerializer, request))
        guesses.remember_client(request, user)
        return self.done(request, "The new password is set. Every device has been signed out.")


class EmailConfirmView(PageView):
    """Verifies the address that the mail was sent to. GET returns a page with a button and changes nothing."""

    permission_classes = [AllowAny]
    page = "accounts/verify_email.html"
    page_fields = ("token",)

    @extend_schema(
        operation_id="email_confirm_page",
        summary="The page of the mail's link",
        parameters=[FROM_MAIL("token")],
        responses=PAGE,
    )
    def get(self, request: Request) -> Response:
        return self.show(request)

    @extend_schema(
        operation_id="email_confirm",
        summary="Verify an e-mail address with the token of the mail",
        request=serializers.ConfirmationSerializer,
        responses={204: None, **DONE_PAGE, 400: BAD_TOKEN},
    )
    def post(self, request: Request) -> Response:
        email_verification.verify(**validated(serializers.ConfirmationSerializer, request))
        return self.done(request, "The address is verified. Thank you.")


class EmailUndoView(PageView):
    """Restores the address that a notice was sent to. GET returns a page with a button and changes nothing."""

    permission_classes = [AllowAny]
    page = "accounts/undo_email.html"
    page_fields = ("token",)

    @extend_schema(
        operation_id="email_undo_page",
        summary="The page of the notice's link",
        parameters=[FROM_MAIL("token")],
        responses=PAGE,
    )
    def get(self, request: Request) -> Response:
        return self.show(request)

    @extend_schema(
        operation_id="email_undo",
        summary="Undo a change of the e-mail address with the token of the notice; every token is revoked",
        request=serializers.ConfirmationSerializer,
        responses={204: None, **DONE_PAGE, 400: BAD_TOKEN},
    )
    def post(self, request: Request) -> Response:
        email_verification.undo(**validated(serializers.ConfirmationSerializer, request))
        return self.done(request, "The address is restored. A mail to set a new password follows.")


def check_password(request: Request, password: str, field: str = "password") -> None:
    """Count a guess at the signed-in user's password. Raises InvalidValue if it is wrong, Throttled after too many."""
    if not guesses.check_password(user=current_user(request), password=password, request=request._request):
        raise InvalidValue(field, "incorrect", "This is not the account's password.")


def current_user(request: Request) -> User:
    """Return the authenticated user; the view's permission excludes AnonymousUser."""
    return cast(User, request.user)
