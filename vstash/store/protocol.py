"""What the rest of vstash needs of a store, so that another engine can stand behind it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from vstash.store.check import CheckResult
    from vstash.store.found import Rules
    from vstash.store.models import Served
    from vstash.store.repair import Repaired
    from vstash.store.session import Reader
    from vstash.store.writer import Writer
    from vstash.upkeep import CheckLevel

__all__ = ["Store"]


class Store(Protocol):
    """A place that keeps documents, words, vectors and the log in one transaction."""

    path: Path
    immutable: bool

    def read(self) -> AbstractContextManager[Reader]:
        """A consistent view."""
        ...

    def write(
        self, *, timeout_s: float | None = None, made_by: Served | None = None
    ) -> AbstractContextManager[Writer]:
        """A transaction that is committed when the block ends and undone when it raises."""
        ...

    def check(
        self,
        rules: Rules,
        *,
        level: CheckLevel = "full",
        progress: Callable[[str, int, int], None] = ...,
    ) -> CheckResult:
        """Compare everything that is derived with the text."""
        ...

    def backup(
        self,
        target: Path,
        *,
        damaged: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Copy all of it as it is at one moment, while others write."""
        ...

    def restore(
        self,
        source: Path,
        *,
        keep: Callable[[], None],
        force: bool,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Replace all that it holds by a copy, in one write."""
        ...

    def repair(
        self,
        rules: Rules,
        *,
        accept: bool,
        now: int,
        progress: Callable[[str, int, int], None] = ...,
    ) -> Repaired:
        """Derive anew what a check finds wrong, in one transaction."""
        ...

    def size(self) -> int:
        """Bytes that it takes on disk."""
        ...

    def rewrite(self) -> None:
        """Leave nothing of what is gone in any unused place, and no place unused."""
        ...

    def empty_log(self, *, patience_s: float) -> bool:
        """Leave nothing of it in what readers of older states need; returns whether that went."""
        ...

    def close(self) -> None:
        """Release everything; may be called more than once."""
        ...
