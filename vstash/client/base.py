"""What every method of `Client` stands on."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast
from urllib.parse import quote

from vstash.client.decoding import as_list
from vstash.client.transport import written
from vstash.errors import DocumentNotFoundError, FieldError
from vstash.times import time_text
from vstash.types import UNSET

if TYPE_CHECKING:
    from vstash.client.transport import Transport
    from vstash.memory import Memory

__all__ = ["Arguments", "Base", "like", "plain", "segment", "with_filter"]

Arguments = dict[str, Any]
P = ParamSpec("P")
Result = TypeVar("Result")
Self = TypeVar("Self", bound="Base")

# What is of the caller's process, or for the service itself to say.
_LOCAL = {
    "within": "A service keeps to its own setting ingest_roots: leave within out.",
    "progress": "A service cannot call back: leave progress out.",
    "asked_by": "A service asks no language model: leave asked_by out.",
    "tokenizer": "A service counts tokens by its own tokenizer: set context_tokenizer there.",
}


class Base:
    """Holds the way to the service."""

    _service: Transport

    def _place(self, given: Arguments) -> str:
        """The address of a document by its id or its key, taken out of the arguments."""
        document, key, collection = (given.pop(name, None) for name in ("id", "key", "collection"))
        if (document is None) == (key is None):
            raise FieldError("Give either an id or a key.", pointer="/id")
        if document is None:
            query = {"key": key, "collection": collection}
            found = self._service.send("GET", "/v1/documents", query=query)["items"]
            if not found:
                raise DocumentNotFoundError("There is no document with this key.", pointer="/key")
            document = found[0]["id"]
        return f"/v1/documents/{segment(document)}"


def like(
    method: Callable[Concatenate[Memory, P], Result],
) -> Callable[[Callable[[Self, Arguments], Result]], Callable[Concatenate[Self, P], Result]]:
    """Make a method of `Client` that is called like one of `Memory`.

    Args:
        method: Of `Memory`; its signature and its documentation hold for the client, too.

    Returns:
        A decorator for a function of the arguments that were given, by name, in JSON's types.

    Example:
        >>> from vstash import Client, Memory
        >>> import inspect
        >>> inspect.signature(Client.search) == inspect.signature(Memory.search)
        True
    """
    signature = inspect.signature(method)

    def decorate(
        send: Callable[[Self, Arguments], Result],
    ) -> Callable[Concatenate[Self, P], Result]:
        @wraps(method)
        def call(self: Self, *args: P.args, **kwargs: P.kwargs) -> Result:
            given = signature.bind(self, *args, **kwargs).arguments
            del given["self"]
            return send(
                self,
                {name: plain(name, value) for name, value in given.items() if value is not UNSET},
            )

        # mypy takes the wrapper for one that keeps the self of what it wraps.
        return cast("Callable[Concatenate[Self, P], Result]", call)

    return decorate


def plain(name: str, value: object) -> object:
    """An argument in JSON's types; what cannot be is left for the service to refuse.

    Raises:
        FieldError: For a time without its zone, and what only this process could call.
    """
    if value is not None and name in _LOCAL:
        raise FieldError(_LOCAL[name], pointer=f"/{name}")
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise FieldError(
                f"{name} is a time with its zone, such as datetime.now(timezone.utc).",
                pointer=f"/{name}",
            )
        return time_text(value)
    # A stream is for its sender to go through, once.
    return value if name == "stream" else as_list(value)


def with_filter(given: Arguments) -> Arguments:
    """Arguments for the query of an address, where a filter tree is text."""
    tree = given.get("filter")
    return given if tree is None else given | {"filter": written(tree).decode()}


def segment(text: object) -> str:
    """A part of an address between slashes."""
    try:
        # A dot alone would be taken for the folder that it names in file systems.
        return quote(str(text), safe="").replace(".", "%2E")
    except UnicodeEncodeError as error:
        raise FieldError("An id or a name is text that UTF-8 can hold.", pointer="/id") from error
