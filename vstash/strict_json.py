"""Reading JSON strictly, so that nothing can mean two things."""

from __future__ import annotations

import json
import math
import re

from vstash.errors import InputError, RequestError
from vstash.types import Json

__all__ = ["parse_json"]

# Twice what the deepest filter that is accepted needs; Memory's own limits come first.
_MAX_DEPTH = 64
# Python refuses to read longer ones, with an error of another class on each version.
_MAX_DIGITS = 1000
_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json(
    data: bytes | str, *, refuse: type[InputError] = RequestError, pointer: str | None = None
) -> Json:
    """Read JSON (RFC 8259) that means one thing only.

    Args:
        data: UTF-8 or text.
        refuse: The class of the error for what is not accepted.
        pointer: The field to name in that error.

    Returns:
        JSON's types; every number is finite, every string can be written as UTF-8.

    Raises:
        InputError: Of the class ``refuse``: for what is not JSON, NaN and Infinity, numbers out of
            range, repeated names in one object, half surrogate pairs, and more than 64 levels.

    Example:
        >>> parse_json('{"k": 5}')
        {'k': 5}
    """
    reader = _Reader(refuse, pointer)
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise reader.refusal("JSON must be UTF-8.") from error
    try:
        value: Json = json.loads(
            text,
            parse_constant=reader.constant,
            parse_float=reader.real,
            parse_int=reader.integer,
            object_pairs_hook=reader.members,
        )
    except RecursionError as error:
        raise reader.refusal(f"JSON may have {_MAX_DEPTH} levels at most.") from error
    except json.JSONDecodeError as error:
        place = f"column {error.colno}"
        if "\n" in text.rstrip("\n"):
            place = f"line {error.lineno}, {place}"
        raise reader.refusal(f"This is not JSON: {place}.") from error
    half_pairs = _SURROGATE_ESCAPE.search(text) is not None
    if half_pairs or text.count("[") + text.count("{") > _MAX_DEPTH:
        reader.walk(value)
    return value


class _Reader:
    """Refuses what Python's parser would let through."""

    def __init__(self, refuse: type[InputError], pointer: str | None) -> None:
        self._refuse = refuse
        self._pointer = pointer

    def refusal(self, message: str) -> InputError:
        return self._refuse(message, pointer=self._pointer)

    def constant(self, _name: str) -> Json:
        raise self.refusal("JSON has no NaN and no Infinity.")

    def real(self, digits: str) -> float:
        number = float(digits)
        if not math.isfinite(number):
            raise self.refusal("A number is too large.")
        return number

    def integer(self, digits: str) -> int:
        if len(digits) > _MAX_DIGITS:
            raise self.refusal("A number is too large.")
        return int(digits)

    def members(self, pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise self.refusal("An object has the same name twice.")
        return found

    def walk(self, value: Json) -> None:
        """Check depth and strings without recursion."""
        waiting: list[tuple[Json, int]] = [(value, 0)]
        while waiting:
            item, depth = waiting.pop()
            if isinstance(item, str):
                if _SURROGATE.search(item):
                    raise self.refusal("A string holds half of a surrogate pair.")
            elif isinstance(item, dict | list):
                if depth == _MAX_DEPTH:
                    raise self.refusal(f"JSON may have {_MAX_DEPTH} levels at most.")
                if isinstance(item, dict):
                    waiting += [(name, depth + 1) for name in item]
                    waiting += [(below, depth + 1) for below in item.values()]
                else:
                    waiting += [(below, depth + 1) for below in item]
