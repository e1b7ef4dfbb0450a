"""Runs what was typed: settings first, then the work, then its answer or what stood in the way."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import typer

from dream_api.core.console.errors import stop_of, tell_stop
from dream_api.core.console.instance import AppModule, Instance, opened
from dream_api.core.console.output import CommandResult, console, print_result
from dream_api.core.settings import Settings

Work = Callable[[Instance], Awaitable[CommandResult]]


def run_on_instance(
    context: typer.Context, work: Work, *, as_json: bool, data: Path | None, creates: bool = False
) -> None:
    """Runs the work on an opened instance, and tells its answer; `creates`: also where there is none yet."""

    async def on_instance(settings: Settings) -> CommandResult:
        house: AppModule = context.obj()
        async with opened(house, settings, console(is_quiet=as_json), creates=creates) as instance:
            return await work(instance)

    def answered() -> None:
        answer = asyncio.run(on_instance(settings_of(data=data)))
        print_result(answer, as_json=as_json)
        if not answer.is_good:
            raise typer.Exit(1)

    run(context, answered, as_json=as_json)


def run(context: typer.Context, work: Callable[[], None], *, as_json: bool) -> None:
    """Does the work; what stands in its way is told in a sentence, with exit code 1."""
    try:
        work()
    except BrokenPipeError:
        # Whoever read our answer has read enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except Exception as problem:
        stop = stop_of(problem, context.command_path)
        if stop is None:
            raise
        tell_stop(stop, as_json=as_json)
        raise typer.Exit(1) from problem


def settings_of(**given: Any) -> Settings:
    """The settings from the environment; what was typed goes before them."""
    return Settings(**{name: value for name, value in given.items() if value is not None})
