"""The filter tree: what a search or a listing may ask of a document's fields.

As JSON, a node is ``{"and": [node, ...]}``, ``{"or": [node, ...]}``, ``{"not": node}`` or
``{field: {op: value, ...}, ...}``; several operators and several fields in one object must all
hold. `parse` checks such a tree once, `matches` is the plain meaning of the result, and the store
compiles the same tree to SQL.

* A missing field matches nothing but ``ne``, ``not`` and ``{"exists": false}``; a field of the
  metadata that holds null is present. ``expires_at`` is missing where no time was set.
* Types are never converted: text, numbers, booleans and null are four types. Integers and floats
  are one type and compare exactly. Text orders by code point.
* ``ne`` is exactly not ``eq``. Lists and objects equal nothing; ``contains`` looks for an equal
  element of a list, or for a part of a text, case-sensitively.
* ``tags`` take ``contains`` and ``exists`` only. Times are compared by their instant.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final, Literal, get_args

from vstash.errors import FilterError
from vstash.times import read_time

__all__ = [
    "DATE_FIELDS",
    "And",
    "Compare",
    "Field",
    "FieldName",
    "Filter",
    "Not",
    "Op",
    "Or",
    "Scalar",
    "Value",
    "matches",
    "parse",
]

FieldName = Literal["id", "key", "title", "tags", "created", "updated", "expires_at", "metadata"]
Op = Literal["eq", "ne", "in", "gt", "gte", "lt", "lte", "exists", "contains", "prefix"]
Scalar = str | bool | int | float | None
Value = Scalar | datetime | tuple[Scalar | datetime, ...]

DATE_FIELDS: Final = frozenset({"created", "updated", "expires_at"})

_MAX_DEPTH = 16
_MAX_NODES = 256
_MAX_CHARS = 10_000
_MAX_IN = 1000
_INT_LIMIT = 2**63
_ECHO_CHARS = 64
_STRING_RULE = f"a string of at most {_MAX_CHARS} characters, without NUL and lone surrogates"

_OPS: Final[tuple[Op, ...]] = get_args(Op)
_NAMES: Final[tuple[FieldName, ...]] = get_args(FieldName)
_ORDER: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_DATE_OPS: Final = tuple(op for op in _OPS if op not in {"contains", "prefix"})
_TAG_OPS: Final = ("exists", "contains")
_CONNECTIVES: Final = frozenset({"and", "or", "not"})

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_BAD_SEGMENT = re.compile('["\\\\\x00-\x1f\x7f-\x9f]')


@dataclass(frozen=True, slots=True)
class Field:
    """What a condition looks at: a field, and inside ``metadata`` a path of object keys."""

    name: FieldName
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class And:
    """Every part holds."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part holds."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Filter


@dataclass(frozen=True, slots=True)
class Compare:
    """One condition; `parse` makes only those whose value suits the operator and the field.

    Attributes:
        value: A tuple for ``in``, a bool for ``exists``, UTC datetimes for the fields of time.
    """

    field: Field
    op: Op
    value: Value


Filter = And | Or | Not | Compare


def parse(tree: object, *, pointer: str = "/filter") -> Filter:
    """Check a filter tree as it came from JSON or from Python.

    Args:
        tree: At most 16 levels deep, 256 conditions and connectives in all, strings of at most
            10,000 characters, lists of 1 to 1,000 values for ``in``. Times are RFC 3339 strings
            with an offset or aware datetimes.
        pointer: Where the tree stands in what the caller sent.

    Returns:
        The same tree as frozen values.

    Raises:
        FilterError: With a pointer to the offending place, such as ``/filter/and/0/key/eq``.

    Example:
        >>> parse({"metadata.author": {"eq": "x"}})
        Compare(field=Field(name='metadata', path=('author',)), op='eq', value='x')
    """
    return _Parser().node(tree, pointer, 1)


class _Parser:
    """One pass over one tree; counts what it has seen."""

    __slots__ = ("_count",)

    def __init__(self) -> None:
        self._count = 0

    def _seen(self, pointer: str) -> None:
        self._count += 1
        if self._count > _MAX_NODES:
            raise FilterError(
                f"A filter holds at most {_MAX_NODES} conditions and connectives.", pointer=pointer
            )

    def node(self, tree: object, pointer: str, depth: int) -> Filter:
        if depth > _MAX_DEPTH:
            raise FilterError(f"A filter is at most {_MAX_DEPTH} levels deep.", pointer=pointer)
        if not isinstance(tree, Mapping) or not tree:
            raise FilterError('Give an object such as {"key": {"eq": "a"}}.', pointer=pointer)
        for name in tree:
            if not isinstance(name, str) or not _is_clean(name):
                raise FilterError(f"A field's name is {_STRING_RULE}.", pointer=pointer)
        used = _CONNECTIVES & tree.keys()
        if not used:
            return self._fields(tree, pointer)
        if len(tree) > 1:
            raise FilterError(
                "`and`, `or` and `not` each stand alone in their object.", pointer=pointer
            )
        return self._connective(tree, next(iter(used)), pointer, depth)

    def _connective(
        self, tree: Mapping[str, object], name: str, pointer: str, depth: int
    ) -> Filter:
        inner, pointer = tree[name], f"{pointer}/{name}"
        self._seen(pointer)
        if name == "not":
            return Not(self.node(inner, pointer, depth + 1))
        if not isinstance(inner, list | tuple) or not inner:
            raise FilterError(f"`{name}` takes a list of at least one filter.", pointer=pointer)
        parts = tuple(
            self.node(part, f"{pointer}/{index}", depth + 1) for index, part in enumerate(inner)
        )
        return And(parts) if name == "and" else Or(parts)

    def _fields(self, tree: Mapping[str, object], pointer: str) -> Filter:
        parts: list[Filter] = []
        for name, conditions in tree.items():
            here = f"{pointer}/{_escape(name)}"
            field = _field(name, here)
            if not isinstance(conditions, Mapping) or not conditions:
                raise FilterError('A field takes an object such as {"eq": value}.', pointer=here)
            for op, value in conditions.items():
                self._seen(here)
                parts.append(_compare(field, op, value, here))
        return parts[0] if len(parts) == 1 else And(tuple(parts))


def _is_clean(text: str) -> bool:
    return len(text) <= _MAX_CHARS and _UNSTORABLE.search(text) is None


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _hint(name: str, allowed: tuple[str, ...]) -> str:
    if len(name) > _ECHO_CHARS:
        return ""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake pays for its import

    close = get_close_matches(name.lower(), allowed, n=1)
    return f" Did you mean `{close[0]}`?" if close else ""


def _field(name: str, pointer: str) -> Field:
    head, dot, rest = name.partition(".")
    if head == "metadata":
        path = tuple(rest.split("."))
        if not dot or not all(path) or any(_BAD_SEGMENT.search(segment) for segment in path):
            raise FilterError(
                "Write metadata.name or metadata.outer.inner; the names between the dots are not "
                "empty and hold no quotation marks, backslashes and control characters.",
                pointer=pointer,
            )
        return Field("metadata", path)
    for known in _NAMES:
        if name == known:
            return Field(known)
    hint = _hint(head, _NAMES).replace("`metadata`", "`metadata.<name>`")
    raise FilterError(
        f"Unknown field. Allowed are {', '.join(_NAMES[:-1])} and metadata.<name>.{hint}",
        pointer=pointer,
    )


def _compare(field: Field, op: object, value: object, pointer: str) -> Compare:
    allowed: tuple[str, ...] = _OPS
    if field.name in DATE_FIELDS:
        allowed = _DATE_OPS
    elif field.name == "tags":
        allowed = _TAG_OPS
    known = next((known for known in _OPS if known in allowed and op == known), None)
    if known is None:
        clean = op if isinstance(op, str) and _is_clean(op) else None
        raise FilterError(
            f"Unknown operator for this field. Allowed are {', '.join(allowed)}."
            f"{_hint(clean, allowed) if clean is not None else ''}",
            pointer=pointer if clean is None else f"{pointer}/{_escape(clean)}",
        )
    return Compare(field, known, _value(field, known, value, f"{pointer}/{known}"))


def _value(field: Field, op: Op, value: object, pointer: str) -> Value:
    if op == "exists":
        if not isinstance(value, bool):
            raise FilterError("`exists` takes true or false.", pointer=pointer)
        return value
    single = _moment if field.name in DATE_FIELDS else _scalar
    if op == "in":
        if not isinstance(value, list | tuple) or not 1 <= len(value) <= _MAX_IN:
            raise FilterError(f"`in` takes a list of 1 to {_MAX_IN} values.", pointer=pointer)
        return tuple(single(item, f"{pointer}/{index}") for index, item in enumerate(value))
    result = single(value, pointer)
    if op == "prefix" and not isinstance(result, str):
        raise FilterError("`prefix` takes a string.", pointer=pointer)
    if op in _ORDER and (result is None or isinstance(result, bool)):
        raise FilterError(f"`{op}` takes a number or a string.", pointer=pointer)
    return result


def _scalar(value: object, pointer: str) -> Scalar:
    if isinstance(value, str):
        if not _is_clean(value):
            raise FilterError(f"A value is {_STRING_RULE}.", pointer=pointer)
        return value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not -_INT_LIMIT <= value < _INT_LIMIT:
            raise FilterError("Integers go from -2^63 to 2^63 - 1.", pointer=pointer)
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise FilterError("A number must be finite.", pointer=pointer)
        return float(value)
    raise FilterError("A value is one string, number, boolean or null.", pointer=pointer)


def _moment(value: object, pointer: str) -> datetime:
    try:
        if isinstance(value, datetime) and value.utcoffset() is not None:
            return value.astimezone(timezone.utc)
        if isinstance(value, str):
            return read_time(value)
    except (ValueError, OverflowError):
        pass  # falls through to the one message for all malformed times
    raise FilterError(
        "A time is an RFC 3339 string with an offset and at most 6 digits of fraction, such as "
        "2026-01-31T12:00:00Z, or an aware datetime.",
        pointer=pointer,
    )


def matches(
    filter: Filter,
    *,
    id: str,
    key: str,
    title: str,
    tags: tuple[str, ...],
    created: datetime,
    updated: datetime,
    expires_at: datetime | None,
    metadata: Mapping[str, object],
) -> bool:
    """Tell whether a document passes a filter: the meaning that the SQL must reproduce.

    Args:
        filter: What `parse` returned.
        id: The document's id.
        key: Its key.
        title: Its title.
        tags: Its tags.
        created: Aware, as the other times.
        updated: Aware.
        expires_at: Aware, or None for never.
        metadata: A JSON object.

    Returns:
        True where the filter holds.
    """
    row: dict[str, object] = {
        "id": id,
        "key": key,
        "title": title,
        "tags": tags,
        "created": created.astimezone(timezone.utc),
        "updated": updated.astimezone(timezone.utc),
        "metadata": metadata,
    }
    if expires_at is not None:
        row["expires_at"] = expires_at.astimezone(timezone.utc)
    return _holds(filter, row)


def _holds(node: Filter, row: Mapping[str, object]) -> bool:
    if isinstance(node, And):
        return all(_holds(part, row) for part in node.parts)
    if isinstance(node, Or):
        return any(_holds(part, row) for part in node.parts)
    if isinstance(node, Not):
        return not _holds(node.part, row)
    stored: object = row
    for segment in (node.field.name, *node.field.path):
        if not isinstance(stored, Mapping) or segment not in stored:
            return node.op == "ne" or (node.op == "exists" and node.value is False)
        stored = stored[segment]
    return node.value is True if node.op == "exists" else _compares(stored, node.op, node.value)


def _compares(stored: object, op: Op, value: Value) -> bool:
    if op == "contains" and isinstance(stored, list | tuple):
        return any(_equal(item, value) for item in stored)
    if op == "contains":
        return isinstance(stored, str) and isinstance(value, str) and value in stored
    if op == "prefix":
        return isinstance(stored, str) and isinstance(value, str) and stored.startswith(value)
    if op in _ORDER:
        return _kind(stored) == _kind(value) and _ORDER[op](stored, value)
    items = value if isinstance(value, tuple) else (value,)
    return any(_equal(stored, item) for item in items) is (op != "ne")


def _equal(stored: object, value: object) -> bool:
    return _kind(stored) == _kind(value) and stored == value


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "time" if isinstance(value, datetime) else "composite"
