"""Writes docs/settings.md and docs/cli.md from the product itself: `python -m docs.generate`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from dream_api.cli import main
from dream_api.core.settings import Settings

HERE = Path(__file__).parent
# Options of every command; the head of the page lists them once.
_EVERYWHERE = {"--data", "--json"}

# One for each command, as it is typed.
EXAMPLES = {
    "serve": "dream-api serve --port 9000 --data /var/lib/dream-api",
    "worker": "DREAM_DATABASE_URL=postgresql://dream@db/dream dream-api worker",
    "operator-link": "dream-api operator-link",
    "platform create": "dream-api platform create 'Acme Ltd' --level 1",
    "platform list": "dream-api platform list",
    "project create": "dream-api project create 'My API' --type saas --live",
    "project list": "dream-api project list --json",
    "project origins": "dream-api project origins prj_… --add https://myapp.com --add 'https://*.myapp.com'",
    "token create": "dream-api token create --platform plt_… --role member --name 'Ada, CI' --expires-days 90",
    "token list": "dream-api token list --platform plt_…",
    "token revoke": "dream-api token revoke tok_…",
    "keys create": "dream-api keys create --project prj_… --mode live --name 'web server'",
    "keys list": "dream-api keys list --project prj_…",
    "keys rotate": "dream-api keys rotate --project prj_… --mode live --grace-hours 48",
    "keys reveal": "dream-api keys reveal key_… --project prj_…",
    "keys limit": "dream-api keys limit key_… --project prj_… --per-second 50",
    "keys revoke": "dream-api keys revoke key_… --project prj_…",
    "tier set": "dream-api tier set --project prj_… --name pro --limit 100000 --limit meter=seats,max=5 --price 19.99",
    "tier list": "dream-api tier list --project prj_… --mode live",
    "levels": "dream-api levels",
    "levels set": "dream-api levels set 2 --active-users-per-hour 500 --requests-per-day unlimited --price 90",
    "levels assign": "dream-api levels assign plt_… 2",
    "events list": "dream-api events list --project prj_… --mode live",
    "events replay": "dream-api events replay evt_… --project prj_…",
    "jobs dead": "dream-api jobs dead --limit 10",
    "jobs retry": "dream-api jobs retry job_…",
    "migrate": "dream-api migrate --data /var/lib/dream-api",
    "doctor": "dream-api doctor --json",
}

_SETTINGS_HEAD = """\
# Settings

Every setting is an environment variable, read once when the server or a command starts. What is not set has its
default; an empty variable counts as not set. `dream-api serve` takes `--host`, `--port`, `--data`, and `--workers` for
`DREAM_PROCESSES`, and every command takes `--data`; what was typed goes before the environment.

Made from `src/dream_api/core/settings.py` by `python -m docs.generate`.
"""

_CLI_HEAD = """\
# Commands

`dream-api` works on the instance that `DREAM_DATA` or `DREAM_DATABASE_URL` names, also while its server runs: a command
is one short transaction, retried for 5 seconds where others lock the database. What it changes is in force within a
second. After `make install` it is `.venv/bin/dream-api`; `python -m dream_api` is the same.

Every command takes two options. `--data DIR` names the data directory, instead of `DREAM_DATA`. `--json` answers one
JSON document on standard output, also for an error: `{"error", "code", "param", "hint"}`.

Exit codes: 0 done; 1 could not be done, or `doctor` found something; 2 could not be understood.

`serve` and `migrate` create an instance where there is none: the data directory, the database and the instance key.
Every other command stops there with `no_instance` and creates nothing, so that a command in a wrong directory is
noticed. The embedded database is created under another name and renamed once it is whole; a first start that was
interrupted begins again at the next.

Where an instance was and its database is lost, no command goes on with an empty one. That is so where `dream.db` is
empty, cut off or without its tables, and where it is missing while `instance.key`, `objects` or `dream.db-wal` are
still in its directory. Restore a backup, or move what is left out of the directory to start again. (An instance key of
your own choice is set by `DREAM_INSTANCE_KEY`, not by a file that is there before the database.)

After the server was stopped, or a command ended that ran alone, everything is in the one file `dream.db`: a copy of it
and of `instance.key` is a whole backup (with `objects`, where assets are kept there). While `dream.db-wal` is
there, it is not.

Made from the commands themselves by `python -m docs.generate`.
"""

_CLI_TAIL = """\
## When a command stops

A command that cannot do its work says why in one sentence, and what to do next. Its code is one of the
[error codes](errors) of the server, or one of these:

- `already_running`: another server works on the same data directory. There is one server for each; commands may run
  at the same time.
- `cannot_listen`: the address or port is taken or not this machine's. Choose another with `--host` and `--port`.
- `database_damaged`: the embedded database is cut off or lacks tables. Restore a backup.
- `database_empty`: the file of the embedded database holds nothing. Restore a backup, or start again as above.
- `database_missing`: the embedded database is gone from its directory. Restore a backup, set `DREAM_DATABASE_URL` where
  the instance is on PostgreSQL, or start again as above.
- `ended_at_once`: the server received a second signal to stop and waited for nothing. Requests in progress may be
  counted all the same.
- `foreign_schema`: the database was written by a newer release, or is no database of dream-api.
- `instance_key_missing`: the database is there, and its instance key is not in this data directory. Name the directory
  that holds it, or set `DREAM_INSTANCE_KEY`. Only `serve` and `migrate` create one.
- `misused`: what was typed could not be understood; exit code 2.
- `no_instance`: there is nothing at this place. Name another with `--data`, `DREAM_DATA` or `DREAM_DATABASE_URL`, or
  create an instance with `serve` or `migrate`.
- `processes_need_postgresql`: the embedded database has one server, so `--workers` (`DREAM_PROCESSES`) must be 1 there.
- `references_broken`: the schema cannot be upgraded, because rows refer to rows that do not exist. Nothing was changed.
- `seal_broken`: something encrypted cannot be decrypted with this instance key. Set the key with which it was written.
- `setting_invalid`: the setting named in `param` has a value that cannot be used.
- `worker_needs_postgresql`: on the embedded database the server runs the jobs itself.
"""


def settings_page() -> str:
    parts = [_SETTINGS_HEAD]
    for name, field in Settings.model_fields.items():
        values = f"Default: {_default(field.default)}.{_values(field)}"
        parts.append(f"## `DREAM_{name.upper()}`\n\n{field.description}\n\n{values}\n")
    return "\n".join(parts)


def cli_page() -> str:
    parts = [_CLI_HEAD]
    parts += [_command(name, command) for name, command in commands()]
    return "\n".join([*parts, _CLI_TAIL])


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that can be run, with its whole name."""
    for name in main.COMMANDS:
        yield from _leaves(name, main.load_command(name))


def _leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    children: dict[str, Any] = getattr(command, "commands", {})
    if not children or command.invoke_without_command:
        yield name, command
    for child, nested in children.items():
        yield from _leaves(f"{name} {child}", nested)


def _command(name: str, command: Any) -> str:
    context = command.make_context(f"dream-api {name}", [], resilient_parsing=True)
    options = [_option(each, context) for each in command.params if not _EVERYWHERE & {*each.opts}]
    parts = [f"## `dream-api {name}`", " ".join(command.help.split()), f"```\n{EXAMPLES[name]}\n```"]
    return "\n\n".join([*parts, "\n".join(options)] if options else parts) + "\n"


def _option(parameter: Any, context: Any) -> str:
    what, said = parameter.get_help_record(context)
    what = parameter.display_name_raw if parameter.param_type_name == "argument" else " ".join(what.split())
    return f"- `{what}`: {' '.join(said.split())}"


def _values(field: FieldInfo) -> str:
    """Which values a setting takes, where a few words are enough."""
    if get_origin(field.annotation) is Literal:
        return " One of " + ", ".join(f"`{value}`" for value in get_args(field.annotation)) + "."
    bounds = {type(bound).__name__: bound for bound in field.metadata}
    limits = [f"at least {bounds['Ge'].ge:,}"] if "Ge" in bounds else []
    limits += [f"at most {bounds['Le'].le:,}"] if "Le" in bounds else []
    return f" {' and '.join(limits).capitalize()}." if limits and field.annotation is int else ""


def _default(value: object) -> str:
    if value is None or value == ():
        return "not set"
    return f"`{value}`"


def write() -> None:
    (HERE / "settings.md").write_text(settings_page())
    (HERE / "cli.md").write_text(cli_page())


if __name__ == "__main__":
    write()
