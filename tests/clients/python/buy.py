"""Buys something with the client that openapi-python-client generates from the document.

`python buy.py URL USERNAME PASSWORD` prints the order as JSON.
"""

import json
import sys
import uuid
from decimal import Decimal
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

from shop_client import AuthenticatedClient, Client
from shop_client.api.accounts import register, token_create, token_refresh
from shop_client.api.carts import cart_items_create, cart_items_partial_update, carts_checkout, carts_retrieve
from shop_client.api.orders import orders_retrieve
from shop_client.api.products import products_list
from shop_client.models import (
    Account,
    Cart,
    CartItem,
    ChangedProblem,
    Credentials,
    ItemQuantityPatch,
    NewItem,
    Order,
    Product,
    ProductList,
    Refresh,
    Registration,
    ShortageProblem,
    TokenPair,
)

T = TypeVar("T")


def good(kind: type[T], answer: object) -> T:
    """Return the response if it is of the expected type; exit if it is a problem."""
    assert isinstance(answer, kind), answer
    return answer


def sign_in(client: Client, username: str, password: str) -> TokenPair:
    account = Registration(username, f"{username}@example.com", password, password)
    made = good(Account, register.sync(client=client, body=account))
    assert (made.username, made.email_verified) == (username, False)
    first = good(TokenPair, token_create.sync(client=client, body=Credentials(username, password)))
    second = good(TokenPair, token_refresh.sync(client=client, body=Refresh(first.refresh)))
    spent = token_refresh.sync_detailed(client=client, body=Refresh(first.refresh))
    assert spent.status_code == HTTPStatus.UNAUTHORIZED
    return second


def browse(client: AuthenticatedClient) -> list[Product]:
    first = good(ProductList, products_list.sync(client=client, limit=4, ordering="-price"))
    assert first.next_
    (cursor,) = parse_qs(urlsplit(first.next_).query)["cursor"]
    second = good(ProductList, products_list.sync(client=client, limit=4, ordering="-price", cursor=cursor))
    products = [*first.results, *second.results]
    prices = [Decimal(product.price) for product in products]
    assert prices == sorted(prices, reverse=True)
    assert len({product.id for product in products}) == len(products) == first.count
    assert first.count_is_exact
    dear = good(ProductList, products_list.sync(client=client, ordering="-price", min_price="5.00"))
    assert [product.id for product in dear.results] == [p.id for p in products if Decimal(p.price) >= 5]
    return products


def buy(client: AuthenticatedClient, product: Product) -> Order:
    too_much = cart_items_create.sync(client=client, body=NewItem(product.id, product.quantity + 1))
    assert good(ShortageProblem, too_much).shortages[0].available == product.quantity

    item = good(CartItem, cart_items_create.sync(client=client, body=NewItem(product.id, 1)))
    stale = carts_retrieve.sync_detailed(item.cart, client=client).headers["ETag"]
    good(CartItem, cart_items_partial_update.sync(item.id, client=client, body=ItemQuantityPatch(quantity=2)))
    seen = carts_retrieve.sync_detailed(item.cart, client=client)
    cart = good(Cart, seen.parsed)
    unseen = good(ChangedProblem, carts_checkout.sync(item.cart, client=client, if_match=stale))
    assert unseen.status == HTTPStatus.PRECONDITION_FAILED
    assert good(Cart, unseen.cart).total == cart.total

    key = uuid.uuid4().hex
    tag = seen.headers["ETag"]
    order = good(Order, carts_checkout.sync(item.cart, client=client, idempotency_key=key, if_match=tag))
    assert order.total == cart.total == str(2 * Decimal(product.price))

    again = carts_checkout.sync_detailed(item.cart, client=client, idempotency_key=key, if_match=tag)
    assert good(Order, again.parsed).number == order.number
    assert again.headers["Idempotent-Replayed"] == "true"
    return good(Order, orders_retrieve.sync(order.number, client=client))


def main(url: str, username: str, password: str) -> None:
    tokens = sign_in(Client(base_url=url), username, password)
    customer = AuthenticatedClient(base_url=url, token=tokens.access)
    dearest = browse(customer)[0]
    print(json.dumps(buy(customer, dearest).to_dict()))  # noqa: T201


main(*sys.argv[1:])
