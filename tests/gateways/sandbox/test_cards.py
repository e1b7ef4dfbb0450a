"""What each test card does: pure decisions."""

import pytest

from dream_api.core.errors import ValidationFailed
from dream_api.gateways.contract import AuthenticationRequired, CardDeclined, CardRefused, InsufficientFunds
from dream_api.gateways.sandbox import CARDS
from dream_api.gateways.sandbox.test_cards import decline_error, find_card

# Number: refused at the page, after confirming there, and on file.
DECISIONS: dict[str, tuple[type[CardRefused] | None, type[CardRefused] | None, type[CardRefused] | None]] = {
    "4242424242424242": (None, None, None),
    "5555555555554444": (None, None, None),
    "4000000000000002": (CardDeclined, CardDeclined, CardDeclined),
    "4000000000009995": (InsufficientFunds, InsufficientFunds, InsufficientFunds),
    "4000002500003155": (AuthenticationRequired, None, None),
    "4000000000000341": (None, None, CardDeclined),
    "4000000000000259": (None, None, None),
    "4000000000005126": (None, None, None),
}


@pytest.mark.parametrize("number", DECISIONS)
def test_each_card_pays_or_does_not(number: str) -> None:
    card = find_card(number)

    refused = (
        decline_error(card, is_present=True),
        decline_error(card, is_present=True, is_authenticated=True),
        decline_error(card, is_present=False),
    )

    assert tuple(None if one is None else type(one) for one in refused) == DECISIONS[number]


def test_every_card_is_told_with_what_it_does() -> None:
    assert {card.number for card in CARDS} == set(DECISIONS)
    assert all(card.sentence.endswith(".") for card in CARDS)


def test_a_number_may_have_spaces() -> None:
    assert find_card(" 5555 5555 5555 4444 ").brand == "mastercard"


@pytest.mark.parametrize("number", ["", "4242", "4242424242424241", "４２４２４２４２４２４２４２４２", "x" * 1000])
def test_another_number_is_refused_and_the_test_cards_are_told(number: str) -> None:
    with pytest.raises(ValidationFailed, match="4242424242424242, 5555555555554444") as refused:
        find_card(number)

    assert refused.value.param == "card"
