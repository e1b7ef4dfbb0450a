"""Content types of files, detected from their first bytes; the uploaded type and name are ignored."""

import re

ContentType = str
# What nothing is known of, and what must not be opened in a browser.
BINARY: ContentType = "application/octet-stream"
TEXT: ContentType = "text/plain; charset=utf-8"

_BEGINNINGS: tuple[tuple[bytes, ContentType], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"OggS", "application/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"wOF2", "font/woff2"),
    (b"wOFF", "font/woff"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
    **dict.fromkeys((b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V "), "video/mp4"),
    b"M4A ": "audio/mp4",
    b"qt  ": "video/quicktime",
}
# Shown where a page asks for it; all else is saved.
_SHOWN = ("image/", "video/", "audio/", "font/", "text/plain")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")
_MARKUP = re.compile(rb"<\s*[!?/a-z]", re.IGNORECASE)


def sniff_content_type(content: bytes) -> ContentType:
    """One of a closed list; markup of any kind is binary, so that no browser reads it."""
    for beginning, kind in _BEGINNINGS:
        if content.startswith(beginning):
            return kind
    if content[:4] == b"RIFF":
        return _RIFF.get(content[8:12], BINARY)
    if content[4:8] == b"ftyp":
        return _BRANDS.get(content[8:12], BINARY)
    return TEXT if _is_plain_text(content) else BINARY


def is_displayable(kind: ContentType) -> bool:
    """Whether browsers may show it in a page, rather than save it."""
    return kind.startswith(_SHOWN)


def _is_plain_text(content: bytes) -> bool:
    """UTF-8 without control characters, and without what begins a tag."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return False
    return _CONTROLS.search(text) is None and _MARKUP.search(content) is None
