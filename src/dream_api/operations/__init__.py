"""Operation of an instance as a whole: its creation, and the instance key that it depends on.

await operations.create_instance(tx, settings)
key = await operations.find_instance_key(tx, settings)
"""

from dream_api.operations.creation import (
    FIRST_PROJECT,
    FirstProject,
    create_instance,
    find_first_project,
    is_created,
    load_first_project,
)
from dream_api.operations.instance_key import (
    Loss,
    checks,
    find_instance_key,
    find_losses,
    record_fingerprint,
    replace_instance_key,
    stored_fingerprint,
)

__all__ = [
    "FIRST_PROJECT",
    "FirstProject",
    "Loss",
    "checks",
    "create_instance",
    "find_first_project",
    "find_instance_key",
    "find_losses",
    "is_created",
    "load_first_project",
    "record_fingerprint",
    "replace_instance_key",
    "stored_fingerprint",
]
