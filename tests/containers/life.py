"""The stack as a client uses it, and its recovery when its containers are killed one after another."""

import io
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import requests
from PIL import Image

from tests.containers.shoppers import photograph
from tests.containers.stack import (
    SHOP,
    compose,
    containers,
    docker,
    expect,
    log,
    main_pid,
    manage,
    request,
    say,
    step,
    token,
    tour,
)
from tests.waiting import wait_for

SERVICES = ("db", "redis", "cache", "web", "worker", "images", "beat", "proxy")
HEALED_WITHIN = 180  # seconds


def live() -> None:
    say(f"image: {image_megabytes()} MB")
    check_headers()
    manage("demo", "--products", "60", "--pictures", "0")
    follow_the_tour()
    check_picture(token())
    check_mail()
    report_memory()
    scaled = ("--scale", "web=2", "--scale", "worker=2")
    step("scale", "web=2 worker=2", lambda: compose("up", "--detach", "--wait", *scaled))
    check_both_webs_serve()
    for service in SERVICES:
        kill_and_heal(service)
    check_picture(token())


def image_megabytes() -> int:
    return round(int(docker("image", "inspect", "--format", "{{.Size}}", "productbackend")) / 1_000_000)


def check_headers() -> None:
    """The proxy forwards no header that a client could forge, and its errors are problem documents."""
    answer = request("GET", "/", headers={"X-Forwarded-Proto": "https", "X-Request-ID": "mine"})
    expect(answer.json()["products"] == f"{SHOP}/products/", f"links of the root: {answer.text[:200]}")
    expect(answer.headers["X-Request-ID"] == "mine", "X-Request-ID is not handed on")
    answer = request("POST", "/products/", data=b"x" * 22_000_000)
    expect(answer.status_code == 413, f"a body that is too large: {answer.status_code}")
    expect(answer.headers["Content-Type"] == "application/problem+json", "413 is no problem document")
    answer = request("GET", "/metrics")
    expect(answer.status_code == 404, f"/metrics through the proxy: {answer.status_code}")
    expect(answer.json()["type"] == "/problems/not-found", "/metrics through the proxy is no problem document")
    page = request("GET", "/admin/login/").text
    style = re.search(r'href="(/static/admin/css/base\.[0-9a-f]+\.css)"', page)
    expect(style and request("GET", style[1]).status_code == 200, "the admin has no styles")
    for name in ("Dockerfile", ".env", "manage.py"):
        expect(request("GET", f"/{name}").status_code == 404, f"/{name} is served")
    say("headers: links, request ids, static files and errors are right through the proxy")


def follow_the_tour() -> None:
    """Follow the README's tour at the stack's address."""
    shell = subprocess.run(["bash", "-eu", "-c", tour()], capture_output=True, text=True, timeout=120, check=False)
    expect(shell.returncode == 0, f"the tour: {shell.stderr[-500:]}")
    expect('"status":"paid"' in shell.stdout and "/problems/" not in shell.stdout, f"the tour: {shell.stdout[-2000:]}")
    say("tour: the README's, on port 80, ends with a paid order")


def check_picture(access: str) -> None:
    """The proxy serves the three renditions of a photograph of 12 megapixels, and not the original."""
    product = request(
        "POST", "/products/", token=access, json={"name": "Photographed", "quantity": 1, "price": "9.90"}
    ).json()["id"]
    drawn = photograph((4000, 3000))
    answer = request("POST", f"/products/{product}/images/", token=access, files={"image": ("a.jpg", drawn)})
    expect(answer.status_code == 201, f"upload: {answer.status_code} {answer.text[:300]}")
    path = f"/products/{product}/images/{answer.json()['id']}/"

    def ready() -> Any:
        image = request("GET", path, token=access).json()
        return image if image.get("status") == "ready" else None

    image = wait_for(ready, seconds=120, every=0.5, name="the picture")
    sizes = {}
    for name in ("full", "thumb", "large"):
        address = "/media/" + image[name].partition("/media/")[2]
        rendition = request("GET", address)
        expect(rendition.status_code == 200, f"{address}: {rendition.status_code}")
        expect("immutable" in rendition.headers["Cache-Control"], f"{address}: {dict(rendition.headers)}")
        expect(rendition.headers["X-Content-Type-Options"] == "nosniff", f"{address}: sniffed")
        known = request("GET", address, headers={"If-None-Match": rendition.headers["ETag"]})
        expect(known.status_code == 304, f"{address}: {known.status_code} for its own ETag")
        part = request("GET", address, headers={"Range": "bytes=2-11"})
        expect(part.status_code == 206 and part.content == rendition.content[2:12], f"{address}: no ranges")
        sizes[name] = Image.open(io.BytesIO(rendition.content)).size
        original = request("GET", address.replace(f"-{name}.", "."))
        expect(original.status_code == 404, f"an original is served: {original.url}")
    expect(sizes == {"full": (500, 375), "thumb": (100, 75), "large": (1200, 900)}, f"renditions: {sizes}")
    say(f"picture: 4000x3000 became {list(sizes.values())}; the original is not served")


def check_mail() -> None:
    """Without a mail server the workers print mails; one of them has printed the tour's."""
    wait_for(lambda: "To: carla@example.com" in compose("logs", "worker"), seconds=60, every=0.5, name="the mail")
    expect("Containers &" in compose("logs", "worker"), "SHOP_NAME did not reach the worker")
    say("mail: a worker has printed carla's")


def report_memory() -> None:
    """Print the memory of each container's processes in megabytes (PSS)."""
    used = {service: sum(megabytes(container) for container in containers(service)) for service in SERVICES}
    say("memory: " + ", ".join(f"{service} {size:.0f} MB" for service, size in used.items()))


def megabytes(container: str) -> float:
    return sum(proportional_kilobytes(pid) for pid in family(main_pid(container))) / 1000


def proportional_kilobytes(pid: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup")
    found = re.search(r"^Pss: +(\d+) kB", rollup.read_text(), re.MULTILINE) if rollup.exists() else None
    return int(found[1]) if found else 0


def family(pid: int) -> set[int]:
    found, added = set(), {pid}
    while added:
        found |= added
        children = (Path(f"/proc/{each}/task/{each}/children") for each in added)
        added = {int(child) for path in children if path.exists() for child in path.read_text().split()} - found
    return found


def check_both_webs_serve() -> None:
    """Both web containers log requests."""
    for _ in range(60):
        request("GET", "/products/")
        time.sleep(0.2)
    logs = [log(container, "--tail", "20") for container in containers("web")]
    expect(len(logs) == 2, f"{len(logs)} web containers")
    expect(all("GET /products/ 200" in log for log in logs), "one of two web containers gets no requests")
    say("scale: both web containers serve")


def kill_and_heal(service: str) -> None:
    """Kill the main process of a container of the service; the shop must recover by itself."""
    container = containers(service)[0]
    pid = main_pid(container)
    os.kill(pid, signal.SIGKILL)
    began = time.monotonic()

    def is_back() -> bool:
        state = json.loads(docker("inspect", "--format", "{{json .State}}", container))
        return state["Running"] and state["Pid"] not in (0, pid) and state["Health"]["Status"] == "healthy"

    def is_whole() -> bool:
        try:
            return bool(request("GET", "/health/ready/").json()["status"] == "ok")
        except (requests.RequestException, KeyError):
            return False

    wait_for(is_back, seconds=HEALED_WITHIN, every=0.5, name=f"{service} after kill -9")
    wait_for(is_whole, seconds=HEALED_WITHIN, every=0.5, name=f"the shop after kill -9 of {service}")
    say(f"kill -9 {service} (pid {pid}): whole again after {time.monotonic() - began:.0f} s")
