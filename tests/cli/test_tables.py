"""Tables on a terminal: nothing that people copy is ever cut."""

import io

from rich.console import Console, RenderableType
from rich.text import Text

from dream_api.core import clock
from dream_api.core.console import KeyValueTable, Table, ago, message

PROJECT = "prj_01k9q3v8zd0g2m4n6p8r0t2v4w"
ROWS = [("Shop", PROJECT, 1_000, "5 min ago"), ("A name that is rather long", PROJECT, 25, "never")]


def shown(what: RenderableType, width: int, *, is_terminal: bool = True) -> list[str]:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=is_terminal, no_color=True, color_system=None)
    console.print(what)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def listing() -> Table:
    return Table(("Project", "Id", "Limit", "Used"), ROWS, empty="None yet.", numbers=("Limit",))


def test_numbers_stand_under_one_another() -> None:
    head, line, first, second = shown(listing(), 100)

    assert head == f"Project                      Id{'':31}Limit   Used"
    assert line == "─" * len(second + " " * 4)
    assert first == f"Shop                         {PROJECT}   1,000   5 min ago"
    assert second == f"A name that is rather long   {PROJECT}      25   never"


def test_a_narrow_terminal_cuts_names_but_no_ids() -> None:
    *_, second = shown(listing(), 63)

    assert second == f"A name th…   {PROJECT}      25   never"


def test_a_very_narrow_one_leaves_columns_out() -> None:
    head, _, _, second = shown(listing(), 50)

    assert head.split() == ["Project", "Id"]
    assert second.endswith(PROJECT)


def test_away_from_a_terminal_there_is_only_text() -> None:
    lines = shown(listing(), 1_000, is_terminal=False)

    assert len(lines) == 3
    assert "─" not in "".join(lines)


def test_an_empty_list_says_what_belongs_there() -> None:
    assert shown(Table(("Project",), [], empty="None yet."), 80) == ["None yet."]


def test_markup_in_a_name_is_text() -> None:
    assert shown(Table(("Name",), [("[red]x[/red]",)], empty=""), 80)[-1] == "[red]x[/red]"
    assert shown(KeyValueTable({"Name": "[b]x"}), 80) == ["  Name   [b]x"]


def test_facts_leave_out_what_is_not_there() -> None:
    assert shown(message("Made it.", KeyValueTable({"Id": "a", "Ends": None}), hint="Next."), 80) == [
        "Made it.",
        "",
        "  Id   a",
        "",
        "Next.",
    ]


def test_a_cell_may_have_two_lines() -> None:
    *_, first, second = shown(Table(("Key",), [(Text("sk_1\nweb"),)], empty=""), 80)

    assert (first, second) == ("sk_1", "web")


def test_moments_are_told_as_people_say_them() -> None:
    now = clock.now()

    assert ago(None) == "never"
    assert ago(now) == "just now"
    assert ago(now - 5 * clock.MINUTE) == "5 min ago"
    assert ago(now - 26 * clock.HOUR) == "26 h ago"
    assert ago(now - 3 * clock.DAY) == "3 days ago"
    assert ago(now + 24 * clock.HOUR) == "in 24 h"
    assert ago(1_700_000_000 * clock.SECOND) == "Nov 14, 2023"
