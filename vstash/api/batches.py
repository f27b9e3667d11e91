"""Answers to many things at once, of which some may fail."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from vstash.api.describe import reply
from vstash.api.problems import problem
from vstash.errors import VstashError

__all__ = ["results"]


def results(
    read: Sequence[object], outcomes: Sequence[object], *, name: str, under: str
) -> Response:
    """What became of each item of a batch.

    Args:
        read: For each item the error that kept it out from the start, or anything else.
        outcomes: Of those others, in their order: the error or the value.
        name: Of the member that holds a value.
        under: Pointer of the list that the items came in.
    """
    left = iter(outcomes)
    found = [item if isinstance(item, VstashError) else next(left) for item in read]
    told = [
        {"error": problem(outcome, under=f"{under}/{position}")}
        if isinstance(outcome, VstashError)
        else {name: outcome}
        for position, outcome in enumerate(found)
    ]
    return reply({"results": told})
