"""Representations by serializers that are built once.

DRF builds the fields of each new serializer again, which takes longer than representing a small object by them. For
requests that run often, such as a checkout.
"""

import threading
from collections.abc import Callable
from typing import Any

from rest_framework.request import Request
from rest_framework.serializers import Serializer


class Representation(threading.local):
    """Represents instances by the serializer that `build` returns, which each thread builds once.

    `build` takes the `context`, which has the `request` while an instance is represented.
    """

    def __init__(self, build: Callable[..., Serializer]) -> None:
        self.context: dict[str, Any] = {}
        self.serializer = build(context=self.context)

    def of(self, instance: Any, request: Request | None = None) -> dict[str, Any]:
        self.context["request"] = request
        try:
            return self.serializer.to_representation(instance)
        finally:
            self.context.clear()
