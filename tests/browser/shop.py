"""What the tests prepare over HTTP, and ask there afterwards."""

from typing import Any

from tests.setup.service import PASSWORD, Service


class Shop:
    """The running shop, as its superuser and its customers see it without a browser."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.token = service.token()
        self.made = 0

    def _post(self, path: str, body: dict[str, Any] | None = None, token: str | None = None) -> Any:
        answer = self.service.request("POST", path, json=body, token=token)
        assert answer.ok, answer.text
        return answer.json()

    def product(self, **fields: Any) -> dict[str, Any]:
        """A product with a name that no other one has."""
        self.made += 1
        body = {"name": f"Travel Mug {self.made}", "price": "18.50", "quantity": 20, **fields}
        answer: dict[str, Any] = self._post("/products/", body, self.token)
        return answer

    def quantity(self, product_id: int) -> int:
        answer = self.service.request("GET", f"/products/{product_id}/")
        return int(answer.json()["quantity"])

    def customer(self, name: str) -> str:
        """Registers one; the token."""
        body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "repeat_password": PASSWORD}
        self._post("/register/", body)
        return self.service.token(name)

    def cart(self, customer: str, *products: tuple[int, int]) -> int:
        """A new customer's cart of so many of each product."""
        token = self.customer(customer)
        for product, quantity in products:
            item = self._post("/cart-items/", {"product": product, "quantity": quantity}, token)
        return int(item["cart"])

    def order(self, customer: str, *products: tuple[int, int]) -> str:
        """A new customer's order; its number."""
        cart = self.cart(customer, *products)
        return str(self._post(f"/carts/{cart}/checkout/", token=self.service.token(customer))["number"])
