"""Endpoints of the figures of projects and platforms."""

from dream_api.api.analytics.dashboard import endpoints

__all__ = ["endpoints"]
