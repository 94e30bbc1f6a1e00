"""Speed, quality and memory of image processing, each figure against its yardstick in the same run.

    pip install numpy pyvips pyvips-binary    # into .venv; the service does not need them
    python -m benchmarks.images --mysql-port 3306 --redis-port 6379 [--redis-database 14] [--parts speed memory]

50 photographs of 12 megapixels are generated from a fixed seed and deleted at the end. The two Redis databases
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

os.environ["VIPS_CONCURRENCY"] = "1"  # one thread per process, as in the workers; read when libvips is loaded

from tqdm import tqdm

from benchmarks import image_service, photographs, shop, similarity
from benchmarks.figures import spread
from products.images import renditions

FORKLESS = multiprocessing.get_context("spawn")
MAX_PIXELS = 50_000_000
QUALITY = renditions.SAVE_OPTIONS["JPEG"]["quality"]
Plan = Mapping[str, renditions.RenditionSpec]
Pipeline = Callable[[Path, Plan], Any]


def ours(path: Path, plan: Plan) -> renditions.Result:
    with path.open("rb") as file:
        return renditions.render(file, plan=plan, max_pixels=MAX_PIXELS)


def pyvips(path: Path, plan: Plan, *, decodes_each: bool = False) -> dict[str, bytes]:
    """The way that libvips recommends; each smaller picture from the next larger one, unless it `decodes_each`."""
    import pyvips as vips

    rendered, source = {}, None
    for name, wanted in sorted(plan.items(), key=lambda item: item[1]["box"], reverse=True):
        (width, height), options = wanted["box"], {"size": "down"}
        if source is None or decodes_each:
            source = vips.Image.thumbnail(str(path), width, height=height, **options).copy_memory()
        else:
            source = source.thumbnail_image(width, height=height, **options)
        rendered[name] = source.jpegsave_buffer(Q=QUALITY, keep="none")
        if "WEBP" in wanted["formats"]:
            webp = renditions.SAVE_OPTIONS["WEBP"]
            rendered[f"{name}.webp"] = source.webpsave_buffer(Q=webp["quality"], effort=webp["method"], keep="none")
    return rendered


def pyvips_each(path: Path, plan: Plan) -> dict[str, bytes]:
    return pyvips(path, plan, decodes_each=True)


def in_original_format(plan: Plan) -> Plan:
    return {name: {"box": wanted["box"], "formats": ()} for name, wanted in plan.items()}


def _share(pipeline: Pipeline, paths: Sequence[Path], plan: Plan, start: Any, took: Any) -> None:
    os.nice(5)  # as the workers
    pipeline(paths[0], plan)  # loading is not measured
    start.wait()
    began, worked = time.perf_counter(), time.process_time()
    for path in paths:
        pipeline(path, plan)
    took.put((time.perf_counter() - began, time.process_time() - worked))


def rates(pipeline: Pipeline, paths: Sequence[Path], plan: Plan, processes: int) -> tuple[float, float]:
    """Images per second of `processes` processes that share the work and begin together, and per second of CPU time."""
    start, took = FORKLESS.Barrier(processes), FORKLESS.Queue()
    shares = [paths[number::processes] for number in range(processes)]
    workers = [FORKLESS.Process(target=_share, args=(pipeline, share, plan, start, took)) for share in shares]
    for worker in workers:
        worker.start()
    seconds = [took.get() for _ in workers]
    for worker in workers:
        worker.join()
    return len(paths) / max(wall for wall, _ in seconds), len(paths) / sum(worked for _, worked in seconds)


def speed(options: argparse.Namespace, paths: Sequence[Path], plan: Plan) -> None:
    """The same work, alternating, measured in CPU time, so that other load matters little."""
    own = in_original_format(plan)
    pipelines: dict[tuple[str, int], tuple[Pipeline, Plan, int]] = {}
    for processes in (1, 2):
        pipelines |= {
            ("ours, JPEG", processes): (ours, own, processes),
            ("pyvips, JPEG", processes): (pyvips, own, processes),
            ("pyvips, JPEG, each from the file", processes): (pyvips_each, own, processes),
            ("ours, as the settings are", processes): (ours, plan, processes),
            ("pyvips, as the settings are", processes): (pyvips, plan, processes),
        }
    found: dict[tuple[str, int], list[float]] = {key: [] for key in pipelines}
    for _ in tqdm(range(options.rounds), desc="speed", unit="round", disable=None):
        for key, (pipeline, wanted, processes) in pipelines.items():
            found[key].append(rates(pipeline, paths, wanted, processes)[1])
    print(
        "\n| images a second of a core's time | processes | ours | pyvips | of it | aim |"
        "\n| --- | --- | --- | --- | --- | --- |"
    )
    for processes in (1, 2):
        for what, mine, theirs in (
            ("JPEG, each from the next larger", "ours, JPEG", "pyvips, JPEG"),
            ("JPEG, pyvips reads the file for each", "ours, JPEG", "pyvips, JPEG, each from the file"),
            ("JPEG and WebP, as the settings are", "ours, as the settings are", "pyvips, as the settings are"),
        ):
            us, them = found[mine, processes], found[theirs, processes]
            share = statistics.median(us) / statistics.median(them)
            print(f"| {what} | {processes} | {spread(us, 1)} | {spread(them, 1)} | {share:.2f} | ≥ 0.95 |", flush=True)


def quality(options: argparse.Namespace, paths: Sequence[Path], plan: Plan) -> None:
    """Each file compared with the result of a full decode and LANCZOS, written by the same encoder."""
    logging.getLogger("pyvips").setLevel(logging.WARNING)
    found: dict[tuple[str, str], list[float]] = {}
    for path in tqdm(paths, desc="quality", unit="image", disable=None):
        whole = renditions.Image.open(path)
        whole.load()
        theirs = pyvips(path, plan)
        for name, rendition in ours(path, in_original_format(plan)).renditions.items():
            naive = whole.resize((rendition.width, rendition.height), renditions.Image.Resampling.LANCZOS)
            written = similarity.decode(similarity.encode(naive, QUALITY))
            for kind, data in (("ours", rendition.data), ("pyvips", theirs[name])):
                value = similarity.ssim(similarity.decode(data), written)
                found.setdefault((name, kind), []).append(value)
    print("\n| SSIM against a full decode and LANCZOS | median | worst | aim |\n| --- | --- | --- | --- |")
    for (name, kind), values in found.items():
        aim = "≥ 0.985" if kind == "ours" else ""
        print(f"| {name}, {kind} | {statistics.median(values):.4f} | {min(values):.4f} | {aim} |", flush=True)


def _memory(path: Path, plan: Plan, results: Any) -> None:
    import django

    from productbackend.celery import app  # as a worker loads it

    django.setup()
    app.loader.import_default_modules()
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    idle = _kilobytes("VmRSS")
    ours(path, plan)
    results.put((idle, _kilobytes("VmHWM")))


def _kilobytes(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{name}:"))


def memory(options: argparse.Namespace, paths: Sequence[Path], plan: Plan) -> None:
    """The peak memory of a new process, above its idle memory."""
    print("\n| 50 megapixels | MB when idle | MB above it at the peak | aim |\n| --- | --- | --- | --- |")
    for kind, path in photographs.make_large(paths[0].parent).items():
        results = FORKLESS.Queue()
        worker = FORKLESS.Process(target=_memory, args=(path, plan, results))
        worker.start()
        idle, peak = results.get()
        worker.join()
        aim = "≤ 120" if kind == "baseline JPEG" else ""
        print(f"| {kind} | {idle / 1e3:.0f} | {(peak - idle) / 1e3:.0f} | {aim} |", flush=True)


def bare(paths: Sequence[Path], plan: Plan, processes: int) -> float:
    """The rate of our pipeline without the service, in images per second."""
    return rates(ours, paths, plan, processes)[0]


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
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # ends the started processes too
    with tempfile.TemporaryDirectory(prefix="productbackend-photographs-") as folder, shop.database(options):
        from django.conf import settings

        drawn = photographs.make(Path(folder), options.photographs)
        paths = list(tqdm(drawn, desc="drawing", total=options.photographs, unit="image", disable=None))
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
