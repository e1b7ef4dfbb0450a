"""Runs a command: reads the settings, does the work, prints the result or the error."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import typer

from dream_api.core.console.errors import print_error, to_command_error
from dream_api.core.console.instance import AppModule, Instance, open_instance
from dream_api.core.console.output import CommandResult, console, print_result
from dream_api.core.settings import Settings

Work = Callable[[Instance], Awaitable[CommandResult]]


def run_on_instance(
    context: typer.Context, work: Work, *, as_json: bool, data: Path | None, creates: bool = False
) -> None:
    """Run the work on an opened instance and print its result; `creates`: also where there is no instance yet."""

    async def on_instance(settings: Settings) -> CommandResult:
        app: AppModule = context.obj()
        async with open_instance(app, settings, console(is_quiet=as_json), creates=creates) as instance:
            return await work(instance)

    def run_and_print() -> None:
        result = asyncio.run(on_instance(load_settings(data=data)))
        print_result(result, as_json=as_json)
        if not result.is_good:
            raise typer.Exit(1)

    run(context, run_and_print, as_json=as_json)


def run(context: typer.Context, work: Callable[[], None], *, as_json: bool) -> None:
    """Do the work; a failure is shown as a sentence and a hint, with exit code 1."""
    try:
        work()
    except BrokenPipeError:
        # The reader of our output closed it, such as `head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except Exception as problem:
        error = to_command_error(problem, context.command_path)
        if error is None:
            raise
        print_error(error, as_json=as_json)
        raise typer.Exit(1) from problem


def load_settings(**given: Any) -> Settings:
    """The settings from the environment; options of the command line take precedence."""
    return Settings(**{name: value for name, value in given.items() if value is not None})
