"""Prepares and checks data over HTTP for the browser tests."""

from typing import Any

from tests.passwords import PASSWORD
from tests.setup.service import Service
from tests.waiting import wait_for


class Shop:
    """An HTTP client of the running shop for its superuser and its customers."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.token = service.token()
        self.made = 0

    def _post(self, path: str, body: dict[str, Any] | None = None, token: str | None = None) -> Any:
        answer = self.service.request("POST", path, json=body, token=token)
        assert answer.ok, answer.text
        return answer.json()

    def picture(self, product_id: int, data: bytes) -> None:
        """Add a picture to a product; wait for its renditions."""
        path = f"/products/{product_id}/images/"
        answer = self.service.request("POST", path, files={"image": ("picture.jpg", data)}, token=self.token)
        assert answer.ok, answer.text
        wait_for(lambda: self.service.request("GET", path).json()["results"], seconds=60, name="the picture")

    def product(self, **fields: Any) -> dict[str, Any]:
        """Create a product with a unique name."""
        self.made += 1
        body = {"name": f"Travel Mug {self.made}", "price": "18.50", "quantity": 20, **fields}
        answer: dict[str, Any] = self._post("/products/", body, self.token)
        return answer

    def family(self, name: str, axes: list[str]) -> int:
        """Create a family without products; return its id."""
        return int(self._post("/families/", {"name": name, "axes": axes}, self.token)["id"])

    def quantity(self, product_id: int) -> int:
        answer = self.service.request("GET", f"/products/{product_id}/")
        return int(answer.json()["quantity"])

    def customer(self, name: str) -> str:
        """Register a customer; return the access token."""
        body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "repeat_password": PASSWORD}
        self._post("/register/", body)
        return self.service.token(name)

    def cart(self, customer: str, *products: tuple[int, int]) -> int:
        """Fill a new customer's cart; return its id."""
        token = self.customer(customer)
        for product, quantity in products:
            item = self._post("/cart-items/", {"product": product, "quantity": quantity}, token)
        return int(item["cart"])

    def order(self, customer: str, *products: tuple[int, int]) -> str:
        """Place an order of a new customer; return its number."""
        cart = self.cart(customer, *products)
        return str(self._post(f"/carts/{cart}/checkout/", token=self.service.token(customer))["number"])
