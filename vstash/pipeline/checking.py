"""Whether a file agrees with itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import uuid6

from vstash.errors import FieldError
from vstash.pipeline.learned import readable
from vstash.pipeline.ready import digest
from vstash.reports import CheckReport
from vstash.store.found import Piece, Rules
from vstash.text.chunk import passage
from vstash.text.normalise import NORMALISER_VERSION, indexed
from vstash.upkeep import LEVELS, CheckLevel, CheckProgress, CheckProgressCallback

if TYPE_CHECKING:
    from vstash.learn.recorder import Recorder
    from vstash.pipeline.ready import Readying
    from vstash.pipeline.record import Logged
    from vstash.store.protocol import Store

__all__ = ["Checking", "derivation", "in_parts"]


def derivation(readying: Readying) -> Rules:
    """How what is derived follows from text in this version, with this model and these settings."""

    def pieces(text: str, media_type: str) -> list[Piece]:
        spans = readying.spans(text, media_type)
        return [Piece(each.start, each.end, each.heading, each.tokens) for each in spans]

    return Rules(
        words=indexed,
        version=NORMALISER_VERSION,
        digest=lambda title, heading, text: digest(
            passage(title, tuple(heading.split("\n")) if heading else (), text)
        ),
        pieces=pieces,
        new_id=lambda: str(uuid6.uuid7()),
        learned=readable,
    )


def in_parts(progress: CheckProgressCallback | None) -> Callable[[str, int, int], None]:
    """A callback of the store's, from one of a caller's."""

    def tell(part: str, done: int, total: int) -> None:
        if progress is not None:
            progress(CheckProgress(part, done, total))

    return tell


class Checking:
    """Compares everything that is derived with what it is derived from.

    Args:
        store: The file.
        rules: How that follows.
        recorder: Of the disagreement log.
    """

    def __init__(self, store: Store, rules: Rules, recorder: Recorder[Logged]) -> None:
        self._store = store
        self.rules = rules
        self._recorder = recorder

    def check(
        self, *, level: CheckLevel = "full", progress: CheckProgressCallback | None = None
    ) -> CheckReport:
        """Compare; see `Memory.check`."""
        if level not in LEVELS:
            raise FieldError(f"level is one of: {', '.join(LEVELS)}.", pointer="/level")
        start = time.perf_counter()
        self._recorder.flush()
        result = self._store.check(self.rules, level=level, progress=in_parts(progress))
        return CheckReport(
            level=level,
            findings=result.findings,
            documents=result.documents,
            chunks=result.chunks,
            seconds=round(time.perf_counter() - start, 3),
        )
