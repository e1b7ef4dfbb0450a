"""probe"""

import asyncio
import httpx2 as httpx
from tests.support.house import Account, House, open_account


async def test_probe(house: House, alice: Account):
    api = house.api
    for m, p in [
        ("DELETE", "/api/customers"),
        ("GET", "/api/data"),
        ("POST", "/api/usage"),
        ("PUT", "/api/customers/x"),
        ("HEAD", "/healthz"),
        ("OPTIONS", "/api/customers"),
        ("FOO", "/api/customers"),
    ]:
        a = await api.request(m, p)
        print(m, p, a.status_code, a.headers.get("allow"), a.text[:100])
    a = await api.post("/api/data", headers=alice.calls())
    print(dict(a.headers))
    a = await api.post("/api/data", headers={"accept": "text/html"})
    print(a.status_code, dict(a.headers))
    a = await api.get("/api/usage", headers={**alice.calls(), "accept": "text/html"})
    print(a.status_code, a.headers["content-type"])
    for uid in ["a/b", "a b", "ü🙂", "100%", "a?b#c", "..", ".", "a//b", "userId:x", "cus_1", "a+b", "/", " x "]:
        a = await api.post("/api/customers", headers=alice.sk, json={"userId": uid})
        print(uid, a.status_code, a.text[:90])
        from urllib.parse import quote

        a = await api.get("/api/customers/userId:" + quote(uid, safe=""), headers=alice.sk)
        print("   ", a.status_code, a.text[:80])
    for p in [
        "/api/customers/%00",
        "/api/customers/userId:a%00",
        "/api/customers?after=%00",
        "/api/usage?meter=%00",
        "/api/customers/%ED%A0%80",
        "/api/customers/%FF",
        "/api/customers?after=%ED%A0%80",
        "/%00",
        "/docs/errors/%00",
        "/api/customers/userId:" + "a" * 400,
        "/api/customers?limit=0",
        "/api/customers?limit=x",
        "/api/customers?limit=101",
        "/api/customers?after=" + "x" * 61,
    ]:
        a = await api.get(p, headers=alice.calls())
        print(p[:60], a.status_code, a.text[:150])
    for b in [
        b'{"userId":"a\\u0000"}',
        b'{"userId":"\\ud800"}',
        b'{"userId":"x","email":"a"}',
        b'{"userId":"x","name":"a\\u0000"}',
        b'{"userId":"x","plan":"a\\u0000"}',
        b'{"userId":"x","name":"\\ud800"}',
        b'{"userId":5}',
        b"{}",
        b"",
        b'{"userId":"x","foo":1}',
        b'{"user_id":"x"}',
        b'{"userId":"x","status":"blocked"}',
    ]:
        a = await api.post("/api/customers", headers={**alice.sk, "content-type": "application/json"}, content=b)
        print(b, a.status_code, a.text[:150])
        a = await api.patch(
            "/api/customers/userId:ada", headers={**alice.sk, "content-type": "application/json"}, content=b
        )
        print("   PATCH", a.status_code, a.text[:150])
    print(
        "twins",
        [
            (a.status_code, a.json().get("code"))
            for a in await asyncio.gather(
                *(api.post("/api/customers", headers=alice.sk, json={"userId": "twin", "name": "T"}) for _ in range(6))
            )
        ],
    )
    print(
        "twins",
        [
            (a.status_code, a.json().get("code"))
            for a in await asyncio.gather(
                *(api.post("/api/customers", headers=alice.sk, json={"userId": "twin2"}) for _ in range(6)),
                *(api.post("/api/data", headers=alice.calls("twin2")) for _ in range(6)),
            )
        ],
    )
    await api.delete("/api/customers/userId:ada", headers=alice.sk)
    a = await api.patch("/api/customers/userId:ada", headers=alice.sk, json={"name": "Zombie"})
    print(a.text)
    a = await api.patch("/api/customers/userId:ada", headers=alice.sk, json={"status": "active"})
    print(a.text)
    for accept in [
        "text/html",
        "text/html,application/json",
        "application/json, text/html",
        "*/*",
        "text/html;q=0.1, application/json",
    ]:
        a = await api.get("/nowhere", headers={"accept": accept})
        print(accept, a.headers["content-type"])
    assert 0
