"""Changes by operators' commands are recorded in the platform's security log."""

import asyncio

from dream_api import audit, platforms
from dream_api.app import open_database
from dream_api.audit import Entry
from tests.cli.terminal import Terminal


def recorded(terminal: Terminal, platform_id: str) -> list[Entry]:
    async def read() -> list[Entry]:
        database = open_database(terminal.settings)
        try:
            async with database.read() as tx:
                return await audit.list_entries(tx, (await platforms.find(tx, platform_id)).log_stream, limit=100)
        finally:
            await database.close()

    return list(reversed(asyncio.run(read())))


def test_each_change_is_the_operators(terminal: Terminal) -> None:
    platform_id = terminal.ask("platform", "create", "Ada's")["platformId"]
    made = terminal.ask("project", "create", "Shop", "--type", "saas", "--platform", platform_id)
    of_project = ("--project", made["projectId"])
    key_id = terminal.ask("keys", "rotate", *of_project, "--grace-hours", "0")["keyId"]
    for words in (
        ("keys", "reveal", key_id, *of_project),
        ("keys", "limit", key_id, *of_project, "--per-second", "5"),
        ("keys", "revoke", key_id, *of_project),
        ("project", "origins", made["projectId"], "--add", "https://myapp.com"),
        ("project", "origins", made["projectId"]),
        ("tier", "set", *of_project, "--name", "pro", "--limit", "5"),
        ("levels", "assign", platform_id, "1"),
    ):
        terminal.ask(*words)
    token_id = terminal.ask("token", "create", "--platform", platform_id, "--role", "owner")["tokenId"]
    terminal.ask("token", "revoke", token_id)

    found = recorded(terminal, platform_id)

    assert [entry.action for entry in found] == [
        "platform.created",
        "project.created",
        "key.rotated",
        "key.revealed",
        "key.limited",
        "key.revoked",
        "origins.changed",
        "tier.created",
        "level.changed",
        "token.issued",
        "token.revoked",
    ]
    assert {entry.by for entry in found} == {audit.OPERATOR}
    assert found[3].about == key_id
    assert "sk_" not in str(found)
