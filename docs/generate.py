"""Generates docs/settings.md and docs/cli.md from the code: `python -m docs.generate`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from dream_api.cli import main
from dream_api.core.settings import Settings

HERE = Path(__file__).parent
# Options of every command, which the head of the page lists once.
_EVERYWHERE = {"--data", "--json"}

# One for each command, as it is typed.
EXAMPLES = {
    "serve": "dream-api serve --port 9000 --data /var/lib/dream-api",
    "init": "dream-api init --json --data /var/lib/dream-api",
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
    "usage rebuild-rollups": "dream-api usage rebuild-rollups",
    "jobs dead": "dream-api jobs dead --limit 10",
    "jobs retry": "dream-api jobs retry job_…",
    "migrate": "dream-api migrate --data /var/lib/dream-api",
    "doctor": "dream-api doctor --json",
}

_SETTINGS_HEAD = """\
# Settings

Every setting is an environment variable. Settings are read once, when the server or a command starts. A setting that
is not set, or is empty, has its default value. `dream-api serve` also accepts the options `--host`, `--port`,
`--data` and `--workers` (for `DREAM_PROCESSES`), and every command accepts `--data`. An option overrides the
environment variable.

This page is generated from `src/dream_api/core/settings.py` by `python -m docs.generate`.
"""

_CLI_HEAD = """\
# Commands

`dream-api` manages the instance that `DREAM_DATA` or `DREAM_DATABASE_URL` names. You can run commands while the
server is running. If the database is locked, a command retries for 5 seconds. Changes take effect within a second.
After `make install`, the command is `.venv/bin/dream-api`. You can also use `python -m dream_api`.

Every command has two more options. `--data DIR` sets the data directory and overrides `DREAM_DATA`. `--json` prints
one JSON document to standard output. Errors are then printed as `{"error", "code", "param", "hint"}`.

The exit code is 0 if the command succeeded, 1 if it failed or `doctor` found a problem, and 2 if the arguments are
invalid.

## Where instances are created

`serve`, `init` and `migrate` create an instance if there is none: the data directory, the database and the instance
key. The instance starts with the operator's platform *My company*, with the project *My first project* and its test
keys, and with the project *Platform levels*, whose plans are the levels of other platforms. Every other command then
prints the error `no_instance` and creates nothing, so that you notice when you are in the wrong directory. A SQLite
database is created under another name and renamed when it is complete. If the first start is interrupted, the next
start begins again.

## The instance key

The instance key encrypts values in the database that must be readable again: test secret keys and the secrets of
authenticator apps. It is the file `instance.key` in the data directory, or the value of `DREAM_INSTANCE_KEY`. It is
created once, together with the instance. The database stores its fingerprint. `serve`, `worker` and the commands that
need the key compare it. They fail with `instance_key_wrong` if the key is another one, and with
`instance_key_missing` if there is none. A database of an earlier release gets the fingerprint at its first start, if
all encrypted values can be decrypted. `doctor` checks both.

If a key is lost for good, stop all servers of the instance and run `dream-api init --new-key`. It lists the values
that can no longer be decrypted, asks for confirmation (not with `--yes`) and deletes them. After that, test secret
keys still work but cannot be shown again, and users of an authenticator app sign in without a code until they set it
up again. Values that the current key can decrypt are kept. If there is no key, a new one is created.

## A lost database

If the SQLite database of an existing instance is lost, no command creates a new, empty one. The database counts as
lost if `dream.db` is empty, incomplete or has no tables. It also counts as lost if `dream.db` is missing but
`instance.key`, `objects` or `dream.db-wal` is still in the directory. Restore a backup. Or move the remaining files
to another directory to start again. To use your own instance key for a new instance, set `DREAM_INSTANCE_KEY` instead
of creating the file.

## Back up a SQLite instance

After the server stops, or after a command that ran alone, all data is in the single file `dream.db`. A copy of this
file and of `instance.key` is a complete backup. If files are stored in the data directory, also copy `objects`. While
the file `dream.db-wal` exists, a copy of `dream.db` is not complete.

This page is generated from the commands by `python -m docs.generate`.
"""

_CLI_TAIL = """\
## Errors

When a command fails, it prints a message and what to do next. Its code is one of the [error codes](errors) of the
server, or one of these:

- `already_running`: another server uses the same data directory. Only one server can use it. You can run commands at
  the same time.
- `cannot_listen`: the address or port is in use, or does not belong to this machine. Choose another one with `--host`
  and `--port`.
- `confirmation_needed`: the command deletes something, and nobody can be asked. Run it again with `--yes`.
- `database_damaged`: the SQLite database is incomplete or has no tables. Restore a backup.
- `database_empty`: the file of the SQLite database is empty. Restore a backup, or start again as described above.
- `database_missing`: the SQLite database is missing from its directory. Restore a backup, or start again as described
  above. If the instance uses PostgreSQL, set `DREAM_DATABASE_URL`.
- `ended_at_once`: the server received a second signal to stop, and stopped without waiting. Requests in progress may
  have been counted.
- `foreign_schema`: the database was written by a newer release, or is not a dream-api database.
- `instance_key_fits`: `init --new-key` found the correct key of this instance, so it did not replace it.
- `instance_key_missing`: there is a database, but its instance key is not in this data directory. Use the directory
  that contains the key, or set `DREAM_INSTANCE_KEY`. See [the instance key](#the-instance-key).
- `instance_key_wrong`: the instance key is not that of this database. The message shows the fingerprints of both.
  Restore the right key, as its file or in `DREAM_INSTANCE_KEY`.
- `misused`: the arguments are invalid. The exit code is 2.
- `no_instance`: there is no instance at this location. Choose another one with `--data`, `DREAM_DATA` or
  `DREAM_DATABASE_URL`. Or create an instance with `serve` or `init`.
- `operator_exists`: the operator's account exists already, so there is no link to show. `--another` creates a link
  for one more operator.
- `processes_need_postgresql`: a SQLite database can have only one server process, so `--workers` (`DREAM_PROCESSES`)
  must be 1.
- `references_broken`: the schema cannot be upgraded, because some rows refer to rows that do not exist. Nothing was
  changed.
- `setting_invalid`: the setting in `param` has an invalid value.
- `worker_needs_postgresql`: with SQLite, the server runs the background jobs itself.
"""


_MORE = {
    "init": """\
`--json` prints the same fields whether the instance was created or existed before. `created` shows which, and the
exit code is 0 in both cases. An existing instance is not changed, and `operatorLink` and `keys` are `null`: show the
link again with `operator-link`, and the keys with `keys reveal`. (For a database of an earlier release, only `data`,
`database` and `revision` are known.)

```
{
  "created": true,
  "data": "/var/lib/dream-api",
  "database": "/var/lib/dream-api/dream.db",
  "revision": "0008",
  "instanceKey": {"place": "/var/lib/dream-api/instance.key", "fingerprint": "9f86d081884c7d65"},
  "hasOperator": false,
  "operatorLink": {"url": "https://api.example.com/account/operator/o_…", "expiresAt": "2026-12-01T19:10:50.539030Z"},
  "platform": {"platformId": "plt_…", "name": "My company"},
  "project": {"projectId": "prj_…", "name": "My first project", "type": "saas"},
  "keys": {"test": {"publishableKey": "pk_test_…", "secretKey": "sk_test_…"}}
}
```

With `--new-key` it prints `created`, `instanceKey` and what was deleted:
`"cleared": [{"what": "test secret keys", "count": 3}]`.""",
    "serve": """\
The first start creates the instance, as `init` does. In a terminal, it prints the URLs of the dashboard and the
documentation. Until the operator has created an account, it also prints the operator's link and the test keys of the
first project. Without a terminal, it logs the event `listening`, and `operator_link` while the link is pending.
`--json` prints `{"url", "dashboard", "docs", "pid", "operatorLink"}` when the server is listening.""",
}


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
    """Every command that can be run, with its full name."""
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
    parts += ["\n".join(options)] if options else []
    parts += [_MORE[name]] if name in _MORE else []
    return "\n\n".join(parts) + "\n"


def _option(parameter: Any, context: Any) -> str:
    what, said = parameter.get_help_record(context)
    what = parameter.display_name_raw if parameter.param_type_name == "argument" else " ".join(what.split())
    return f"- `{what}`: {' '.join(said.split())}"


def _values(field: FieldInfo) -> str:
    """The allowed values of a setting, as a short sentence."""
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
