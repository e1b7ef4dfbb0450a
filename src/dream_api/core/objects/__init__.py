"""Files of any size beside the database: in a folder of the data directory, or in a bucket that speaks S3."""

from dream_api.core.objects.store import NoSuchObject, Objects, opened

__all__ = ["NoSuchObject", "Objects", "opened"]
