"""Every page, as a browser and those who read by other means have it: axe, no script, a phone, a hundred kilobytes."""

import importlib.resources
from collections.abc import Sequence
from typing import Any

import pytest

from tests.browser.conftest import NewPerson
from tests.browser.people import Person
from tests.browser.populated_instance import OPEN, OPERATORS, Town

_AXE = (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text()
_RUN = "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)"
_SERIOUS = ("serious", "critical")
_LARGEST = 100_000
_PHONE, _TABLET, _DESK = 390, 820, 1360


def visits(town: Town) -> list[tuple[str | None, Sequence[str]]]:
    """Sessions, and what is looked at in them."""
    return [(None, OPEN), (town.saas.session["owner"], town.pages()), (town.operator_session, OPERATORS)]


async def violations(person: Person) -> list[str]:
    """Of axe-core, on the page as it is; evaluated, not injected, because the pages run no script of others."""
    if not await person.page.evaluate("'axe' in window"):
        await person.page.evaluate(_AXE)
    found: list[dict[str, Any]] = await person.page.evaluate(_RUN)
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:160]} ({one['nodes'][0].get('failureSummary', '')[:200]})"
        for one in found
        if one["impact"] in _SERIOUS
    ]


async def test_axe_would_see_what_is_wrong(town: Town, sit_down: NewPerson) -> None:
    async with sit_down(town.base) as person:
        await person.goes_to("/account/sign-in")
        await person.page.evaluate("document.querySelectorAll('label').forEach(one => one.remove())")

        assert any(one.startswith("label:") for one in await violations(person))


@pytest.mark.slow
@pytest.mark.rest
async def test_axe_finds_nothing_serious(town: Town, sit_down: NewPerson) -> None:
    wrong: dict[str, list[str]] = {}
    for session, paths in visits(town):
        async with sit_down(town.base, session=session) as person:
            for path in paths:
                await person.goes_to(path)
                for scheme in ("light", "dark"):
                    await person.page.emulate_media(color_scheme=scheme)
                    found = await violations(person)
                    if found:
                        wrong[f"{path} {scheme}"] = found

    assert wrong == {}


@pytest.mark.slow
@pytest.mark.rest
async def test_every_page_is_whole_without_scripts_on_any_screen(town: Town, sit_down: NewPerson) -> None:
    wide: dict[str, Any] = {}
    for session, paths in visits(town):
        async with sit_down(town.base, session=session, scripts=False) as person:
            for path in paths:
                answer = await person.page.goto(path)
                assert answer is not None
                assert answer.status == 200, path
                assert len(await answer.body()) < _LARGEST, path
                assert await person.all("h1").count() == 1, path
                assert "Sign in" not in await person.text_of("h1") or session is None, path
                for width in (_PHONE, _TABLET, _DESK):
                    await person.page.set_viewport_size({"width": width, "height": 900})
                    main = await person.all("main").bounding_box()
                    assert main is not None
                    if main["x"] + main["width"] > width:
                        wide[f"{path} {width}"] = main

    assert wide == {}
