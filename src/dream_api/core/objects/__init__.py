"""Files of any size beside the database: in a folder of the data directory, or in a bucket that speaks S3."""

from dream_api.core.objects.store import NoSuchObject, ObjectStore, open_object_store

__all__ = ["NoSuchObject", "ObjectStore", "open_object_store"]
