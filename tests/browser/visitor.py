"""A browser window that records faults of pages."""

from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

WIDTH, HEIGHT = 1000, 720  # wide enough for Django's admin, and small enough for a README


class Visitor:
    """A window on the service at `url`; `faults` lists the errors of its pages."""

    def __init__(self, browser: Browser, url: str, screenshots: Path, cookies: Path | None = None) -> None:
        self.url = url
        self.screenshots = screenshots
        self.faults: list[str] = []
        self.pages_seen = 0
        self.expected_status = 200
        self.context = browser.new_context(
            base_url=url, viewport={"width": WIDTH, "height": HEIGHT}, storage_state=cookies, reduced_motion="reduce"
        )
        self.context.set_default_timeout(15_000)  # the machine may be busy
        self.context.on("console", self._on_console_message)
        self.context.on("weberror", lambda error: self.faults.append(f"an error in a page: {error.error}"))
        self.context.on("request", self._on_request)
        self.context.on("response", self._on_response)
        self.page: Page = self.context.new_page()

    def open(self, path: str, *, status: int = 200) -> Page:
        self.expected_status = status
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.status == status, f"{path}: {answer.status}"
        return self.page

    def screenshot(self, name: str, *, height: int = HEIGHT) -> None:
        """Save a screenshot of this height as `name`."""
        self.page.set_viewport_size({"width": WIDTH, "height": height})
        self.page.screenshot(path=self.screenshots / f"{name}.png", animations="disabled")
        self.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})

    def _on_console_message(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        # The browser logs each response with an error status; for the requested page the test expects it.
        if self.expected_status >= 400 and f"status of {self.expected_status}" in message.text:
            return
        self.faults.append(f"{message.type} in the console of {message.location['url']}: {message.text}")

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and f"{address.scheme}://{address.netloc}" != self.url:
            self.faults.append(f"a request to another host: {request.url}")

    def _on_response(self, response: Response) -> None:
        if not response.headers.get("content-type", "").startswith("text/html"):
            return
        self.pages_seen += 1
        policy = response.headers.get("content-security-policy", "")
        if "default-src 'self'" not in policy or "unsafe" in policy:
            self.faults.append(f"no content security policy, or a loose one: {response.url}: {policy}")
