"""The sandbox's checkout: a page for people, and the same for programs."""

import asyncio
import re

import pytest

from dream_api.core import clock
from tests.billing.shop import CANCEL, CONFIRMS, DECLINED, FORM, NO_MONEY, SUCCESS, VISA, Shopping, monthly, text_of


async def test_a_person_pays_and_has_the_plan_at_once(shopping: Shopping) -> None:
    page = await shopping.checkout()

    paid = await shopping.send(page, card=VISA)

    assert (paid.status_code, paid.headers["location"]) == (303, SUCCESS)
    assert await shopping.plan_of() == "pro"


async def test_the_page_says_what_is_bought(shopping: Shopping) -> None:
    shown = text_of(await shopping.see(await shopping.checkout()))

    assert "Test mode: no real charges" in shown
    assert "Subscribe to Alice $19.99 per month" in shown
    assert "Due now $19.99" in shown
    assert "Pay $19.99" in shown


async def test_usage_trials_and_coupons_are_told(shopping: Shopping) -> None:
    usage = {
        "type": "usage",
        "meter": "requests",
        "billingScheme": "per_unit",
        "amount": 1,
        "per": 10,
        "currency": "usd",
    }
    await shopping.sell("studio", monthly("1290.00"), usage, displayName="Studio", trialDays=14)
    await shopping.call(
        "POST", "/coupons", {"code": "SPRING", "percentOff": 20, "duration": "repeating", "durationMonths": 3}
    )

    trial = text_of(await shopping.see(await shopping.checkout("eve", "studio", coupon="SPRING")))
    bought = text_of(await shopping.see(await shopping.checkout("ada", "pro", coupon="SPRING")))

    assert "14 days free" in trial
    assert "Then $1,032.00 per month, $1,290.00 after the discount ends." in trial
    assert "$0.01 per 10 requests" in trial
    assert "Start trial" in trial
    assert "$15.99 per month $19.99 per month after the discount ends." in bought
    assert "SPRING: 20% off for 3 months −$4.00 Due now $15.99" in bought


async def test_a_checkout_knows_who_buys(shopping: Shopping) -> None:
    await shopping.call("POST", "/api/customers", {"userId": "ada", "email": "ada@example.com"})

    assert "Email ada@example.com" in text_of(await shopping.see(await shopping.checkout()))


@pytest.mark.parametrize(
    ("card", "status", "sentence"),
    [
        (DECLINED, 402, "The card was declined."),
        (NO_MONEY, 402, "The card has insufficient funds."),
        ("1234", 422, "Not a test card."),
        ("", 422, "Not a test card."),
    ],
)
async def test_a_refusal_stands_under_its_field_and_what_was_typed_stays(
    shopping: Shopping, card: str, status: int, sentence: str
) -> None:
    page = await shopping.checkout()

    refused = await shopping.send(page, card=card)

    assert refused.status_code == status
    assert f'<p class="problem" id="problem">{sentence}' in refused.text
    assert f'name="card" value="{card}"' in refused.text
    assert (await shopping.send(page, card=VISA)).headers["location"] == SUCCESS


async def test_a_test_card_is_filled_in_by_a_link(shopping: Shopping) -> None:
    page = await shopping.checkout()

    shown = await shopping.see(f"{page}?card=4000000000000002")

    assert f'value="{DECLINED}"' in shown
    assert '<a href="?card=4000000000000002" aria-current="true">' in shown


async def test_a_card_may_want_to_be_confirmed(shopping: Shopping) -> None:
    page = await shopping.checkout()

    asked = await shopping.send(page, card=CONFIRMS)
    refused = await shopping.send(page, card=CONFIRMS, bank="no")
    confirmed = await shopping.send(page, card=CONFIRMS, bank="yes")

    assert asked.status_code == 200
    assert "Approve a payment of $19.99 to Alice with the card ending in 3155?" in text_of(asked.text)
    assert refused.status_code == 402
    assert "The bank did not approve the payment." in refused.text
    assert (confirmed.status_code, confirmed.headers["location"]) == (303, SUCCESS)


async def test_paying_twice_shows_the_completed_page(shopping: Shopping) -> None:
    page = await shopping.checkout()

    await asyncio.gather(*(shopping.send(page, card=VISA) for _ in range(3)))
    again = await shopping.send(page, card=VISA)

    assert (again.status_code, again.headers["location"]) == (303, page)
    assert "You paid $19.99." in text_of(await shopping.see(page))
    assert len((await shopping.call("GET", "/api/payments"))["data"]) == 1


async def test_leaving_goes_back_and_nobody_can_pay_any_more(shopping: Shopping) -> None:
    page = await shopping.checkout()

    left = await shopping.send(page, card=VISA, do="leave")
    late = await shopping.send(page, card=VISA)

    assert (left.status_code, left.headers["location"]) == (303, CANCEL)
    assert late.headers["location"] == page
    shown = await shopping.see(page)
    assert "This checkout has expired" in shown
    assert f'href="{CANCEL}"' in shown
    assert (await shopping.call("GET", "/api/payments"))["data"] == []


async def test_an_expired_checkout_says_so(shopping: Shopping) -> None:
    page = await shopping.checkout()

    await shopping.advance(clock.now() + clock.HOUR)

    assert "This checkout has expired" in await shopping.see(page)
    refused = await shopping.instance.api.post(f"{page}/pay", json={"card": VISA})
    assert (refused.status_code, refused.json()["code"]) == (409, "gateway_refused")


async def test_the_shop_learns_which_checkout_its_buyer_comes_from(shopping: Shopping) -> None:
    wanted = {"tier": "pro", "successUrl": f"{SUCCESS}?from={{CHECKOUT_SESSION_ID}}", "cancelUrl": CANCEL}
    made = await shopping.call("POST", "/api/create-checkout", wanted, "ada")

    paid = await shopping.send(made["url"].removeprefix(shopping.instance.settings.link_base), card=VISA)

    assert paid.headers["location"] == f"{SUCCESS}?from={made['id']}"


# For programs.


async def test_a_program_pays_and_the_plan_is_there_when_it_is_answered(shopping: Shopping) -> None:
    page = await shopping.checkout()

    paid = await shopping.instance.api.post(f"{page}/pay", json={"card": "4242424242424242"})

    assert (paid.status_code, paid.json()) == (200, {"status": "complete", "url": SUCCESS})
    assert await shopping.plan_of() == "pro"


async def test_a_program_that_asks_again_is_answered_the_same(shopping: Shopping) -> None:
    page = await shopping.checkout()

    first, second = [await shopping.instance.api.post(f"{page}/pay", json={"card": VISA}) for _ in range(2)]

    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert len((await shopping.call("GET", "/api/payments"))["data"]) == 1


@pytest.mark.parametrize(
    ("card", "code"),
    [(DECLINED, "card_declined"), (NO_MONEY, "insufficient_funds"), (CONFIRMS, "authentication_required")],
)
async def test_a_program_is_told_why_a_card_does_not_pay(shopping: Shopping, card: str, code: str) -> None:
    page = await shopping.checkout()

    refused = await shopping.instance.api.post(f"{page}/pay", json={"card": card})

    assert (refused.status_code, refused.json()["code"]) == (402, code)


async def test_a_refused_attempt_is_told_at_once(shopping: Shopping) -> None:
    page = await shopping.checkout()

    await shopping.instance.api.post(f"{page}/pay", json={"card": DECLINED})

    [payment] = (await shopping.call("GET", "/api/payments"))["data"]
    assert payment["status"] == "failed"


async def test_a_program_confirms(shopping: Shopping) -> None:
    page = await shopping.checkout()

    paid = await shopping.instance.api.post(f"{page}/pay", json={"card": CONFIRMS, "authenticate": True})

    assert paid.status_code == 200


async def test_a_program_cancels(shopping: Shopping) -> None:
    page = await shopping.checkout()

    left, again = [await shopping.instance.api.post(f"{page}/cancel") for _ in range(2)]

    assert left.json() == again.json() == {"status": "expired", "url": CANCEL}


async def test_what_was_paid_cannot_be_canceled(shopping: Shopping) -> None:
    page = await shopping.checkout()
    await shopping.send(page, card=VISA)

    refused = await shopping.instance.api.post(f"{page}/cancel")

    assert (refused.status_code, refused.json()["code"]) == (409, "gateway_refused")


# As an attacker.


async def test_the_pages_run_nothing_and_tell_nobody_their_address(shopping: Shopping) -> None:
    page = await shopping.checkout()

    for answer in (
        await shopping.instance.api.get(page),
        await shopping.instance.api.get("/sandbox/checkout/cs_test_none"),
    ):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; ")
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", answer.text)


async def test_forms_lead_to_the_checkouts_own_urls_only(shopping: Shopping) -> None:
    elsewhere = {"successUrl": "http://localhost:3000/a;b", "cancelUrl": "http://[::1]:3000/"}
    plain = await shopping.instance.api.get(await shopping.checkout())
    local = await shopping.instance.api.get(await shopping.checkout("eve", **elsewhere))

    assert plain.headers["content-security-policy"].endswith("; form-action 'self' https://myapp.com")
    # No policy can name an address of IPv6.
    assert local.headers["content-security-policy"].endswith("; form-action 'self' http: http://localhost:3000")


async def test_no_field_of_a_form_leads_elsewhere(shopping: Shopping) -> None:
    page = await shopping.checkout()

    paid = await shopping.send(f"{page}?success_url=https://evil.example", card=VISA, successUrl="https://evil.example")

    assert paid.headers["location"] == SUCCESS


async def test_what_a_shop_or_a_buyer_wrote_is_shown_as_text(shopping: Shopping) -> None:
    evil = "<script>alert(1)</script>"
    await shopping.sell("evil", monthly("1.00"), displayName=evil, description=evil)
    await shopping.call("POST", "/api/customers", {"userId": "eve", "email": '"><b>@example.com'})
    page = await shopping.checkout("eve", "evil")

    shown = await shopping.see(page)
    typed = await shopping.send(page, card='"><script>alert(1)</script>')

    for text in (shown, typed.text):
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
        assert "<script" not in text
        assert "<b>" not in text


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/sandbox/checkout/cs_test_none", "Page not found."),
        ("/sandbox/checkout/" + "x" * 250, "Page not found."),
        ("/sandbox/portal/bps_none", "Page not found."),
    ],
)
async def test_an_unknown_page_is_a_page_that_says_so(shopping: Shopping, path: str, sentence: str) -> None:
    assert f"<h1>{sentence}</h1>" in await shopping.see(path, 404)


async def test_a_checkout_is_no_portal_and_a_portal_no_checkout(shopping: Shopping) -> None:
    checkout = (await shopping.checkout()).rpartition("/")[2]

    await shopping.see(f"/sandbox/portal/{checkout}", 404)
    await shopping.see(f"/sandbox/checkout/{checkout.replace('cs_test_', 'bps_')}", 404)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"card=" + b"4" * 20_000, FORM, 413),
        (b"&".join([b"card=1"] * 21), FORM, 400),
        (b"card=\xff", FORM, 400),
        (b"card=%ff", FORM, 400),
        (b'{"card": "4242424242424242"}', {"Content-Type": "application/json"}, 415),
        (b"card=1", {}, 415),
    ],
)
async def test_what_is_no_form_is_refused_by_a_page(
    shopping: Shopping, body: bytes, headers: dict[str, str], status: int
) -> None:
    page = await shopping.checkout()

    refused = await shopping.instance.api.post(page, content=body, headers=headers)

    assert refused.status_code == status
    assert refused.headers["content-type"].startswith("text/html")
    assert "Pay $19.99" in await shopping.see(page)
