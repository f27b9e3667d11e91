"""Reading the members of a JSON object that somebody else wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from vstash.errors import FieldError
from vstash.types import Json
from vstash.wire import parse_time

__all__ = ["Members"]

_LARGEST: Final = 2**63 - 1


class Members:
    """An object with exactly the members that it must have.

    Args:
        value: What should be such an object.
        names: Of its members; None for any.
        under: Its own JSON pointer.

    Raises:
        FieldError: When it is none.

    Example:
        >>> Members({"size": 3}, ("size",)).count("size")
        3
    """

    def __init__(self, value: Json, names: Iterable[str] | None, *, under: str = "") -> None:
        if not isinstance(value, dict):
            raise FieldError("This is not an object.", pointer=under)
        self._members: dict[str, Json] = value
        self._under = under
        known = tuple(value if names is None else names)
        for name in known:
            if name not in value:
                raise self.refusal(name, f"There is no {name}.")
        if len(value) > len(known):
            raise FieldError(
                f"There is a member that is not known here; known are {', '.join(known)}.",
                pointer=under,
            )

    def refusal(self, name: str, message: str) -> FieldError:
        """An error that points at a member."""
        return FieldError(message, pointer=f"{self._under}/{name}")

    def names(self) -> tuple[str, ...]:
        """The members' names."""
        return tuple(self._members)

    def raw(self, name: str) -> Json:
        """A member of any type."""
        return self._members[name]

    def has(self, name: str) -> bool:
        """Whether a member is more than null."""
        return self._members[name] is not None

    def under(self, name: str, names: Iterable[str] | None) -> Members:
        """A member that is an object."""
        return Members(self._members[name], names, under=f"{self._under}/{name}")

    def each(self, name: str, names: Sequence[str]) -> list[Members]:
        """A member that is a list of objects."""
        value = self._members[name]
        if not isinstance(value, list):
            raise self.refusal(name, "This is not a list.")
        place = f"{self._under}/{name}"
        return [Members(item, names, under=f"{place}/{i}") for i, item in enumerate(value)]

    def text(self, name: str, pattern: re.Pattern[str] | None = None) -> str:
        """A member that is text, as a whole of a pattern."""
        value = self._members[name]
        if not isinstance(value, str):
            raise self.refusal(name, f"{name} is text.")
        if pattern is not None and not pattern.fullmatch(value):
            raise self.refusal(name, f"{name} is malformed.")
        return value

    def truth(self, name: str) -> bool:
        """A member that is true or false."""
        value = self._members[name]
        if not isinstance(value, bool):
            raise self.refusal(name, f"{name} is true or false.")
        return value

    def count(self, name: str, *, least: int = 0) -> int:
        """A member that is a whole number of 64 bits."""
        value = self._members[name]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _LARGEST:
            raise self.refusal(name, f"{name} is a whole number from {least} on.")
        return value

    def counts(self, name: str) -> dict[str, int]:
        """A member that is an object of whole numbers, 0 or more."""
        numbers = self.under(name, None)
        try:
            return {each: numbers.count(each) for each in numbers.names()}
        except FieldError:
            # Its names are the sender's text.
            raise self.refusal(name, "The numbers in it are whole ones, 0 or more.") from None

    def time(self, name: str) -> datetime:
        """A member that is an RFC 3339 time."""
        return parse_time(self.text(name), pointer=f"{self._under}/{name}")
