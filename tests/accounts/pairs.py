"""Pairs of access and refresh tokens: their use, and those of an earlier release."""

from typing import Any

import jwt
from django.conf import settings
from rest_framework.test import APIClient

from tests.signing_in import with_token


def refresh(api: APIClient, pair: dict[str, str]) -> Any:
    return api.post("/token/refresh/", {"refresh": pair["refresh"]})


def reads(pair: dict[str, str]) -> int:
    return with_token(pair["access"]).get("/account/").status_code


def of_an_earlier_release(token: str) -> str:
    claims = jwt.decode(token, options={"verify_signature": False})
    old = {name: value for name, value in claims.items() if name not in ("sign_in", "began")}
    return jwt.encode(old, settings.SIMPLE_JWT["SIGNING_KEY"], "HS256")
