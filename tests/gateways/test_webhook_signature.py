"""Events are signed by Stripe's scheme, and nothing unsigned comes in."""

import time

import pytest

from dream_api.core.secrets import InstanceKey
from dream_api.gateways.webhook_signature import SignatureInvalid, sign, signing_secret, verify
from tests.support.cases import each_case

KEY = InstanceKey(bytes(32))
SECRET = signing_secret(KEY, "acct_1")
PAYLOAD = '{"id": "evt_1", "sum": "5 €"}'


def now() -> int:
    return int(time.time())


def test_what_was_signed_is_verified() -> None:
    verify(PAYLOAD.encode(), sign(PAYLOAD, SECRET, now()), SECRET)


def test_each_account_and_each_instance_has_a_secret_of_its_own() -> None:
    others = {signing_secret(KEY, "acct_2"), signing_secret(InstanceKey(bytes(31) + b"1"), "acct_1")}

    assert signing_secret(InstanceKey(bytes(32)), "acct_1") == SECRET
    assert SECRET.startswith("whsec_")
    assert len({SECRET, *others}) == 3


@each_case(
    ("payload", "header", "secret"),
    [
        (PAYLOAD + " ", sign(PAYLOAD, SECRET, now()), SECRET),
        (PAYLOAD, sign(PAYLOAD, SECRET, now()), signing_secret(KEY, "acct_2")),
        (PAYLOAD, sign(PAYLOAD, SECRET, now() - 301), SECRET),
        (PAYLOAD, sign(PAYLOAD, SECRET, now()).replace("v1=", "v0="), SECRET),
        (PAYLOAD, sign(PAYLOAD, SECRET, now())[:-1], SECRET),
        (PAYLOAD, None, SECRET),
        (PAYLOAD, "", SECRET),
        (PAYLOAD, "t=,v1=", SECRET),
        (PAYLOAD, f"t={now()},v1=ü", SECRET),
        (PAYLOAD, f"t={'9' * 5000},v1=a", SECRET),
        (PAYLOAD, "nothing", SECRET),
    ],
)
def test_everything_else_is_refused(payload: str, header: str | None, secret: str) -> None:
    with pytest.raises(SignatureInvalid):
        verify(payload.encode(), header, secret)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(SignatureInvalid):
        verify(b"\xff\xfe", sign(PAYLOAD, SECRET, now()), SECRET)


def test_an_event_may_be_signed_by_several_secrets() -> None:
    other = sign(PAYLOAD, "whsec_other", now()).split(",")[1]

    verify(PAYLOAD.encode(), f"{sign(PAYLOAD, SECRET, now())},{other}", SECRET)
