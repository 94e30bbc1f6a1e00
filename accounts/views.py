"""The account's paths."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from accounts import addresses, passwords, profile, registration, serializers, tokens
from accounts.models import User
from accounts.pages import PageView
from accounts.throttles import (
    AccountThrottle,
    AddresseeThrottle,
    AddressThrottle,
    EmailChangeThrottle,
    SignInThrottle,
)
from productbackend.api.conditional import tagged
from productbackend.api.schema import IF_NONE_MATCH, NOT_MODIFIED, problem

DONE = OpenApiResponse(description="Done.")
PAGE = {(200, "text/html"): OpenApiResponse(response=str, description="A page whose button does it.")}
DONE_PAGE = {(200, "text/html"): OpenApiResponse(response=str, description="Done, as a page for a browser.")}
THROTTLED = problem("throttled")
BAD_TOKEN = problem("validation-error", "malformed", "invalid-token")


def read(serializer: type[Serializer], request: Request) -> dict[str, Any]:
    """The body's values; a 400 names those that do not fit."""
    shape = serializer(data=request.data)
    shape.is_valid(raise_exception=True)
    return shape.validated_data


class RegisterView(APIView):
    """Makes an account. It works at once; a mail asks to confirm its address."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes = [AddressThrottle, AccountThrottle]
    throttle_scope = "register"

    @extend_schema(
        operation_id="register",
        summary="Make an account",
        request=serializers.RegistrationSerializer,
        responses={201: serializers.AccountSerializer, 429: THROTTLED},
    )
    def post(self, request: Request) -> Response:
        user = registration.register(**read(serializers.RegistrationSerializer, request))
        data = serializers.AccountSerializer(user).data
        return Response(data, status=201, headers={"Location": reverse("account", request=request)})


class TokenView(APIView):
    """Signs in with the user name, in any case, or the e-mail address."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes = [AddressThrottle, SignInThrottle]
    throttle_scope = "token"

    @extend_schema(
        operation_id="token_create",
        summary="Sign in",
        request=serializers.CredentialsSerializer,
        responses={200: serializers.TokenPairSerializer, 429: THROTTLED},
    )
    def post(self, request: Request) -> Response:
        pair = tokens.sign_in(**read(serializers.CredentialsSerializer, request))
        return Response(serializers.TokenPairSerializer(pair).data)


class TokenRefreshView(APIView):
    """Trades a refresh token for the next pair. Each works once."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="token_refresh",
        summary="Get the next pair of tokens; the refresh token is spent",
        request=serializers.RefreshSerializer,
        responses=serializers.TokenPairSerializer,
    )
    def post(self, request: Request) -> Response:
        pair = tokens.renew(**read(serializers.RefreshSerializer, request))
        return Response(serializers.TokenPairSerializer(pair).data)


class TokenRevokeView(APIView):
    """Spends a refresh token: signs out on one device."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="token_revoke",
        summary="Sign out here",
        request=serializers.RefreshSerializer,
        responses={204: DONE},
    )
    def post(self, request: Request) -> Response:
        tokens.revoke(**read(serializers.RefreshSerializer, request))
        return Response(status=204)


class TokenRevokeAllView(APIView):
    """Ends every token and session of the account at once."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="token_revoke_all",
        summary="Sign out everywhere; access tokens end too",
        request=None,
        responses={204: DONE},
    )
    def post(self, request: Request) -> Response:
        tokens.revoke_all(user=user_of(request))
        return Response(status=204)


class AccountView(APIView):
    """One's own account. Closing it removes the person from the orders, which stay."""

    permission_classes = [IsAuthenticated]
    throttle_classes = [EmailChangeThrottle]
    throttle_scope = "email-change"

    @extend_schema(
        operation_id="account_retrieve",
        summary="One's own account",
        parameters=[IF_NONE_MATCH],
        responses={200: serializers.AccountSerializer, 304: NOT_MODIFIED},
    )
    def get(self, request: Request) -> Response:
        return tagged(request, Response(serializers.AccountSerializer(user_of(request)).data))

    @extend_schema(
        operation_id="account_partial_update",
        summary="Change names, or ask for a new e-mail address",
        request=serializers.AccountChangeSerializer,
        responses={200: serializers.AccountSerializer, 429: THROTTLED},
    )
    def patch(self, request: Request) -> Response:
        user = profile.update(user=user_of(request), **read(serializers.AccountChangeSerializer, request))
        return tagged(request, Response(serializers.AccountSerializer(user).data))

    @extend_schema(operation_id="account_close", summary="Close the account", responses={204: DONE})
    def delete(self, request: Request) -> Response:
        profile.close(user=user_of(request))
        return Response(status=204)


class PasswordView(APIView):
    """Changes the password, which ends every token."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="account_password",
        summary="Change the password; every token ends",
        request=serializers.PasswordChangeSerializer,
        responses={204: DONE},
    )
    def post(self, request: Request) -> Response:
        passwords.change(user=user_of(request), **read(serializers.PasswordChangeSerializer, request))
        return Response(status=204)


class PasswordResetView(APIView):
    """Owes a mail to the address if an account has it; the answer is the same for all."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes = [AddressThrottle, AddresseeThrottle]
    throttle_scope = "password-reset"

    @extend_schema(
        operation_id="password_reset",
        summary="Ask for a mail that lets one set a new password",
        request=serializers.PasswordResetSerializer,
        responses={202: OpenApiResponse(description="Taken, whether or not the address is known."), 429: THROTTLED},
    )
    def post(self, request: Request) -> Response:
        passwords.ask_for_reset(**read(serializers.PasswordResetSerializer, request))
        return Response(status=202)


class PasswordResetConfirmView(PageView):
    """Sets a new password with what the mail brought. GET is a page with a form, which changes nothing itself."""

    permission_classes = [AllowAny]
    page = "accounts/reset_password.html"
    page_fields = ("uid", "token")

    @extend_schema(
        operation_id="password_reset_page",
        summary="The page that the mail's link leads to",
        parameters=[OpenApiParameter("uid", str), OpenApiParameter("token", str)],
        responses=PAGE,
    )
    def get(self, request: Request) -> Response:
        return self.show(request)

    @extend_schema(
        operation_id="password_reset_confirm",
        summary="Set a new password with what the mail brought",
        request=serializers.NewPasswordSerializer,
        responses={204: DONE, **DONE_PAGE, 400: BAD_TOKEN},
    )
    def post(self, request: Request) -> Response:
        passwords.reset(**read(serializers.NewPasswordSerializer, request))
        return self.done(request, "The new password is set. Every device has been signed out.")


class EmailConfirmView(PageView):
    """Confirms the address that the mail was sent to. GET is a page with a button, which changes nothing itself."""

    permission_classes = [AllowAny]
    page = "accounts/confirm_email.html"
    page_fields = ("token",)

    @extend_schema(
        operation_id="email_confirm_page",
        summary="The page that the mail's link leads to",
        parameters=[OpenApiParameter("token", str)],
        responses=PAGE,
    )
    def get(self, request: Request) -> Response:
        return self.show(request)

    @extend_schema(
        operation_id="email_confirm",
        summary="Confirm an e-mail address with the token of the mail",
        request=serializers.ConfirmationSerializer,
        responses={204: DONE, **DONE_PAGE, 400: BAD_TOKEN},
    )
    def post(self, request: Request) -> Response:
        addresses.confirm(**read(serializers.ConfirmationSerializer, request))
        return self.done(request, "The address is confirmed. Thank you.")


def user_of(request: Request) -> User:
    """The user, whom the view's permission has let in."""
    return cast(User, request.user)
