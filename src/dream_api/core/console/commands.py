"""Command groups: turn plain async functions into commands, each with `--json` and `--data`."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from dream_api.core.console.instance import CommandContext, Instance, retry_while_locked
from dream_api.core.console.output import CommandResult
from dream_api.core.console.runner import run_on_instance

P = ParamSpec("P")
InTransaction = Callable[Concatenate[CommandContext, P], Awaitable[CommandResult]]
OnInstance = Callable[Concatenate[Instance, P], Awaitable[CommandResult]]

AsJson = Annotated[bool, typer.Option("--json", help="Answer JSON on standard output, for programs.")]
Data = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="The data directory, instead of DREAM_DATA.")]
_COMMON_OPTIONS = (
    Parameter("data", Parameter.KEYWORD_ONLY, default=None, annotation=Data),
    Parameter("as_json", Parameter.KEYWORD_ONLY, default=False, annotation=AsJson),
)


class CommandGroup:
    """The commands of one name, such as `keys`.

    A function becomes a command: its first word is the name, its docstring the help.
    """

    def __init__(self) -> None:
        self.typer = typer.Typer(
            no_args_is_help=True, rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False
        )

    def reads(self, function: InTransaction[P]) -> InTransaction[P]:
        """A command that reads in one transaction."""
        self.typer.command(_name(function))(_in_transaction(function, writes=False))
        return function

    def writes(self, function: InTransaction[P]) -> InTransaction[P]:
        """A command that writes in one short transaction, retried for 5 s while the database is locked."""
        self.typer.command(_name(function))(_in_transaction(function, writes=True))
        return function

    def on_instance(self, function: OnInstance[P]) -> OnInstance[P]:
        """A command with transactions of its own, on an instance that it prepares itself."""
        self.typer.command(_name(function))(_on_instance(function))
        return function

    def on_instance_as(self, name: str) -> Callable[[OnInstance[P]], OnInstance[P]]:
        """As `on_instance`, under a name of several words, which is typed also where the group has no other command."""
        self.typer.callback()(lambda: None)

        def register(function: OnInstance[P]) -> OnInstance[P]:
            self.typer.command(name)(_on_instance(function))
            return function

        return register

    def creates_instance(self, function: OnInstance[P]) -> OnInstance[P]:
        """The same, and creates an instance where there is none; all other commands fail there."""
        self.typer.command(_name(function))(_on_instance(function, creates=True))
        return function

    def default_command(self, function: InTransaction[P]) -> InTransaction[P]:
        """The command that runs where the group's name is typed without a subcommand."""
        command = _in_transaction(function, writes=False)

        def callback(context: typer.Context, **given: Any) -> None:
            if context.invoked_subcommand is None:
                command(context, **given)

        _with_signature_of(callback, function)
        self.typer.callback(invoke_without_command=True, no_args_is_help=False)(callback)
        return function


def _in_transaction(function: InTransaction[...], *, writes: bool) -> Callable[..., None]:
    async def run_in_transaction(instance: Instance, **given: Any) -> CommandResult:
        async def attempt() -> CommandResult:
            async with instance.transaction(writes=writes) as command_context:
                return await function(command_context, **given)

        await instance.prepare()
        return await retry_while_locked(attempt)

    return _with_signature_of(_on_instance(run_in_transaction), function)


def _on_instance(function: OnInstance[...], *, creates: bool = False) -> Callable[..., None]:
    def command(context: typer.Context, *, as_json: bool, data: Path | None, **given: Any) -> None:
        async def work(instance: Instance) -> CommandResult:
            return await function(instance, **given)

        run_on_instance(context, work, as_json=as_json, data=data, creates=creates)

    return _with_signature_of(command, function)


def _with_signature_of(command: Callable[..., None], function: Callable[..., Any]) -> Callable[..., None]:
    """The command, with the function's parameters except the first, the options of every command, and its help."""
    _, *own = inspect.signature(function, eval_str=True).parameters.values()
    context = Parameter("context", Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    named = [
        parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in own if parameter.kind != Parameter.VAR_KEYWORD
    ]
    signature = Signature([context, *named, *_COMMON_OPTIONS])
    command.__signature__ = signature  # pyright: ignore[reportFunctionMemberAccess]
    command.__annotations__ = {name: each.annotation for name, each in signature.parameters.items()}
    command.__doc__ = function.__doc__
    return command


def _name(function: Callable[..., Any]) -> str:
    return function.__name__.partition("_")[0]
