"""Sends requests to a running shop."""

from typing import Any

import requests

from tests.passwords import PASSWORD


class HttpClient:
    """A client of the shop at `url`. A running service is one of itself."""

    def __init__(self, url: str) -> None:
        self.url = url

    def request(self, method: str, path: str, *, token: str | None = None, **options: Any) -> requests.Response:
        headers = options.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        return requests.request(method, f"{self.url}{path}", headers=headers, timeout=30, **options)

    def token(self, username: str = "boss", password: str = PASSWORD) -> str:
        answer = self.request("POST", "/token/", json={"username": username, "password": password})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access"])
