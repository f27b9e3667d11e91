"""What the care of a file tells: migrations, salvage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["DerivedIndex", "MigrateReport", "MigrationStep"]

DerivedIndex = Literal["words", "codes"]


@dataclass(frozen=True, slots=True)
class MigrationStep:
    """One numbered step of the schema."""

    version: int
    name: str


@dataclass(frozen=True, slots=True)
class MigrateReport:
    """How a file was brought up to date, or would be.

    Attributes:
        from_version: The schema that it had, 0 for none.
        to_version: The schema that it has now, or would have.
        steps: What changes the schema, in order; none for a file that is up to date.
        derived: Indexes that are derived anew from text and vectors, since their rules changed.
        backup: Name of the copy that was made before, in the backup folder; None for none.
        bytes: Of the file and its log before, which a backup takes.
        seconds: Wall time.
        dry_run: Whether nothing was changed.
    """

    from_version: int
    to_version: int
    steps: tuple[MigrationStep, ...]
    derived: tuple[DerivedIndex, ...]
    backup: str | None
    bytes: int
    seconds: float
    dry_run: bool
