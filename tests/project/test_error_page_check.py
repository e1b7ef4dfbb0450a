"""`make check` fails for an error code without a page."""

import subprocess
import sys

import pytest

CHECK = "tests/docs/test_error_pages.py::test_every_code_has_a_page_and_every_page_a_code"
PLANTED = """
import sys
import pytest
from dream_api.core.errors import Conflict
class Planted(Conflict):
    __module__ = "dream_api.planted"
    code = {code!r}
sys.exit(pytest.main(["-q", "-n", "0", "-p", "no:cacheprovider", {check!r}]))
"""


@pytest.mark.parametrize(("code", "is_noticed"), [("planted_without_a_page", True), ("", False)])
def test_a_code_without_a_page_fails_the_check(code: str, is_noticed: bool):
    done = subprocess.run(
        [sys.executable, "-c", PLANTED.format(code=code, check=CHECK)], capture_output=True, text=True, check=False
    )

    assert (done.returncode != 0) == is_noticed, done.stdout + done.stderr
    assert (code in done.stdout) or not is_noticed
