"""Object storage: in a folder of the data directory, or in an S3 bucket."""

from dream_api.core.objects.store import NoSuchObject, ObjectStore, open_object_store

__all__ = ["NoSuchObject", "ObjectStore", "open_object_store"]
