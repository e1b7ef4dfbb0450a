"""`kill -9` of one of two server processes under load: a client that comes again with its key is counted once."""

import pytest

from dream_api.core.settings import Settings
from tests.support.load import Served, found, outlive

pytestmark = pytest.mark.both


@pytest.mark.slow
@pytest.mark.parametrize("database_kind", ["postgres"])
@pytest.mark.parametrize("seconds", [3, pytest.param(6, marks=pytest.mark.rest)])
async def test_keyed_calls_are_counted_exactly_once_while_processes_die(
    durable_settings: Settings, seconds: float
) -> None:
    # `make bench-crash` goes on for a minute.
    served = Served(durable_settings, await found(durable_settings), processes=2)
    served.start()
    try:
        whole = await outlive(served, seconds=seconds, every=1.5)
    finally:
        served.stop()

    assert whole.number >= 1
    assert whole.repeated > 0
    assert whole.unknown == 0
    assert whole.counted == whole.acknowledged
    assert served.server.log.count('"signal": "SIGKILL"') == whole.number
