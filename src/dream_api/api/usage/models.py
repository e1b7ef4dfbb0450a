"""Request and response models of metered calls."""

from typing import Annotated, Any, Literal

from fastapi import Header
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from dream_api import customers, metering, usage
from dream_api.auth.authenticator import SECRET_KEY_ERRORS
from dream_api.core import clock, errors
from dream_api.core.errors import AppError, ValidationFailed
from dream_api.core.http import RequestModel
from dream_api.core.idempotency import validate_key

LONGEST_SUBJECT = 255
# PostgreSQL's text has none.
_NO_NUL = r"^[^\x00]*$"

# What a metered call can be refused for, whatever it counts.
METERED_ERRORS: tuple[type[AppError], ...] = (*SECRET_KEY_ERRORS, *metering.METERING_ERRORS)
# What any call with a body is refused for.
BODY_ERRORS: tuple[type[AppError], ...] = (
    errors.MalformedJson,
    errors.BodyTooDeep,
    errors.TooLarge,
    errors.UnsupportedMedia,
)


class CountCreate(RequestModel):
    """What is counted; an empty body counts one request."""

    meter: str = Field(usage.REQUESTS, min_length=1, max_length=120, description="What is counted.")
    quantity: int = Field(
        1, description="How much, from 1 to 1,000,000,000; a negative quantity corrects what was counted."
    )
    subject: str | None = Field(
        None,
        min_length=1,
        max_length=LONGEST_SUBJECT,
        pattern=_NO_NUL,
        description="What a distinct meter counts; by default the user.",
    )
    idempotency_key: str | None = Field(
        None, description="The event's own key, remembered for ever; the header Idempotency-Key is the same."
    )
    timestamp: AwareDatetime | None = Field(
        None, description="When it happened: inside the customer's current period, at most 5 minutes ahead; else now."
    )


class BatchItem(CountCreate):
    """One call of a batch."""

    user_id: str = Field(min_length=1, max_length=customers.LONGEST_USER_ID, description="Your own id of the customer.")
    plan: str | None = Field(None, max_length=63, description="The tier to use, before the customer's own plan.")
    idempotency_key: str | None = Field(
        None, description="The event's own key; by default the header's Idempotency-Key with the item's place."
    )


class Standing(BaseModel):
    """A limit in the window that is open now."""

    model_config = ConfigDict(alias_generator=to_camel)

    count: int = Field(description="What was counted in the window.")
    limit: int | None = Field(description="How much fits into the window; null is unlimited.")
    remaining: int | None = Field(description="How much is left, less what is reserved; null is unlimited.")
    overage: int | None = Field(None, description="By how much a soft limit is passed; soft limits only.")
    meter: str
    window: Literal["lifetime", "hour", "day", "month", "period"]
    kind: Literal["hard", "soft"]
    period_start: str = Field(description="When the window began (RFC 3339).")
    period_end: str | None = Field(description="When the window ends (RFC 3339); null for lifetime.")


class ShownStanding(Standing):
    """The limit that refused, else the hard one with the least remaining."""

    plan: str


class Usage(BaseModel):
    """How a customer's limits stand."""

    usage: ShownStanding
    limits: list[Standing]


class Counted(Usage):
    """An admitted call."""

    allowed: Literal[True]


STANDING_EXAMPLE: dict[str, Any] = {
    "count": 1,
    "limit": 1000,
    "remaining": 999,
    "meter": "requests",
    "window": "period",
    "kind": "hard",
    "periodStart": "2026-11-01T00:00:00Z",
    "periodEnd": "2026-12-01T00:00:00Z",
}
USAGE_EXAMPLE: dict[str, Any] = {"usage": {"plan": "free", **STANDING_EXAMPLE}, "limits": [STANDING_EXAMPLE]}

UserId = Annotated[
    str | None, Header(alias="X-User-Id", description="Your own id of the customer.", examples=["user_123"])
]
UserPlan = Annotated[
    str | None,
    Header(alias="X-User-Plan", description="The tier to use for this call, before the customer's own plan."),
]
EventKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="Counts once, however often it is sent. Remembered for ever."),
]


def user_id_of(header: str | None) -> str:
    if header is None:
        raise ValidationFailed(
            "The header X-User-Id is missing.", param="X-User-Id", hint="Send your own id of the customer."
        )
    return customers.validate_user_id(header, "X-User-Id")


def quantity_of(wanted: CountCreate) -> int:
    """From 1 to a thousand millions, or as much below zero."""
    if not 1 <= abs(wanted.quantity) <= usage.LARGEST_QUANTITY:
        raise usage.QuantityOutOfRange("The quantity is not in range.", param="quantity")
    return wanted.quantity


def moment_of(wanted: CountCreate) -> int | None:
    return None if wanted.timestamp is None else clock.from_datetime(wanted.timestamp)


def event_key_of(header: str | None, wanted: CountCreate) -> str | None:
    body = wanted.idempotency_key
    if header is not None and body is not None and header != body:
        raise ValidationFailed(
            "The header Idempotency-Key and the field idempotencyKey differ.",
            param="idempotencyKey",
            hint="Send one of them; they mean the same.",
        )
    return validate_key(header if header is not None else body)
