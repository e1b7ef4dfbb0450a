"""What programs meet: files in, files out, and which there are."""

from dream_api.assets.api import keeping, listing, serving

ROUTERS = (keeping.router, listing.router, serving.router)

__all__ = ["ROUTERS"]
