"""Figures for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

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
waiting = Gauge("dream_gate_waiting_calls", "Metered calls that wait for their turn.", registry=registry)
jobs = Gauge("dream_jobs", "Jobs by their state.", ["state"], registry=registry)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def answered(method: str, route: str, status: int, seconds: float) -> None:
    _requests.labels(method, route, str(status)).inc()
    _seconds.labels(route).observe(seconds)


def exposition() -> bytes:
    return generate_latest(registry)
