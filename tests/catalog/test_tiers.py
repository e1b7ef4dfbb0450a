"""What billing asks the catalogue: the tier and the price that somebody wants to buy."""

from typing import Any

import pytest

from dream_api import catalog
from dream_api.catalog import Price, PriceAmbiguous, PriceMissing, TierWithPrices, UnknownPlan, UnknownPrice
from dream_api.core.db import Tx
from dream_api.platforms import Mode
from tests.support.instance import Account, Instance

MONTHLY = {"amount": 1999, "currency": "usd"}
YEARLY = {"amount": 19_900, "currency": "usd", "interval": "year"}
IN_EUROS = {"amount": 1799, "currency": "eur"}
TOKENS = {"amount": 50, "currency": "usd", "meter": "tokens", "per": 1000}


async def make(instance: Instance, account: Account, name: str, *prices: dict[str, Any]) -> dict[str, Any]:
    answer = await instance.api.post("/tiers", headers=account.sk, json={"name": name, "prices": list(prices)})
    assert answer.status_code == 201, answer.text
    return answer.json()


def of(account: Account, mode: Mode = "test") -> tuple[int, str, Mode]:
    return account.project.platform_no, account.project.id, mode


async def offer_of(instance: Instance, account: Account, name: str, *prices: dict[str, Any]) -> TierWithPrices:
    await make(instance, account, name, *prices)
    async with instance.database.read() as tx:
        return await catalog.find_tier_for_sale(tx, *of(account), name)


async def test_what_somebody_wants_to_buy_is_found_with_its_price(instance: Instance, alice: Account) -> None:
    offer = await offer_of(instance, alice, "pro", MONTHLY, TOKENS)

    price = catalog.select_price(offer)

    assert (price.unit_amount, price.interval, price.tier_id) == (1999, "month", offer.id)
    assert catalog.amount_of(price, 1) == 1999
    assert [each.meter for each in catalog.usage_prices(offer, "USD")] == ["tokens"]
    assert catalog.usage_prices(offer, "eur") == ()


async def test_of_several_prices_the_one_is_taken_that_is_meant(instance: Instance, alice: Account) -> None:
    offer = await offer_of(instance, alice, "pro", MONTHLY, YEARLY, IN_EUROS)
    monthly, yearly, in_euros = offer.prices

    assert catalog.select_price(offer, price_id=monthly.id) == monthly
    assert catalog.select_price(offer, interval="year") == yearly
    assert catalog.select_price(offer, currency="EUR") == in_euros
    assert catalog.select_price(offer, currency="usd", interval="month") == monthly


async def test_where_it_is_not_clear_the_choices_are_named(instance: Instance, alice: Account) -> None:
    offer = await offer_of(instance, alice, "pro", MONTHLY, YEARLY, IN_EUROS)
    monthly, yearly, _ = [price.id for price in offer.prices]

    with pytest.raises(PriceAmbiguous) as several:
        catalog.select_price(offer, currency="usd")
    with pytest.raises(PriceMissing) as other:
        catalog.select_price(offer, currency="gbp")

    assert several.value.sentence == (
        f"The tier pro has several prices. There are: {monthly} ($19.99 per month), {yearly} ($199.00 per year)."
    )
    assert other.value.sentence.startswith("The tier pro has no such price. There are: ")
    assert (several.value.param, other.value.param) == ("priceId", "priceId")


async def test_a_price_for_usage_alone_is_not_bought(instance: Instance, alice: Account) -> None:
    offer = await offer_of(instance, alice, "pro", TOKENS)

    with pytest.raises(PriceMissing, match=r"^The tier pro has no price that is paid in advance\.$"):
        catalog.select_price(offer)
    with pytest.raises(UnknownPrice):
        catalog.select_price(offer, price_id=offer.prices[0].id)


async def test_a_tier_that_is_not_sold_is_refused_naming_those_that_are(instance: Instance, alice: Account) -> None:
    await make(instance, alice, "old", MONTHLY)
    await instance.api.delete("/tiers/old", headers=alice.sk)
    await make(instance, alice, "hidden", MONTHLY)
    await instance.api.put("/tiers/hidden", headers=alice.sk, json={"isVisible": False})

    for name in ("old", "gold", "a\u0000b"):
        async with instance.database.read() as tx:
            with pytest.raises(UnknownPlan) as refused:
                await catalog.find_tier_for_sale(tx, *of(alice), name)
        assert refused.value.sentence == "No such tier is on sale; the project's tiers are: free."
        assert refused.value.param == "tier"
    async with instance.database.read() as tx:
        assert (await catalog.find_tier_for_sale(tx, *of(alice), "hidden")).is_visible is False


async def test_a_price_is_found_in_its_own_project_and_mode_only(
    instance: Instance, alice: Account, charlie: Account
) -> None:
    price_id = (await make(instance, alice, "pro", MONTHLY))["prices"][0]["id"]

    async with instance.database.read() as tx:
        found = await catalog.find_price(tx, *of(alice), price_id)
        for where, asked in (
            (of(charlie), price_id),
            (of(alice, "live"), price_id),
            (of(alice), "price_01k9q3v8zd0g2m4n6p8r0t2v4w"),
            (of(alice), "a\u0000b"),
        ):
            with pytest.raises(UnknownPrice) as refused:
                await catalog.find_price(tx, *where, asked)
            assert (refused.value.status, refused.value.param) == (422, "priceId")
            assert await catalog.price_by_id(tx, *where, asked) is None
    assert found.unit_amount == 1999


async def test_an_archived_price_goes_on_and_is_not_sold(instance: Instance, alice: Account) -> None:
    old = (await make(instance, alice, "pro", MONTHLY))["prices"][0]["id"]
    changed = await instance.api.put("/tiers/pro", headers=alice.sk, json={"prices": [{**MONTHLY, "amount": 2499}]})
    new = changed.json()["prices"][0]["id"]

    async with instance.database.read() as tx:
        kept, offer, sold = await _as_billing(tx, alice, old, new)

    assert (kept.unit_amount, kept.is_archived, sold.unit_amount) == (1999, True, 2499)
    assert offer.prices == (sold,)


async def _as_billing(tx: Tx, alice: Account, old: str, new: str) -> tuple[Price, TierWithPrices, Price]:
    kept = await catalog.find_price(tx, *of(alice), old)
    with pytest.raises(UnknownPrice, match="This price is archived"):
        await catalog.find_purchasable(tx, *of(alice), old)
    assert (await catalog.find_tier_of_price(tx, alice.project.platform_no, kept)).name == "pro"
    assert await catalog.get_tier_name(tx, alice.project.platform_no, kept.tier_id) == "pro"
    return kept, *await catalog.find_purchasable(tx, *of(alice), new)


async def test_a_price_of_an_archived_tier_is_not_sold(instance: Instance, alice: Account) -> None:
    price_id = (await make(instance, alice, "pro", MONTHLY))["prices"][0]["id"]
    await instance.api.delete("/tiers/pro", headers=alice.sk)

    async with instance.database.read() as tx:
        with pytest.raises(UnknownPrice):
            await catalog.find_purchasable(tx, *of(alice), price_id)
        kept = await catalog.find_price(tx, *of(alice), price_id)
    assert kept.is_archived is False


async def test_every_kind_of_price_is_read_as_it_was_written(instance: Instance, alice: Account) -> None:
    steps = [{"upTo": 5, "unitAmount": 10}, {"upTo": None, "unitAmount": 1, "flatAmount": 7}]
    offer = await offer_of(
        instance,
        alice,
        "pro",
        {
            "currency": "jpy",
            "amount": 900,
            "billingScheme": "per_unit",
            "per": 3,
            "interval": "week",
            "intervalCount": 2,
        },
        {"currency": "usd", "billingScheme": "volume", "tiers": steps, "meter": "calls"},
    )
    by_unit, volume = offer.prices

    assert catalog.describe_price(by_unit) == "¥900 per 3 units every 2 weeks"
    assert [catalog.amount_of(volume, quantity) for quantity in (5, 6)] == [50, 13]
