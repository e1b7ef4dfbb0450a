"""Structured logging: JSON lines for machines, text for people; secrets are never logged."""

import logging
import sys
from contextlib import suppress
from typing import Any, Literal, TextIO, cast

import structlog


class _Output:
    """Where lines go. One that cannot be written (full disk, closed pipe) is dropped: it must not fail a request."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def configure(form: Literal["auto", "json", "text"], level: str) -> None:
    """Send every log line, also those of libraries, to standard error in one form."""
    is_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    output = cast(TextIO, _Output(sys.stderr))
    renderer: Any = structlog.dev.ConsoleRenderer() if is_text else structlog.processors.JSONRenderer()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer] if not is_text else [*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(output),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.getLevelNamesMapping()[level.upper()], logging.WARNING))
