"""The vstash command: its sub-commands, and the promise that no traceback reaches the user."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from vstash import __version__
from vstash.cli.backing_up import backup, backups, restore
from vstash.cli.calibrating import calibrate
from vstash.cli.checking import check
from vstash.cli.chunks import chunks
from vstash.cli.compacting import compact
from vstash.cli.configuring import settings
from vstash.cli.context import context
from vstash.cli.documents import add, get, list_documents, update
from vstash.cli.embedding import embed
from vstash.cli.evaluating import evaluate
from vstash.cli.failures import EXIT_CODES, INTERRUPTED, pipe_closed, run_guarded, wants_json
from vstash.cli.forgetting import forget
from vstash.cli.granting import keys
from vstash.cli.groups import Group
from vstash.cli.ingesting import ingest
from vstash.cli.inspecting import stats
from vstash.cli.jobs import job, jobs
from vstash.cli.judging import feedback
from vstash.cli.learn_group import learn
from vstash.cli.logged import disagreements
from vstash.cli.migrating import migrate
from vstash.cli.misses import why_not
from vstash.cli.models import model, reindex
from vstash.cli.options import add_options
from vstash.cli.removing import collections, delete
from vstash.cli.salvaging import salvage
from vstash.cli.searching import search
from vstash.cli.serving import serve
from vstash.cli.transferring import export, import_documents, triples

__all__ = ["Program", "cli", "main"]


class Program(Group):
    """A command group whose errors end as one message and a documented exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a reader that went away ends it quietly."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Above this, click would end the process with a code of its own.
            raise click.exceptions.Exit(pipe_closed()) from None

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT002 - click's signature
        windows_expand_args: bool = False,  # noqa: FBT002 - a text is not a pattern of files
        **extra: Any,
    ) -> Any:
        """Run a command line, and in ``standalone_mode`` end the process with its exit code."""

        def run() -> object:
            return super(Program, self).main(
                args,
                prog_name,
                complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )

        if not standalone_mode:
            return run()
        given = sys.argv[1:] if args is None else args
        sys.exit(run_guarded(run, as_json=wants_json(given)))


def _exit_codes() -> str:
    lines = [f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES]
    return "\b\nExit codes:\n" + "\n".join(lines)


@click.group(
    "vstash",
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_exit_codes(),
)
@click.version_option(__version__, prog_name="vstash", message="%(prog)s %(version)s")
@add_options
def cli() -> None:
    """Remember texts and files in one local file, and find them again by words and meaning.

    --db, --model and --json may stand before or after the command. Other settings come from
    VSTASH_* variables and vstash.toml: see `vstash settings`.
    """


for command in (
    add,
    ingest,
    embed,
    search,
    why_not,
    context,
    get,
    chunks,
    list_documents,
    update,
    delete,
    forget,
    collections,
    stats,
    check,
    compact,
    model,
    learn,
    reindex,
    migrate,
    salvage,
    backup,
    backups,
    restore,
    disagreements,
    triples,
    feedback,
    calibrate,
    jobs,
    job,
    evaluate,
    export,
    import_documents,
    serve,
    keys,
    settings,
):
    cli.add_command(command)


def main() -> NoReturn:
    """Run the command line of this process."""
    try:
        try:
            cli.main(prog_name="vstash")
        finally:
            # All is told and closed: a second Ctrl-C could only make Python abort while it ends.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    raise SystemExit(0)


if __name__ == "__main__":
    main()
