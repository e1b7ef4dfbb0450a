"""`POST /api/usage/reserve` and `POST /api/usage/reserve/{id}/settle`: reserve usage, then count what was used."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypeAliasType

from dream_api import metering, usage
from dream_api.api.endpoint import Endpoints, Post
from dream_api.api.models import ResponseModel, Timestamp, example, path_id
from dream_api.api.usage.models import (
    USAGE_EXAMPLE,
    UsageTracked,
    UserId,
    UserPlan,
    user_id_of,
)
from dream_api.auth.dependencies import SecretKeyAuth
from dream_api.core import clock, errors
from dream_api.core.db import Tx
from dream_api.core.http import ModelResponse, RequestModel
from dream_api.metering import METERING_ERRORS, CallResult, build_call, usage_body
from dream_api.metering.dependencies import MeteringDep
from dream_api.platforms import SaasProjectRequired

endpoints = Endpoints("Usage", "/api/usage/reserve")
ReservationStatus = TypeAliasType("ReservationStatus", Literal["open", "settled"])
_EXAMPLE: dict[str, Any] = {
    "allowed": True,
    "reservation": {
        "id": "res_01k9q3v8zd0g2m4n6p8r0t2v4w",
        "meter": "requests",
        "quantity": 10,
        "state": "open",
        "settled": None,
        "expiresAt": "2026-11-21T09:19:00Z",
    },
    **USAGE_EXAMPLE,
}


class ReservationCreate(
    RequestModel, json_schema_extra=example({"meter": "requests", "quantity": 10, "ttlSeconds": 300})
):
    """The quantity to reserve, and for how long."""

    meter: str = Field(
        usage.REQUESTS, min_length=1, max_length=120, description="The meter, which must have the aggregation sum."
    )
    quantity: int = Field(
        ge=1,
        le=usage.LARGEST_QUANTITY,
        description="The quantity to reserve, which is the maximum that can be settled.",
    )
    ttl_seconds: int = Field(
        300,
        ge=1,
        le=usage.LONGEST_TTL_SECONDS,
        description=(
            "The number of seconds until the reservation expires. The project's test clock does not affect this."
        ),
    )


class ReservationSettle(RequestModel, json_schema_extra=example({"quantity": 7})):
    """The quantity that was used."""

    quantity: int = Field(
        ge=0,
        le=usage.LARGEST_QUANTITY,
        description="From 0 to the reserved quantity. 0 releases the whole reservation.",
    )


class Reservation(ResponseModel):
    """A reserved quantity."""

    id: str
    meter: str
    quantity: int
    state: ReservationStatus
    settled: int | None = Field(description="The quantity that was counted. null while the reservation is open.")
    expires_at: Timestamp = Field(description="When the reservation expires.")


class ReservationUsage(UsageTracked, json_schema_extra=example(_EXAMPLE)):
    """A reservation, and the customer's usage and limits including it."""

    reservation: Reservation


@endpoints.post(
    "",
    "usage.reserve",
    "Reserve usage",
    status=201,
    errors=(*METERING_ERRORS, usage.UnknownMeter, usage.QuantityOutOfRange, usage.CountTooLarge),
)
async def reserve_usage(
    engine: MeteringDep,
    key: SecretKeyAuth,
    post: Post[ReservationCreate],
    user_id: UserId = None,
    user_plan: UserPlan = None,
) -> ModelResponse[ReservationUsage]:
    """Reserves the quantity in every window of the customer if and only if it could be counted now. It counts towards
    the limits until it is settled or expires."""
    who = user_id_of(user_id)
    body = post.body
    terms = await engine.get_terms(key, user_plan)
    call = build_call(key, terms, user_id=who, plan=user_plan, meter=body.meter, quantity=body.quantity)

    async def effect(tx: Tx) -> ReservationUsage | str:
        reservation, outcome = await metering.reserve(tx, call, body.ttl_seconds)
        return _response_body(reservation, body.meter, None, outcome)

    return await post.commit(key, effect, headers=json.dumps([who, user_plan]).encode())


@endpoints.post(
    "/{id}/settle",
    "usage.settle",
    "Settle a reservation",
    errors=(
        *METERING_ERRORS,
        errors.NotFound,
        usage.SettlementTooLarge,
        usage.ReservationExpired,
        usage.ReservationSettled,
    ),
)
async def settle_reservation(
    engine: MeteringDep,
    key: SecretKeyAuth,
    reservation_id: Annotated[str, path_id("res")],
    post: Post[ReservationSettle],
) -> ModelResponse[ReservationUsage]:
    """Counts the quantity now and releases the rest. It is never rejected because of a limit, because it was
    reserved."""
    if key.project_type != "saas":
        raise SaasProjectRequired("Only saas projects meter usage, and this key belongs to a store.")
    terms = await engine.get_terms(key)

    async def effect(tx: Tx) -> ReservationUsage | str:
        reservation, meter, outcome = await metering.settle(tx, key, terms, reservation_id, post.body.quantity)
        return _response_body(reservation, meter, post.body.quantity, outcome)

    return await post.commit(key, effect)


def _response_body(reservation: usage.Reservation, meter: str, settled: int | None, outcome: CallResult) -> str:
    shown = Reservation(
        id=reservation.id,
        meter=meter,
        quantity=reservation.quantity,
        state="open" if settled is None else "settled",
        settled=settled,
        expires_at=clock.rfc3339(reservation.expires_at),
    )
    held = shown.model_dump_json(by_alias=True)
    return f'{{"allowed":true,"reservation":{held},{usage_body(outcome)[1:]}'
