"""What programs read of a project's and a platform's figures."""

from dream_api.dashboard.api.reading import router

__all__ = ["router"]
