"""Setting right what a check finds."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from vstash.errors import ModelError
from vstash.pipeline.checking import in_parts
from vstash.store.faults import pages_damaged
from vstash.store.repair import repairable
from vstash.upkeep import CheckProgress, CheckProgressCallback, RepairReport

if TYPE_CHECKING:
    from vstash.pipeline.backups import Backups
    from vstash.pipeline.checking import Checking
    from vstash.pipeline.embedding import Embedding
    from vstash.reports import EmbedProgress
    from vstash.store.protocol import Store

__all__ = ["Repairing"]

# What cannot be read hides what is behind it: once the first is set right, the next is found.
_ROUNDS: Final = 3
_ACCEPTED: Final = 100


class Repairing:
    """Makes right what is derived, from what it is derived from.

    Args:
        store: The file.
        checking: Finds what is wrong, and knows how what is derived follows from text.
        embedding: Makes the vectors that were lost.
        backups: Keep the file as it was.
        clock: Microseconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        checking: Checking,
        embedding: Embedding,
        backups: Backups,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._checking = checking
        self._embedding = embedding
        self._backups = backups
        self._clock = clock

    def repair(
        self, *, accept_content: bool = False, progress: CheckProgressCallback | None = None
    ) -> RepairReport:
        """Repair; see `Memory.repair`."""
        start = time.perf_counter()
        before = last = self._checking.check(progress=progress)
        backup = None
        accepted: dict[str, None] = {}
        for _ in range(_ROUNDS):
            codes = {finding.code for finding in last.findings}
            if "file_damaged" in codes:
                raise pages_damaged()
            if not repairable(codes, accept=accept_content):
                break
            if backup is None:
                backup = self._backups.before("repair").name
            done = self._store.repair(
                self._checking.rules,
                accept=accept_content,
                now=self._clock(),
                progress=in_parts(progress),
            )
            accepted.update(dict.fromkeys(done.accepted))
            self._embed(progress)
            last = self._checking.check(progress=progress)
        left = {finding.code for finding in last.findings}
        return RepairReport(
            found=before.findings,
            repaired=tuple(finding.code for finding in before.findings if finding.code not in left),
            left=last.findings,
            accepted=tuple(accepted)[:_ACCEPTED],
            awaiting=self._embedding.awaiting(),
            backup=backup,
            seconds=round(time.perf_counter() - start, 3),
        )

    def _embed(self, progress: CheckProgressCallback | None) -> None:
        def tell(state: EmbedProgress) -> None:
            if progress is not None:
                total = state.embedded + state.awaiting
                progress(CheckProgress("embedding", state.embedded, total))

        # They stay on the list, and the report says how many.
        with suppress(ModelError):
            self._embedding.embed(progress=tell)
