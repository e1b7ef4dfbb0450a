"""The command line's own language: commands, their answers, and how both people and programs read them.

    keys = Commands()

    @keys.writes
    async def revoke(desk: Desk, key_id: KeyId) -> Answer: ...

makes `dream-api keys revoke KEY_ID [--json] [--data DIR]`: one transaction, beside a running server.
"""

from dream_api.core.console.commands import Commands
from dream_api.core.console.errors import Stopped
from dream_api.core.console.instance import Desk, House, Instance, opened
from dream_api.core.console.output import Answer, console, tell_data
from dream_api.core.console.runner import run, settings_of
from dream_api.core.console.tables import Facts, Listing, ago, said

__all__ = [
    "Answer",
    "Commands",
    "Desk",
    "Facts",
    "House",
    "Instance",
    "Listing",
    "Stopped",
    "ago",
    "console",
    "opened",
    "run",
    "said",
    "settings_of",
    "tell_data",
]
