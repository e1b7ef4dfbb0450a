"""Alice's shop, on 31 January 2027 at noon."""

import pytest

from dream_api.core import clock as the_clock
from dream_api.core.db import Database
from tests.gateways.sandbox.shop import Shop, moment, open_shop

START = moment("2027-01-31T12:00:00")


@pytest.fixture
async def shop(database: Database, monkeypatch: pytest.MonkeyPatch) -> Shop:
    opened = await open_shop(database)
    opened.now = START
    # Nothing moves but by the test: what is told of a moment can be compared to the second.
    monkeypatch.setattr(the_clock, "now", lambda: opened.now)
    return opened
