"""scripts/deploy under load: another image, a compatible migration, and a rollback."""

import time
from collections.abc import Callable

from tests.containers.shoppers import Load, check_pictures, running_load
from tests.containers.stack import (
    CHECKOUT,
    Failed,
    command,
    compose,
    containers,
    docker,
    edit,
    expect,
    logs,
    request,
    run,
    say,
    sql,
)

OURS = ("web", "worker", "images", "beat")
MIGRATION = """
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("products", "{last}")]
    operations = [migrations.AddField("product", "shelf", models.CharField(max_length=20, blank=True, db_default=""))]
"""


def replace() -> None:
    compose("up", "--detach", "--wait", "--scale", "web=2")
    check_refusals()
    deploy_without_failures("deploy of 1.0.1 with a migration", newer_code, "1.0.1")
    deploy_without_failures("deploy of 1.0.2, from two web containers to one", newest_code, "1.0.2")
    deploy_without_failures("back to 1.0.1", lambda: run("scripts/deploy", "--back"), "1.0.1")
    control()


def newer_code() -> None:
    edit("productbackend/fixed_settings.py", 'API_VERSION = "1.0.0"', 'API_VERSION = "1.0.1"')
    shelf = '    shelf = models.CharField(max_length=20, blank=True, db_default="")\n'
    first = "    search_text = KeyTextField("
    edit("products/models/product.py", first, shelf + first)
    migrations = CHECKOUT / "products/migrations"
    last = max(path.stem for path in migrations.glob("[0-9]*.py"))
    (migrations / f"{int(last[:4]) + 1:04}_shelf.py").write_text(MIGRATION.format(last=last))
    said = run("scripts/deploy")
    expect(sql("SHOW COLUMNS FROM products_product LIKE 'shelf'"), f"the migration did not run:\n{said}")
    expect(len(containers("web")) == 2, "two web containers were not kept")


def newest_code() -> None:
    edit("productbackend/fixed_settings.py", 'API_VERSION = "1.0.1"', 'API_VERSION = "1.0.2"')
    run("env", "WEB=1", "scripts/deploy")
    expect(len(containers("web")) == 1, "one web container was wanted")


def deploy_without_failures(what: str, deploy: Callable[[], object], version: str) -> None:
    """Deploy while customers buy and staff upload over persistent connections: no request fails."""
    with running_load(shoppers=5, pause=0.05, uploads_every=2, slow_uploads=3) as load:
        time.sleep(5)
        began = time.monotonic()
        deploy()
        took = time.monotonic() - began
        time.sleep(5)
    say(f"{what}: {took:.0f} s, {sum(load.answers.values())} requests meanwhile, {len(load.failures)} failed")
    for line in logs("proxy").splitlines() if load.failures else ():
        if "[error]" in line:
            say(line)
    check(load)
    expect(not load.failures, f"{what}: {load.failures[:3]}")
    expect(version in load.versions and len(load.versions) >= 2, f"no change was seen: {load.versions}")
    expect(request("GET", "/").headers["API-Version"] == version, f"{version} does not answer")
    expect(not containers("web-next"), "web-next was left behind")


def control() -> None:
    """The control: if compose replaces web, requests fail."""
    with running_load(shoppers=5, pause=0.05) as load:
        time.sleep(3)
        compose("up", "--detach", "--wait", "--no-deps", "--force-recreate", "web")
        time.sleep(3)
    say(f"control, docker compose up --force-recreate web: {len(load.failures)} failed")
    check(load)
    expect(load.failures, "the load does not notice a web that is gone: it proves nothing")


def check(load: Load) -> None:
    load.check_books()
    check_pictures(load.pictures)


def check_refusals() -> None:
    """An unknown argument, and an image that does not start: web stays as it was."""
    command("docker", "rmi", "productbackend:before")  # of an earlier run
    for wrong in (["--forward"], ["--back", "--as-is"], ["--back"]):
        done = command("scripts/deploy", *wrong)
        expect(done.returncode == 1 and done.stderr.startswith("deploy: "), f"deploy {wrong}: {done}")
    run("docker", "tag", "productbackend", "productbackend:good")
    broken = (
        "FROM productbackend:good\nUSER 0\nRUN echo 'raise SystemExit(1)' >productbackend/gunicorn.py\nUSER 10001\n"
    )
    (CHECKOUT / "broken").mkdir()
    (CHECKOUT / "broken/Dockerfile").write_text(broken)
    run("docker", "build", "--quiet", "--tag", "productbackend", "broken")
    with running_load(shoppers=2, uploads_every=5) as load:
        done = command("scripts/deploy", "--as-is")
        if done.returncode == 0 or "web answers with the image that it had" not in done.stdout:
            raise Failed(f"a broken image was taken: {done}")
        run("scripts/deploy", "--back")
    check(load)
    expect(not load.failures, f"a deploy that failed: {load.failures[:3]}")
    images = {docker("inspect", "--format", "{{.Image}}", each) for name in OURS for each in containers(name)}
    expect(images == {docker("image", "inspect", "--format", "{{.Id}}", "productbackend:good")}, f"images: {images}")
    say("an image that does not start: refused, web kept running, --back restored the rest, 0 requests failed")
