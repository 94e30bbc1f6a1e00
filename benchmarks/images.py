"""How fast, how good and how large the work on pictures is, each figure against its yardstick in the same run.

    pip install numpy pyvips pyvips-binary    # into .venv; the service itself needs none of them
    python -m benchmarks.images --mysql-port 3306 --redis-port 6379 [--redis-database 14] [--parts speed memory]

50 photographs of 12 megapixels are drawn from a fixed seed, and gone with the run. The two Redis databases
(the one named and the next) are emptied.
"""

import argparse
import logging
import multiprocessing
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ["VIPS_CONCURRENCY"] = "1"  # a process each, as the workers are; read when libvips is loaded

from tqdm import tqdm

from benchmarks import image_service, photographs, shop, similarity
from products import renditions

FORKLESS = multiprocessing.get_context("spawn")
MAX_PIXELS = 50_000_000
QUALITY = renditions.SAVE_OPTIONS["JPEG"]["quality"]
Plan = Mapping[str, renditions.Wanted]
Way = Callable[[Path, Plan], Any]


def ours(path: Path, plan: Plan) -> renditions.Result:
    with path.open("rb") as file:
        return renditions.make(file, plan=plan, max_pixels=MAX_PIXELS)


def pyvips(path: Path, plan: Plan, *, decodes_twice: bool = False) -> dict[str, bytes]:
    """What libvips recommends; the small picture from the large one, unless it `decodes_twice`."""
    import pyvips as vips

    made, source = {}, None
    for name, wanted in plan.items():
        (width, height), options = wanted["box"], {"size": "down"}
        if source is None or decodes_twice:
            source = vips.Image.thumbnail(str(path), width, height=height, **options).copy_memory()
        else:
            source = source.thumbnail_image(width, height=height, **options)
        made[name] = source.jpegsave_buffer(Q=QUALITY, keep="none")
        if "WEBP" in wanted["formats"]:
            webp = renditions.SAVE_OPTIONS["WEBP"]
            made[f"{name}.webp"] = source.webpsave_buffer(Q=webp["quality"], effort=webp["method"], keep="none")
    return made


def pyvips_twice(path: Path, plan: Plan) -> dict[str, bytes]:
    return pyvips(path, plan, decodes_twice=True)


def in_its_own_format(plan: Plan) -> Plan:
    return {name: {"box": wanted["box"], "formats": ()} for name, wanted in plan.items()}


def _share(way: Way, paths: Sequence[Path], plan: Plan, start: Any, took: Any) -> None:
    os.nice(5)  # as the workers are
    way(paths[0], plan)  # what is loaded once is not measured
    start.wait()
    began, worked = time.perf_counter(), time.process_time()
    for path in paths:
        way(path, plan)
    took.put((time.perf_counter() - began, time.process_time() - worked))


def rates(way: Way, paths: Sequence[Path], plan: Plan, processes: int) -> tuple[float, float]:
    """Images a second of so many processes, which share the work and begin together; and of a core's own time."""
    start, took = FORKLESS.Barrier(processes), FORKLESS.Queue()
    shares = [paths[number::processes] for number in range(processes)]
    workers = [FORKLESS.Process(target=_share, args=(way, share, plan, start, took)) for share in shares]
    for worker in workers:
        worker.start()
    seconds = [took.get() for _ in workers]
    for worker in workers:
        worker.join()
    return len(paths) / max(wall for wall, _ in seconds), len(paths) / sum(worked for _, worked in seconds)


def speed(options: argparse.Namespace, paths: Sequence[Path], plan: Plan) -> None:
    """The same work, by turns, by the processor's time: what else the machine does then matters little."""
    own = in_its_own_format(plan)
    ways: dict[tuple[str, int], tuple[Way, Plan, int]] = {}
    for processes in (1, 2):
        ways |= {
            ("ours, JPEG", processes): (ours, own, processes),
            ("pyvips, JPEG", processes): (pyvips, own, processes),
            ("pyvips, JPEG, both from the file", processes): (pyvips_twice, own, processes),
            ("ours, as the settings are", processes): (ours, plan, processes),
            ("pyvips, as the settings are", processes): (pyvips, plan, processes),
        }
    found: dict[tuple[str, int], list[float]] = {key: [] for key in ways}
    for _ in tqdm(range(options.rounds), desc="speed", unit="round", disable=None):
        for key, (way, wanted, processes) in ways.items():
            found[key].append(rates(way, paths, wanted, processes)[1])
    print(
        "\n| images a second of a core's time | processes | ours | pyvips | of it | aim |"
        "\n| --- | --- | --- | --- | --- | --- |"
    )
    for processes in (1, 2):
        for what, mine, theirs in (
            ("JPEG, thumb from full", "ours, JPEG", "pyvips, JPEG"),
            ("JPEG, pyvips reads the file for each", "ours, JPEG", "pyvips, JPEG, both from the file"),
            ("JPEG and WebP, as the settings are", "ours, as the settings are", "pyvips, as the settings are"),
        ):
            us, them = found[mine, processes], found[theirs, processes]
            share = statistics.median(us) / statistics.median(them)
            print(f"| {what} | {processes} | {spread(us)} | {spread(them)} | {share:.2f} | ≥ 0.95 |", flush=True)


def quality(options: argparse.Namespace, paths: Sequence[Path], plan: Plan) -> None:
    """Each file against the one that a full decode and LANCZOS would give, written by the same encoder."""
    logging.getLogger("pyvips").setLevel(logging.WARNING)
    found: dict[tuple[str, str], list[float]] = {}
    for path in tqdm(paths, desc="quality", unit="image", disable=None):
        whole = renditions.Image.open(path)
        whole.load()
        theirs = pyvips(path, plan)
        for name, made in ours(path, in_its_own_format(plan)).renditions.items():
            naive = whole.resize((made.width, made.height), renditions.Image.Resampling.LANCZOS)
            written = similarity.opened(similarity.written(naive, QUALITY))
            for kind, data in (("ours", made.data), ("pyvips", theirs[name])):
                value = similarity.ssim(similarity.opened(data), written)
                found.setdefault((name, kind), []).append(value)
    print("\n| SSIM against a full decode and LANCZOS | median | worst | aim |\n| --- | --- | --- | --- |")
    for (name, kind), values in found.items():
        aim = "≥ 0.985" if kind == "ours" else ""
        print(f"| {name}, {kind} | {statistics.median(values):.4f} | {min(values):.4f} | {aim} |", flush=True)


def _memory(path: Path, plan: Plan, answer: Any) -> None:
    import django

    from productbackend.celery import app  # what a worker has loaded

    django.setup()
    app.loader.import_default_modules()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    idle = _kilobytes("VmRSS")
    ours(path, plan)
    answer.put((idle, _kilobytes("VmHWM")))


def _kilobytes(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{name}:"))


def memory(options: argparse.Namespace, paths: Sequence[Path], plan: Plan) -> None:
    """The most that a fresh process has at once, above what it had before."""
    print("\n| 50 megapixels | MB when idle | MB above it at the peak | aim |\n| --- | --- | --- | --- |")
    for kind, path in photographs.make_large(paths[0].parent).items():
        answer = FORKLESS.Queue()
        worker = FORKLESS.Process(target=_memory, args=(path, plan, answer))
        worker.start()
        idle, peak = answer.get()
        worker.join()
        aim = "≤ 120" if kind == "baseline JPEG" else ""
        print(f"| {kind} | {idle / 1e3:.0f} | {(peak - idle) / 1e3:.0f} | {aim} |", flush=True)


def bare(paths: Sequence[Path], plan: Plan, processes: int) -> float:
    """Our pipeline without a service around it, in images a second."""
    return rates(ours, paths, plan, processes)[0]


def spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def versions(options: argparse.Namespace) -> str:
    import pyvips as vips
    from PIL import __version__ as pillow

    libvips = ".".join(str(vips.version(part)) for part in range(3))
    return f"{shop.versions(options)}; Pillow {pillow}, pyvips {vips.__version__} with libvips {libvips}"


PARTS: dict[str, Callable[..., None]] = {"speed": speed, "quality": quality, "memory": memory}


def main() -> None:
    parser = shop.arguments("Pictures: speed, quality, memory, and how they fare in the running service.")
    parser.add_argument(
        "--parts", nargs="*", choices=[*PARTS, *image_service.PARTS], default=[*PARTS, *image_service.PARTS]
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--photographs", type=int, default=50)
    parser.add_argument("--uploads", type=int, default=500, help="in a row")
    parser.add_argument("--seconds", type=int, default=15, help="of reading in each round")
    options = parser.parse_args()
    if not options.redis_port:
        parser.error("--redis-port is needed")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))  # and all that was started with it
    with tempfile.TemporaryDirectory(prefix="productbackend-photographs-") as folder, shop.database(options):
        from django.conf import settings

        made = photographs.make(Path(folder), options.photographs)
        paths = list(tqdm(made, desc="drawing", total=options.photographs, unit="image", disable=None))
        plan = settings.IMAGE_RENDITIONS
        print(versions(options))
        print(f"{len(paths)} photographs of {sum(path.stat().st_size for path in paths) / len(paths) / 1e6:.1f} MB")
        for part in [part for part in PARTS if part in options.parts]:
            PARTS[part](options, paths, plan)
        chosen = [part for part in image_service.PARTS if part in options.parts]
        if chosen:
            image_service.run(options, paths, chosen, lambda processes: bare(paths, plan, processes))


if __name__ == "__main__":
    main()
