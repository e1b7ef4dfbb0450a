"""The page of the security log."""

from dream_api.audit.views.log import router

ROUTERS = (router,)

__all__ = ["ROUTERS", "router"]
