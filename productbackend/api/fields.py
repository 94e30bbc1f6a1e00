"""Fields of serializers that take what the document says, and nothing that merely resembles it."""

from typing import Any

from rest_framework import serializers


class StrictBooleanField(serializers.BooleanField):
    """true or false of JSON; DRF's own takes 0, "yes" and "off" as well, by which a client may have meant anything."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data
