"""The default price of a tier: the price that a request sets by `price`, without a list of prices."""

from dream_api.catalog.price_validation import NewPrice, parse_amount, replacement_key, validate_prices
from dream_api.catalog.pricing import Interval, Price, PriceTerms
from dream_api.catalog.tier_lookup import TierWithPrices
from dream_api.core.errors import ValidationFailed
from dream_api.platforms import ProjectType

_FIELDS = {"prices.0.amount": "price", "prices.0.currency": "currency", "prices.0.interval": "interval"}
_SEND_ALL = "Send all of the tier's prices in prices. Prices that are not sent are archived."


def with_default_price(
    project_type: ProjectType,
    offer: TierWithPrices | None,
    major: str,
    *,
    currency: str | None,
    interval: Interval | None,
) -> tuple[PriceTerms, ...]:
    """All prices that the tier is to have, with a default price of so many major units; `offer`: None for a new tier.

    The tier's other prices stay. Of the default price that is replaced the new one keeps what is left out, and how it
    is billed. ValidationFailed where the tier has several prices and this is not clearly one of them.
    """
    current = None if offer is None else offer.default_price
    new = _validated(project_type, _new_price(current, major, currency, interval))
    if offer is None or current is None:
        return (*(() if offer is None else (price.terms for price in offer.prices)), new)
    others = [price.terms for price in offer.prices if price.id != current.id]
    _require_clear(current.terms, [price for price in others if price.type != "usage"], new)
    return (*others, new)


def _new_price(current: Price | None, major: str, currency: str | None, interval: Interval | None) -> NewPrice:
    currency = currency or (current and current.currency)
    if currency is None:
        raise ValidationFailed(
            "The field currency is missing.", param="currency", hint="Send an ISO code, such as usd."
        )
    amount = parse_amount(major, currency, "price")
    if current is None:
        return NewPrice(currency=currency, amount=amount, interval=interval)
    if current.unit_amount is None:
        sentence = f"The default price is {current.billing_scheme}: its amounts are in its tiers."
        raise ValidationFailed(sentence, param="price", hint=_SEND_ALL)
    keeps_interval = current.interval is not None and interval in (None, current.interval)
    return NewPrice(
        currency=currency,
        amount=amount,
        billing_scheme=current.billing_scheme,
        per=current.per,
        interval=interval or current.interval,
        interval_count=current.interval_count if keeps_interval else None,
        metadata=current.metadata,
    )


def _validated(project_type: ProjectType, new: NewPrice) -> PriceTerms:
    try:
        [terms] = validate_prices(project_type, [new])
    except ValidationFailed as error:
        error.param = _FIELDS.get(error.param or "", error.param)
        raise
    return terms


def _require_clear(current: PriceTerms, others: list[PriceTerms], new: PriceTerms) -> None:
    """Where there are others, the new price is for the currency and interval of the default price alone."""
    alike = [price for price in others if replacement_key(price) == replacement_key(current)]
    if others and (alike or replacement_key(new) != replacement_key(current)):
        raise ValidationFailed(
            "The tier has several prices, and it is not clear which one to replace.", param="price", hint=_SEND_ALL
        )
