"""Fixtures: a terminal on a fresh instance."""

import pytest

from dream_api.core.settings import Settings
from tests.cli.terminal import Terminal


@pytest.fixture
def terminal(database_settings: Settings) -> Terminal:
    return Terminal(database_settings)
