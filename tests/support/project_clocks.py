"""Test clocks of projects, moved as developers move them."""

from datetime import datetime

from dream_api.core import clock
from tests.support.instance import Account, Instance


def moment(text: str) -> int:
    return clock.from_datetime(datetime.fromisoformat(text))


async def advance(instance: Instance, account: Account, by: int) -> None:
    """Move the clock of the project's test mode forward."""
    now = moment((await instance.api.get("/test-clock", headers=account.sk)).json()["now"])
    to = {"advanceTo": clock.rfc3339(now + by)}
    answer = await instance.api.post("/test-clock", headers=account.sk, json=to)
    assert answer.status_code == 200, answer.text
    await instance.changes.poll()
