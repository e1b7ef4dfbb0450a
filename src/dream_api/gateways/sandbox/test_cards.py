"""Test cards and their behaviour when charged."""

from dataclasses import dataclass
from typing import Literal

from dream_api.core.errors import ValidationFailed
from dream_api.gateways.contract import AuthenticationRequired, CardDeclined, CardRefused, InsufficientFunds

Behaviour = Literal[
    "pays", "declined", "insufficient_funds", "authenticates", "declined_later", "disputed", "keeps_refunds"
]


@dataclass(frozen=True, slots=True)
class Card:
    number: str
    brand: str
    behaviour: Behaviour
    # What a buyer who tries it out will see.
    sentence: str

    @property
    def last4(self) -> str:
        return self.number[-4:]


CARDS = (
    Card("4242424242424242", "visa", "pays", "Succeeds."),
    Card("5555555555554444", "mastercard", "pays", "Succeeds."),
    Card("4000000000000002", "visa", "declined", "Declined."),
    Card("4000000000009995", "visa", "insufficient_funds", "Insufficient funds."),
    Card("4000002500003155", "visa", "authenticates", "Requires bank approval."),
    Card("4000000000000341", "visa", "declined_later", "Succeeds now; renewals are declined."),
    Card("4000000000000259", "visa", "disputed", "Succeeds, then is disputed."),
    Card("4000000000005126", "visa", "keeps_refunds", "Succeeds; refunds fail."),
)
_BY_NUMBER = {card.number: card for card in CARDS}


def find_card(number: str) -> Card:
    """The card of the number, with or without spaces; ValidationFailed where it is no test card."""
    card = _BY_NUMBER.get("".join(number.split()))
    if card is None:
        raise ValidationFailed(
            f"Not a test card. Use one of: {', '.join(_BY_NUMBER)}.",
            param="card",
            hint="Pay with 4242 4242 4242 4242.",
        )
    return card


def decline_error(card: Card, *, is_present: bool, is_authenticated: bool = False) -> CardRefused | None:
    """Why the card gives no money; None where it does.

    `is_present`: its owner is here and pays; a card on file was confirmed before, where it had to be.
    """
    match card.behaviour:
        case "declined":
            return CardDeclined("The card was declined.")
        case "insufficient_funds":
            return InsufficientFunds("The card has insufficient funds.")
        case "authenticates" if is_present and not is_authenticated:
            return AuthenticationRequired("The customer must confirm this payment with their bank.")
        case "declined_later" if not is_present:
            return CardDeclined("The card on file was declined.")
        case _:
            return None
