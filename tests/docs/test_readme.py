"""The README's commands do what it says, on a server as people start it."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO

import pytest
from rich.console import Console

from dream_api.catalog.quickstart import NAME, Quickstart
from dream_api.core.settings import Settings
from dream_api.platforms import Project
from dream_api.serving import cli as serving
from tests.docs.reading import DOCUMENTS, ROOT, blocks, section
from tests.support.server import Server, environment

README = (ROOT / "README.md").read_text()
GUIDE = (ROOT / "docs" / "guide" / "usage.md").read_text()
_LONGEST = 150

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="The README's commands use curl.")


@pytest.fixture
def server(database_settings: Settings) -> Iterator[Server]:
    with Server(database_settings) as running:
        yield running


def program(words: str, settings: Settings) -> str:
    """What `dream-api …` says."""
    done = subprocess.run(
        [sys.executable, "-m", "dream_api", *shlex.split(words)],
        check=True,
        env=environment(settings),
        capture_output=True,
        text=True,
    )
    return done.stdout


def run(script: str, server: Server, key: str = "") -> str:
    """What a block of the README says where this server, its key and this Python stand in for those it names."""
    stand_ins = {
        "http://127.0.0.1:8787": server.url,
        "sk_test_…": key,
        ".venv/bin/dream-api": f"{shlex.quote(sys.executable)} -m dream_api",
        "curl ": "curl --silent --show-error --fail ",
    }
    for told, meant in stand_ins.items():
        script = script.replace(told, meant)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        check=False,
        env={**environment(server.settings), "KEY": key, "no_proxy": "*"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@needs_curl
def test_the_first_call_works_as_it_stands(server: Server) -> None:
    first, look, own = blocks(section(README, "The first call"), "sh")
    made = json.loads(program("project create Quickstart --type saas --json", server.settings))

    answer = json.loads(run(first, server, made["secretKey"]))
    told = json.loads(blocks(section(README, "The first call"), "json")[0])
    looked = run(look, server, made["secretKey"])
    listed = run(own, server)

    assert _shape(answer) == _shape(told)
    assert list(answer["usage"]) == list(told["usage"])
    moving = ("periodStart", "periodEnd")
    assert _without(answer["usage"], moving) == _without(told["usage"], moving)
    assert json.loads(looked.partition("\n")[0].split("✓")[0])["usage"]["count"] == 1
    assert "All " in looked
    assert "checks hold." in looked
    assert "My API" in listed


@pytest.mark.slow
@needs_curl
def test_the_guide_works_as_it_stands(server: Server) -> None:
    made = json.loads(program("project create Guide --type saas --live --json", server.settings))
    listed = json.loads(program(f"keys list --project {made['projectId']} --mode test --json", server.settings))
    [key_id] = [key["keyId"] for key in listed["data"] if key["kind"] == "secret"]

    for script in blocks(GUIDE, ""):
        typed = script.replace("dream-api ", ".venv/bin/dream-api ")
        run(typed.replace("prj_…", made["projectId"]).replace("key_…", key_id), server, made["secretKey"])

    usage = json.loads(run(blocks(section(GUIDE, "Reading usage"), "")[0], server, made["secretKey"]))["usage"]
    assert usage["count"] == 4


def _shape(value: object) -> object:
    if isinstance(value, dict):
        return {name: _shape(each) for name, each in value.items()}
    return [_shape(each) for each in value] if isinstance(value, list) else type(value)


def _without(facts: dict[str, object], names: tuple[str, ...]) -> dict[str, object]:
    return {name: fact for name, fact in facts.items() if name not in names}


def test_what_make_run_prints_is_what_the_readme_shows() -> None:
    picture = README.partition("$ make run\n")[2].partition("```")[0]
    told = dict(re.findall(r"^  (\w[\w ]*?)   +(\S+)$", picture, re.MULTILINE))
    project = Project("plt_", 1, told["Project"], 1, NAME, "saas")
    console = Console(file=StringIO(), width=1_000)

    ready = Quickstart(project, told["Publishable key"], told["Secret key"])
    console.print(serving._welcome(Settings(data=told["Data"]), ready))

    assert console.file.getvalue().strip() == picture.strip()


def test_it_stays_short() -> None:
    assert len(README.splitlines()) < _LONGEST


def test_no_document_leads_out_of_the_repository() -> None:
    for document in DOCUMENTS:
        text = document.read_text()
        assert os.path.expanduser("~") + "/" not in text
        assert "/tmp/" not in text
