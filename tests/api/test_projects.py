"""`/projects`: made, changed, of a type for ever."""

from httpx2 import AsyncClient

from tests.support.instance import Account, Instance, bearer


async def test_a_new_project_comes_with_its_keys_once(instance: Instance, alice: Account) -> None:
    body = {"name": "API", "projectType": "saas", "origins": ["https://Example.com/"], "live": True}
    headers = {**alice.by("admin"), "Idempotency-Key": "k"}

    first, again = [await instance.api.post("/projects", headers=headers, json=body) for _ in range(2)]
    made = first.json()
    called = [
        await instance.api.post("/api/data", headers=bearer(made[name]) | {"X-User-Id": "ada"})
        for name in ("secretKey", "liveSecretKey")
    ]

    assert (first.status_code, again.status_code) == (201, 201)
    assert [one.json()["usage"]["limit"] for one in called] == [1_000, 1_000]
    assert made["origins"] == ["https://example.com"]
    assert (again.json()["secretKey"], again.json()["liveSecretKey"]) == (None, None)


async def test_a_key_file_that_is_gone_is_not_replaced_while_the_server_runs(
    instance: Instance, alice: Account
) -> None:
    (instance.settings.data / "instance.key").unlink()

    made = await instance.api.post("/projects", headers=alice.by("admin"), json={"name": "API", "projectType": "saas"})
    shown = await instance.api.get("/get-credentials", headers=alice.by("admin"))

    assert (made.status_code, shown.status_code) == (201, 200)
    assert made.json()["secretKey"] in [each["test"]["secretKey"] for each in shown.json()["data"]]
    assert not (instance.settings.data / "instance.key").exists()


async def test_what_is_left_out_stays_and_null_takes_the_limit_away(api: AsyncClient, alice: Account) -> None:
    path, by = f"/projects/{alice.project.id}", alice.at_api("admin")

    limited = await api.patch(path, headers=by, json={"refundLimit": {"amount": 500, "currency": "USD"}})
    named = await api.patch(path, headers=by, json={"name": "Ours"})
    cleared = await api.patch(path, headers=by, json={"refundLimit": None, "origins": []})

    assert limited.json()["refundLimit"] == {"amount": 500, "currency": "usd"}
    assert (named.json()["name"], named.json()["refundLimit"]) == ("Ours", {"amount": 500, "currency": "usd"})
    assert (cleared.json()["refundLimit"], cleared.json()["origins"]) == (None, [])


async def test_what_is_wrong_is_named_and_nothing_changes(api: AsyncClient, alice: Account) -> None:
    path, by = f"/projects/{alice.project.id}", alice.at_api()
    wrong = {
        "projectType": {"projectType": "store"},
        "name": {"name": " "},
        "origins": {"origins": ["http://example.com"]},
        "refundLimit": {"refundLimit": {"amount": 1, "currency": "xxx"}, "name": "Changed"},
    }

    for param, body in wrong.items():
        answer = await api.patch(path, headers=by, json=body)
        assert (answer.status_code, answer.json()["param"]) == (422, param)

    assert (await api.get(path, headers=by)).json()["name"] == "Alice"
