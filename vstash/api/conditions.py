"""Conditional requests (RFC 9110, section 13): ETag, If-Match and If-None-Match."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request

from vstash.errors import RequestError
from vstash.types import Document

__all__ = [
    "ANY",
    "ETAG",
    "Absent",
    "AbsentOrMatch",
    "IfMatch",
    "Known",
    "etag_header",
    "is_known",
    "parse_etags",
]

# Instead of etags: whatever state there is.
ANY: Final = "*"
ETAG: Final[dict[str, Any]] = {
    "ETag": {
        "description": "Names this state of the document, for `If-Match` and `If-None-Match`.",
        "schema": {"type": "string"},
    }
}
_TAG: Final = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_LIST: Final = rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*"
_TAGS: Final = re.compile(_TAG)
_WHOLE: Final = re.compile(_LIST)
_DESCRIBED: Final = {"pattern": rf"^(?:\*|{_LIST})$"}

IfMatchHeader = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="Change nothing unless the document has one of these etags; `*` is any, and a "
        "weak etag matches nothing.",
        examples=['"5f1c0ad0b2a14c0f9d3e6a7b8c9d0e1f"'],
        json_schema_extra=_DESCRIBED,
    ),
]
IfNoneMatchHeader = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        description="Etags of states that you have: where the document is in one of them, the answer "
        "is 304 without a body. `*` is any.",
        examples=['"5f1c0ad0b2a14c0f9d3e6a7b8c9d0e1f"'],
        json_schema_extra=_DESCRIBED,
    ),
]
IfAbsentHeader = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        description="`*`: store nothing where the collection has a document with this key.",
        examples=[ANY],
        json_schema_extra={"pattern": r"^\*$"},
    ),
]


def etag_header(document: Document) -> dict[str, str]:
    """The header that names the state of a document."""
    return {"ETag": _quoted(document)}


def _quoted(document: Document) -> str:
    return f'"{document.etag}"'


def parse_etags(value: str, name: str) -> tuple[str, ...]:
    """Read a list of entity tags.

    Args:
        value: The header's value, of several lines joined by commas.
        name: Of the header, for the error.

    Returns:
        The tags as they stand, in quotes; ``("*",)`` for any.

    Raises:
        RequestError: When it is no such list.

    Example:
        >>> parse_etags('"a", W/"b"', "If-Match")
        ('"a"', 'W/"b"')
    """
    if value.strip() == ANY:
        return (ANY,)
    if not _WHOLE.fullmatch(value):
        raise RequestError(
            f'{name} is a list of etags in quotes, such as "5f1c0ad0", or a * alone.',
            pointer=f"/{name}",
        )
    return tuple(_TAGS.findall(value))


def is_known(document: Document, etags: Sequence[str] | None) -> bool:
    """Whether the state of a document is among those of ``If-None-Match``, by the weak comparison."""
    if etags is None:
        return False
    return etags == (ANY,) or _quoted(document) in {each.removeprefix("W/") for each in etags}


def _given(request: Request, name: str) -> tuple[str, ...] | None:
    lines = request.headers.getlist(name)
    return parse_etags(",".join(lines), name) if lines else None


def _strong(etags: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """What `Memory` takes: etags without quotes, of which weak ones match nothing."""
    if etags is None or etags == (ANY,):
        return etags
    bare = (each[1:-1] for each in etags if each.startswith('"'))
    # In quotes a star is the etag of something else.
    return tuple(each for each in bare if each != ANY)


def _refuse(request: Request, name: str) -> None:
    # To pass over a condition would be to change what somebody wanted kept.
    if name in request.headers:
        raise RequestError(f"This address does not take {name}.", pointer=f"/{name}")


async def _known(request: Request, _described: IfNoneMatchHeader = None) -> tuple[str, ...] | None:
    return _given(request, "If-None-Match")


async def _if_match(request: Request, _described: IfMatchHeader = None) -> tuple[str, ...] | None:
    _refuse(request, "If-None-Match")
    return _strong(_given(request, "If-Match"))


def _is_absent(request: Request) -> bool:
    etags = _given(request, "If-None-Match")
    if etags not in {None, (ANY,)}:
        raise RequestError("If-None-Match takes * alone here.", pointer="/If-None-Match")
    return etags is not None


async def _absent(request: Request, _described: IfAbsentHeader = None) -> bool:
    _refuse(request, "If-Match")
    return _is_absent(request)


async def _absent_or_match(
    request: Request, _match: IfMatchHeader = None, _none: IfAbsentHeader = None
) -> dict[str, Any]:
    return {
        "if_absent": _is_absent(request),
        "if_match": _strong(_given(request, "If-Match")),
    }


# Etags of If-None-Match where something is read.
Known = Annotated[tuple[str, ...] | None, Depends(_known)]
# What `Memory` takes as ``if_match``.
IfMatch = Annotated[tuple[str, ...] | None, Depends(_if_match)]
# What `Memory` takes as ``if_absent``.
Absent = Annotated[bool, Depends(_absent)]
# Both, by name.
AbsentOrMatch = Annotated[dict[str, Any], Depends(_absent_or_match)]
