"""Every page and form of developers, asked with what nobody types or sent by another website: refused in a page."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel

import dream_api
from dream_api import platforms
from dream_api.app import ROUTERS
from dream_api.dashboard.layout import PageRoute
from tests.support.instance import Instance

ODD = ("\x00", "\udcff", "9" * 400, '"><script>')
ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, PageRoute)]
# What forms are asked for, wherever that is.
FIELDS = {
    name
    for path in Path(dream_api.__file__).parent.glob("dashboard/**/*.py")
    for name in re.findall(r'form(?:\.get\(|\[)"(\w+)"', path.read_text())
}


def odd(text: str) -> str:
    return quote(text, safe="", errors="surrogateescape")


async def operating_owner(instance: Instance) -> dict[str, str]:
    """Alice runs the instance as well; where she is at work."""
    async with instance.database.write() as tx:
        operator = await platforms.operator_platform(tx)
        await platforms.add_member(tx, operator.no, instance.alice.user_ids["owner"], "owner")
    return {"platformId": instance.alice.project.platform_id, "projectId": instance.alice.project.id, "mode": "test"}


def path_of(route: PageRoute, values: dict[str, str]) -> str:
    return route.path.format(**{name: values.get(name, "x") for name in route.param_convertors})


def names_of(field: Any) -> list[str]:
    """What may be asked for by a parameter; several, where it is a model of the whole query."""
    kind = field.field_info.annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [known.alias or name for name, known in kind.model_fields.items()]
    return [field.alias]


def asked_of(route: PageRoute, home: dict[str, str]) -> list[str]:
    """With odd values in each of its places, and in all that may be asked for."""
    names = [name for field in route.dependant.query_params for name in names_of(field)]
    places = [path_of(route, {**home, name: odd(text)}) for name in route.param_convertors for text in ODD]
    return [*places, *(f"{path_of(route, home)}?{'&'.join(f'{name}={odd(text)}' for name in names)}" for text in ODD)]


def is_told_in_a_page(answer: Any) -> bool:
    kind = answer.headers.get("content-type", "")
    is_page = kind.startswith(("text/html", "text/csv", "application/x-ndjson"))
    return answer.status_code < 500 and (is_page or 300 <= answer.status_code < 400) and '"><script>' not in answer.text


async def test_odd_questions_are_answered_with_a_page(instance: Instance) -> None:
    headers = {**instance.alice.cookie(), "Accept": "text/html"}
    home = await operating_owner(instance)

    for route in (one for one in ROUTES if "GET" in one.methods):
        for path in asked_of(route, home):
            answer = await instance.api.get(path, headers=headers)
            assert is_told_in_a_page(answer), (path, answer.status_code, answer.text)


async def test_odd_forms_are_answered_with_a_page_and_those_of_others_with_no(instance: Instance) -> None:
    headers = {**instance.alice.cookie(), "Accept": "text/html"}
    home = await operating_owner(instance)
    forms = [path_of(one, home) for one in ROUTES if "POST" in one.methods and not one.path.startswith("/account")]
    assert len(forms) > 40

    for path in forms:
        foreign = [
            await instance.api.post(
                path, headers={**headers, "Sec-Fetch-Site": "same-site"}, data=instance.alice.form()
            ),
            await instance.api.post(path, headers={**headers, "Origin": "null"}, data=instance.alice.form()),
            await instance.api.post(path, headers=headers, data={"csrf": "é"}),
        ]
        # What the address alone is wrong about is said before: there is no such page, or it cannot be asked so.
        assert {one.status_code for one in foreign} <= {403, 404, 422}, path
        assert all(one.status_code != 403 or "csrf_failed" in one.text for one in foreign), path
    for path in forms:
        for text in ("", *ODD):
            fields = {name: text.encode(errors="replace").decode() for name in FIELDS}
            answer = await instance.api.post(path, headers=headers, data={**fields, **instance.alice.form()})
            assert is_told_in_a_page(answer), (path, text, answer.status_code, answer.text)


async def test_a_viewer_changes_nothing_and_a_stranger_finds_nothing(instance: Instance) -> None:
    alice, charlie = instance.alice, instance.charlie
    home = {"platformId": alice.project.platform_id, "projectId": alice.project.id, "mode": "test"}
    home |= {"user_id": alice.user_ids["member"], "customerId": "cus_" + "0" * 26}
    at_home = [one for one in ROUTES if {"platformId", "projectId"} & one.param_convertors.keys()]

    for route in at_home:
        path = path_of(route, home)
        if "POST" in route.methods:
            viewed = await instance.api.post(path, headers=alice.cookie("viewer"), data=alice.form("viewer"))
            assert viewed.status_code in (403, 404), path
        for method in route.methods & {"GET", "POST"}:
            strange = await instance.api.request(method, path, headers=charlie.cookie(), data=charlie.form())
            assert strange.status_code == 404, (method, path)
            assert alice.project.name not in strange.text
