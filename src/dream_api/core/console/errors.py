"""Errors of commands: which exceptions are shown as a sentence with a hint, and how."""

import json
import sys
from typing import Any

from pydantic import ValidationError
from rich.text import Text

from dream_api.core.console.output import console
from dream_api.core.db import DatabaseUnusable
from dream_api.core.errors import AppError, NotFound, ValidationFailed
from dream_api.core.secrets import DecryptionFailed, InstanceKeyUnusable

# Their own hints speak to callers of the API.
_HINTS_FOR_CALLERS = (NotFound.hint, ValidationFailed.hint)
_SETTING_HINT = "Correct or unset it. docs/settings.md lists the values of each setting."
_SEAL_HINT = "`dream-api doctor` lists the values that the instance key cannot decrypt. Create new ones in their place."


class CommandError(Exception):
    """A command failed: shown as a sentence and a hint, with exit code 1."""

    def __init__(self, sentence: str, *, code: str, hint: str = "", param: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code
        self.hint = hint
        self.param = param


def to_command_error(problem: Exception, command: str) -> CommandError | None:
    """The error to show for an exception; None where it is a bug."""
    match problem:
        case CommandError():
            return problem
        case DecryptionFailed():
            return CommandError(problem.sentence, code=problem.code, hint=_SEAL_HINT)
        case AppError():
            hint = problem.hint if problem.hint not in _HINTS_FOR_CALLERS else f"See `{command} --help`."
            return CommandError(problem.sentence, code=problem.code, hint=hint, param=problem.param)
        case DatabaseUnusable() | InstanceKeyUnusable():
            return CommandError(str(problem), code=problem.code, hint=problem.hint)
        case ValidationError():
            return _settings_error(problem)
        case _:
            return None


def _settings_error(problem: ValidationError) -> CommandError:
    first = problem.errors()[0]
    name = f"DREAM_{first['loc'][0]}".upper() if first["loc"] else "DREAM_*"
    reason = first["msg"].removeprefix("Value error, ")
    return CommandError(
        f"The setting {name} is not valid: {reason}.", code="setting_invalid", param=name, hint=_SETTING_HINT
    )


def print_error(error: CommandError, *, as_json: bool) -> None:
    """JSON on standard output for programs, a sentence and a hint on standard error for people."""
    if as_json:
        sys.stdout.write(json.dumps(_as_data(error), indent=2, ensure_ascii=False) + "\n")
        return
    screen = console(is_error=True)
    screen.print(Text.assemble(("✗ ", "red"), error.sentence))
    if error.hint:
        screen.print(Text(f"  {error.hint}", "dim"))


def _as_data(error: CommandError) -> dict[str, Any]:
    return {"error": error.sentence, "code": error.code, "param": error.param, "hint": error.hint}
