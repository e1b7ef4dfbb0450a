"""`kill -9` of the server under load: nothing acknowledged is lost, nothing is counted twice, no limit is passed."""

import pytest

from tests.support.load import Served, survive

pytestmark = pytest.mark.both


# `make bench-crash` kills 20 times.
@pytest.mark.slow
@pytest.mark.parametrize("kills", [2, pytest.param(5, marks=pytest.mark.rest)])
async def test_a_killed_server_loses_nothing_and_counts_nothing_twice(served: Served, kills: int) -> None:
    rounds = await survive(served, served.server, kills=kills, seconds=0.5)

    assert len(rounds) == kills
    for each in rounds:
        assert each.acknowledged <= each.counted <= each.acknowledged + each.unknown <= each.sent
