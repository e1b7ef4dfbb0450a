"""`metadata` of customers, tiers and prices: validated, stored, merged or replaced, and erased."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from dream_api.core.metadata import LONGEST_KEY, LONGEST_VALUE, MOST_KEYS
from dream_api.customers.tables import customers
from tests.api.metadata.conftest import CAMPAIGN
from tests.billing.developer import URLS, Seller, monthly
from tests.support.instance import Instance

pytestmark = pytest.mark.both


async def test_a_customers_metadata_is_merged(seller: Seller):
    largest = {f"{number:>{LONGEST_KEY}}": "€" * LONGEST_VALUE for number in range(MOST_KEYS)}
    made = await seller.post("/api/customers", {"userId": "ada", "metadata": CAMPAIGN | {"none": None, "blank": ""}})
    path = "/api/customers/userId:ada"
    cases: list[tuple[Any, dict[str, str]]] = [
        ({"size": "7"}, CAMPAIGN | {"size": "7"}),
        ({"size": "8", "empty later": ""}, {"campaign": "spring", "ünïcode": "“ok” 👍\n", "size": "8"}),
        ({"ünïcode": None, "unknown": None}, {"campaign": "spring", "size": "8"}),
        ({}, {"campaign": "spring", "size": "8"}),
        (None, {}),
        (largest, largest),
    ]

    assert made["metadata"] == CAMPAIGN
    for sent, merged in cases:
        changed = await seller.ask("PATCH", path, {"metadata": sent})
        assert (changed.status_code, changed.json()["metadata"]) == (200, merged), sent
        assert (await seller.get(path))["metadata"] == merged
    renamed = await seller.ask("PATCH", path, {"name": "Ada"})
    assert renamed.json()["metadata"] == largest
    full = await seller.ask("PATCH", path, {"metadata": {"one more": "x"}})
    assert (full.status_code, full.json()["param"]) == (422, "metadata")
    assert (await seller.get(path))["metadata"] == largest


async def test_concurrent_changes_of_different_keys_all_take_effect(seller: Seller):
    await seller.post("/api/customers", {"userId": "ada"})
    keys = [f"key {number}" for number in range(10)]

    await asyncio.gather(*(seller.ask("PATCH", "/api/customers/userId:ada", {"metadata": {key: "x"}}) for key in keys))

    assert (await seller.get("/api/customers/userId:ada"))["metadata"].keys() == set(keys)


async def test_a_customer_with_metadata_exists_and_is_not_created_again(seller: Seller):
    await seller.post("/api/customers", {"userId": "ada", "metadata": CAMPAIGN})

    again = await seller.ask("POST", "/api/customers", {"userId": "ada", "metadata": {"other": "x"}})

    assert (again.status_code, again.json()["code"]) == (409, "customer_exists")


BAD: list[tuple[Any, str]] = [
    ([], "metadata"),
    ("text", "metadata"),
    (7, "metadata"),
    ({"": "x"}, "metadata"),
    ({"k" * (LONGEST_KEY + 1): "x"}, "metadata"),
    ({"nul\x00": "x"}, "metadata"),
    ({str(number): "x" for number in range(MOST_KEYS + 1)}, "metadata"),
    ({"seats": 5}, "metadata.seats"),
    ({"seats": True}, "metadata.seats"),
    ({"seats": {}}, "metadata.seats"),
    ({"seats": ["x"]}, "metadata.seats"),
    ({"seats": "x" * (LONGEST_VALUE + 1)}, "metadata.seats"),
    ({"seats": "\x00"}, "metadata.seats"),
]


async def test_bad_metadata_is_rejected_by_every_endpoint_that_takes_it(seller: Seller):
    await seller.subscribe("ada", "pro")
    [payment] = (await seller.get("/api/payments"))["data"]
    item = {"priceId": "price_01k9q3v8zd0g2m4n6p8r0t2v4w", "quantity": 1}
    endpoints: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/api/customers", {"userId": "bob"}),
        ("PATCH", "/api/customers/userId:ada", {}),
        ("POST", "/tiers", {"name": "team"}),
        ("PUT", "/tiers/pro", {}),
        ("POST", "/api/create-checkout", {"tier": "pro", **URLS}),
        ("POST", "/api/cart/checkout", {"email": "ada@example.com", "items": [item], **URLS}),
        ("POST", f"/api/payments/{payment['id']}/refunds", {}),
        ("POST", "/api/orders/ord_01k9q3v8zd0g2m4n6p8r0t2v4w/refunds", {}),
        ("PATCH", "/api/orders/ord_01k9q3v8zd0g2m4n6p8r0t2v4w", {}),
    ]
    wrong: list[Any] = []

    for method, path, body in endpoints:
        for metadata, param in BAD:
            answer = await seller.ask(method, path, {**body, "metadata": metadata}, **{"X-User-Id": "bob"})
            if (answer.status_code, answer.json().get("param")) != (422, param):
                wrong.append((method, path, metadata, answer.text))
    for metadata, param in BAD:
        answer = await seller.ask("PUT", "/tiers/pro", {"prices": [monthly("30", metadata=metadata)]})
        if (answer.status_code, answer.json().get("param")) != (422, f"prices.0.{param}"):
            wrong.append(("price", metadata, answer.text))

    assert wrong == []


@pytest.mark.parametrize("text", [r'{"a": "\ud800"}', r'{"\udfff": "a"}'])
async def test_half_a_surrogate_pair_is_no_json(seller: Seller, text: str):
    body = f'{{"userId": "bob", "metadata": {text}}}'
    headers = seller.headers | {"Content-Type": "application/json"}

    answer = await seller.api.post("/api/customers", headers=headers, content=body.encode())

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")


async def test_a_tiers_metadata_is_replaced_as_a_whole(seller: Seller):
    cases: list[tuple[dict[str, Any], dict[str, str]]] = [
        ({"metadata": {"a": "1", "b": "2"}}, {"a": "1", "b": "2"}),
        ({"metadata": {"b": "3", "c": ""}}, {"b": "3"}),
        ({"description": "For teams."}, {"b": "3"}),
        ({"metadata": {}}, {}),
        ({"metadata": {"d": "4"}}, {"d": "4"}),
        ({"metadata": None}, {}),
    ]
    made = await seller.post("/tiers", {"name": "team", "metadata": CAMPAIGN})

    assert made["metadata"] == CAMPAIGN
    for sent, replaced in cases:
        changed = (await seller.ask("PUT", "/tiers/team", sent)).json()
        assert changed["metadata"] == replaced, sent
        assert await seller.get("/tiers/team") == changed


async def test_a_price_stays_with_the_metadata_that_it_was_made_with(seller: Seller):
    async def put(**body: Any) -> dict[str, Any]:
        answer = await seller.ask("PUT", "/tiers/pro", body)
        assert answer.status_code == 200, answer.text
        [price] = answer.json()["prices"]
        return price

    first = (await seller.get("/tiers/pro"))["prices"][0]
    attached = await put(prices=[monthly("20", metadata={"list": "2026"})])
    assert attached["id"] != first["id"]
    assert attached["metadata"] == {"list": "2026"}

    for same in ({}, {"metadata": {"list": "2026"}}, {"metadata": None}):
        assert await put(prices=[monthly("20", **same)]) == attached
    assert await put(metadata={"of": "the tier"}) == attached
    assert await put(price="20.00") == attached
    replaced = await put(price="25.00")
    assert (replaced["amount"], replaced["metadata"]) == (2_500, {"list": "2026"})
    assert (await put(prices=[monthly("25", metadata={})]))["metadata"] == {}


async def test_buyers_see_no_metadata_of_products(instance: Instance, seller: Seller):
    body = {"metadata": {"secret": "tier"}, "prices": [monthly("20", metadata={"secret": "price"})]}
    await seller.ask("PUT", "/tiers/pro", body)

    seen = await instance.api.get("/api/products", headers={"X-Publishable-Key": instance.alice.publishable["test"]})

    assert "pro" in seen.text
    assert "secret" not in seen.text
    assert "metadata" not in seen.text


async def test_a_deleted_customers_metadata_is_erased(instance: Instance, seller: Seller):
    await seller.post("/api/customers", {"userId": "ada", "metadata": {"phone": "555-1234"}})

    deleted = await seller.ask("DELETE", "/api/customers/userId:ada")

    assert deleted.json()["metadata"] == {}
    async with instance.database.read() as tx:
        assert "555-1234" not in repr(await tx.all(select(customers)))
    again = await seller.ask("PATCH", "/api/customers/userId:ada", {"metadata": {"phone": "555-1234"}})
    assert (again.status_code, again.json()["code"]) == (409, "customer_deleted")
