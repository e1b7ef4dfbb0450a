"""Meters, and the errors of calls that no meter can count."""

from dataclasses import dataclass
from typing import Literal

from typing_extensions import TypeAliasType

from dream_api.core.db import RawTransaction, Tx
from dream_api.core.errors import Invalid
from dream_api.platforms import Project, next_number
from dream_api.usage import admission, counters, meter_queries
from dream_api.usage.admission import Increment, LimitStatus

Aggregation = TypeAliasType("Aggregation", Literal["sum", "distinct"])

# The meter that every project has.
REQUESTS = "requests"
LARGEST_QUANTITY = 10**9


class UnknownMeter(Invalid):
    code = "unknown_meter"
    hint = "Use one of the meters in the message, or create one with `dream-api tier set --limit meter=…`."


class QuantityOutOfRange(Invalid):
    code = "quantity_out_of_range"
    hint = (
        f"Send a whole number from 1 to {LARGEST_QUANTITY:,}, or a negative number as a correction. Split larger "
        "quantities into several calls."
    )


class CorrectionBelowZero(Invalid):
    code = "correction_below_zero"
    hint = "Subtract at most the count of the customer's current billing period. GET /api/usage shows it."


class TimestampOutOfRange(Invalid):
    code = "timestamp_out_of_range"
    hint = (
        "Send a time in the customer's current billing period. A billing period that has ended accepts no more calls."
    )


class CountTooLarge(Invalid):
    code = "count_too_large"
    hint = "Count in a larger unit. Counts stay below 2^53, because many JSON parsers cannot read larger integers."


@dataclass(frozen=True, slots=True)
class Meter:
    """What is counted in a project."""

    no: int
    name: str
    aggregation: Aggregation


async def create_meter(tx: Tx, project: Project, name: str, aggregation: Aggregation = "sum") -> Meter:
    meter = Meter(await next_number(tx, project.platform_no, "meters"), name, aggregation)
    await meter_queries.insert_meter(
        tx,
        {
            "platform_no": project.platform_no,
            "meter_no": meter.no,
            "project_no": project.no,
            "name": name,
            "aggregation": aggregation,
        },
    )
    return meter


async def meters_of(tx: Tx, platform_no: int, project_no: int) -> dict[str, Meter]:
    """A project's meters by name."""
    rows = await meter_queries.meters_of_project(tx, platform_no, project_no)
    return {row.name: Meter(row.meter_no, row.name, row.aggregation) for row in rows}


async def get_limit_statuses(tx: RawTransaction, charge: Increment) -> tuple[LimitStatus, ...]:
    """The present count of each limit of the increment, without counting it."""
    return admission.limit_statuses(await counters.peek(tx, charge), charge)
