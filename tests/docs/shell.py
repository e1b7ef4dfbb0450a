"""Runs a page's commands as a reader would, one block after the other in one shell, and holds them to its answers."""

import itertools
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dream_api.core.settings import Settings
from tests.docs.command_server import CommandServer
from tests.docs.documents import ROOT, blocks_in_order
from tests.support.server import environment

TOLD_URL = "http://127.0.0.1:8787"
_MARK = "\x1e"
# What a reader copies from what was said before.
_COPIED = re.compile(
    r"\b((?:[sp]k_(?:test|live)|prj|plt|key|res|price|sub|ord)_)[0-9A-Za-z]{20,}|\b(cs_test_)[0-9A-Za-z_-]{20,}"
)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_KINDS = "req|res|cus|prj|plt|key|evt|tier|price|chk|sub|inv|pay|ref|ord|[sp]k_(?:test|live)"
_ID = re.compile(rf"\b((?:{_KINDS})_)[0-9A-Za-z…]+|\b(cs_test_)[0-9A-Za-z_…-]+")
# curl says the status of each answer, `make` what it would do, and a server goes into the background until it is ready.
_PRELUDE = f"""
set -euo pipefail
curl() {{
  printf '{_MARK}'
  command curl --silent --show-error --noproxy '*' --write-out '{_MARK}%{{http_code}}{_MARK}' "$@"
}}
make() {{ command make --dry-run "$@" > /dev/null; }}
dream-api() {{
  if [ "$1" != serve ]; then ask_commands "$@"; return; fi
  {shlex.quote(sys.executable)} -m dream_api "$@" > /dev/null 2>&1 &
  trap "kill $! && wait $!" EXIT
  until command curl --silent --fail --noproxy '*' "http://127.0.0.1:$DREAM_PORT/readyz" > /dev/null; do
    kill -0 $!
    sleep 0.05
  done
}}
"""


@dataclass(frozen=True)
class Step:
    """A block of commands, and the answer that the page shows below it: `json`, `http` or `text`."""

    script: str
    kind: str = ""
    answer: str = ""


def steps_of(page: str) -> Iterator[Step]:
    found = [*blocks_in_order(page), ("", "")]
    for (kind, text), (next_kind, next_text) in itertools.pairwise(found):
        if kind == "sh":
            is_answered = next_kind in ("json", "http", "text")
            yield Step(text, next_kind, next_text) if is_answered else Step(text)


class Shell:
    """A shell in which the pages' addresses, keys and ids stand for those of an instance."""

    def __init__(self, settings: Settings, said_before: str) -> None:
        """`said_before`: what a reader has on the screen already, keys and ids among it."""
        self._url = f"http://127.0.0.1:{settings.port}"
        self._database_url = settings.database_url
        self._copied: dict[str, str] = {}
        self._notice(said_before)
        self._commands = CommandServer()
        self._bash = subprocess.Popen(
            ["bash"],
            cwd=ROOT,
            env=environment(settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._type(self._commands.prelude + _PRELUDE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.close()
        rest = self._bash.stdout.read()
        self._bash.stdout.close()
        code = self._bash.wait(30)
        self._commands.close()
        if code != 0 and error is None:
            raise AssertionError(rest)

    def run(self, script: str) -> str:
        """What the commands say, with a mark before and after each answer and its status."""
        said = self._type(self._meant(script)).replace(self._url, TOLD_URL)
        self._notice(said)
        return said

    def _meant(self, script: str) -> str:
        script = script.replace(TOLD_URL, self._url).replace(".venv/bin/dream-api", "dream-api")
        script = script.replace("$PWD/.venv/bin", str(Path(sys.executable).parent))
        if self._database_url is not None:
            script = re.sub(r"postgresql://\S+", shlex.quote(self._database_url), script)
        return re.sub(r"\b([a-z_]+_)…", lambda found: self._copied.get(found[1], found[0]), script)

    def _notice(self, said: str) -> None:
        # Of several of a kind the first is the thing's own id.
        self._copied |= {found[1] or found[2]: found[0] for found in reversed([*_COPIED.finditer(said)])}

    def _type(self, script: str) -> str:
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f"{script}\nprintf '{_MARK}{_MARK}\\n'\n")
        self._bash.stdin.flush()
        said: list[str] = []
        for line in self._bash.stdout:
            said.append(line)
            if line.endswith(f"{_MARK}{_MARK}\n"):
                return "".join(said)[:-3]
        raise AssertionError(f"{script}\n{''.join(said)}")


def hold_to(step: Step, said: str) -> None:
    """The last answer is the one that the page shows; all others, and where it shows none, are good."""
    parts = said.split(_MARK)
    words, bodies, statuses = parts[::3], parts[1::3], parts[2::3]
    if step.kind in ("json", "http"):
        _hold_to_answer(step, bodies[-1], int(statuses.pop()))
    elif step.kind == "text":
        assert _plain("".join(words)).rstrip() == _plain(step.answer).rstrip()
    assert all(status.startswith("2") for status in statuses), said


def _hold_to_answer(step: Step, body: str, status: int) -> None:
    if step.kind == "json":
        assert 200 <= status < 300, body
        agree(json.loads(step.answer), json.loads(body))
        return
    head, _, told_body = step.answer.partition("\n\n")
    first, *told_headers = head.splitlines()
    assert first.startswith(f"HTTP/1.1 {status} "), body
    got_head, _, got_body = body.replace("\r\n", "\n").partition("\n\n")
    got_headers = {_header(line) for line in got_head.splitlines()[1:]}
    for line in told_headers:
        assert _header(line) in got_headers, f"{line}\n{got_head}"
    if told_body:
        agree(json.loads(told_body), json.loads(got_body))


def _header(line: str) -> tuple[str, str]:
    """Its name and value, whatever the seconds of a window and those that are left."""
    name, _, value = line.lower().partition(":")
    return name, "N" if name == "retry-after" else re.sub(r"\b([tw]=)\d+", r"\1N", value.strip())


def agree(expected: Any, got: Any) -> None:
    """The same names in the same order and the same values; moments and ids of the same kind; … stands for anything."""
    if expected in ("…", ["…"]):
        return
    if isinstance(expected, dict):
        names = [name for name in expected if name != "…"]
        assert isinstance(got, dict), got
        assert names == (list(got) if len(names) == len(expected) else [name for name in got if name in expected])
        for name in names:
            agree(expected[name], got[name])
    elif isinstance(expected, list):
        assert isinstance(got, list), got
        assert len(expected) == len(got), got
        for one, other in zip(expected, got, strict=True):
            agree(one, other)
    elif isinstance(expected, str) and isinstance(got, str):
        assert _plain(expected) == _plain(got)
    else:
        assert (type(expected), expected) == (type(got), got)


def _plain(text: str) -> str:
    text = _ID.sub(r"\1\2…", _MOMENT.sub("<a moment>", text))
    return "\n".join(line.rstrip() for line in text.splitlines())
