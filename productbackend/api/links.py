"""Which answer leads to which request: the links of the OpenAPI document.

Clients and fuzzers follow them, so that a product that was made is read, changed, bought and deleted.
"""

from typing import Any

ID = {"id": "$response.body#/id"}
FIRST = {"id": "$response.body#/results/0/id"}
PRODUCT = {"product_id": "$response.body#/id"}
IMAGE = {"product_id": "$response.body#/product", "image_id": "$response.body#/id"}
CART = {"id": "$response.body#/cart"}
ORDER = {"number": "$response.body#/number"}
REFRESH = {"refresh": "$response.body#/refresh"}
CHANGES = ("retrieve", "update", "partial_update", "destroy")

# Operation and status -> the operations that it leads to, with their parameters.
PARAMETERS: dict[tuple[str, str], dict[str, dict[str, str]]] = {
    ("products_create", "201"): {
        **{f"products_{verb}": ID for verb in CHANGES},
        "images_list": PRODUCT,
        "images_create": PRODUCT,
    },
    ("categories_create", "201"): {f"categories_{verb}": ID for verb in CHANGES},
    ("images_create", "201"): {
        f"images_{verb}": IMAGE for verb in ("retrieve", "partial_update", "destroy", "original")
    },
    ("carts_create", "201"): {"carts_retrieve": ID, "carts_checkout": ID, "carts_destroy": ID},
    ("carts_create", "200"): {"carts_retrieve": ID, "carts_checkout": ID, "carts_destroy": ID},
    ("cart_items_create", "201"): {
        **{f"cart_items_{verb}": ID for verb in CHANGES},
        "carts_retrieve": CART,
        "carts_checkout": CART,
    },
    ("cart_items_create", "200"): {"cart_items_retrieve": ID, "carts_checkout": CART},
    ("carts_list", "200"): {f"carts_{verb}": FIRST for verb in ("retrieve", "update", "partial_update", "destroy")},
    ("cart_items_list", "200"): {f"cart_items_{verb}": FIRST for verb in CHANGES},
    ("orders_list", "200"): {
        f"orders_{verb}": {"number": "$response.body#/results/0/number"} for verb in ("retrieve", "cancel", "fulfil")
    },
    ("carts_checkout", "201"): {f"orders_{verb}": ORDER for verb in ("retrieve", "cancel", "fulfil")},
}
# The same with a body in place of parameters.
BODIES: dict[tuple[str, str], dict[str, dict[str, Any]]] = {
    ("products_create", "201"): {"cart_items_create": {"product": "$response.body#/id", "quantity": 1}},
    ("products_list", "200"): {"cart_items_create": {"product": "$response.body#/results/0/id", "quantity": 1}},
    ("token_create", "200"): {"token_refresh": REFRESH, "token_revoke": REFRESH},
    ("token_refresh", "200"): {"token_refresh": REFRESH, "token_revoke": REFRESH},
}


def add(document: dict[str, Any]) -> None:
    """Write the links into the document's operations."""
    operations = {
        operation["operationId"]: operation for path in document["paths"].values() for operation in path.values()
    }
    for kind, table in (("parameters", PARAMETERS), ("requestBody", BODIES)):
        for (source, status), targets in table.items():
            for target, values in targets.items():
                if target not in operations:
                    raise ValueError(f"A link leads to {target}, which is no operation.")
                answer = operations[source]["responses"][status]
                answer.setdefault("links", {})[target] = {"operationId": target, kind: values}
