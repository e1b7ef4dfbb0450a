"""The file of a `multipart/form-data` request, parsed by Starlette while it arrives and kept in memory.

What Starlette's parser leaves open is bounded here: the length of `Content-Type`, the characters of the boundary, the
character set that fields are read in (always UTF-8: the client's choice would be looked up among Python's codecs), and
how long the event loop is busy at a time.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from dream_api.assets import Upload
from dream_api.core.errors import MalformedRequest

_MULTIPART = "multipart/form-data"
# RFC 2046, 5.1.1: what a boundary may consist of.
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
# The library takes quadratic time to read the parameters of a header; those of parts it bounds itself, at 4 KB.
_MAX_CONTENT_TYPE = 1_024
_MAX_FIELDS = 20
_MAX_FIELD_BYTES = 16_384
# A few milliseconds of parsing, whatever the bytes are; then other requests have their turn.
_PIECE_BYTES = 16_384
_HINT = "Send the file as the request body, or in a multipart/form-data form."


def is_multipart(content_type: str | None) -> bool:
    return (content_type or "").partition(";")[0].strip().lower() == _MULTIPART


async def read_form_file(content_type: str, chunks: AsyncIterator[bytes]) -> Upload:
    """The first file among the form's fields, empty where there is none; MalformedRequest where it is no such form."""
    try:
        form = await _Parser(_boundary(content_type), chunks).parse()
    except MultiPartException as problem:
        raise MalformedRequest(f"The form cannot be read: {problem.message.rstrip('.')}.", hint=_HINT) from None
    try:
        for _, value in form.multi_items():
            if isinstance(value, UploadFile):
                return Upload(await value.read(), value.filename or "")
        return Upload(b"", "")
    finally:
        await form.close()


class _Parser(MultiPartParser):
    # 0 is without end: nothing is written to a temporary file, and the request as a whole is bounded.
    spool_max_size = 0

    def __init__(self, boundary: str, chunks: AsyncIterator[bytes]) -> None:
        super().__init__(
            Headers({"content-type": f'{_MULTIPART}; boundary="{boundary}"'}),
            self._pieces(chunks),
            max_files=_MAX_FIELDS,
            max_fields=_MAX_FIELDS,
            max_part_size=_MAX_FIELD_BYTES,
        )
        self._is_complete = False

    def on_end(self) -> None:
        self._is_complete = True

    async def _pieces(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        async for chunk in chunks:
            for start in range(0, len(chunk), _PIECE_BYTES):
                yield chunk[start : start + _PIECE_BYTES]
                await asyncio.sleep(0)
        if not self._is_complete:
            # Raised from here, where Starlette closes the files that it has begun; it accepts such forms itself.
            raise MultiPartException("Its last boundary is missing.")


def _boundary(content_type: str) -> str:
    if len(content_type) > _MAX_CONTENT_TYPE:
        raise MalformedRequest(f"The header Content-Type has more than {_MAX_CONTENT_TYPE:,} characters.", hint=_HINT)
    _, parameters = parse_options_header(content_type)
    boundary = parameters.get(b"boundary", b"")
    if not _BOUNDARY.fullmatch(boundary):
        raise MalformedRequest("The form has no boundary.", hint=_HINT)
    return boundary.decode()
