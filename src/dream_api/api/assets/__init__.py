"""What programs meet: files in, files out, and which there are."""

from dream_api.api.assets import download, upload
from dream_api.api.assets import list as listing

ROUTERS = (upload.router, listing.router, download.router)

__all__ = ["ROUTERS"]
