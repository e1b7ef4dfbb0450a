"""Usage prices of a subscription: their ids, carried through the gateway's metadata."""

from collections.abc import Mapping, Sequence

from dream_api.gateways.contract import LineItem

_FIELD = "usage"


def usage_price_ids(lines: Sequence[LineItem]) -> tuple[str, ...]:
    """Of the lines that are billed by usage."""
    return tuple(line.price.id for line in lines if line.price.type == "usage")


def to_metadata(price_ids: Sequence[str]) -> dict[str, str]:
    """An empty value clears the key at the gateway."""
    return {_FIELD: ",".join(price_ids)}


def from_metadata(metadata: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(filter(None, metadata.get(_FIELD, "").split(",")))
