"""Integrity of the log of searches: what a row holds, and what its triples say."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final, get_args

import apsw

from vstash.errors import StoreCorruptError
from vstash.mining import FORMS
from vstash.store.connection import fetch
from vstash.store.documents import to_datetime
from vstash.store.faults import UNREADABLE
from vstash.store.found import Found, Rules, Tick
from vstash.types import MaskReason, Mode, StrategyName, TripleKind

__all__ = ["log_findings", "moment"]

_PAIR: Final = 2
_FORMS: Final = frozenset(FORMS)
_MODES: Final = frozenset(get_args(Mode))
_STRATEGIES: Final = frozenset(get_args(StrategyName))
_TRIPLES: Final = frozenset(get_args(TripleKind))
_REASONS: Final = frozenset(get_args(MaskReason))
_HASH: Final = re.compile("[0-9a-f]{64}")


def log_findings(connection: apsw.Connection, _rules: Rules, _tick: Tick) -> Found:
    """Read logged searches, queries of known answer, triples and verdicts as their users do.

    Args:
        connection: In a read transaction.
    """
    rows = connection.execute(
        "SELECT number, id, at, query, mode, strategy, weights, k, disagreement, vector_leg, "
        "keyword_leg, gap, best, agreed, hashed, coalesce(first_at, at), masked FROM search"
    )
    yield "log_damaged", [row[0] for row in rows if not _sound(row[1:])]
    triples = fetch(connection, "SELECT id, positive, negative, kind, evidence FROM triple")
    yield (
        "triple_damaged",
        [
            number
            for number, positive, negative, kind, evidence in triples
            if positive == negative or kind not in _TRIPLES or not _is(evidence, dict)
        ],
    )
    yield "made_damaged", _damaged_made(connection)
    judged = connection.execute("SELECT id, at FROM feedback")
    yield "feedback_differs", [number for number, at in judged if not moment(at)]


def _sound(row: tuple[Any, ...]) -> bool:
    search_id, at, query, mode, strategy, weights, k, disagreement, *rest = row
    vector_leg, keyword_leg, *evidence, hashed, first_at, masked = rest
    return bool(
        search_id
        and query
        and moment(at)
        and moment(first_at)
        and (not hashed or _HASH.fullmatch(query))
        and _counts(masked)
        and mode in _MODES
        and strategy in _STRATEGIES
        and k >= 1
        and 0 <= disagreement <= 1
        and _numbers(weights)
        and _entries(vector_leg)
        and _entries(keyword_leg)
        and len({value is None for value in evidence}) == 1
    )


def _damaged_made(connection: apsw.Connection) -> Iterator[int]:
    """Queries of which the answer is known: those that are not sound, or have a triple that is not."""
    rows = connection.execute(
        "SELECT number, form, query, disagreement, vector_leg, keyword_leg, masked, made_at, "
        "(SELECT document FROM chunk WHERE id = positive) = document FROM made_query"
    )
    for number, form, query, disagreement, vector_leg, keyword_leg, masked, made_at, own in rows:
        sound = form in _FORMS and query and own and moment(made_at) and _counts(masked)
        legs = _entries(vector_leg) and _entries(keyword_leg)
        if not (sound and legs and 0 <= float(str(disagreement)) <= 1):
            yield int(str(number))
    triples = connection.execute(
        "SELECT made, negative = positive, kind, evidence FROM made_triple "
        "JOIN made_query ON number = made"
    )
    for made, same, kind, evidence in triples:
        if same or kind not in _TRIPLES or not _is(evidence, dict):
            yield int(str(made))


def moment(value: object) -> bool:
    """Whether a stored number is a time."""
    try:
        return isinstance(value, int) and bool(to_datetime(value))
    except StoreCorruptError:
        return False


def _read(text: object) -> object:
    try:
        return json.loads(str(text))
    except (*UNREADABLE, ValueError, RecursionError):
        return None


def _is(text: object, kind: type) -> bool:
    return isinstance(_read(text), kind)


def _number(value: object) -> bool:
    return type(value) in {int, float} and math.isfinite(value)  # type: ignore[arg-type]


def _numbers(text: object) -> bool:
    value = _read(text)
    return isinstance(value, list) and len(value) == _PAIR and all(map(_number, value))


def _counts(text: object) -> bool:
    value = {} if text is None else _read(text)
    return isinstance(value, dict) and all(
        name in _REASONS and type(count) is int and count > 0 for name, count in value.items()
    )


def _entries(text: object) -> bool:
    value = _read(text)
    return isinstance(value, list) and all(
        isinstance(each, list) and len(each) == _PAIR and type(each[0]) is int and _number(each[1])
        for each in value
    )
