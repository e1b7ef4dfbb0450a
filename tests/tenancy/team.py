"""What tests of teams do again and again."""

import re
from typing import Any

import sqlalchemy as sa

from dream_api import accounts
from dream_api.accounts import Role
from dream_api.auth.csrf import csrf_token_for
from tests.support.instance import Account, Instance


async def link_to(instance: Instance, email: str) -> str:
    """The link in the newest letter to the address, as a path."""
    async with instance.database.read() as tx:
        newest = sa.text('SELECT text FROM mails WHERE "to" = :to ORDER BY id DESC LIMIT 1')
        letter = await tx.scalar(newest, {"to": email})
    found = re.search(r"https?://[^/\s]+(/account/invitation/\S+)", letter)
    assert found is not None
    return found[1]


async def sign_up(instance: Instance, email: str) -> tuple[dict[str, str], dict[str, str]]:
    """Somebody new in a browser of their own: its headers, and the fields of its forms."""
    async with instance.database.write() as tx:
        user = await accounts.create_user(tx, email, verified=True)
        opened = await accounts.open_session(tx, user.id, address="127.0.0.1", agent="test")
    return {"Cookie": f"dream_session={opened.token}"}, {"csrf": csrf_token_for(opened.token)}


async def invite(instance: Instance, account: Account, email: str, role: Role = "member", by: Role = "owner") -> Any:
    return await instance.api.post(
        "/api/team/invitations", headers=account.at_api(by), json={"email": email, "role": role}
    )


async def team_of(instance: Instance, account: Account) -> dict[str, str]:
    """Each member's role by their address."""
    answer = await instance.api.get("/api/team", headers=account.at_api())
    return {member["email"]: member["role"] for member in answer.json()["members"]}


async def actions_of(instance: Instance, account: Account) -> list[str]:
    """What stands in the platform's security log, oldest first."""
    async with instance.database.read() as tx:
        rows = await tx.all(
            sa.text("SELECT action FROM audit_entries WHERE platform_no = :no ORDER BY number"),
            {"no": account.project.platform_no},
        )
    return [row.action for row in rows]
