"""The security log: an append-only audit log of who did what, when and from where; tampering is detected.

It has one stream for each platform and each person (`plt_…`, `usr_…`). Within a stream every entry's digest covers the
one before: a hash chain. Personal data has a salted digest of its own, so that it can be erased while the chain still
verifies; old entries are truncated at a checkpoint that is signed with the instance key.
"""

from dream_api.audit.actions import ACTIONS
from dream_api.audit.entries import Entry, KnownActor, list_actors, list_entries
from dream_api.audit.erasure import erase_personal_data
from dream_api.audit.integrity import checks
from dream_api.audit.recorder import OPERATOR, Actor, ActorKind, record, record_in_streams
from dream_api.audit.streams import Stream
from dream_api.audit.truncation import delete_stream, find_foreign_checkpoints, sign_checkpoints_again, truncate

__all__ = [
    "ACTIONS",
    "OPERATOR",
    "Actor",
    "ActorKind",
    "Entry",
    "KnownActor",
    "Stream",
    "checks",
    "delete_stream",
    "erase_personal_data",
    "find_foreign_checkpoints",
    "list_actors",
    "list_entries",
    "record",
    "record_in_streams",
    "sign_checkpoints_again",
    "truncate",
]
