"""Each role sees exactly what it may do."""

import pytest

from dream_api.accounts import ROLES, Role
from dream_api.platforms import has_permission
from tests.browser.conftest import NewPerson
from tests.browser.people import Person
from tests.browser.populated_instance import Town


async def test_each_role_sees_what_the_table_allows(town: Town, sit_down: NewPerson) -> None:
    project, platform = town.saas.project.id, town.saas.project.platform_id
    for role in ROLES:
        async with sit_down(town.base, session=town.saas.session[role]) as person:
            await person.goes_to(f"/dashboard/{project}/test")
            links = await person.links()
            assert ("Security log" in links) == has_permission(role, "manage"), role
            assert {"Overview", "Customers", "Usage", "Plans", "Subscriptions", "API keys", "Events", "Members"} <= set(
                links
            )
            await person.goes_to(f"/dashboard/{project}/test/tiers/pro")
            assert await _has(person, "button:has-text('Save')") == has_permission(role, "sell"), role
            await person.goes_to(f"/dashboard/{project}/test/keys")
            assert await _has(person, "form[action*='/reveal']") == _may_see_test_keys(role), role
            await person.goes_to(f"/dashboard/{project}/live/keys")
            assert await _has(person, "main form[method=post]") == has_permission(role, "manage"), role
            await person.goes_to(f"/dashboard/{platform}/team")
            assert await _has(person, "[name=email]") == has_permission(role, "manage"), role
            await person.goes_to(f"/dashboard/{platform}/security-log")
            assert await _has(person, "table") == has_permission(role, "manage"), role


async def _has(person: Person, selector: str) -> bool:
    return await person.all(selector).count() > 0


def _may_see_test_keys(role: Role) -> bool:
    """Stripe's convention, for owners and admins."""
    return role in ("owner", "admin")


@pytest.mark.parametrize("role", ["admin"])
async def test_an_admin_cannot_make_an_owner(town: Town, sit_down: NewPerson, role: Role) -> None:
    async with sit_down(town.base, session=town.saas.session[role]) as person:
        await person.goes_to(f"/dashboard/{town.saas.project.platform_id}/team")
        offered = await person.page.eval_on_selector_all("[name=role] option", "all => all.map(one => one.value)")

    assert "owner" not in offered
