"""Uploads: the file in a request, which is the whole body or the first file of a form."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from functools import partial
from typing import TypeVar

from dream_api.core.errors import MalformedRequest, ValidationFailed

T = TypeVar("T")

_MULTIPART = "multipart/form-data"
_LONGEST_BOUNDARY = 70
_LARGEST_HEAD = 8_192
# The library takes quadratic time to read the parameters of a header.
_LONGEST_FIELD = 1_024
_MOST_PARTS = 20
_LONGEST_NAME = 120
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\"\\/:*?<>|\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file and its name on the sender's device; empty where none was sent."""

    content: bytes
    name: str


def parse_upload(body: bytes, content_type: str | None, name: str) -> Upload:
    """`name` is of a body that is the file itself; raises where there is no file in it."""
    kind = _header("Content-Type", (content_type or "").replace("\r", " ").replace("\n", " "))
    found = Upload(body, name)
    if kind.get_content_type() == _MULTIPART:
        boundary = _understood(partial(kind.get_param, "boundary"))
        if not isinstance(boundary, str) or not 1 <= len(boundary) <= _LONGEST_BOUNDARY or not boundary.isascii():
            raise MalformedRequest("The form names no boundary.", hint=_HINT)
        found = _first_file(body, boundary.encode())
    if not found.content:
        raise ValidationFailed("There is no file, or it is empty.", param="file", hint=_HINT)
    return Upload(found.content, clean_file_name(found.name))


_HINT = "Send the file as the body, or in a form as multipart/form-data."


def clean_file_name(name: str) -> str:
    """Without folders, and without what a file's name cannot have."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return _UNSAFE.sub("_", last.encode(errors="replace").decode()).strip(". _")[:_LONGEST_NAME]


def _first_file(body: bytes, boundary: bytes) -> Upload:
    """A form's parts stand between lines of its boundary; the last one ends in two more dashes."""
    for number, part in enumerate((b"\r\n" + body).split(b"\r\n--" + boundary, _MOST_PARTS + 1)[1:]):
        if part.startswith(b"--"):
            break
        if number == _MOST_PARTS:
            raise MalformedRequest(f"The form has no file among its first {_MOST_PARTS} fields.", hint=_HINT)
        head, found, content = part.partition(b"\r\n\r\n")
        if not found or len(head) > _LARGEST_HEAD:
            raise MalformedRequest("The form cannot be read.", hint=_HINT)
        name = _file_name(head)
        if name is not None:
            return Upload(content, name)
    return Upload(b"", "")


def _file_name(head: bytes) -> str | None:
    """What the part says that its file is called; None where it is no file."""
    for line in head.decode(errors="replace").split("\r\n"):
        field, _, value = line.partition(":")
        if field.strip().lower() == "content-disposition":
            return _understood(_header("Content-Disposition", value.strip()).get_filename)
    return None


def _header(name: str, value: str) -> Message:
    if len(value) > _LONGEST_FIELD:
        raise MalformedRequest(f"The header {name} has more than {_LONGEST_FIELD:,} characters.", hint=_HINT)
    message = Message()
    message[name] = value
    return message


def _understood(read: Callable[[], T]) -> T:
    """The result of parsing a header; the library fails on parts with impossible numbers."""
    try:
        return read()
    except (TypeError, ValueError):
        raise MalformedRequest("The form cannot be read.", hint=_HINT) from None
