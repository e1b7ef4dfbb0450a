"""The entry point of `dream-api`: its commands, whose modules are imported when they are called."""

import gc
import json
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from dream_api import __version__


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """A command or group of commands: where it is, as `module:attribute`, and its help."""

    target: str
    help: str


COMMANDS = {
    "serve": CommandEntry("dream_api.cli.serve:serving", "Run the server."),
    "init": CommandEntry("dream_api.cli.init:init", "Create an instance without starting a server."),
    "worker": CommandEntry(
        "dream_api.cli.worker:worker", "Run background jobs in a separate process (PostgreSQL only)."
    ),
    "operator-link": CommandEntry(
        "dream_api.cli.operator_link:operator_link", "Show the link that creates the operator's account."
    ),
    "platform": CommandEntry(
        "dream_api.cli.platform:platform", "Create and list platforms: the tenants of this instance."
    ),
    "project": CommandEntry(
        "dream_api.cli.platform:project", "Create and list projects, and set their allowed websites."
    ),
    "token": CommandEntry("dream_api.cli.token:token", "Create, list and revoke personal tokens of developers."),
    "keys": CommandEntry("dream_api.cli.keys:keys", "Create, list, rotate, limit and revoke API keys."),
    "tier": CommandEntry("dream_api.cli.catalog:tier", "Create, change and list plans (saas) and products (store)."),
    "levels": CommandEntry(
        "dream_api.cli.catalog:levels", "List, create and change levels, and assign one to a platform."
    ),
    "events": CommandEntry(
        "dream_api.cli.events:events", "List webhook events of payment gateways, and apply one again."
    ),
    "usage": CommandEntry("dream_api.cli.usage:usage", "Compute hourly totals of usage again."),
    "jobs": CommandEntry("dream_api.cli.instance:jobs", "List and retry failed background jobs."),
    "migrate": CommandEntry("dream_api.cli.instance:migrate", "Create or upgrade the database schema."),
    "doctor": CommandEntry("dream_api.cli.instance:doctor", "Check the integrity of the data."),
}


class LazyCommandGroup(TyperGroup):
    """Knows every command's sentence, and imports a command when it is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, command in COMMANDS.items():
            self.add_command(TyperCommand(name, help=command.help))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, _, rest = super().resolve_command(ctx, args)
        assert name is not None
        return name, load_command(name), rest

    def main(self, args: Sequence[str] | None = None, *more: Any, **settings: Any) -> Any:
        """Usage errors are shown as a sentence, or as JSON with `--json`: exit code 2."""
        typed = [*(sys.argv[1:] if args is None else args)]
        try:
            code = super().main(typed, *more, **{**settings, "standalone_mode": False})
        except typer.TyperException as problem:
            _print_usage_error(problem, as_json="--json" in typed)
            code = problem.exit_code
        sys.exit(code)


def load_command(name: str) -> Any:
    """The command or group of commands of this name."""
    module, _, attribute = COMMANDS[name].target.partition(":")
    with _without_garbage_collection():
        imported = import_module(module)
    command: Any = typer.main.get_command(getattr(imported, attribute).typer)
    command.name = name
    command.help = command.help or COMMANDS[name].help
    return command


def _app_module() -> Any:
    # The application takes more than a second to import, and only commands that work on an instance need it.
    with _without_garbage_collection():
        from dream_api import app  # noqa: PLC0415

    return app


@contextmanager
def _without_garbage_collection() -> Generator[None, None, None]:
    """Imports leave no garbage; collecting all the same would take a fifth of their time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _print_usage_error(problem: typer.TyperException, *, as_json: bool) -> None:
    context: Any = getattr(problem, "ctx", None)
    sentence = problem.format_message().strip()
    if sentence.startswith("Usage:"):
        typer.echo(sentence)  # a name was typed alone: its help says what may follow
        return
    sentence = sentence if sentence.endswith(("?", ".")) else f"{sentence}."
    hint = f"See `{context.command_path} --help`." if context is not None else ""
    if as_json:
        data = {"error": sentence, "code": "misused", "param": None, "hint": hint}
        typer.echo(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        typer.echo(f"{sentence}\n{hint}".strip(), err=True)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"dream-api {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=LazyCommandGroup,
    context_settings={"obj": _app_module, "help_option_names": ["--help", "-h"], "max_content_width": 110},
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """API keys, usage limits, customers, billing and a store, on your own server."""


def main() -> None:
    app(prog_name="dream-api")
