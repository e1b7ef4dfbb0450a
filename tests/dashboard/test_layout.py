"""The frame around the dashboard's pages: who sees it, and what in it."""

from httpx2 import AsyncClient

from dream_api import accounts, operations, platforms
from tests.support.instance import Account, Instance, open_store


async def test_who_is_not_signed_in_is_sent_to_do_that_and_comes_back(api: AsyncClient, alice: Account) -> None:
    path = f"/dashboard/{alice.project.id}/test"

    answer = await api.get(f"{path}?days=7")

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/account/sign-in?next={path.replace('/', '%2F')}%3Fdays%3D7"


async def test_the_dashboard_opens_with_the_first_project(api: AsyncClient, alice: Account) -> None:
    opened = await api.get("/dashboard", headers=alice.cookie())
    answer = await api.get(opened.headers["location"], headers=alice.cookie())

    assert opened.headers["location"] == f"/dashboard/{alice.project.id}/test"
    assert "Test mode" in answer.text
    assert 'aria-current="page">Overview' in answer.text


async def test_the_operator_begins_with_a_project_of_their_own_and_not_with_home(instance: Instance) -> None:
    async with instance.database.write() as tx:
        operator = await platforms.operator_platform(tx)
        olga = await accounts.create_user(tx, "olga@example.com", "Olga", verified=True)
        await platforms.add_member(tx, operator.no, olga.id, "owner")
        session = await accounts.open_session(tx, olga.id, address="127.0.0.1", agent="test")
        own = await operations.load_first_project(tx)
    assert own is not None
    browser = {"Cookie": f"dream_session={session.token}"}

    opened = await instance.api.get("/dashboard", headers=browser)
    async with instance.database.write() as tx:
        await platforms.delete_project(tx, own)
    only_home = await instance.api.get("/dashboard", headers=browser)

    assert opened.headers["location"] == f"/dashboard/{own.id}/test"
    assert only_home.headers["location"] != opened.headers["location"]
    assert only_home.headers["location"].startswith("/dashboard/prj_")


async def test_where_an_address_cannot_be_there_is_no_page(api: AsyncClient, alice: Account) -> None:
    answer = await api.get(f"/dashboard/{alice.project.id}/test/customers/cus_no", headers=alice.cookie())

    assert answer.status_code == 404
    assert "Page not found." in answer.text


async def test_a_strangers_project_is_not_there(api: AsyncClient, alice: Account, charlie: Account) -> None:
    answer = await api.get(f"/dashboard/{alice.project.id}/test", headers=charlie.cookie())

    assert answer.status_code == 404
    assert "Page not found." in answer.text


async def test_no_script_of_others_may_run(api: AsyncClient, alice: Account) -> None:
    answer = await api.get(f"/dashboard/{alice.project.id}/live", headers=alice.cookie())

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "Test mode" not in answer.text


async def test_from_a_page_of_the_platform_one_finds_back_to_the_project(instance: Instance, alice: Account) -> None:
    store = (await open_store(instance.database, alice)).project.id
    team = f"/dashboard/{alice.project.platform_id}/team"

    async def at(path: str, **headers: str) -> str:
        return (await instance.api.get(path, headers={**alice.cookie(), **headers})).text

    overview = await at(f"/dashboard/{store}/live")
    came = await at(f"{team}?project={store}:live")
    reloaded = await at(team, Referer=f"http://dream.test{team}?project={store}:live")

    assert f'href="{team}?project={store}:live"' in overview
    for page in (came, reloaded):
        assert f'href="/dashboard/{store}/live/orders"' in page
        assert 'aria-current="page">Members' in page
        assert f'href="/dashboard/{alice.project.platform_id}/security-log?project={store}:live"' in page
    for nobodys in ("", "?project=prj_x:live", f"?project={store}:other", "?project=<script>"):
        page = await at(team + nobodys)
        assert f'href="/dashboard/{alice.project.id}/test/subscriptions"' in page
        assert f'href="{team}"' in page
    assert "<h1>Members" in await at(team, Referer="http://[?project=%ff;&project")


async def test_no_page_leads_back_to_a_strangers_project(api: AsyncClient, alice: Account, charlie: Account) -> None:
    team = f"/dashboard/{alice.project.platform_id}/team"

    answer = await api.get(f"{team}?project={charlie.project.id}:test", headers=alice.cookie())

    assert charlie.project.id not in answer.text
