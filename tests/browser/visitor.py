"""A browser's window that remembers what a page must not do."""

from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

WIDTH, HEIGHT = 1000, 720  # wide enough for Django's admin, and small in a README


class Visitor:
    """One person's window on the service at `url`; `faults` is what went wrong on any page of it."""

    def __init__(self, browser: Browser, url: str, screenshots: Path, cookies: Path | None = None) -> None:
        self.url = url
        self.screenshots = screenshots
        self.faults: list[str] = []
        self.pages_seen = 0
        self.expected_status = 200
        self.context = browser.new_context(
            base_url=url, viewport={"width": WIDTH, "height": HEIGHT}, storage_state=cookies, reduced_motion="reduce"
        )
        self.context.set_default_timeout(15_000)  # a busy machine takes its time
        self.context.on("console", self._heard)
        self.context.on("weberror", lambda error: self.faults.append(f"an error in a page: {error.error}"))
        self.context.on("request", self._asked)
        self.context.on("response", self._answered)
        self.page: Page = self.context.new_page()

    def open(self, path: str, *, status: int = 200) -> Page:
        self.expected_status = status
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.status == status, f"{path}: {answer.status}"
        return self.page

    def shoot(self, name: str, *, height: int = HEIGHT) -> None:
        """Keep what a window of this height shows now, under `name`."""
        self.page.set_viewport_size({"width": WIDTH, "height": height})
        self.page.screenshot(path=self.screenshots / f"{name}.png", animations="disabled")
        self.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        # The browser says of each answer from 400 on that it is one; of the page that was asked for, it has to be.
        if self.expected_status >= 400 and f"status of {self.expected_status}" in message.text:
            return
        self.faults.append(f"{message.type} in the console of {message.location['url']}: {message.text}")

    def _asked(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and f"{address.scheme}://{address.netloc}" != self.url:
            self.faults.append(f"a request to another host: {request.url}")

    def _answered(self, response: Response) -> None:
        if not response.headers.get("content-type", "").startswith("text/html"):
            return
        self.pages_seen += 1
        policy = response.headers.get("content-security-policy", "")
        if "default-src 'self'" not in policy or "unsafe" in policy:
            self.faults.append(f"no content security policy, or a loose one: {response.url}: {policy}")
