"""Every command of the README and the guides runs as it stands, and is answered as they say."""

import contextlib
import json
import re
import shutil
import time
from pathlib import Path

import pytest

from dream_api.core import clock
from dream_api.core.settings import Settings
from tests.cli.terminal import Terminal
from tests.docs.documents import DOCS, ROOT, blocks_in_order, named
from tests.docs.shell import Shell, agree, hold_to, steps_of
from tests.support.databases import KINDS
from tests.support.postgres import free_port
from tests.support.server import Server

PAGES = [ROOT / "README.md", *sorted((DOCS / "guide").glob("*.md"))]
_COMMAND = re.compile(r"^(?:\S+=\S+ )*(?:curl|make|dream-api(?! \d)|\.venv/\S+|export)\b.*$", re.MULTILINE)
# Longer than any page takes, so that no hour ends on the way.
_SECONDS = 60

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="The pages' commands use curl.")


def begin(settings: Settings) -> str:
    """What a reader has on the screen: the first project and its test keys, as `make run` prints them as well."""
    said = Terminal(settings).run("init")
    assert said.code == 0, said
    return said.out


def serves_itself(page: Path) -> bool:
    return any("dream-api serve" in step.script for step in steps_of(page.read_text()))


@pytest.mark.slow
@needs_curl
@pytest.mark.parametrize(
    ("page", "database_kind"),
    # A page that starts several processes is about PostgreSQL.
    [(page, kind) for page in PAGES for kind in KINDS if kind != "sqlite" or not serves_itself(page)],
    ids=lambda value: value if isinstance(value, str) else named(value),
)
def test_a_page_works_as_it_stands(page: Path, database_settings: Settings) -> None:
    hour_ends_in = (clock.HOUR - clock.now() % clock.HOUR) // clock.SECOND
    if hour_ends_in < _SECONDS:
        time.sleep(hour_ends_in + 1)
    settings = database_settings.model_copy(update={"port": free_port()})
    said_before = begin(settings)
    with contextlib.ExitStack() as stack:
        if not serves_itself(page):
            settings = stack.enter_context(Server(settings)).settings
        shell = stack.enter_context(Shell(settings, said_before))
        for step in steps_of(page.read_text()):
            hold_to(step, shell.run(step.script))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_no_command_stands_where_it_is_not_run(page: Path) -> None:
    for kind, text in blocks_in_order(page.read_text()):
        assert kind in ("sh", "json", "http", "text", ""), kind
        if kind != "sh":
            assert _COMMAND.findall(text) == []


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ('{"count": 1}', '{"count": 2}'),
        ('{"count": 1}', '{"count": true}'),
        ('{"count": 1, "limit": 2}', '{"limit": 2, "count": 1}'),
        ('{"count": 1}', '{"count": 1, "limit": 2}'),
        ('{"count": 1, "limit": 2, "…": "…"}', '{"count": 1}'),
        ('["a"]', "[]"),
        ('"2026-11-01T00:00:00Z"', "null"),
        ('"res_01"', '"req_01"'),
    ],
)
def test_an_answer_that_differs_is_noticed(expected: str, got: str) -> None:
    with pytest.raises(AssertionError):
        agree(json.loads(expected), json.loads(got))


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ('{"count": 1, "…": "…"}', '{"count": 1, "limit": 2}'),
        ('{"limits": ["…"]}', '{"limits": [1, 2]}'),
        ('"until 2026-11-01T00:00:00Z"', '"until 2027-01-01T00:00:00Z"'),
        ('"res_…"', '"res_01k9q3v8zd0g2m4n6p8r0t2v4w"'),
    ],
)
def test_moments_ids_and_what_is_left_out_may_differ(expected: str, got: str) -> None:
    agree(json.loads(expected), json.loads(got))
