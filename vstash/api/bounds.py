"""What the API's description says of values, for who reads or generates from it.

`Memory` holds the values to these bounds, so that every interface refuses the same in the same words.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = [
    "COLLECTION",
    "FILTER",
    "KEY",
    "LIMIT",
    "METADATA",
    "QUERY",
    "ROW",
    "SCHEMAS",
    "SESSION",
    "TAGS",
    "TITLE",
    "UNIT",
    "VECTOR",
    "VISIBLE",
]

Schema = dict[str, Any]

_CONTROL: Final = r"\u0000-\u001f\u007f-\u009f"
_TEXT: Final[Schema] = {"type": "string", "maxLength": 10_000, "pattern": r"^[^\u0000]*$"}
_INTEGER: Final[Schema] = {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}
_NUMBER: Final[Schema] = {"type": "number"}
_TIME: Final[Schema] = {"type": "string", "format": "date-time"}

COLLECTION: Final[Schema] = {"pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"}
KEY: Final[Schema] = {"minLength": 1, "maxLength": 4096, "pattern": r"^[^\u0000]+$"}
SESSION: Final[Schema] = {"minLength": 1, "maxLength": 200, "pattern": f"^[^{_CONTROL}]+$"}
TITLE: Final[Schema] = {"maxLength": 1000, "pattern": f"^[^{_CONTROL}]*$"}
VISIBLE: Final[Schema] = {"minLength": 1, "pattern": r"^[^\u0000]*[^\s\u0000-\u001f][^\u0000]*$"}
QUERY: Final[Schema] = {
    "minLength": 1,
    "maxLength": 100_000,
    "pattern": r"[A-Za-z0-9]|[^\u0000-\u036f]",
}
TAGS: Final[Schema] = {
    "maxItems": 100,
    "items": {
        "type": "string",
        "minLength": 1,
        "maxLength": 200,
        "pattern": rf"^[^\s{_CONTROL}]([^{_CONTROL}]*[^\s{_CONTROL}])?$",
    },
}
METADATA: Final[Schema] = {"propertyNames": {"maxLength": 10_000, "pattern": r"^[^\u0000]*$"}}
LIMIT: Final[Schema] = {"minimum": 1, "maximum": 1000}
UNIT: Final[Schema] = {"minimum": 0, "maximum": 1}
ROW: Final[Schema] = {"minimum": 1, "maximum": 2**63 - 1}
VECTOR: Final[Schema] = {"minItems": 1}
FILTER: Final[Schema] = {"$ref": "#/components/schemas/Filter"}


def _conditions(value: Schema, ordered: Schema, *, text: bool) -> Schema:
    found = {
        **dict.fromkeys(("eq", "ne"), value),
        "in": {"type": "array", "items": value, "minItems": 1, "maxItems": 1000},
        **dict.fromkeys(("gt", "gte", "lt", "lte"), ordered),
        "exists": {"type": "boolean"},
    }
    if text:
        found |= {"contains": value, "prefix": _TEXT}
    return _closed(found)


def _closed(properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "minProperties": 1,
    }


_SCALAR: Final[Schema] = {
    "anyOf": [_TEXT, _INTEGER, _NUMBER, {"type": "boolean"}, {"type": "null"}]
}
_ORDERED: Final[Schema] = {"anyOf": [_TEXT, _INTEGER, _NUMBER]}
_SEGMENT: Final = rf'[^."\\{_CONTROL}]+'
_FIELDS: Final = "id|key|title|tags|created|updated|expires_at"
_CONNECTIVES: Final = ("and", "or", "not")


def _named(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_SEVERAL: Final[Schema] = {"type": "array", "items": FILTER, "minItems": 1}

# Named parts of the description. A filter holds filters; it is one object without alternatives, which
# generators of clients make nothing of.
SCHEMAS: Final[Schema] = {
    "Filter": {
        "title": "Filter",
        "description": "Conditions on fields, all of which must hold, or filters joined by `and`, `or` or "
        "`not`, each alone in its object; at most 16 levels and 256 conditions. Other names than those "
        "listed are `metadata.` and a path. A field that is missing fails all but `ne` and `not`.",
        "examples": [{"and": [{"metadata.author": {"eq": "ada"}}, {"key": {"prefix": "/notes"}}]}],
        "type": "object",
        "minProperties": 1,
        "properties": {
            **dict.fromkeys(("and", "or"), _SEVERAL),
            "not": FILTER,
            **dict.fromkeys(("id", "key", "title"), _named("FilterConditions")),
            "tags": _named("FilterTagConditions"),
            **dict.fromkeys(("created", "updated", "expires_at"), _named("FilterTimeConditions")),
        },
        "additionalProperties": _named("FilterConditions"),
        "propertyNames": {
            "pattern": rf"^({'|'.join(_CONNECTIVES)}|{_FIELDS}|metadata(\.{_SEGMENT})+)$"
        },
        "dependentSchemas": {name: {"maxProperties": 1} for name in _CONNECTIVES},
    },
    "FilterConditions": {
        "title": "FilterConditions",
        **_conditions(_SCALAR, _ORDERED, text=True),
    },
    "FilterTimeConditions": {
        "title": "FilterTimeConditions",
        **_conditions(_TIME, _TIME, text=False),
    },
    "FilterTagConditions": {
        "title": "FilterTagConditions",
        **_closed({"exists": {"type": "boolean"}, "contains": _SCALAR}),
    },
}
