"""The network address of a client, by which throttles count."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request


def client_address(request: HttpRequest | Request | None) -> str:
    """The connection's address or, behind NUM_PROXIES trusted proxies, the address that the first of them saw."""
    if request is None:
        return ""
    remote: str = request.META.get("REMOTE_ADDR") or ""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR")
    proxies = settings.REST_FRAMEWORK["NUM_PROXIES"]
    if not proxies or forwarded is None:
        return remote
    addresses = forwarded.split(",")
    return addresses[-min(proxies, len(addresses))].strip()[:64]


def client_network(request: HttpRequest | Request | None) -> str:
    """The client's address as throttles count it. An IPv6 customer has a /64 of addresses, which count as one."""
    address = client_address(request)
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
