"""Reading lines of JSON and of tables; what is wrong is told with its line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from vstash.errors import EvaluationError, PathNotFoundError

__all__ = ["broken", "json_lines", "table_rows", "unreadable"]

T = TypeVar("T")


def broken(path: Path, number: int, reason: str, value: str | None = None) -> EvaluationError:
    """The error that a line deserves.

    Args:
        path: Its file.
        number: Of the line, from 1.
        reason: What is wrong with it, as a sentence.
        value: What stands there, for who may see it.
    """
    detail = str(path) if value is None else f"{path}: {value!r}"
    return EvaluationError(f"Line {number:,}: {reason}", local_detail=detail)


def json_lines(path: Path, kind: type[T]) -> Iterator[tuple[int, bytes, T]]:
    """Read lines of JSON, passing over blank ones.

    Args:
        path: The file.
        kind: What each line holds, as msgspec reads it.

    Returns:
        For each line its number from 1, its bytes, and its value.

    Raises:
        PathNotFoundError: When it cannot be read.
        EvaluationError: When a line is not JSON, or holds something else.
    """
    decoder = msgspec.json.Decoder(kind)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.isspace():
                    continue
                try:
                    value = decoder.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                    raise broken(path, number, f"{str(error).rstrip('.')}.") from error
                yield number, line, value
    except OSError as error:
        raise unreadable(path, error) from error


def table_rows(
    path: Path, columns: Sequence[str], *, delimiter: str
) -> Iterator[tuple[int, list[str]]]:
    """Read the named columns of a table whose first line names them.

    Args:
        path: The file, in UTF-8.
        columns: Names that must be there.
        delimiter: Between cells; cells that hold it are quoted where it is a comma.

    Returns:
        For each row its line's number and its cells, in the order of ``columns``.

    Raises:
        PathNotFoundError: When it cannot be read.
        EvaluationError: When a column is missing, or a row has no cell for one.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            # Tab-separated files of judged sets know no quotes.
            reader = (
                csv.reader(file, delimiter=delimiter, quoting=csv.QUOTE_NONE)
                if delimiter == "\t"
                else csv.reader(file, delimiter=delimiter, strict=True)
            )
            header = [cell.strip() for cell in next(reader, [])]
            missing = [name for name in columns if name not in header]
            if missing:
                raise broken(path, 1, f"it must name the columns {', '.join(columns)}.")
            places = [header.index(name) for name in columns]
            for row in reader:
                if not row:
                    continue
                if len(row) <= max(places):
                    raise broken(path, reader.line_num, f"it has only {len(row)} cells.")
                yield reader.line_num, [row[place] for place in places]
    except OSError as error:
        raise unreadable(path, error) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise EvaluationError(
            f"This is no table in UTF-8: {error}.", local_detail=str(path)
        ) from error


def unreadable(path: Path, error: OSError) -> PathNotFoundError:
    """The error for a file that is missing or cannot be read."""
    return PathNotFoundError(
        "A file of the evaluation cannot be read.", local_detail=f"{path}: {error.strerror}"
    )
