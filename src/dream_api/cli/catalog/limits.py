"""The syntax of limits on the command line: `1000`, `unlimited`, or `meter=seats,window=day,max=50`."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import get_args

from dream_api.catalog import TierLimit
from dream_api.cli.catalog.options import OptionSyntax
from dream_api.core.errors import ValidationFailed
from dream_api.usage import LARGEST_COUNT, REQUESTS, Aggregation, Kind, Window

UNLIMITED = "unlimited"
# From the shortest to the longest, as they are read.
WINDOWS = (Window.HOUR, Window.DAY, Window.MONTH, Window.PERIOD, Window.LIFE)
_WINDOWS = {window.wire: window for window in WINDOWS}
_KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind.__value__)}
_AGGREGATIONS: dict[str, Aggregation] = {way: way for way in get_args(Aggregation.__value__)}
_GRAMMAR = OptionSyntax(
    "limit",
    ("meter", "window", "max", "kind", "aggregation"),
    "For example --limit 1000, or --limit meter=requests,window=day,max=50,kind=hard.",
)
_PER = {
    Window.HOUR: "per hour",
    Window.DAY: "per day",
    Window.MONTH: "per month",
    Window.PERIOD: "per billing period",
    Window.LIFE: "per lifetime",
}


def parse_limits(typed: Sequence[str]) -> list[TierLimit]:
    """The typed limits, in their order; each window of a meter is limited once."""
    limits: list[TierLimit] = []
    for text in typed:
        limit = _limit_of(text)
        if any((other.meter, other.window) == (limit.meter, limit.window) for other in limits):
            raise _GRAMMAR.error(f"There are two limits for {limit.meter} {_PER[limit.window]}.")
        limits.append(limit)
    return [dataclasses.replace(limit, aggregation=_aggregation_of(limit.meter, limits)) for limit in limits]


def _aggregation_of(meter: str, limits: Iterable[TierLimit]) -> Aggregation | None:
    """The aggregation of a meter, which any one of its limits may name."""
    named: set[Aggregation] = {each.aggregation for each in limits if each.meter == meter and each.aggregation}
    if len(named) > 1:
        raise _GRAMMAR.error(f"The limits of {meter} have different aggregations. A meter can have only one.")
    return next(iter(named), None)


def parse_maximum(text: str, param: str) -> int | None:
    """A whole number, or None for `unlimited`."""
    if text == UNLIMITED:
        return None
    if not (text.isascii() and text.isdigit()) or int(text) > LARGEST_COUNT:
        raise ValidationFailed(
            f"A limit must be a whole number from 0 to {LARGEST_COUNT:,}, or the word unlimited, not {text!r}.",
            param=param,
        )
    return int(text)


def format_maximum(most: int | None) -> int | str:
    return UNLIMITED if most is None else most


def describe_limit(limit: TierLimit) -> str:
    """Such as `50 requests per day`."""
    most = "unlimited" if limit.max is None else f"{limit.max:,}"
    kind = " (soft)" if limit.kind == "soft" else ""
    return f"{most} {limit.meter} {_PER[limit.window]}{kind}"


def _limit_of(text: str) -> TierLimit:
    if "=" not in text:
        return TierLimit(parse_maximum(text, "limit"))
    values = _GRAMMAR.parse(text)
    if "max" not in values:
        raise _GRAMMAR.error(f"The limit {text!r} needs a max: a whole number, or unlimited.")
    return TierLimit(
        parse_maximum(values["max"], "limit"),
        values.get("meter", REQUESTS),
        _GRAMMAR.one_of(_WINDOWS, values.get("window", Window.PERIOD.wire), "window"),
        _GRAMMAR.one_of(_KINDS, values.get("kind", "hard"), "kind"),
        _GRAMMAR.one_of(_AGGREGATIONS, values["aggregation"], "aggregation") if "aggregation" in values else None,
    )
