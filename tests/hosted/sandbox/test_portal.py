"""The sandbox's portal: what customers have, and how they change it."""

import asyncio
import re

from dream_api.core import clock
from tests.billing.shop import CONFIRMS, DECLINED, DECLINED_LATER, MASTERCARD, RETURN, Shopping, monthly, text_of

_NEVER = "price_00000000000000000000000000"


async def at(shopping: Shopping, portal: str, page: str, user: str = "ada") -> str:
    """The path of a page of the customer's subscription."""
    return f"{portal}/subscriptions/{(await shopping.subscription(user))['id']}/{page}"


async def price_of(shopping: Shopping, tier: str) -> str:
    tiers = (await shopping.call("GET", "/tiers"))["data"]
    return next(price["id"] for each in tiers if each["name"] == tier for price in each["prices"])


async def test_a_customer_sees_what_they_have(shopping: Shopping) -> None:
    await shopping.buy()

    portal = await shopping.portal()
    page = await shopping.see(portal)
    shown = text_of(page)

    assert "Pro Active $19.99 per month Renews on" in shown
    assert "Visa ending in 4242" in shown
    assert f'<a href="{RETURN}">Back to Alice</a>' in page
    assert "Paid $19.99" in shown


async def test_an_invoice_shows_its_lines(shopping: Shopping) -> None:
    await shopping.buy()
    portal = await shopping.portal()

    address = re.search(rf'href="({portal}/invoices/[^"]+)"', await shopping.see(portal))

    assert address is not None
    shown = text_of(await shopping.see(address[1]))
    assert "Pro $19.99 Total $19.99" in shown


async def test_another_plan_is_seen_before_it_is_bought(shopping: Shopping) -> None:
    await shopping.buy()
    portal = await shopping.portal()
    change = await at(shopping, portal, "change")
    team = await price_of(shopping, "team")

    choices = text_of(await shopping.see(change))
    preview = text_of(await shopping.see(f"{change}?price={team}"))

    assert "Pro current plan $19.99 per month Team $49.99 per month" in choices
    assert "From Pro to Team $49.99 per month" in preview
    assert "Unused time on Pro −$19.99 Remaining time on Team $49.99 Due now $30.00" in preview
    assert await shopping.plan_of() == "pro"


async def test_a_change_is_paid_and_in_force_at_once(shopping: Shopping) -> None:
    await shopping.buy()
    portal = await shopping.portal()
    team = await price_of(shopping, "team")

    changed = await shopping.send(await at(shopping, portal, "change"), price=team, once="1")

    assert (changed.status_code, changed.headers["location"]) == (303, f"{portal}?done=change")
    assert await shopping.plan_of() == "team"
    assert "Paid $30.00" in text_of(await shopping.see(portal))


async def test_a_double_click_changes_once(shopping: Shopping) -> None:
    await shopping.buy()
    portal = await shopping.portal()
    change = await at(shopping, portal, "change")
    team = await price_of(shopping, "team")

    answers = await asyncio.gather(*(shopping.send(change, price=team, once="1") for _ in range(3)))

    assert {answer.headers["location"] for answer in answers} == {f"{portal}?done=change"}
    assert len((await shopping.call("GET", "/api/invoices"))["data"]) == 2


async def test_a_smaller_plan_leaves_credit(shopping: Shopping) -> None:
    await shopping.buy(tier="team")
    portal = await shopping.portal()
    change, pro = await at(shopping, portal, "change"), await price_of(shopping, "pro")

    preview = text_of(await shopping.see(f"{change}?price={pro}"))
    await shopping.send(change, price=pro)

    assert "Credit for your next invoices $30.00" in preview
    assert "Credit of $30.00 is applied to your next invoices." in text_of(await shopping.see(portal))


async def test_seats_are_counted(shopping: Shopping) -> None:
    await shopping.sell("seats", monthly("10.00", billingScheme="per_unit"), number=3)
    await shopping.buy()
    portal = await shopping.portal()
    change, seats = await at(shopping, portal, "change"), await price_of(shopping, "seats")

    odd = await shopping.instance.api.get(f"{change}?price={seats}&quantity=many")
    none = await shopping.send(change, price=seats, quantity="0")
    many = await shopping.send(change, price=seats, quantity="10001")
    await shopping.send(change, price=seats, quantity="3")

    assert (odd.status_code, none.status_code, many.status_code) == (422, 422, 422)
    assert 'id="problem">Enter a whole number of 1 or more.' in odd.text
    assert 'id="problem">The quantity must be a whole number from 1 to 10,000.' in many.text
    assert "3 × Seats Active $30.00 per month" in text_of(await shopping.see(portal))


async def test_only_what_is_shown_can_be_chosen(shopping: Shopping) -> None:
    await shopping.sell("friends", monthly("1.00"), isVisible=False)
    await shopping.sell("euros", monthly("1.00", currency="eur"))
    await shopping.buy()
    portal = await shopping.portal()
    change = await at(shopping, portal, "change")

    for price in (await price_of(shopping, "friends"), await price_of(shopping, "euros"), _NEVER, "", "x" * 9_000):
        refused = await shopping.send(change, price=price)
        assert (refused.status_code, "Choose one of the plans." in refused.text) == (422, True), price

    assert await shopping.plan_of() == "pro"


async def test_where_the_card_is_declined_nothing_changes(shopping: Shopping) -> None:
    await shopping.buy(card=DECLINED_LATER)
    portal = await shopping.portal()
    team = await price_of(shopping, "team")

    refused = await shopping.send(await at(shopping, portal, "change"), price=team)

    assert refused.status_code == 402
    assert "The card on file was declined. Nothing has changed." in text_of(refused.text)
    assert await shopping.plan_of() == "pro"


async def test_a_cancellation_waits_for_the_periods_end_and_can_be_taken_back(shopping: Shopping) -> None:
    await shopping.buy()
    portal = await shopping.portal()

    canceled = await shopping.send(await at(shopping, portal, "cancel"), reason="Too dear", when="period_end")
    shown = text_of(await shopping.see(portal))
    subscription = await shopping.subscription()
    resumed = await shopping.send(await at(shopping, portal, "resume"))

    assert canceled.headers["location"] == f"{portal}?done=cancel"
    assert "You keep access until" in shown
    assert (subscription["status"], subscription["cancelAt"]) == ("active", subscription["currentPeriodEnd"])
    assert resumed.headers["location"] == f"{portal}?done=resume"
    assert (await shopping.subscription())["cancelAt"] is None


async def test_ending_it_now_asks_for_its_name(shopping: Shopping) -> None:
    await shopping.buy()
    portal = await shopping.portal()
    cancel = await at(shopping, portal, "cancel")

    asked = await shopping.send(cancel, when="now", name="Team", reason="Too dear")
    still = (await shopping.subscription())["status"]
    ended = await shopping.send(cancel, when="now", name="pro")

    assert (asked.status_code, still) == (422, "active")
    assert 'id="name-problem">Type Pro to confirm.' in asked.text
    assert 'value="Team"' in asked.text
    assert ">Too dear</textarea>" in asked.text
    assert ended.status_code == 303
    assert (await shopping.subscription())["status"] == "canceled"
    assert "Your last subscription, Pro, ended on" in text_of(await shopping.see(portal))


async def test_a_reason_is_not_longer_than_is_kept(shopping: Shopping) -> None:
    await shopping.buy()
    portal = await shopping.portal()

    refused = await shopping.send(await at(shopping, portal, "cancel"), reason="x" * 256)

    assert refused.status_code == 422
    assert 'id="reason-problem"' in refused.text
    assert (await shopping.subscription())["cancelAt"] is None


async def test_the_card_is_changed(shopping: Shopping) -> None:
    await shopping.buy()
    portal = await shopping.portal()

    declined = await shopping.send(f"{portal}/card", card=DECLINED)
    asked = await shopping.send(f"{portal}/card", card=CONFIRMS)
    refused = await shopping.send(f"{portal}/card", card=CONFIRMS, bank="no")
    before = text_of(await shopping.see(portal))
    changed = await shopping.send(f"{portal}/card", card=MASTERCARD)

    assert (declined.status_code, asked.status_code, refused.status_code) == (402, 200, 402)
    assert "Approve the card" in asked.text
    assert "Visa ending in 4242" in before
    assert changed.headers["location"] == f"{portal}?done=card"
    assert "Mastercard ending in 4444" in text_of(await shopping.see(portal))


async def test_another_card_pays_what_is_open(shopping: Shopping) -> None:
    await shopping.buy(card=DECLINED_LATER)
    await shopping.advance(clock.add_months(clock.now(), 1) + clock.DAY)
    portal = await shopping.portal()
    overdue = text_of(await shopping.see(portal))

    await shopping.send(f"{portal}/card", card=MASTERCARD)

    assert "The last payment failed." in overdue
    assert "Open $19.99" in overdue
    assert (await shopping.subscription())["status"] == "active"
    assert "Open $" not in text_of(await shopping.see(portal))


async def test_a_portal_ends_after_an_hour_of_the_worlds_time(shopping: Shopping) -> None:
    await shopping.buy()
    portal = await shopping.portal()

    await shopping.advance(clock.now() + clock.DAY)
    await shopping.see(portal)
    clock.move(clock.HOUR)

    assert "This link has expired." in await shopping.see(portal, 404)
    assert (await shopping.send(f"{portal}/card", card=MASTERCARD)).status_code == 404


async def test_a_customer_reaches_nothing_of_another(shopping: Shopping) -> None:
    await shopping.buy("ada")
    await shopping.buy("eve")
    eves = await shopping.portal("eve")
    adas = await shopping.portal("ada")
    invoice = re.search(r"/invoices/([^\"]+)", await shopping.see(eves))
    assert invoice is not None

    await shopping.see(await at(shopping, adas, "change", "eve"), 404)
    await shopping.see(f"{adas}/invoices/{invoice[1]}", 404)
    for page in ("change", "cancel", "resume"):
        refused = await shopping.send(await at(shopping, adas, page, "eve"), when="now", name="Pro", price="x")
        assert refused.status_code == 404, page

    eve = await shopping.subscription("eve")
    assert (eve["status"], eve["cancelAt"], eve["plan"]) == ("active", None, "pro")


async def test_what_a_shop_wrote_is_shown_as_text(shopping: Shopping) -> None:
    evil = "<script>alert(1)</script>"
    await shopping.sell("evil", monthly("1.00"), displayName=evil, description=evil)
    await shopping.buy(tier="evil")
    portal = await shopping.portal()
    pages = [portal, await at(shopping, portal, "change"), await at(shopping, portal, "cancel")]
    pages.append(f"{pages[1]}?price={await price_of(shopping, 'team')}")
    pages += re.findall(rf'href="({portal}/invoices/[^"]+)"', await shopping.see(portal))

    assert len(pages) == 5
    for page in pages:
        shown = await shopping.see(page)
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown, page
        assert "<script" not in shown, page


async def test_a_portal_sends_its_forms_nowhere_else(shopping: Shopping) -> None:
    await shopping.buy()
    portal = await shopping.portal()

    for page in (portal, f"{portal}/card", await at(shopping, portal, "cancel")):
        answer = await shopping.instance.api.get(page)
        assert answer.headers["content-security-policy"].endswith("; form-action 'self'"), page
        assert answer.headers["cache-control"] == "no-store"
