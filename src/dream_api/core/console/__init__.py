"""The command line's own language: commands, their answers, and how both people and programs read them.

    keys = Commands()

    @keys.writes
    async def revoke(desk: Desk, key_id: KeyId) -> Answer: ...

makes `dream-api keys revoke KEY_ID [--json] [--data DIR]`: one transaction, beside a running server.
"""

from dream_api.core.console.commands import CommandGroup
from dream_api.core.console.errors import CommandError
from dream_api.core.console.instance import AppModule, CommandContext, Instance, opened
from dream_api.core.console.output import CommandResult, console, tell_data
from dream_api.core.console.runner import run, settings_of
from dream_api.core.console.tables import KeyValueTable, Table, ago, message

__all__ = [
    "AppModule",
    "CommandContext",
    "CommandError",
    "CommandGroup",
    "CommandResult",
    "Instance",
    "KeyValueTable",
    "Table",
    "ago",
    "console",
    "message",
    "opened",
    "run",
    "settings_of",
    "tell_data",
]
