"""The card form of the checkout and the portal."""

from dataclasses import dataclass

from dream_api.core.errors import AppError, ValidationFailed
from dream_api.core.http import Form
from dream_api.gateways.sandbox import CARDS
from dream_api.gateways.sandbox.test_cards import Card

_GROUP = 4
_NO_TEST_CARD = "Not a test card. Choose one of the cards below."
_NOT_CONFIRMED = "The bank did not approve the payment. Try again or use another card."


@dataclass(frozen=True, slots=True)
class CardForm:
    """What was typed, and what was said to the bank's page."""

    card: str
    is_confirmed: bool = False
    refused: str | None = None

    @property
    def digits(self) -> str:
        return "".join(self.card.split())


def attempt_of(form: Form) -> CardForm:
    refused = _NOT_CONFIRMED if form.get("bank") == "no" else None
    return CardForm(form.get("card", ""), form.get("bank") == "yes", refused)


def card_error(refused: AppError) -> str:
    """The error of a card that was not accepted, as the form shows it."""
    return _NO_TEST_CARD if isinstance(refused, ValidationFailed) else refused.sentence


def chosen(number: str) -> CardForm:
    """A form that was filled in by a choice among the test cards; by the first one where nothing was chosen."""
    card = next((each for each in CARDS if each.number == number), CARDS[0])
    return CardForm(grouped(card))


def grouped(card: Card) -> str:
    """As it stands on the card."""
    return " ".join(card.number[begin : begin + _GROUP] for begin in range(0, len(card.number), _GROUP))
