"""What a training that was interrupted goes on with: its examples and options, kept in the folder it writes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from vstash.errors import TrainingError
from vstash.training.examples import Example
from vstash.training.options import TrainOptions

__all__ = ["BEGUN", "Begun", "begin", "begun_before", "require_empty"]

BEGUN: Final = "training.msgpack"


class Begun(msgspec.Struct, frozen=True):
    """A training as it was begun.

    Attributes:
        options: The minutes left out, since they may be others each time.
        base: SHA-256 of the model before.
        examples: All of them, so that what was searched since changes nothing.
    """

    options: TrainOptions
    base: str
    examples: tuple[Example, ...]


def begun_before(out: Path) -> Begun | None:
    """What was begun in a folder; None when nothing was.

    Args:
        out: The folder.

    Raises:
        TrainingError: When its record cannot be read.
    """
    try:
        return msgspec.msgpack.decode((out / BEGUN).read_bytes(), type=Begun)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise TrainingError(
            "What was begun here cannot be read: name a new folder.",
            pointer="/out",
            local_detail=f"{out / BEGUN}: {error}",
        ) from error


def begin(out: Path, begun: Begun) -> None:
    """Make the folder and keep what is begun in it.

    Args:
        out: The folder.
        begun: To be kept.

    Raises:
        TrainingError: When it cannot be written.
    """
    part = out / f"{BEGUN}.part"
    try:
        out.mkdir(parents=True, exist_ok=True)
        part.write_bytes(msgspec.msgpack.encode(begun))
        part.replace(out / BEGUN)
    except OSError as error:
        raise TrainingError(
            "The folder for the model cannot be written.",
            pointer="/out",
            local_detail=f"{error.filename}: {error.strerror}",
        ) from error


def require_empty(out: Path) -> None:
    """Refuse a folder that holds something.

    Args:
        out: The folder; it need not exist.

    Raises:
        TrainingError: When it is not empty, or no folder.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise TrainingError(
            "The folder is not empty: name a new one, or go on with --resume.", pointer="/out"
        )
