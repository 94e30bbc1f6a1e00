"""The baseline ("floor") of a checkout: its SQL statements, sent by a bare mysqlclient loop.

They are recorded from one real checkout, so that they match the code. Parameters that differ between
checkouts (ids, number, key) are recognized by their recorded values and replaced.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from rest_framework.test import APIClient

from benchmarks.carts import fill, make_products, make_users
from carts.models import Cart
from orders import mails
from orders.models import Order

KEY = "the key of the recorded checkout"


@dataclass(frozen=True)
class Placeholder:
    name: str


Statement = tuple[str, tuple[Any, ...]]


def record() -> list[Statement]:
    """The statements of one checkout with a key, in order, with placeholders for its own values."""
    [(user, token)] = make_users(5)[-1:]
    product = make_products(9, 10)[-1]
    fill([user], [[]])
    Cart.objects.all().delete()
    [cart] = fill([user], [[(product, 1)]])
    assert len({user, cart, product, 1}) == 4  # distinct values, to recognize them
    statements: list[Statement] = []

    def record_statement(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append((sql, tuple(params or ())))
        return execute(sql, params, many, context)

    client = APIClient(SERVER_NAME="localhost")
    with connection.execute_wrapper(record_statement):
        response = client.post(
            f"/carts/{cart}/checkout/", headers={"Authorization": f"Bearer {token}", "Idempotency-Key": KEY}
        )
    assert response.status_code == 201, response.content
    order = Order.objects.get(idempotency_key=KEY)
    placeholders = {user: "user", cart: "cart", product: "product", order.number: "number", KEY: "key"}
    placeholders[mails.key(mails.CONFIRMATION, order)] = "mail"
    return [
        (sql, tuple(_placeholder(sql, index, value, placeholders) for index, value in enumerate(params)))
        for sql, params in statements
    ]


def _placeholder(sql: str, index: int, value: Any, placeholders: dict[Any, str]) -> Any:
    if sql.startswith(("INSERT INTO `orders_orderline`", "INSERT INTO `orders_orderchange`")) and index == 0:
        return Placeholder("order")
    if isinstance(value, int | str) and not isinstance(value, bool) and value in placeholders:
        return Placeholder(placeholders[value])
    return value


def play(database: Any, statements: list[Statement], own: dict[str, Any]) -> None:
    """Run one checkout: the first statement, which loads the user, and then one transaction."""
    cursor = database.cursor()
    _send(cursor, statements[0], own)
    database.autocommit(False)
    for statement in statements[1:]:
        _send(cursor, statement, own)
        if statement[0].startswith("INSERT INTO `orders_order` "):
            own["order"] = cursor.lastrowid
        elif statement[0].startswith("UPDATE"):
            assert cursor.rowcount == 1
    database.commit()
    database.autocommit(True)
    cursor.close()


def _send(cursor: Any, statement: Statement, own: dict[str, Any]) -> None:
    sql, params = statement
    cursor.execute(sql, [own[value.name] if isinstance(value, Placeholder) else value for value in params])
    cursor.fetchall()
