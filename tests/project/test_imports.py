"""Imports go down only, from one layer to those below it: what `make imports` must reject."""

import os
import shutil
import subprocess
import sysconfig
from configparser import ConfigParser
from copy import deepcopy
from pathlib import Path

import grimp
import pytest
from importlinter.configuration import configure
from importlinter.contracts.acyclic_siblings import AcyclicSiblingsContract
from importlinter.contracts.layers import LayersContract

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / ".importlinter"
LAYERS, CYCLES = "Imports go down only", "No import cycles between packages or inside them"
KINDS = {"layers": LayersContract, "acyclic_siblings": AcyclicSiblingsContract}

configure()


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("dream_api", cache_dir=None)


def options() -> dict[str, dict[str, str]]:
    parser = ConfigParser()
    parser.read(CONFIG)
    return {name: dict(parser[name]) for name in parser.sections() if ":contract:" in name}


def broken(graph: grimp.ImportGraph) -> set[str]:
    """The names of the contracts that these imports break."""
    session = {"root_packages": ["dream_api"]}
    names: set[str] = set()
    for told in options().values():
        values = {name: text.split("\n")[1:] if "\n" in text else text for name, text in told.items()}
        contract = KINDS[told["type"]](told["name"], session, values)
        if not contract.check(deepcopy(graph), verbose=False).kept:
            names.add(told["name"])
    return names


def planted(graph: grimp.ImportGraph, *imports: tuple[str, str]) -> grimp.ImportGraph:
    """The product, with imports of modules by modules that it does not have, or may not have."""
    changed = deepcopy(graph)
    for importer, imported in imports:
        for module in (importer, imported):
            if module not in changed.modules:
                changed.add_module(module)
        changed.add_import(importer=importer, imported=imported)
    return changed


def test_every_contract_holds(graph: grimp.ImportGraph) -> None:
    assert broken(graph) == set()


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("core.planted", "keys"),
        ("core.jobs.planted", "keys"),
        ("platforms.planted", "keys.tables"),
        ("keys.planted", "auth"),
        ("webhooks.planted", "keys"),
        ("auth.planted", "metering"),
        ("usage.planted", "catalog.plans"),
        ("gateways.planted", "billing"),
        ("billing.planted", "tenancy"),
        ("keys.planted", "api.keys"),
        ("metering.planted", "dashboard.layout"),
        ("api.planted", "dashboard.layout"),
        ("api.keys", "dashboard.keys"),
        ("dashboard.planted", "hosted.error_docs"),
        ("hosted.planted", "api.models"),
        ("dashboard.planted", "app"),
        ("app.planted", "cli.main"),
        ("server.planted", "cli.serve"),
    ],
)
def test_an_upward_import_is_refused(graph: grimp.ImportGraph, importer: str, imported: str) -> None:
    assert LAYERS in broken(planted(graph, (f"dream_api.{importer}", f"dream_api.{imported}")))


def test_a_package_without_a_layer_is_refused(graph: grimp.ImportGraph) -> None:
    assert LAYERS in broken(planted(graph, ("dream_api.attic", "dream_api.core")))


@pytest.mark.parametrize("package", ["keys", "api", "dashboard.account", "core.jobs"])
def test_two_modules_that_import_each_other_are_refused(graph: grimp.ImportGraph, package: str) -> None:
    one, other = f"dream_api.{package}.planted", f"dream_api.{package}.planted_too"

    assert broken(planted(graph, (one, other), (other, one))) == {CYCLES}


def test_an_interface_may_import_what_lies_below_it(graph: grimp.ImportGraph) -> None:
    below = ("retention", "metering", "billing", "auth", "core.db")

    down = [
        (f"dream_api.{face}.planted", f"dream_api.{name}") for face in ("api", "dashboard", "hosted") for name in below
    ]

    assert broken(planted(graph, *down)) == set()


def test_the_command_fails_on_an_upward_import_of_an_interface(tmp_path: Path) -> None:
    """As `make imports` runs it, on a copy of the package."""
    package = tmp_path / "dream_api"
    shutil.copytree(ROOT / "src/dream_api", package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CONFIG, tmp_path)
    (package / "api" / "planted.py").write_text("from dream_api.dashboard import layout\n")

    done = subprocess.run(
        [Path(sysconfig.get_path("scripts")) / "lint-imports", "--no-cache"],
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{LAYERS} BROKEN" in done.stdout
    assert "dream_api.api.planted -> dream_api.dashboard.layout" in done.stdout
