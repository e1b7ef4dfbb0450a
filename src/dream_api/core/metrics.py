"""Prometheus metrics. Where several server processes share the work, each of them exposes the metrics of all."""

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead  # pyright: ignore[reportUnknownVariableType]

_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
_PLACE = "DREAM_METRICS_PLACE"
_place = os.environ.get(_PLACE)

if _place is not None:
    # Files are named by place, not by process: the process that takes a dead one's place continues its counters, so
    # that they never fall, and no more files are left behind than there are places.
    values.ValueClass = values.MultiProcessValue(lambda: _place)  # pyright: ignore[reportArgumentType]

registry = CollectorRegistry()

_requests = Counter("dream_requests_total", "Answered requests.", ["method", "route", "status"], registry=registry)
_seconds = Histogram(
    "dream_request_seconds",
    "How long answers took.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=registry,
)
calls = Counter("dream_metered_calls_total", "Metered calls by their outcome.", ["outcome"], registry=registry)
batches = Histogram(
    "dream_gate_batch_calls",
    "Metered calls that were counted in one transaction.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
    registry=registry,
)
waiting = Gauge(
    "dream_gate_waiting_calls",
    "Metered calls that wait for their turn.",
    registry=registry,
    multiprocess_mode="livesum",
)
# The database's own, the same in every process.
jobs = Gauge("dream_jobs", "Jobs by their state.", ["state"], registry=registry, multiprocess_mode="mostrecent")

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def process_environment(directory: Path, place: int) -> dict[str, str]:
    """The environment of a process that stores its metrics in the directory, as the only one in its place."""
    return {_DIRECTORY: str(directory), _PLACE: str(place)}


def remove_process(directory: Path, place: int) -> None:
    """The process in this place has ended: its counters stay, its gauges are removed."""
    mark_process_dead(place, str(directory))


def record_request(method: str, route: str, status: int, seconds: float) -> None:
    _requests.labels(method, route, str(status)).inc()
    _seconds.labels(route).observe(seconds)


def exposition() -> bytes:
    if _place is None:
        return generate_latest(registry)
    together = CollectorRegistry()
    MultiProcessCollector(together)  # pyright: ignore[reportUnknownArgumentType]
    return generate_latest(together)
