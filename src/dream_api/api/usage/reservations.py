"""`POST /api/usage/reserve` and `POST /api/usage/reserve/{id}/settle`: reserve usage, then count what was used."""

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from dream_api import metering, usage
from dream_api.api.usage.models import (
    BODY_ERRORS,
    METERED_ERRORS,
    USAGE_EXAMPLE,
    Counted,
    UserId,
    UserPlan,
    user_id_of,
)
from dream_api.auth.dependencies import IdempotencyKey, SecretKeyAuth
from dream_api.core import clock, errors
from dream_api.core.db import Tx
from dream_api.core.http import (
    RequestModel,
    error_responses,
    example_response,
    idempotent_response,
    read_json_body,
    request_body,
)
from dream_api.core.idempotency import IdempotencyInProgress, IdempotencyMismatch
from dream_api.metering import CallResult, build_call, usage_body
from dream_api.metering.dependencies import MeteringDep
from dream_api.platforms import SaasProjectRequired
from dream_api.usage import Reservation

router = APIRouter(tags=["Usage"])


class NewReservation(RequestModel):
    """What is to be held, and for how long."""

    meter: str = Field(usage.REQUESTS, min_length=1, max_length=120, description="What is counted; one that sums.")
    quantity: int = Field(
        ge=1, le=usage.LARGEST_QUANTITY, description="How much is held: the most that can be settled."
    )
    ttl_seconds: int = Field(
        300,
        ge=1,
        le=usage.LONGEST_TTL_SECONDS,
        description="How long it is held; what is not settled is released. Your server's time, also where the "
        "project's test clock was moved.",
    )


class Settlement(RequestModel):
    """What was used in the end."""

    quantity: int = Field(ge=0, le=usage.LARGEST_QUANTITY, description="From 0 to what is held; 0 releases all of it.")


class ShownReservation(BaseModel):
    """A quantity that is held."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: str
    meter: str
    quantity: int
    state: Literal["open", "settled"]
    settled: int | None = Field(description="What was counted in the end; null while it is open.")
    expires_at: str = Field(description="When it is released (RFC 3339).")


class Reserved(Counted):
    """A reservation, and how the customer's limits stand with it."""

    reservation: ShownReservation


_SHOWN: dict[str, Any] = {
    "id": "res_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "meter": "requests",
    "quantity": 10,
    "state": "open",
    "settled": None,
    "expiresAt": "2026-11-21T09:19:00Z",
}
_RESERVED: dict[str, Any] = {"allowed": True, "reservation": _SHOWN, **USAGE_EXAMPLE}
_SETTLED = _RESERVED | {"reservation": _SHOWN | {"state": "settled", "settled": 7}}
_ERRORS = (*METERED_ERRORS, *BODY_ERRORS, IdempotencyInProgress, IdempotencyMismatch)
Id = Annotated[str, Path(alias="id", description="`res_…`", max_length=64, pattern=r"^[^\x00]*$")]


@router.post(
    "/api/usage/reserve",
    summary="Reserve usage",
    status_code=201,
    response_model=Reserved,
    responses={
        **example_response(201, _RESERVED),
        **error_responses(*_ERRORS, usage.UnknownMeter, usage.QuantityOutOfRange, usage.CountTooLarge),
    },
    openapi_extra=request_body(NewReservation, {"meter": "requests", "quantity": 10, "ttlSeconds": 300}),
)
async def reserve(
    request: Request,
    engine: MeteringDep,
    key: SecretKeyAuth,
    user_id: UserId = None,
    user_plan: UserPlan = None,
    _: IdempotencyKey = None,
) -> Response:
    """Holds the quantity against every window of the customer if and only if it could be counted now. What is held
    weighs on every other call until it is settled or its time is over."""
    who = user_id_of(user_id)
    body, raw = await read_json_body(request, NewReservation)
    terms = await engine.get_terms(key, user_plan)
    call = build_call(key, terms, user_id=who, plan=user_plan, meter=body.meter, quantity=body.quantity)
    replayed_body = json.dumps([who, user_plan]).encode() + raw

    async def effect(tx: Tx) -> Reserved | str:
        reservation, outcome = await metering.reserve(tx, call, body.ttl_seconds)
        return _response_body(reservation, body.meter, None, outcome)

    return await idempotent_response(
        request, platform_id=key.platform_id, caller=key.caller, status=201, body=replayed_body, effect=effect
    )


@router.post(
    "/api/usage/reserve/{id}/settle",
    summary="Settle a reservation",
    response_model=Reserved,
    responses={
        **example_response(200, _SETTLED),
        **error_responses(
            *_ERRORS,
            errors.NotFound,
            usage.SettlementTooLarge,
            usage.ReservationExpired,
            usage.ReservationSettled,
        ),
    },
    openapi_extra=request_body(Settlement, {"quantity": 7}),
)
async def settle(
    request: Request, engine: MeteringDep, key: SecretKeyAuth, reservation_id: Id, _: IdempotencyKey = None
) -> Response:
    """Counts the quantity at this moment and releases the rest. It is not refused for any limit: it was admitted
    when it was reserved."""
    body, raw = await read_json_body(request, Settlement)
    if key.project_type != "saas":
        raise SaasProjectRequired("Calls are metered for saas projects; this key belongs to a store.")
    terms = await engine.get_terms(key)

    async def effect(tx: Tx) -> Reserved | str:
        reservation, meter, outcome = await metering.settle(tx, key, terms, reservation_id, body.quantity)
        return _response_body(reservation, meter, body.quantity, outcome)

    return await idempotent_response(
        request, platform_id=key.platform_id, caller=key.caller, status=200, body=raw, effect=effect
    )


def _response_body(reservation: Reservation, meter: str, settled: int | None, outcome: CallResult) -> str:
    shown_one = ShownReservation(
        id=reservation.id,
        meter=meter,
        quantity=reservation.quantity,
        state="open" if settled is None else "settled",
        settled=settled,
        expires_at=clock.rfc3339(reservation.expires_at),
    )
    held = shown_one.model_dump_json(by_alias=True)
    return f'{{"allowed":true,"reservation":{held},{usage_body(outcome)[1:]}'
