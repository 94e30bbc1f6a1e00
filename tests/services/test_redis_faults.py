"""Redis becomes unreachable while customers buy."""

from collections.abc import Callable

import pytest

from tests.products import pictures
from tests.services.shoppers import shopping
from tests.services.stack import Stack
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("faults")


@pytest.mark.parametrize("fault", ["stop", "kill"])
def test_jobs_are_done_when_redis_is_back(
    stack: Stack, fault: str, record_property: Callable[[str, object], None]
) -> None:
    token = stack.token()
    product = stack.product(f"Pictured while Redis is away: {fault}")
    customer = f"newcomer-{fault}"
    with shopping(stack) as shop:
        shop.wait_for_orders(20)
        getattr(stack.redis, fault)()
        try:
            answer = stack.request("GET", "/health/ready/")
            assert answer.status_code == 200
            words = {"status": "degraded", "database": "ok", "cache": "unavailable", "broker": "unavailable"}
            assert answer.json() == words
            shop.wait_for_orders(8, seconds=60)
            image = stack.upload(product, pictures.jpeg(), token)
            stack.register(customer)
            assert not mails_to(stack, customer)
        finally:
            stack.redis.start()
        path = f"/products/{product}/images/{image}/"
        wait_for(lambda: stack.request("GET", path, token=token).json()["status"] == "ready", seconds=60, every=0.5)
        wait_for(lambda: mails_to(stack, customer), seconds=60, every=0.5)
        shop.wait_for_orders(20)
        counts = shop.check_books()
    record_property("counts", counts)
    assert not shop.statuses()[503]
    assert stack.health()["status"] == "ok"


def mails_to(stack: Stack, name: str) -> list[str]:
    return [str(mail["Subject"]) for mail in stack.mailbox.mails if mail["To"] == f"{name}@example.com"]
