"""The draw of `make mutations`."""

import ast
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.mutations.drawn import AREAS, ROOT, changed, drawn


@pytest.mark.rest
def test_a_seed_draws_the_same_mutations_of_every_area() -> None:
    chosen = drawn(11, 20)

    assert chosen == drawn(11, 20)
    assert chosen != drawn(12, 20)
    assert Counter(one.area for one in chosen) == dict.fromkeys(AREAS, 4)


def test_a_mutation_changes_the_code_and_leaves_it_python(tmp_path: Path) -> None:
    for mutation in drawn(11, 100):
        path = tmp_path / mutation.file
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / mutation.file, path)
        before = ast.dump(ast.parse(path.read_text()))

        mutation.apply(tmp_path)

        assert ast.dump(ast.parse(path.read_text())) != before, str(mutation)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a <= b", "a < b"), ("a + b", "a - b"), ("a and b", "a or b"), ("not a", "a"), ("True", "False"), ("3", "4")],
)
def test_an_expression_gets_one_mistake(text: str, expected: str) -> None:
    after = changed(ast.parse(text, mode="eval").body)

    assert after is not None
    assert ast.unparse(after) == expected


def test_a_mutations_own_tests_come_first() -> None:
    chosen = {one.area: one for one in drawn(11, 20)}

    assert chosen["stock"].folders() == ["tests/store", "tests/api/store"]
    assert chosen["proration"].folders()[0] == f"tests/{chosen['proration'].file.parts[2]}"
    for mutation in chosen.values():
        assert set(AREAS[mutation.area].folders) <= set(mutation.folders())
        assert all((ROOT / one).is_dir() for one in mutation.folders())


def test_the_areas_name_folders_that_exist() -> None:
    assert [one for area in AREAS.values() for one in area.folders if not (ROOT / one).is_dir()] == []
    for area in AREAS.values():
        assert all(list((ROOT / "src/dream_api").glob(pattern)) for pattern in area.files)
