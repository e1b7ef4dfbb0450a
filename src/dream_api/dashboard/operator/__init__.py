"""Pages of the whole instance, for those who run it: its platforms, levels and mail."""

from dream_api.dashboard.operator import levels, mail

ROUTERS = (levels.router, mail.router)
