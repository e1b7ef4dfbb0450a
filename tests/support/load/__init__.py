"""Load on a real server, and what must hold for its calls afterwards.

`calling` makes metered calls and tells honestly what became of each; `serving` sets up a server with Alice's project
and reads what was counted for her customers; `killing` kills a process under load, again and again, and proves that
nothing was lost; `outliving` kills one of several that serve together.
"""

from tests.support.load.callers import Call, Fate, Tally, load
from tests.support.load.process_kill import outlive
from tests.support.load.server_kill import Round, survive
from tests.support.load.servers import SMALL_LIMIT, Served, found, from_environment

__all__ = [
    "SMALL_LIMIT",
    "Call",
    "Fate",
    "Round",
    "Served",
    "Tally",
    "found",
    "from_environment",
    "load",
    "outlive",
    "survive",
]
