"""The OpenAPI document: complete, with names from which clients are generated."""

import json
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dream_api.api.openapi import TAGS, operations
from tests.isolation.operations import document

_ROOT = Path(__file__).parents[2]
_NODE_TOOLS = _ROOT / "tests" / "openapi" / "node_modules" / ".bin"
_PYTHON_TOOL = _ROOT / ".venv-openapi" / "bin" / "openapi-python-client"
_RULES = _ROOT / "tests" / "openapi" / ".spectral.yaml"
_GOLDEN = Path(__file__).parent / "golden"
_OPERATION_ID = re.compile(r"[a-z][A-Za-z]*\.[a-z][A-Za-z]*")
# Words of functions that return something, not names of a thing.
_VAGUE_NAME = re.compile(r"^(Shown|Kept|Made|Done|Asked|Wanted|Whole)|Asked$|Shown$|_|-")
needs_tools = pytest.mark.skipif(
    not (_NODE_TOOLS.is_dir() and _PYTHON_TOOL.is_file()),
    reason="The generators are not installed: make openapi-tools (which needs Node)",
)


@pytest.fixture(scope="module")
def served() -> dict[str, Any]:
    return json.loads(json.dumps(document()))


@pytest.fixture(scope="module")
def file(served: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("openapi") / "openapi.json"
    path.write_text(json.dumps(served))
    return path


def _golden(name: str, found: list[str]) -> None:
    """What clients call things changes on purpose only: then write the new names into the file."""
    path = _GOLDEN / name
    assert found == path.read_text().splitlines(), f"{path.name} differs; what was found:\n" + "\n".join(found)


def test_every_operation_has_a_name_of_its_own(served: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(served)]

    assert [name for name in names if not _OPERATION_ID.fullmatch(name)] == []
    assert [name for name, count in Counter(names).items() if count > 1] == []
    _golden("operations.txt", sorted(names))


def test_schemas_have_the_names_of_things(served: dict[str, Any]) -> None:
    names = sorted(served["components"]["schemas"])

    assert [name for name in names if _VAGUE_NAME.search(name)] == []
    _golden("schemas.txt", names)


def test_bodies_and_responses_are_named_schemas(served: dict[str, Any]) -> None:
    inline: list[str] = []
    for path, method, operation in operations(served):
        bodies = [operation.get("requestBody", {})]
        bodies += [one for status, one in operation["responses"].items() if status.startswith("2")]
        contents = [each for body in bodies for kind, each in body.get("content", {}).items() if "json" in kind]
        inline += [f"{method} {path}" for content in contents if "$ref" not in content.get("schema", {})]

    assert inline == []


def test_errors_are_components(served: dict[str, Any]) -> None:
    for path, method, operation in operations(served):
        for status, response in operation["responses"].items():
            if status.startswith(("4", "5")):
                assert response["$ref"].startswith("#/components/responses/"), (path, method, status)


def test_tags_are_described_and_used(served: dict[str, Any]) -> None:
    used = {tag for _, _, operation in operations(served) for tag in operation["tags"]}

    assert used == {name for name, _ in TAGS}
    assert served["servers"][0]["description"]


def test_the_customer_header_is_required(served: dict[str, Any]) -> None:
    assert served["components"]["parameters"]["XUserId"]["required"] is True


@needs_tools
def test_a_linter_finds_no_error(file: Path) -> None:
    done = _run(_NODE_TOOLS / "spectral", "lint", file, "-r", _RULES, "--fail-severity", "warn")

    assert done.returncode == 0, done.stdout


@needs_tools
def test_typescript_types_have_every_operation(served: dict[str, Any], file: Path) -> None:
    types = file.with_name("types.ts")
    done = _run(_NODE_TOOLS / "openapi-typescript", file, "-o", types)
    assert done.returncode == 0, done.stderr
    checked = _run(_NODE_TOOLS / "tsc", "--strict", "--noEmit", "--skipLibCheck", types)
    assert checked.returncode == 0, checked.stdout

    text = types.read_text()
    operation_block = text[text.index("export interface operations {") :]
    found = re.findall(r'^    "([a-z][A-Za-z]*\.[A-Za-z]+)": \{', operation_block, re.MULTILINE)
    assert sorted(found) == sorted(operation["operationId"] for _, _, operation in operations(served))


@needs_tools
def test_a_python_client_has_every_operation(served: dict[str, Any], file: Path) -> None:
    client = file.with_name("client")
    done = _run(_PYTHON_TOOL, "generate", "--path", file, "--output-path", client, "--meta", "none", "--overwrite")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr

    found = sorted(path.stem for path in (client / "api").glob("*/*.py") if path.stem != "__init__")
    wanted = [operation["operationId"] for _, _, operation in operations(served)]
    assert found == sorted(_snake(name) for name in wanted)


def _snake(name: str) -> str:
    """As the generator names modules: `usage.trackBatch` is `usage_track_batch`."""
    return re.sub(r"([A-Z])", r"_\1", name.replace(".", "_")).lower()


def _run(*command: object) -> "subprocess.CompletedProcess[str]":
    # The generator looks for a formatter that it does not need.
    return subprocess.run([str(part) for part in command], check=False, capture_output=True, text=True, timeout=240)
