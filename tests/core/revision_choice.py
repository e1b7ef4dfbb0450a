"""Which revisions `make test` upgrades from: every upgrade runs through all that follow."""

from collections.abc import Sequence
from typing import Any

import pytest


def oldest_and_newest(revisions: Sequence[str]) -> list[Any]:
    """The first and the last two; `make test-rest` runs the others."""
    kept = {revisions[0], *revisions[-2:]}
    return [one if one in kept else pytest.param(one, marks=pytest.mark.rest) for one in revisions]
