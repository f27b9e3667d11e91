"""What tells of the models of a file: which there are, and how one takes the place of another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "IndexState",
    "ModelState",
    "ReindexProgress",
    "ReindexReport",
    "ReindexWatcher",
]

IndexState = Literal["active", "kept", "building", "none"]


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model that the file has an index of, or that is installed.

    Attributes:
        name: What `Memory.reindex` and `Memory.use_model` call it.
        dimension: Length of its vectors.
        sha256: Of its files and of how they are used: which model it is.
        index: ``active``: searches use it. ``kept``: complete once, `Memory.use_model` goes back to it.
            ``building``: begun, never complete. ``none``: installed only.
        active: Whether searches use it.
        installed: Whether it can be opened on this machine by its name.
        vectors: Chunks that have a vector of it.
        awaiting: Chunks that have none.
        bytes: What its index takes in the file, about.
    """

    name: str
    dimension: int
    sha256: str
    index: IndexState
    active: bool
    installed: bool
    vectors: int
    awaiting: int
    bytes: int


@dataclass(frozen=True, slots=True)
class ReindexProgress:
    """Where the building of an index stands.

    Attributes:
        done: Chunks that have their vector.
        chunks: Chunks in the file; others may be written meanwhile.
        bytes_needed: Room that the rest of the index takes, about.
        seconds_left: From the rate so far; None before there is one.
    """

    done: int
    chunks: int
    bytes_needed: int
    seconds_left: float | None


ReindexWatcher = Callable[[ReindexProgress], None]


@dataclass(frozen=True, slots=True)
class ReindexReport:
    """How one model took the place of another.

    Attributes:
        model: Name of the active model now.
        before: Name of the active model before; the same where there was nothing to switch.
        switched: Whether the active model changed.
        embedded: Chunks that got their vector now; what an earlier run stored is not among them.
        awaiting: Chunks without a vector of the active model.
        bytes: What the index takes in the file, about.
        locked_ms: For how long the switch kept others from writing.
        seconds: Wall time.
    """

    model: str
    before: str
    switched: bool
    embedded: int
    awaiting: int
    bytes: int
    locked_ms: float
    seconds: float
