"""Methods of `Memory` that prove that a file is whole, and make it so."""

from __future__ import annotations

from vstash.memory.base import Base
from vstash.reports import CheckReport
from vstash.upkeep import CheckLevel, CheckProgressCallback, RepairReport

__all__ = ["Checking"]


class Checking(Base):
    """Checks and repairs."""

    def check(
        self, *, level: CheckLevel = "full", progress: CheckProgressCallback | None = None
    ) -> CheckReport:
        """Compare schema, text, words, vectors, codes, counters and log with one another.

        Others can use the file meanwhile. docs/check.md says what is compared, and what each finding
        means.

        Args:
            level: ``full`` reads every text and every vector; ``quick`` compares what takes no second
                for 100,000 chunks: which chunks each index holds, counters, references, the schema.
            progress: Called as parts are looked at.

        Returns:
            No findings when they agree.

        Raises:
            FieldError: When there is no such level.
            StoreError: When the file cannot be read.

        Example:
            >>> with Memory("notes.db") as memory:  # doctest: +SKIP
            ...     memory.check().ok
            True
        """
        return self._engine.upkeep.checking.check(level=level, progress=progress)

    def repair(
        self, *, accept_content: bool = False, progress: CheckProgressCallback | None = None
    ) -> RepairReport:
        """Check the file, and derive anew what is wrong, after a backup.

        Everything that can be derived is made right in one transaction; vectors that were lost are
        embedded afterwards, and until then their chunks await them. Text is never changed or removed.
        Other processes can read meanwhile, and write before and after.

        Args:
            accept_content: Take documents that do not match their hash for what they should be, and
                make the hash anew. Without it they are left as they are and told: nobody but you can
                know whether text, title, tags or metadata were changed for the worse.
            progress: Called as parts are looked at and done.

        Returns:
            What was found, what is right now, and what is left with what to do.

        Raises:
            StoreCorruptError: When pages are damaged: salvage or restore; nothing was changed.
            StoreReadOnlyError: When the file cannot be written.
            StoreBusyError: When others did not finish writing in time; nothing was changed.
        """
        return self._engine.upkeep.repairing.repair(
            accept_content=accept_content, progress=progress
        )
