"""Framework for CLI commands: groups, results as JSON or text, errors with exit codes.

    keys = CommandGroup()

    @keys.writes
    async def revoke(context: CommandContext, key_id: KeyId) -> CommandResult: ...

makes `dream-api keys revoke KEY_ID [--json] [--data DIR]`: one transaction, also while a server is running.
"""

from dream_api.core.console.commands import CommandGroup
from dream_api.core.console.errors import CommandError
from dream_api.core.console.instance import AppModule, CommandContext, Instance, open_instance
from dream_api.core.console.output import CommandResult, console, print_json
from dream_api.core.console.runner import load_settings, run
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
    "load_settings",
    "message",
    "open_instance",
    "print_json",
    "run",
]
