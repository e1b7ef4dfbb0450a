"""Pages of the security log."""

from dream_api.dashboard.security_log.log import router

ROUTERS = (router,)

__all__ = ["ROUTERS", "router"]
