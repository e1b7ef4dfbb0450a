"""Endpoints of the figures of projects and platforms."""

from dream_api.api.analytics.dashboard import router

__all__ = ["router"]
