"""The commands of backups."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from vstash.cli.options import Common, common_options, count, example
from vstash.cli.output import is_terminal, out, out_json, table_width
from vstash.cli.render import Column, counted, fields_block, table, time_cell
from vstash.errors import FieldError, RequestError

if TYPE_CHECKING:
    from vstash.memory import Memory
    from vstash.upkeep import BackupInfo, BackupProgress

__all__ = ["backup", "backups", "restore"]

_SPAN: Final = re.compile(r"([0-9]{1,8})([smhd])", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LOOK_S: Final = 60.0
_COLUMNS: Final = (
    Column("NAME", flexible=True),
    Column("CREATED"),
    Column("REASON"),
    Column("DOCUMENTS", right=True),
    Column("BYTES", right=True),
)


def _span(text: str) -> int:
    """The seconds that ``1d``, ``12h``, ``30m`` or ``45s`` means."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise FieldError(
            "--every is a number of days, hours, minutes or seconds, such as 1d, 12h or 30m.",
            pointer="/every_s",
        )
    return int(found[1]) * _SECONDS[found[2]]


@click.command(
    short_help="Copy the file as it is now, or make backups again and again.",
    epilog=example("vstash backup", "vstash backup /mnt/usb/", "vstash backup --every 1d --keep 7"),
)
@click.argument("target", metavar="[TARGET]", required=False)
@click.option(
    "--every",
    "every_s",
    type=_span,
    metavar="SPAN",
    help="Run until stopped and make a backup each time so long has passed, such as 1d or 12h, and "
    "something changed.",
)
@click.option(
    "--keep",
    type=count("keep"),
    metavar="N",
    help="Of those of --every, how many are kept; otherwise the setting `backup_keep`.",
)
@common_options
def backup(common: Common, target: str | None, every_s: int | None, keep: int | None) -> None:
    """Copy the file to TARGET, or into the folder of backups; others read and write meanwhile.

    TARGET is a new file, or a folder, where the copy gets a name of its own. It is a file like any
    other, and checked before it has that name.
    """
    if every_s is None and keep is not None:
        raise RequestError("--keep goes with --every.")
    if every_s is not None and target is not None:
        raise RequestError(
            "--every makes backups in the folder of backups, the setting `backup_folder`: leave TARGET "
            "out."
        )
    with common.memory(create=False) as memory:
        if every_s is None:
            with _progress() as shown:
                made = memory.backup(target, progress=shown)
            _tell(made, as_json=common.as_json)
        else:
            kept = memory.settings.backup_keep if keep is None else keep
            _run(memory, every_s, kept, as_json=common.as_json)


def _run(memory: Memory, every_s: int, keep: int, *, as_json: bool) -> None:
    while True:
        made = memory.back_up_when_due(every_s=every_s, keep=keep)
        if made is not None:
            _tell(made, as_json=as_json)
            sys.stdout.flush()
        time.sleep(min(_LOOK_S, every_s / 2))


def _tell(made: BackupInfo, *, as_json: bool) -> None:
    if as_json:
        out_json(made)
    else:
        out(f"{made.name}: {counted(made.documents or 0, 'document')}, {made.bytes:,} bytes")


@contextmanager
def _progress() -> Iterator[Callable[[BackupProgress], None] | None]:
    """Shows how far it is, where somebody watches."""
    if not is_terminal(sys.stderr):
        yield None
        return
    from vstash.cli.progress import CountBar

    with CountBar("pages") as bar:
        yield lambda state: bar.update(state.done, state.pages)


@click.command(
    short_help="List the backups, or remove one.",
    epilog=example("vstash backups", "vstash backups --delete vstash-20260102T030405Z.db"),
)
@click.option("--delete", "name", metavar="NAME", help="Remove this backup.")
@common_options
def backups(common: Common, name: str | None) -> None:
    """List the backups in the folder of backups, the newest first."""
    with common.memory(create=False) as memory:
        if name is not None:
            removed = memory.delete_backup(name)
        else:
            found = memory.backups()
    if name is not None:
        out_json(removed) if common.as_json else out(f"removed {removed.name}")
    elif common.as_json:
        out_json({"items": found})
    elif found:
        out(table(_COLUMNS, [_row(each) for each in found], width=table_width()))
    else:
        out("There are no backups.")


def _row(info: BackupInfo) -> tuple[str, ...]:
    return (
        info.name,
        time_cell(info.created),
        info.reason or "asked for",
        "unreadable" if info.documents is None else f"{info.documents:,}",
        f"{info.bytes:,}",
    )


@click.command(
    short_help="Bring a backup back.",
    epilog=example("vstash restore vstash-20260102T030405Z.db --force"),
)
@click.argument("backup", metavar="BACKUP")
@click.option("--force", is_flag=True, help="Replace what is there; it is kept.")
@common_options
def restore(common: Common, backup: str, force: bool) -> None:
    """Replace what the file holds by what BACKUP does: a name as it is listed, or a path.

    Others may have the file open: they see all of the old or all of the new. What was there is kept, as
    a backup, or beside the file where that could not be opened.
    """
    from vstash import restore as bring_back

    source = Path(backup) if Path(backup).is_file() else backup
    with _progress() as shown:
        report = bring_back(source, settings=common.settings(), force=force, progress=shown)
    if common.as_json:
        out_json(report)
        return
    fields = [
        ("restored", f"{counted(report.documents, 'document')} in {report.seconds:.1f} s"),
        ("kept", report.kept or "nothing was there before"),
    ]
    out(fields_block(fields))
