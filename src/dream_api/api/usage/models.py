"""Request and response models of metered calls."""

from typing import Annotated, Any, Literal

from fastapi import Header
from pydantic import AwareDatetime, Field
from typing_extensions import TypeAliasType

from dream_api import customers, usage
from dream_api.api.models import NO_NUL, REQUIRED, ResponseModel, Timestamp, example
from dream_api.core import clock
from dream_api.core.errors import ValidationFailed
from dream_api.core.http import RequestModel
from dream_api.core.idempotency import validate_key

LONGEST_SUBJECT = 255


class UsageEventCreate(RequestModel, json_schema_extra=example({"meter": "requests", "quantity": 1})):
    """A usage event; an empty body counts one request."""

    meter: str = Field(usage.REQUESTS, min_length=1, max_length=120, description="The meter.")
    quantity: int = Field(
        1, description="How much, from 1 to 1,000,000,000; a negative quantity corrects what was counted."
    )
    subject: str | None = Field(
        None,
        min_length=1,
        max_length=LONGEST_SUBJECT,
        pattern=NO_NUL,
        description="The subject that a distinct meter counts. By default, the user.",
    )
    idempotency_key: str | None = Field(
        None,
        description=(
            "The event's idempotency key, which never expires. The header Idempotency-Key has the same meaning."
        ),
    )
    timestamp: AwareDatetime | None = Field(
        None,
        description=(
            "The time of the event, in the customer's current period and at most 5 minutes in the future. By "
            "default, now."
        ),
    )


class BatchEventCreate(UsageEventCreate):
    """A usage event of a batch."""

    user_id: str = Field(
        min_length=1, max_length=customers.LONGEST_USER_ID, description="Your own user ID of the customer."
    )
    plan: str | None = Field(None, max_length=63, description="The tier to use, before the customer's own plan.")
    idempotency_key: str | None = Field(
        None, description="The event's own key; by default the header's Idempotency-Key with the item's place."
    )


Window = TypeAliasType("Window", Literal["lifetime", "hour", "day", "month", "period"])
LimitKind = TypeAliasType("LimitKind", Literal["hard", "soft"])
_LIMIT: dict[str, Any] = {
    "count": 1,
    "limit": 1000,
    "remaining": 999,
    "meter": "requests",
    "window": "period",
    "kind": "hard",
    "periodStart": "2026-11-01T00:00:00Z",
    "periodEnd": "2026-12-01T00:00:00Z",
}
USAGE_EXAMPLE: dict[str, Any] = {"usage": {"plan": "free", **_LIMIT}, "limits": [_LIMIT]}


class LimitUsage(ResponseModel):
    """The usage of a limit in its current window."""

    count: int = Field(description="The count in the window.")
    limit: int | None = Field(description="The maximum count in a window. null: unlimited.")
    remaining: int | None = Field(description="The remaining quantity, without reserved quantities. null: unlimited.")
    overage: int | None = Field(None, description="By how much a soft limit is exceeded. Only for soft limits.")
    meter: str
    window: Window
    kind: LimitKind
    period_start: Timestamp = Field(description="When the window began.")
    period_end: Timestamp | None = Field(description="When the window ends; null for lifetime.")


class PlanUsage(LimitUsage):
    """The limit that was reached, or else the hard limit with the least remaining."""

    plan: str


class CustomerUsage(ResponseModel, json_schema_extra=example(USAGE_EXAMPLE)):
    """How much of its limits a customer has used."""

    usage: PlanUsage
    limits: list[LimitUsage]


class UsageTracked(CustomerUsage, json_schema_extra=example({"allowed": True, **USAGE_EXAMPLE})):
    """The event was counted."""

    allowed: Literal[True]


UserId = Annotated[
    str | None,
    Header(
        alias="X-User-Id",
        description="Your own user ID of the customer.",
        examples=["user_123"],
        json_schema_extra=REQUIRED,
    ),
]
UserPlan = Annotated[
    str | None,
    Header(alias="X-User-Plan", description="The tier to use for this call, before the customer's own plan."),
]
EventKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="The event is counted once, no matter how often you send it. Keys never expire.",
    ),
]


def user_id_of(header: str | None) -> str:
    if header is None:
        raise ValidationFailed(
            "The header X-User-Id is missing.",
            param="X-User-Id",
            hint="Send the ID that your own system uses for this customer.",
        )
    return customers.validate_user_id(header, "X-User-Id")


def quantity_of(wanted: UsageEventCreate) -> int:
    """From 1 to a thousand millions, or as much below zero."""
    if not 1 <= abs(wanted.quantity) <= usage.LARGEST_QUANTITY:
        raise usage.QuantityOutOfRange("The quantity is out of range.", param="quantity")
    return wanted.quantity


def moment_of(wanted: UsageEventCreate) -> int | None:
    return None if wanted.timestamp is None else clock.from_datetime(wanted.timestamp)


def event_key_of(header: str | None, wanted: UsageEventCreate) -> str | None:
    body = wanted.idempotency_key
    if header is not None and body is not None and header != body:
        raise ValidationFailed(
            "The header Idempotency-Key and the field idempotencyKey differ.",
            param="idempotencyKey",
            hint="Send only one of them. Both have the same meaning.",
        )
    return validate_key(header if header is not None else body)
