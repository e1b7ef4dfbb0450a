"""Processes of the product with everything imported already: a server starts in a fraction of a second.

One process of each test worker imports the instance and forks itself for every server and command. What runs is the
product all the same, in a process of its own with its own environment. What is about the interpreter, a terminal or the
start itself uses `subprocess` instead.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path

from dream_api.cli import main
from tests.support.postgres import die_with_parent
from tests.support.tenant_statements import TenantCheck

# Where processes report statements that name no tenant; set where tests run.
tenant_report: Path | None = None


class Forked:
    """`dream-api` with these words; used as a `subprocess.Popen` is."""

    def __init__(self, words: Sequence[str], env: Mapping[str, str], out: Path, err: Path | None = None) -> None:
        """Both outputs are appended to files; where only one is named, to that one."""
        self._process = _instance().Process(
            target=_live, args=(words, dict(env), out, err or out, tenant_report), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("dream-api", timeout or 0)
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


@cache
def _instance() -> ForkServerContext:
    """Where everything is imported; it goes with this process."""
    context = multiprocessing.get_context("forkserver")
    modules = {entry.target.partition(":")[0] for entry in main.COMMANDS.values()}
    context.set_forkserver_preload([__name__, "dream_api.app", *sorted(modules)])
    return context


def _live(words: Sequence[str], env: Mapping[str, str], out: Path, err: Path, report: Path | None) -> None:
    ask = die_with_parent(signal.SIGKILL)
    if ask is not None:
        ask()
    os.environ.clear()
    os.environ.update(env)
    tempfile.tempdir = None
    for descriptor, path in ((1, out), (2, err)):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(handle, descriptor)
        os.close(handle)
    if report is not None:
        TenantCheck(report).listen()
    sys.argv = ["dream-api", *words]
    main.main()
