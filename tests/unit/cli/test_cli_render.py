"""Tables, numbers and safe text."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from vstash.cli.output import json_line, printable
from vstash.cli.render import Column, cell_width, counted, fields_block, shortened, table, time_cell


def test_columns_are_aligned() -> None:
    """Numbers stand right, text stands left, and wide letters count twice."""
    columns = (Column("NAME"), Column("CHUNKS", right=True), Column("LAST"))
    shown = table(columns, [("a", "7", "x"), ("東京", "1,234", "")], width=None)
    assert shown.splitlines() == [
        "NAME  CHUNKS  LAST",
        "a          7  x",
        "東京   1,234",
    ]


def test_only_flexible_columns_are_shortened() -> None:
    """What is too wide is taken from them, down to a readable rest."""
    columns = (Column("ID"), Column("KEY", flexible=True))
    row = ("0" * 36, "/home/ada/notes/2026/january/staging.md")
    line = table(columns, [row], width=60).splitlines()[1]
    assert line.startswith("0" * 36 + "  ")
    assert line.endswith("staging.md")
    assert cell_width(line) == 60
    assert cell_width(table(columns, [row], width=20).splitlines()[1]) == 48
    assert row[1] in table(columns, [row], width=None)


@pytest.mark.parametrize("width", range(1, 30))
def test_shortened_fits(width: int) -> None:
    """Whatever the letters, the result is not wider than asked."""
    for text in (
        "",
        "abc",
        "notes/2026/january/staging.md",
        "東京都の人口統計資料",
        "e\u0301" * 40,
    ):
        assert cell_width(shortened(text, width)) <= width


def test_table_without_rows() -> None:
    """The heading alone."""
    assert table((Column("A"), Column("B")), [], width=None) == "A  B"


def test_cells_stay_on_their_line() -> None:
    """A line break or a control character in a cell does not break the table."""
    shown = table((Column("A"),), [("one\ntwo\x1b[31m\u202e",)], width=None)
    assert shown == "A\none two\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}"


def test_printable_keeps_lines_when_asked() -> None:
    """Line breaks and tabs stay in a passage, controls and half surrogate pairs do not."""
    assert printable("a\r\n\tb\x00\x7f\x9b\ud800", lines=True) == "a\n\tb" + "\ufffd" * 4
    assert printable("a\r\n\tb") == "a b"


def test_json_is_always_valid_utf8() -> None:
    """Controls and half surrogate pairs are escaped, all other letters are not."""
    assert json_line({"a": "é東\x1b\x9b\udc80\n"}) == '{"a": "é東\\u001b\\u009b\\udc80\\n"}'
    with pytest.raises(ValueError, match="Out of range"):
        json_line(float("nan"))


def test_counts_and_times() -> None:
    """One thing is singular; times are in UTC."""
    assert [counted(number, "file") for number in (0, 1, 1200)] == [
        "0 files",
        "1 file",
        "1,200 files",
    ]
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1)))
    assert time_cell(moment) == "2026-01-02 02:04:05Z"


def test_names_and_values() -> None:
    """Values stand under one another."""
    assert fields_block([("a", "1"), ("long", "2")]) == "a     1\nlong  2"
