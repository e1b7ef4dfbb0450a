"""Ids sort by creation and have one format."""

import subprocess
import sys
import time

from dream_api.core import ids
from tests.support.cases import each_case

NEW_ID = "from dream_api.core import ids; print(ids.new('cus'), ids.new_request())"


def test_the_order_of_ids_is_the_order_of_creation() -> None:
    made = [ids.new("cus") for _ in range(20_000)]

    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_of_later_processes_sort_behind() -> None:
    made: list[str] = []
    for _ in range(2):
        made.append(ids.new("cus"))
        time.sleep(0.002)
        made.append(_from_another_process().split()[0])
        time.sleep(0.002)

    assert made == sorted(made)


def test_an_id_has_its_prefix_and_26_characters_that_nobody_confuses() -> None:
    prefix, _, body = ids.new("cus").partition("_")

    assert prefix == "cus"
    assert len(body) == 26
    assert not set(body) - set("0123456789abcdefghjkmnpqrstvwxyz")
    assert ids.is_one("cus", f"cus_{body}")


@each_case(
    "text",
    [
        "",
        "cus_",
        "cus",
        "01k9q3v8zd0g2m4n6p8r0t2v4w",
        "cus01k9q3v8zd0g2m4n6p8r0t2v4w",
        "key_01k9q3v8zd0g2m4n6p8r0t2v4w",
        "cus_01K9Q3V8ZD0G2M4N6P8R0T2V4W",
        "cus_01k9q3v8zd0g2m4n6p8r0t2v4",
        "cus_01k9q3v8zd0g2m4n6p8r0t2v4wx",
        "cus_01k9q3v8zd0g2m4n6p8r0t2v4l",
        "cus_cus_01k9q3v8zd0g2m4n6p8r0t",
    ],
)
def test_what_has_another_form_is_no_id(text: str) -> None:
    assert not ids.is_one("cus", text)


def test_request_ids_are_unique_in_a_process_and_over_processes() -> None:
    made = [ids.new_request() for _ in range(20_000)]
    others = _from_another_process().split()[1]

    assert len(set(made)) == len(made)
    assert all(one.startswith("req_") for one in made)
    assert others[:16] != made[0][:16]


def _from_another_process() -> str:
    return subprocess.run([sys.executable, "-c", NEW_ID], capture_output=True, text=True, check=True).stdout
