"""Filter trees as SQL over the document table; `vstash.filters.matches` is the same in Python.

Every expression is 0 or 1 and never NULL, so that NOT means what it says. Values are bound, and
lists and paths too: no text of a caller becomes SQL, and no filter can exceed SQLite's number of
parameters.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Final

from vstash.filters import (
    DATE_FIELDS,
    And,
    Compare,
    Field,
    Filter,
    Not,
    Or,
    Scalar,
    Value,
)

__all__ = ["SqlValue", "compile_filter", "visible"]

SqlValue = str | int | float | None

_ORDER: Final = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_FLIPPED: Final = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
_INT_LIMIT = 2**63
_LAST_CODE_POINT = 0x10FFFF
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_SURROGATES = range(0xD800, 0xE000)


@dataclass(frozen=True, slots=True)
class _Sql:
    """A piece of SQL with its parameters in order."""

    text: str
    values: tuple[SqlValue, ...] = ()


@dataclass(frozen=True, slots=True)
class _JsonValue:
    """Three views of one place in the metadata.

    Attributes:
        type: Its JSON type, NULL where it is missing.
        value: As an SQL value; an integer beyond 64 bits is a rounded real here.
        source: As JSON text, in which such an integer has all its digits.
    """

    type: _Sql
    value: _Sql
    source: _Sql


_FALSE = _Sql("0")
_TRUE = _Sql("1")


def compile_filter(filter: Filter) -> tuple[str, tuple[SqlValue, ...]]:
    """Compile a filter to one boolean SQL expression.

    Args:
        filter: What `vstash.filters.parse` returned.

    Returns:
        SQL over a row of ``document`` under the alias ``d``, in brackets or a constant, which is 0
        or 1 and never NULL; and the values of its ``?``.

    Example:
        >>> from vstash.filters import parse
        >>> compile_filter(parse({"key": {"eq": "a"}}))
        ('(d.key = ?)', ('a',))
    """
    compiled = _node(filter)
    return compiled.text, compiled.values


def visible(
    collection: str | None, where: Filter | None, *, now: int
) -> tuple[str, tuple[SqlValue, ...]]:
    """The condition of a listing, over ``d`` of ``document`` and ``c`` of ``collection``.

    Args:
        collection: Name of the one that is listed, None for all.
        where: Further conditions, None for none.
        now: Microseconds since the epoch; what has expired by then is left out.
    """
    inside, names = ("1", ()) if collection is None else ("c.name = ?", (collection,))
    further, binds = ("1", ()) if where is None else compile_filter(where)
    living = "(d.expires_at IS NULL OR d.expires_at > ?)"
    return f"{inside} AND {living} AND {further}", (*names, now, *binds)


def _sql(template: str, *parts: _Sql) -> _Sql:
    """Fill the ``{}`` of a template; the parameters follow in the same order."""
    text = template.format(*(part.text for part in parts))
    return _Sql(text, tuple(value for part in parts for value in part.values))


def _bound(value: SqlValue) -> _Sql:
    return _Sql("?", (value,))


def _joined(word: str, parts: Sequence[_Sql]) -> _Sql:
    if len(parts) == 1:
        return parts[0]
    return _sql("(" + f" {word} ".join(["{}"] * len(parts)) + ")", *parts)


def _node(node: Filter) -> _Sql:
    if isinstance(node, And):
        return _joined("AND", [_node(part) for part in node.parts])
    if isinstance(node, Or):
        return _joined("OR", [_node(part) for part in node.parts])
    if isinstance(node, Not):
        return _sql("(NOT {})", _node(node.part))
    return _compare(node)


def _compare(node: Compare) -> _Sql:
    if node.op == "ne":
        return _sql("(NOT {})", _compare(replace(node, op="eq")))
    if node.op == "exists":
        present = _present(node.field)
        return present if node.value is True else _sql("(NOT {})", present)
    if node.field.name == "metadata":
        return _metadata(node)
    if node.field.name in DATE_FIELDS:
        return _date(node)
    return _tag(node.value) if node.field.name == "tags" else _text_column(node)


def _present(field: Field) -> _Sql:
    if field.name == "metadata":
        return _sql("(json_type(d.metadata, {}) IS NOT NULL)", _bound(_path(field)))
    return _Sql("(d.expires_at IS NOT NULL)") if field.name == "expires_at" else _TRUE


def _path(field: Field) -> str:
    return "$" + "".join(f'."{segment}"' for segment in field.path)


def _one_of(value: _Sql, among: Sequence[SqlValue]) -> _Sql:
    if len(among) == 1:
        return _sql("{} = {}", value, _bound(among[0]))
    return _sql(
        "{} IN (SELECT one.value FROM json_each({}) AS one)",
        value,
        _bound(json.dumps(among, ensure_ascii=False)),
    )


def _items(value: Value) -> tuple[Scalar | datetime, ...]:
    return value if isinstance(value, tuple) else (value,)


def _strings(value: Value) -> list[str]:
    return [item for item in _items(value) if isinstance(item, str)]


def _tag(value: Value) -> _Sql:
    if not isinstance(value, str):
        return _FALSE
    return _sql(
        "(EXISTS (SELECT 1 FROM tag WHERE tag.document = d.number AND tag.tag = {}))",
        _bound(value),
    )


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)  # integers: timestamp() would round


def _date(node: Compare) -> _Sql:
    column = _Sql(f"d.{node.field.name}")
    moments = [_microseconds(item) for item in _items(node.value) if isinstance(item, datetime)]
    if node.op in _ORDER:
        compared = _sql(f"{{}} {_ORDER[node.op]} {{}}", column, _bound(moments[0]))
    else:
        compared = _one_of(column, moments)
    # The explicit test keeps NULL out and, unlike coalesce(), leaves an index usable.
    return _sql("({} IS NOT NULL AND {})", column, compared)


def _text_column(node: Compare) -> _Sql:
    strings = _strings(node.value)
    return (
        _sql("({})", _text(node.op, _Sql(f"d.{node.field.name}"), strings)) if strings else _FALSE
    )


def _text(op: str, text: _Sql, strings: Sequence[str]) -> _Sql:
    """Compare SQL that is certainly text; the caller puts it in brackets."""
    if op in {"eq", "in"}:
        return _one_of(text, strings)
    if op == "contains":
        return _sql("instr({}, {}) > 0", text, _bound(strings[0]))
    if op in _ORDER:
        return _sql(f"{{}} {_ORDER[op]} {{}}", text, _bound(strings[0]))
    after = _after_prefix(strings[0])
    # A range, not LIKE or substr(): it is case-sensitive and an index serves it.
    lower = _sql("{} >= {}", text, _bound(strings[0]))
    return lower if after is None else _sql("{} AND {} < {}", lower, text, _bound(after))


def _after_prefix(prefix: str) -> str | None:
    """The least text above all that start so; None where they reach to the end of the order."""
    kept = prefix.rstrip(chr(_LAST_CODE_POINT))
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    return kept[:-1] + chr(_SURROGATES.stop if following in _SURROGATES else following)


def _metadata(node: Compare) -> _Sql:
    path = _bound(_path(node.field))
    place = _JsonValue(
        type=_sql("json_type(d.metadata, {})", path),
        value=_sql("json_extract(d.metadata, {})", path),
        source=_sql("(d.metadata -> {})", path),
    )
    if node.op == "contains":
        return _metadata_contains(place, path, node.value)
    if node.op in {"eq", "in"}:
        return _json_equal(place, _items(node.value))
    if isinstance(node.value, str):
        return _json_text(node.op, place, [node.value])
    if isinstance(node.value, int | float):
        return _json_order(place, _ORDER[node.op], node.value)
    return _FALSE


def _metadata_contains(place: _JsonValue, path: _Sql, value: Value) -> _Sql:
    element = _JsonValue(
        type=_Sql("e.type"),
        value=_Sql("e.value"),
        source=_sql("(d.metadata -> ({} || '[' || e.key || ']'))", path),
    )
    inside = _text("contains", place.value, [value]) if isinstance(value, str) else _FALSE
    return _sql(
        "(CASE {} WHEN 'array' THEN EXISTS (SELECT 1 FROM json_each(d.metadata, {}) AS e WHERE {})"
        " WHEN 'text' THEN {} ELSE 0 END)",
        place.type,
        path,
        _json_equal(element, _items(value)),
        inside,
    )


def _json_text(op: str, place: _JsonValue, strings: Sequence[str]) -> _Sql:
    # The type is asked first: an extracted object or list is text to SQL as well.
    return _sql("({} IS 'text' AND {})", place.type, _text(op, place.value, strings))


def _json_equal(place: _JsonValue, items: Sequence[Scalar | datetime]) -> _Sql:
    parts: list[_Sql] = []
    if strings := [item for item in items if isinstance(item, str)]:
        parts.append(_json_text("in", place, strings))
    numbers = [
        item for item in items if isinstance(item, int | float) and not isinstance(item, bool)
    ]
    if numbers:
        parts.append(_json_number_equal(place, numbers))
    words = {
        "null" if item is None else "true" if item else "false"
        for item in items
        if item is None or isinstance(item, bool)
    }
    parts.extend(_sql(f"({{}} IS '{word}')", place.type) for word in sorted(words))
    return _joined("OR", parts)


def _json_number_equal(place: _JsonValue, numbers: Sequence[float]) -> _Sql:
    if not all(map(_is_inside_64_bits, numbers)):
        return _huge_equal(place, numbers)
    return _number(place, _one_of(place.value, numbers))


def _json_order(place: _JsonValue, sign: str, number: float) -> _Sql:
    compared = _sql(f"{{}} {sign} {{}}", place.value, _bound(number))
    if _is_inside_64_bits(number):
        # A stored integer beyond 64 bits, rounded as it is, lies on the right side of any other.
        return _number(place, compared)
    return _sql(
        "(CASE {} WHEN 'real' THEN {} WHEN 'integer' THEN"
        " CASE typeof({}) WHEN 'integer' THEN {} ELSE {} END ELSE 0 END)",
        *(place.type, compared, place.value, compared, _huge_order(place, sign, number)),
    )


def _number(place: _JsonValue, compared: _Sql) -> _Sql:
    """A comparison of numbers: the value first, which most documents fail, then whether it is one."""
    return _sql("(coalesce({}, 0) AND {} IN ('integer', 'real'))", compared, place.type)


def _huge_equal(place: _JsonValue, numbers: Sequence[float]) -> _Sql:
    equal = _one_of(place.value, numbers)
    digits = [str(int(number)) for number in numbers if _is_beyond_64_bits(number)]
    beyond = _one_of(place.source, digits) if digits else _FALSE
    return _sql(
        "(CASE {} WHEN 'real' THEN {} WHEN 'integer' THEN"
        " CASE typeof({}) WHEN 'integer' THEN {} ELSE {} END ELSE 0 END)",
        *(place.type, equal, place.value, equal, beyond),
    )


def _huge_order(place: _JsonValue, sign: str, number: float) -> _Sql:
    """Order a stored integer beyond 64 bits, of which SQL has only a rounded value, exactly."""
    if not _is_beyond_64_bits(number):
        return _sql(f"{{}} {sign} 0", place.value)
    digits = str(int(number))
    side, sign = (">", sign) if number > 0 else ("<", _FLIPPED[sign])
    return _sql(
        f"({{}} {side} 0, length({{}}), {{}}) {sign} (1, {{}}, {{}})",
        *(place.value, place.source, place.source, _bound(len(digits)), _bound(digits)),
    )


def _is_inside_64_bits(number: float) -> bool:
    """Whether no integer beyond 64 bits can round to it."""
    return -_INT_LIMIT < number < _INT_LIMIT


def _is_beyond_64_bits(number: float) -> bool:
    return not -_INT_LIMIT <= number < _INT_LIMIT
