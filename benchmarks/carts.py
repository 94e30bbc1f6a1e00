"""Creates users with filled carts in bulk. Import it after django.setup()."""

from collections.abc import Sequence
from typing import Any

from accounts.models import User
from accounts.tokens import issue
from carts.models import Cart, CartItem
from products.inventory import stock
from products.models import Product


def make_users(count: int) -> list[tuple[int, str]]:
    """Create `count` customers: id and access token. Each has an email address, so that each order enqueues a mail."""
    first = User.objects.count()
    names = [f"buyer{first + number}" for number in range(count)]
    User.objects.bulk_create(
        [User(username=name, username_key=name, email=f"{name}@example.com", password="!") for name in names],
        batch_size=1_000,
    )
    return [(user.pk, issue(user).access) for user in User.objects.filter(username__in=names).order_by("pk")]


def make_products(count: int, quantity: int) -> list[int]:
    first = Product.objects.count()
    rows = [
        Product(
            name=f"Product {first + number}",
            slug=f"p-{first + number}",
            sku=f"P-{first + number}",
            price="9.99",
            quantity=quantity,
        )
        for number in range(count)
    ]
    for product in rows:
        product.derive()
    Product.objects.bulk_create(rows, batch_size=500)
    products = list(Product.objects.order_by("-pk")[:count])
    stock.record_initial(products=products)
    return sorted(product.pk for product in products)


def fill(users: Sequence[int], wanted: Sequence[Sequence[tuple[int, int]]]) -> list[int]:
    """Create a cart for each user with its `(product, pieces)`. Returns the ids of the carts, in the users' order."""
    Cart.objects.bulk_create([Cart(user_id=user) for user in users], batch_size=1_000)
    by_user: dict[int, Any] = dict(Cart.objects.filter(user__in=users).values_list("user_id", "pk"))
    CartItem.objects.bulk_create(
        [
            CartItem(cart_id=by_user[user], product_id=product, product_name="", quantity=pieces)
            for user, lines in zip(users, wanted, strict=True)
            for product, pieces in lines
        ],
        batch_size=1_000,
    )
    return [by_user[user] for user in users]
