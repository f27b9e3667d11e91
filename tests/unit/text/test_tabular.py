"""CSV, TSV and JSON."""

from __future__ import annotations

import json

import pytest

from vstash.text.tabular import json_content, table_content


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name,born\nAda,1815\nAlan,1912\n", "name: Ada; born: 1815\nname: Alan; born: 1912"),
        ("a;b\n1,5;x\n", "a: 1,5; b: x"),
        ('a,b\n"one, two","three\nfour"\n', "a: one, two; b: three four"),
        ("a,b\n1,\n,2\n,\n", "a: 1\nb: 2"),
        ("a,b\n1,2,3\n4\n", "a: 1; b: 2; column 3: 3\na: 4"),
        ("1,2\n3,4\n", "column 1: 1; column 2: 2\ncolumn 1: 3; column 2: 4"),
        ("a,a\nx,y\n", "column 1: a; column 2: a\ncolumn 1: x; column 2: y"),
        ("only,header\n", "column 1: only; column 2: header"),
        ("\n", ""),
    ],
)
def test_rows_can_be_read_alone(text: str, expected: str) -> None:
    """Each row becomes one line of pairs of column and value."""
    assert table_content(text, tabs=False).text == expected


def test_tabs() -> None:
    """TSV is parted at tabs even when commas are more."""
    assert table_content("a,b,c\td\n1\t2\n", tabs=True).text == "a,b,c: 1; d: 2"


def test_what_is_no_table_stays() -> None:
    """A quote without an end does not lose the text behind it."""
    text = 'a,b\n1,"' + "x" * 200_000
    assert table_content(text, tabs=False).text == text


LONG = {"a": [1, {"b": 'x]"y\\', "e": "é"}, [], {}], "c": 1.5, "d": "z" * 3000, "n": None}


@pytest.mark.parametrize("value", [LONG, [LONG] * 3, list(range(5000))])
def test_a_huge_line_is_parted(value: object) -> None:
    """Minified JSON gets line breaks and keeps its value."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    found = json_content(text).text
    assert found.count("\n") > 5
    assert json.loads(found) == value


def test_numbers_stay_as_written() -> None:
    """Line breaks never change a digit, not even of numbers that no float holds."""
    text = '{"a":1.10,"b":1e400,"c":' + "7" * 5000 + "}"
    assert json_content(text).text.replace("\n ", "").replace("\n", "").replace(": ", ":") == text


@pytest.mark.parametrize(
    "text",
    ['{"a": 1}', '{\n "a": [1,2]\n}', "{'a': " + "1" * 3000, "[" * 100_000, '"' + "\\" * 3001],
)
def test_other_json_stays(text: str) -> None:
    """Short lines, and what is not valid JSON, stay as they are."""
    assert json_content(text).text == text


def test_the_indent_is_bounded() -> None:
    """A deep array does not grow with its depth."""
    text = "[" * 200 + ",".join("1" * 3000) + "]" * 200
    assert len(json_content(text).text) < 12 * len(text)
