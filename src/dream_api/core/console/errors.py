"""What ends a command early: refusals of rules, and what stands in the way before any rule is asked."""

import json
import sys
from typing import Any

from pydantic import ValidationError
from rich.text import Text

from dream_api.core.console.output import console
from dream_api.core.db import DatabaseUnusable
from dream_api.core.errors import AppError, NotFound, ValidationFailed
from dream_api.core.secrets import DecryptionFailed, InstanceKeyMissing

# Their own hints speak to callers of the API.
_HINTS_FOR_CALLERS = (NotFound.hint, ValidationFailed.hint)
_KEY_MISSING_HINT = (
    "Set DREAM_INSTANCE_KEY, or name the data directory that holds it with --data or DREAM_DATA. "
    "`dream-api serve` creates the key of an instance that never had one."
)
_SETTING_HINT = "Correct or unset it; docs/settings.md tells which values each setting takes."
_INSTANCE_KEY_HINT = "Give back the instance.key (or DREAM_INSTANCE_KEY) that it was sealed with, or make a new key."


class CommandError(Exception):
    """A command could not do its work; told like a refusal."""

    def __init__(self, sentence: str, *, code: str, hint: str = "", param: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code
        self.hint = hint
        self.param = param


def stop_of(problem: Exception, command: str) -> CommandError | None:
    """How the problem is told to whoever typed the command; None where it is a bug of ours."""
    match problem:
        case CommandError():
            return problem
        case AppError():
            hint = problem.hint if problem.hint not in _HINTS_FOR_CALLERS else f"See `{command} --help`."
            return CommandError(problem.sentence, code=problem.code, hint=hint, param=problem.param)
        case DatabaseUnusable():
            return CommandError(str(problem), code=problem.code, hint=problem.hint)
        case InstanceKeyMissing() | DecryptionFailed():
            return _stop_of_key(problem)
        case ValidationError():
            return _stop_of_settings(problem)
        case _:
            return None


def _stop_of_key(problem: InstanceKeyMissing | DecryptionFailed) -> CommandError:
    if isinstance(problem, DecryptionFailed):
        return CommandError(str(problem), code="seal_broken", hint=_INSTANCE_KEY_HINT)
    return CommandError(str(problem), code="instance_key_missing", hint=_KEY_MISSING_HINT)


def _stop_of_settings(problem: ValidationError) -> CommandError:
    first = problem.errors()[0]
    name = f"DREAM_{first['loc'][0]}".upper() if first["loc"] else "DREAM_*"
    reason = first["msg"].removeprefix("Value error, ")
    return CommandError(
        f"The setting {name} cannot be used: {reason}.", code="setting_invalid", param=name, hint=_SETTING_HINT
    )


def tell_stop(stop: CommandError, *, as_json: bool) -> None:
    """JSON on standard output for programs, a sentence and a hint on standard error for people."""
    if as_json:
        sys.stdout.write(json.dumps(_as_data(stop), indent=2, ensure_ascii=False) + "\n")
        return
    screen = console(is_error=True)
    screen.print(Text.assemble(("✗ ", "red"), stop.sentence))
    if stop.hint:
        screen.print(Text(f"  {stop.hint}", "dim"))


def _as_data(stop: CommandError) -> dict[str, Any]:
    return {"error": stop.sentence, "code": stop.code, "param": stop.param, "hint": stop.hint}
