"""Endpoints of assets: upload, download, list and delete."""

from dream_api.api.assets import download, upload
from dream_api.api.assets import list as listing

ROUTERS = (upload.endpoints, listing.endpoints, download.router)

__all__ = ["ROUTERS"]
