"""The networks that staff sign in from. A new one is a notice by mail."""

from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address

from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.utils import timezone

from accounts import notices
from accounts.models import SignInNetwork, User
from productbackend.api.clients import client_address
from productbackend.database.transactions import atomic_with_retry, in_slices

RETENTION = timedelta(days=90)


def network_of(request: HttpRequest) -> str:
    """Return the /24 of the client's IPv4 address, or the /48 of its IPv6 address; empty if it has none."""
    try:
        address = ip_address(client_address(request))
    except ValueError:
        return ""
    if not isinstance(address, IPv4Address):
        if address.ipv4_mapped is None:
            return str(IPv6Network((int(address), 48), strict=False))
        address = address.ipv4_mapped
    return str(IPv4Network((int(address), 24), strict=False))


def record_sign_in(*, user: User, request: HttpRequest) -> None:
    """Record where a member of staff signed in from; enqueue a notice if it is new.

    The first network of an account is none: there is nothing to compare it with.
    """
    network = network_of(request) if user.is_staff else ""
    if network:
        _record(user, network)


@atomic_with_retry
def _record(user: User, network: str) -> None:
    now = timezone.now()
    known = SignInNetwork.objects.filter(user=user)
    if known.filter(network=network).update(last_used_at=now):
        return
    is_first = not known.exists()
    row, created = known.get_or_create(user=user, network=network, defaults={"last_used_at": now})
    if created and not is_first:
        notices.enqueue(notices.NETWORK_KIND, user, reference=str(row.pk))


def delete_old() -> int:
    """Delete networks without a sign-in for 90 days, but the last of each account; return how many.

    Otherwise nobody would hear of a thief who finds an account that was not used for a while.
    """
    later = SignInNetwork.objects.filter(user=OuterRef("user"), last_used_at__gt=OuterRef("last_used_at"))
    old = SignInNetwork.objects.filter(Exists(later), last_used_at__lt=timezone.now() - RETENTION)
    return sum(slice_.delete()[0] for slice_ in in_slices(old))
