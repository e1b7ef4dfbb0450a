"""What programs read of a project's and a platform's figures."""

from dream_api.api.analytics.dashboard import router

__all__ = ["router"]
