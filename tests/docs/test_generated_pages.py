"""Settings and commands are documented, and the pages that are made from the code are up to date."""

import re
import shlex

import dream_api
from docs import generate
from dream_api.core.console import CommandError
from dream_api.core.db import DatabaseUnusable
from dream_api.core.settings import Settings
from tests.docs.documents import DOCS
from tests.support.cases import each_case

COMMANDS = dict(generate.commands())
CODE = rf"(?:{CommandError.__name__}|__init__)" + r'\((?:[^()]|\([^()]*\))*?code="(\w+)"'
_STALE = "Run `python -m docs.generate`."


def test_the_settings_page_is_up_to_date() -> None:
    assert (DOCS / "settings.md").read_text() == generate.settings_page(), _STALE


def test_the_commands_page_is_up_to_date() -> None:
    assert (DOCS / "cli.md").read_text() == generate.cli_page(), _STALE


def test_every_setting_is_documented() -> None:
    page = (DOCS / "settings.md").read_text()
    for name, field in Settings.model_fields.items():
        assert f"## `DREAM_{name.upper()}`" in page
        assert field.description
        assert field.description.endswith("."), name


def test_every_command_has_an_example_and_every_example_a_command() -> None:
    assert set(generate.EXAMPLES) == set(COMMANDS)


@each_case("name", COMMANDS)
def test_every_command_is_documented_with_its_options(name: str) -> None:
    page = (DOCS / "cli.md").read_text()
    own = page.split(f"## `dream-api {name}`\n", 1)[1].split("\n## ", 1)[0]

    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "argument":
            assert f"`{parameter.display_name_raw}`" in own
        elif not {"--help", "--data", "--json"} & {*parameter.opts}:
            assert f"`{parameter.opts[0]}" in own
    assert "`--data DIR`" in page
    assert "`--json`" in page


@each_case("name", COMMANDS)
def test_the_example_is_understood_by_its_command(name: str) -> None:
    words = shlex.split(generate.EXAMPLES[name])
    at = words.index("dream-api") + 1 + len(name.split())

    assert words[at - len(name.split()) : at] == name.split()
    COMMANDS[name].make_context(name, words[at:])


def test_every_code_of_the_commands_own_is_documented() -> None:
    page = (DOCS / "cli.md").read_text()
    source = [path.read_text() for path in (DOCS.parent / "src" / dream_api.__name__).rglob("*.py")]
    codes = {code for text in source for code in re.findall(CODE, text)}

    codes |= {kind.code for kind in DatabaseUnusable.__subclasses__()}
    assert {"foreign_schema", "setting_invalid"} <= codes
    for code in codes:
        assert f"`{code}`" in page, code
