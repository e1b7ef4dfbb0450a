"""Event handlers of billing: the purchase of a level is written to the platform's security log, in the transaction of
the purchase."""

from dream_api import audit, catalog, platforms
from dream_api.audit import Actor
from dream_api.core.db import Tx
from dream_api.gateways import GatewayAccount
from dream_api.platforms import Mode

_BY_ITSELF = Actor("system", "")


async def on_plan_changed(home_mode: Mode, tx: Tx, *, account: GatewayAccount, user_id: str, plan: str | None) -> None:
    """Write the platform's new level to its security log; `account`: the gateway account that sold it."""
    home_id = await platforms.home_project_id(tx)
    if account.mode != home_mode or account.project_id != home_id:
        return
    row = await platforms.platform_by_id(tx, user_id)
    if row is None or row.gone_at is not None:
        return
    name = plan or await _default(tx, home_mode)
    level = next((level for level in await catalog.list_levels(tx, home_mode) if level.name == name), None)
    details = {} if level is None else {"level": str(level.number)}
    await audit.record(tx, audit.Stream(row.id, row.no), "level.changed", by=_BY_ITSELF, about=row.id, details=details)


async def _default(tx: Tx, mode: Mode) -> str:
    """The level of platforms that pay for none."""
    home = (await catalog.find_home(tx)).project
    plans = await catalog.load_plans(tx, home.platform_no, home.id, home.no, mode)
    return "" if plans.default is None else plans.default.name
