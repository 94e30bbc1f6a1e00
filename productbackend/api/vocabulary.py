"""The words of the OpenAPI document: what a field or a parameter means, by its name, with an example.

One name means one thing wherever it occurs; where it does not, `Component.field` goes before `field`. What is
said at a serializer's field or a filter (`help_text`) goes before both. A test wants each field explained, and
each row here used.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple


class Words(NamedTuple):
    description: str
    example: Any = None


@dataclass(frozen=True)
class Group:
    """A tag: its operations stand together, in the order of this table."""

    paths: set[str]  # the first segments of their paths
    description: str


GROUPS = {
    "products": Group({"products"}, "What is for sale. Anyone reads; staff with the permission write."),
    "images": Group(set(), "A product's pictures. Workers make the renditions after the upload."),
    "categories": Group({"categories"}, "The tree that products stand in."),
    "carts": Group({"carts", "cart-items"}, "A customer's one cart, and its checkout."),
    "orders": Group({"orders"}, "What was bought, as it was bought."),
    "accounts": Group({"register", "token", "account", "password-reset", "email"}, "Accounts and their tokens."),
    "service": Group({"", "health", "problems"}, "The root, the state of the service, and what its errors mean."),
}

DESCRIPTION = """The back end of a shop: catalogue, carts, checkout and accounts.

**Signing in.** `POST /register/`, then `POST /token/`; send `Authorization: Bearer <access>`. An access token lives for
minutes; `POST /token/refresh/` trades the refresh token, once, for the next pair. Reading the catalogue needs no token.

**Buying.** `POST /cart-items/` puts a product into the cart and makes the cart; `POST /carts/{id}/checkout/` makes it
an order. Send an `Idempotency-Key` of your own with it: repeated, the request answers with the same order. Send the
cart's `ETag` as `If-Match`, and nobody pays a total that they did not see.

**Lists** are pages: follow `next` until it is null. `count` is exact up to 1,000.

**Errors** are RFC 9457 problem documents. `type` names a page that says what it means and what to do.

**Times** are ISO 8601 in UTC; **money** is a string with two decimals. Every path ends in a slash.
"""

_PASSWORD = Words("It passes the shop's rules for passwords.", "correct horse battery")
_MOMENT = "2026-03-01T12:00:00Z"
_COUNT = Words("Products.", 12)
_LINK = Words("Where it is.", "https://shop.example/products/")

PARAMETERS = {
    "id": Words("The object's id.", 1),
    "product_id": Words("The product's id.", 1),
    "image_id": Words("The image's id.", 1),
    "number": Words("The order's number.", "SMT2-3GPF-YXX7"),
    "name": Words("The problem's name: the last part of its `type`.", "insufficient-stock"),
    "uid": Words("From the mail's link."),
    "token": Words("From the mail's link."),
    "category": Words("A category's id; products below it too."),
    "parent": Words("The id of a parent: its children alone."),
    "min_price": Words("At this price or above."),
    "max_price": Words("At this price or below."),
    "min_quantity": Words("With so many in stock, or more."),
    "max_quantity": Words("With so many in stock, or fewer."),
    "min_rating": Words("Rated so or better."),
    "max_rating": Words("Rated so or worse."),
    "released_after": Words("A year: created in it or later."),
    "in_stock": Words("true: with stock; false: sold out."),
    "completed": Words("Carts that were checked out are gone: true finds none."),
    "min_count": Words("Pieces in the cart, at least."),
    "max_count": Words("Pieces in the cart, at most."),
    "format": Words("`json`, or `html` for a page."),
}

FIELDS = {
    # Accounts
    "Account.id": Words("The account's id.", 5),
    "username": Words("Unique in whatever case; it contains no `@`.", "carla"),
    "email": Words("Unique, and kept in lower case.", "carla@example.com"),
    "email_verified": Words("Whether the address was confirmed by the link of a mail."),
    "pending_email": Words("A new address that is not confirmed yet.", "carla@example.org"),
    "first_name": Words("The given name.", "Carla"),
    "last_name": Words("The family name.", "Columna"),
    "date_joined": Words("When the account was made.", _MOMENT),
    "Credentials.password": Words("The account's password.", "correct horse battery"),
    "password": _PASSWORD,
    "new_password": _PASSWORD,
    "repeat_password": Words("The same password again.", "correct horse battery"),
    "old_password": Words("The password until now.", "correct horse battery"),
    "refresh": Words("A refresh token; it works once.", "eyJhbGciOiJIUzI1NiJ9.e30.refresh"),
    "access": Words("An access token.", "eyJhbGciOiJIUzI1NiJ9.e30.access"),
    "token": Words("From the mail's link.", "c3x5k1-9f2d"),
    "uid": Words("From the mail's link.", "NQ"),
    # Catalogue
    "Category.id": Words("The category's id.", 3),
    "Category.name": Words("Unique among siblings, in whatever case.", "Boots"),
    "CategoryWrite.name": Words("Unique among siblings, in whatever case.", "Boots"),
    "CategoryPatch.name": Words("Unique among siblings, in whatever case.", "Boots"),
    "parent": Words("The id of the category above; null at the root.", 1),
    "Category.slug": Words("", "boots"),
    "CategoryWrite.slug": Words("", "boots"),
    "CategoryPatch.slug": Words("", "boots"),
    "path": Words("The names from the root to this category."),
    "Product.id": Words("The product's id.", 7),
    "name": Words("The product's name.", "Walking boot"),
    "slug": Words("For addresses of pages.", "walking-boot"),
    "sku": Words("The stock keeping unit, unique.", "WALKING-BOOT"),
    "brand": Words("The maker's name.", "Northway"),
    "description": Words("Plain text.", "Waterproof, for wide feet."),
    "category": Words("A category's id, or null.", 3),
    "category_name": Words("The category's name, or null.", "Boots"),
    "price": Words("Today's price.", "19.90"),
    "currency": Words("ISO 4217.", "EUR"),
    "Product.quantity": Words("Pieces in stock.", 40),
    "ProductWrite.quantity": Words("Pieces in stock.", 40),
    "ProductPatch.quantity": Words("Pieces in stock.", 40),
    "ProductUpload.quantity": Words("Pieces in stock.", 40),
    "rating": Words("From 0.1 to 5.", 4.5),
    "is_active": Words("false hides it from all but staff."),
    "Product.images": Words("All that the reader may see, in their order."),
    "ProductUpload.image": Words("A picture: JPEG, PNG, WebP, GIF or AVIF, told by content."),
    "created_at": Words("When it was made.", _MOMENT),
    "updated_at": Words("When it was changed last; a sale changes a product.", _MOMENT),
    "CategoryCount.id": Words("The category's id.", 3),
    "CategoryCount.name": Words("The category's name.", "Boots"),
    "BrandCount.name": Words("The brand.", "Northway"),
    "Facets.count": Words("Matches that were counted.", 12),
    "BrandCount.count": _COUNT,
    "PriceBand.count": _COUNT,
    "PriceBand.min": Words("From this price.", "10.00"),
    "PriceBand.max": Words("Below this price.", "20.00"),
    "RatingCount.min": Words("This rating or better.", 4),
    "categories": Words("By category."),
    "brands": Words("By brand, the most frequent first."),
    "prices": Words("By bands of prices."),
    "ratings": Words("By rating."),
    # Images
    "Image.id": Words("The image's id.", 11),
    "Image.product": Words("The product's id.", 7),
    "alt_text": Words("What the picture shows, for who cannot see it.", "A brown boot from the side"),
    "position": Words("The lower, the earlier; then by id.", 0),
    "Image.status": Words("pending until the renditions are made, then ready; or failed."),
    "ImageSource.type": Words("The media type.", "image/webp"),
    "error": Words("Why it failed, or null."),
    "ImageError.code": Words("A name for what went wrong.", "truncated"),
    "ImageError.detail": Words("The same as a sentence.", "The file is cut off."),
    "Image.width": Words("Of the original as it is oriented, in pixels.", 4000),
    "Image.height": Words("Of the original as it is oriented, in pixels.", 3000),
    "width": Words("In pixels.", 500),
    "height": Words("In pixels.", 375),
    "ImageSource.url": Words("The file; it may be kept for ever.", "https://shop.example/media/7/abc-full.webp"),
    "original": Words("", "https://shop.example/products/7/images/11/original/"),
    "full": Words("", "https://shop.example/media/7/abc-full.jpg"),
    "thumb": Words("", "https://shop.example/media/7/abc-thumb.jpg"),
    "rendition": Words("Its name.", "full"),
    # Carts and orders
    "Cart.id": Words("The cart's id.", 9),
    "CompletedCart.id": Words("The cart's id.", 9),
    "user": Words("Whose it is."),
    "CartUser.id": Words("The account's id.", 5),
    "Cart.items": Words("What is in it."),
    "CompletedCart.items": Words("What was in it."),
    "Order.items": Words("What was bought, at the prices of that moment."),
    "Cart.count": Words("Pieces, not lines.", 2),
    "CompletedCart.count": Words("Pieces, not lines.", 2),
    "total": Words("The sum of the lines.", "39.80"),
    "completed": Words("true checks the cart out; a cart that can be read has false."),
    "CartItem.id": Words("The item's id.", 13),
    "CartItem.cart": Words("The cart's id.", 9),
    "product": Words("The product's id; null where it was deleted since.", 7),
    "NewItem.product": Words("The product's id.", 7),
    "product_name": Words("The product's name, also after it was deleted.", "Walking boot"),
    "unit_price": Words("The price of one piece; null where the product was deleted.", "19.90"),
    "OrderLine.unit_price": Words("The price of one piece when it was bought.", "19.90"),
    "quantity": Words("Pieces.", 2),
    "line_total": Words("Price times quantity.", "39.80"),
    "CompletedCart.order": Words("The number of its order; left out where it was not checked out.", "SMT2-3GPF-YXX7"),
    "number": Words("It does not tell how many orders there are.", "SMT2-3GPF-YXX7"),
    "Order.status": Words("paid, then fulfilled or cancelled."),
    # Lists
    "count_is_exact": Words("false: there are more than `count`."),
    "results": Words("The page's rows."),
    "count": Words("All rows, exact up to 1,000.", 42),
    "next": Words("The URL of the next page, or null.", "https://shop.example/products/?cursor=eyJvIjpbIm5hbWUi"),
    "previous": Words("The URL of the page before, or null.", "https://shop.example/products/?cursor=eyJvIjpbIi1uYW1l"),
    # Problems
    "Problem.type": Words("Which kind of problem: a page that explains it.", "/problems/not-found"),
    "type": Words("Which kind of problem: a page that explains it.", "/problems/validation-error"),
    "title": Words("The kind, as a short sentence.", "Nothing is here"),
    "Problem.status": Words("The HTTP status.", 404),
    "ProblemKind.status": Words("Its HTTP status.", 404),
    "Live.status": Words("`ok`.", "ok"),
    "Ready.status": Words("`ok`, `degraded` without cache or broker, `unavailable` without the database.", "ok"),
    "status": Words("The HTTP status.", 400),
    "detail": Words("What happened this time.", "There is no such object."),
    "errors": Words("Each value that does not fit."),
    "field": Words("Dotted where nested (`items.0.quantity`); null for the whole object.", "price"),
    "FieldError.code": Words("A name for what is wrong with it.", "min_value"),
    "shortages": Words("Each product that is short."),
    "Shortage.name": Words("The product's name.", "Walking boot"),
    "requested": Words("Pieces that were asked for.", 3),
    "available": Words("Pieces that there are.", 2),
    "OrderedProblem.order": Words("The order's number.", "SMT2-3GPF-YXX7"),
    "cart": Words("The cart as it is now."),
    "meaning": Words("When it is answered.", "The path or the object does not exist, or is another customer's."),
    "remedy": Words("What a client does about it.", "Check the path; every path ends in a slash."),
    # The service
    "database": Words("`ok` or `unavailable`.", "ok"),
    "cache": Words("`ok` or `unavailable`.", "ok"),
    "broker": Words("`ok` or `unavailable`.", "ok"),
    **{
        f"Root.{name}": _LINK
        for name in (
            "categories", "products", "facets", "carts", "cart_items", "orders", "account", "register", "token",
            "documentation", "schema", "problems", "health",
        )
    },
}  # fmt: skip
