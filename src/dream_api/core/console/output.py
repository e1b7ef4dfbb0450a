"""Results of commands: JSON for programs, text and tables for people."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rich.console import Console, RenderableType

# Wider than anything we print: what goes into a file or a pipe is never cut or folded.
_UNBOUNDED = 10_000


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The same result twice: `data` for `--json`, `shown` as text.

    `is_good` false: the command ran and found a problem, exit code 1.
    """

    data: Mapping[str, Any]
    shown: RenderableType
    is_good: bool = True


def console(*, is_error: bool = False, is_quiet: bool = False) -> Console:
    """Colours and the window's width on a terminal; elsewhere plain text that is never folded."""
    stream = sys.stderr if is_error else sys.stdout
    width = None if stream.isatty() else _UNBOUNDED
    return Console(file=stream, quiet=is_quiet, width=width, highlight=False, soft_wrap=width is not None)


def print_json(data: Mapping[str, Any]) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False, default=_plain) + "\n")
    sys.stdout.flush()


def _plain(value: object) -> str | int:
    """PostgreSQL's sums are decimals, digests are bytes; the same JSON on both databases."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return value.hex() if isinstance(value, bytes) else str(value)


def print_result(result: CommandResult, *, as_json: bool) -> None:
    if as_json:
        print_json(result.data)
    else:
        console().print(result.shown)
