"""The security log: who did what, when and from where; nothing in it can be changed unseen.

It is kept in books, one for each platform and for each person (`plt_…`, `usr_…`). Within a book every entry's digest
covers the one before. What tells of a person is covered by a digest of its own, salted, so that it can be erased while
the chain still verifies; what is too old is cut off at a place that is sealed with the instance key.
"""

from dream_api.audit.actions import ACTIONS
from dream_api.audit.entries import Entry, Known, actors_of, entries_of
from dream_api.audit.erasure import erase_old
from dream_api.audit.integrity import checks
from dream_api.audit.recorder import OPERATOR, Actor, ActorKind, record, record_in_streams
from dream_api.audit.truncation import delete_stream, truncate

__all__ = [
    "ACTIONS",
    "OPERATOR",
    "Actor",
    "ActorKind",
    "Entry",
    "Known",
    "actors_of",
    "checks",
    "delete_stream",
    "entries_of",
    "erase_old",
    "record",
    "record_in_streams",
    "truncate",
]
