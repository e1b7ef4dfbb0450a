"""The README is short and true; that its commands run is tested by test_commands.py."""

import os
import re
from io import StringIO

from rich.console import Console

from dream_api.cli import serve as serving
from dream_api.cli.first_steps import FirstSteps, OperatorUrl
from dream_api.core import clock
from dream_api.core.settings import Settings
from dream_api.operations import FIRST_PROJECT, FirstProject
from dream_api.platforms import Platform, Project
from tests.docs.documents import DOCUMENTS, ROOT

README = (ROOT / "README.md").read_text()
_LONGEST = 150


def test_what_make_run_prints_is_what_the_readme_shows() -> None:
    picture = README.partition("$ make run\n")[2].partition("```")[0]
    printed = dict(re.findall(r"^  (\w[\w ]*?)   +(\S+)$", picture, re.MULTILINE))
    company = Platform("plt_", 1, "My company")
    project = Project("plt_", 1, printed["Project"], 1, FIRST_PROJECT, "saas")
    console = Console(file=StringIO(), width=1_000)
    first = FirstProject(company, project, printed["Publishable key"], printed["Secret key"])
    link = re.search(r"^http\S+/account/operator/\S+$", picture, re.MULTILINE)
    assert link is not None
    steps = FirstSteps(OperatorUrl(link[0], clock.now() + clock.DAY), first)

    console.print(serving._welcome(Settings(data=printed["Data"]), steps, ".venv/bin/dream-api"))

    assert console.file.getvalue().strip() == picture.strip()


def test_it_stays_short() -> None:
    assert len(README.splitlines()) < _LONGEST


def test_no_document_leads_out_of_the_repository() -> None:
    for document in DOCUMENTS:
        text = document.read_text()
        assert os.path.expanduser("~") + "/" not in text
        assert "/tmp/" not in text
