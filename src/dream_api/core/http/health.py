"""Health checks and metrics: /healthz, /readyz, /metrics."""

import hmac
import ipaddress
from contextlib import suppress
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.responses import Response

from dream_api.core import jobs, metrics
from dream_api.core.errors import AppError, Forbidden, StorageUnavailable, Unavailable
from dream_api.core.http.dependencies import database_of, settings_of, state_of
from dream_api.core.http.openapi import error_responses

router = APIRouter(tags=["Operations"])
# Polled by monitoring; never rate-limited.
PROBES = frozenset(("/healthz", "/readyz", "/metrics"))


class MetricsForbidden(Forbidden):
    code = "metrics_forbidden"
    hint = (
        "Send the request from the same machine, or send the token in DREAM_METRICS_TOKEN as Authorization: Bearer …."
    )


class ShuttingDown(Unavailable):
    code = "shutting_down"
    hint = "Send the request to another server process. This one accepts no new requests."


class Health(BaseModel):
    """The process responds."""

    status: Literal["ok"] = "ok"


_OK: dict[int | str, dict[str, Any]] = {200: {"content": {"application/json": {"example": {"status": "ok"}}}}}


@router.get("/healthz", operation_id="health.live", summary="Check that the process is alive", responses=_OK)
async def healthz() -> Health:
    """Checks nothing but the process itself."""
    return Health()


@router.get(
    "/readyz",
    operation_id="health.ready",
    summary="Check that it can serve",
    responses={**_OK, **error_responses(StorageUnavailable, ShuttingDown)},
)
async def readyz(request: Request) -> Health:
    """The database can be read, and the process is not shutting down."""
    database = database_of(request)
    if state_of(request, "is_stopping"):
        raise ShuttingDown("The server is shutting down.")
    await database.require_readable()
    return Health()


def _may_read_metrics(request: Request) -> None:
    settings = settings_of(request)
    token = settings.metrics_token
    sent = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token is not None and hmac.compare_digest(sent.encode(), token.get_secret_value().encode()):
        return
    if not _is_loopback(request.client.host if request.client else ""):
        raise MetricsForbidden("The metrics can only be read from the same machine or with the metrics token.")


@router.get(
    "/metrics",
    operation_id="metrics.get",
    summary="Get metrics for Prometheus",
    response_class=Response,
    responses={
        200: {"content": {metrics.CONTENT_TYPE: {"schema": {"type": "string"}}}},
        **error_responses(MetricsForbidden),
    },
)
async def read_metrics(request: Request, _: Annotated[None, Depends(_may_read_metrics)]) -> Response:
    """In the Prometheus text format. Only from the same machine, or with the metrics token."""
    with suppress(AppError):  # without a database, the process's own metrics are still exposed
        async with database_of(request).read() as tx:
            for state, number in (await jobs.counts(tx)).items():
                metrics.jobs.labels(state).set(number)
    return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
