"""From what went wrong to one message and one exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import click

from vstash.cli.output import err, flush, json_line, printable
from vstash.errors import (
    AccessError,
    ConflictError,
    DocumentNotFoundError,
    InternalError,
    ModelError,
    OverloadError,
    RequestError,
    StoreBusyError,
    StoreError,
    VstashError,
)
from vstash.wire import error_json

if TYPE_CHECKING:
    from vstash.types import Json

__all__ = ["EXIT_CODES", "INTERRUPTED", "PIPE_CLOSED", "pipe_closed", "run_guarded", "wants_json"]

INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141
EXIT_CODES: Final[tuple[tuple[int, str], ...]] = (
    (0, "done"),
    (VstashError.exit_code, "failed, or `check` found something, or a file failed in `ingest`"),
    (RequestError.exit_code, "the command line or a value cannot be used; nothing was stored"),
    (DocumentNotFoundError.exit_code, "no such document, chunk, collection, file or folder"),
    (ModelError.exit_code, "the embedding model cannot be used"),
    (StoreError.exit_code, "the vstash file cannot be used"),
    (StoreBusyError.exit_code, "another process held the file for too long; try again"),
    (
        ConflictError.exit_code,
        "changed by somebody else meanwhile, or there already; nothing was changed",
    ),
    (AccessError.exit_code, "an access key is missing or does not allow this"),
    (OverloadError.exit_code, "a service has too much to do; try again"),
    (INTERRUPTED, "interrupted with Ctrl-C; finished documents are stored"),
    (PIPE_CLOSED, "the program that read the output went away"),
)
_ISSUES = "https://github.com/vstash/vstash/issues"


def wants_json(args: Sequence[str]) -> bool:
    """Whether a command line asks for JSON, even one that cannot be parsed."""
    words = list(args)
    end = words.index("--") if "--" in words else len(words)
    return "--json" in words[:end]


def run_guarded(  # noqa: PLR0911 - one table from error to exit code
    run: Callable[[], object], *, as_json: bool
) -> int:
    """Run a command line; nothing that it raises reaches the user as a traceback.

    Args:
        run: Returns an exit code, or anything else for success.
        as_json: Whether an error is told as JSON.

    Returns:
        The exit code.
    """
    try:
        result = run()
        flush()
    except click.exceptions.NoArgsIsHelpError as error:
        err(error.format_message())
        return error.exit_code
    except click.ClickException as error:
        return _told(_from_click(error), as_json=as_json, hint=_hint(error))
    except (click.Abort, KeyboardInterrupt):
        return _interrupted(as_json=as_json)
    except BrokenPipeError:
        return pipe_closed()
    except VstashError as error:
        return _told(error, as_json=as_json)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            return _told(_unexpected(error), as_json=as_json)
        _discard_output()
        full = VstashError("The output cannot be written: there is no space left.")
        return _told(full, as_json=as_json)
    except Exception as error:  # noqa: BLE001 - the last line of defence: reported, never swallowed
        if _was_interrupted(error):
            return _interrupted(as_json=as_json)
        return _told(_unexpected(error), as_json=as_json)
    return result if isinstance(result, int) else 0


def pipe_closed() -> int:
    """Stop writing to a reader that went away."""
    _discard_output()
    return PIPE_CLOSED


def _discard_output() -> None:
    """Send what streams still hold nowhere; otherwise Python tries once more when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if stream is None or stream.closed:
            continue
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _was_interrupted(error: BaseException) -> bool:
    """Whether Ctrl-C is behind it: a compiled library makes an ImportError of it while it loads."""
    behind: BaseException | None = error
    while behind is not None and not isinstance(behind, KeyboardInterrupt):
        behind = behind.__cause__ or behind.__context__
    return behind is not None


def _say(text: str) -> None:
    """Tell the user; where nobody can read it, the exit code still does."""
    try:
        err(text)
    except OSError:
        _discard_output()


def _from_click(error: click.ClickException) -> VstashError:
    return RequestError(error.format_message())


def _hint(error: click.ClickException) -> str:
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    return "" if ctx is None else f"Try: {ctx.command_path} --help"


def _unexpected(error: Exception) -> InternalError:
    wrapped = InternalError(
        f"Internal error ({type(error).__name__}): please report it at {_ISSUES} with what "
        "the same command prints under VSTASH_DEBUG=1.",
    )
    wrapped.__cause__ = error
    return wrapped


def _told(error: VstashError, *, as_json: bool, hint: str = "") -> int:
    if os.environ.get("VSTASH_DEBUG") == "1":
        _say("".join(traceback.format_exception(error)).rstrip())
    if as_json:
        _error_line(error_json(error, local=True))
        return error.exit_code
    where = f" at {error.pointer}" if error.pointer else ""
    _say(printable(f"error: {error} [{error.code}{where}]", lines=True))
    if hint:
        _say(hint)
    return error.exit_code


def _interrupted(*, as_json: bool) -> int:
    message = "Interrupted. Documents that were finished are stored."
    if as_json:
        _error_line({"code": "interrupted", "detail": message, "retryable": True})
    else:
        _say(message)
    return INTERRUPTED


def _error_line(error: dict[str, Json]) -> None:
    _say(json_line({"error": error}))
