"""Postal addresses as clients send them, and as they are answered."""

from typing import Any

from productbackend.database.postal_addresses import LENGTHS

BERLIN = {"name": "Carla Coe", "line1": "Hauptstraße 1", "postal_code": "10115", "city": "Berlin", "country": "DE"}
VIENNA = {"name": "Carla Coe", "line1": "Ring 2", "line2": "Stiege 3", "city": "Wien", "country": "AT"}


def whole(address: dict[str, Any]) -> dict[str, Any]:
    """The address as it is answered: the parts that it lacks are empty."""
    return {part: address.get(part, "") for part in LENGTHS}
