"""The check command."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

import click

from vstash.cli.options import Common, common_options, example
from vstash.cli.output import bold, is_terminal, out, out_json, printable
from vstash.cli.render import counted
from vstash.errors import RequestError, VstashError
from vstash.wire import to_json

if TYPE_CHECKING:
    from vstash.reports import CheckReport, Finding
    from vstash.types import Json
    from vstash.upkeep import CheckLevel, CheckProgressCallback, RepairReport

__all__ = ["check"]

Report = TypeVar("Report", "CheckReport", "RepairReport")


@click.command(
    short_help="Compare the parts of the file with one another, and repair them.",
    epilog=example("vstash check --quick && echo sound", "vstash check --repair"),
)
@click.option("--quick", is_flag=True, help="Leave out what reads every text and every vector.")
@click.option(
    "--repair", is_flag=True, help="Derive anew what is wrong, after a backup; text stays as it is."
)
@click.option(
    "--accept-content",
    is_flag=True,
    help="With --repair: take documents that do not match their hash as they are.",
)
@common_options
def check(common: Common, quick: bool, repair: bool, accept_content: bool) -> int:
    """Compare schema, text, words, vectors, codes, counters and log with one another.

    docs/check.md says what each finding means. The exit code is 1 when something was found, and with
    --repair when something is left.
    """
    if quick and repair:
        raise RequestError("--repair needs a full check: leave --quick out.")
    if accept_content and not repair:
        raise RequestError("--accept-content goes with --repair.")
    with common.memory(create=False) as memory:
        if repair:
            done = _shown(
                lambda tell: memory.repair(accept_content=accept_content, progress=tell), common
            )
            return _ended(common, done, _repaired(done))
        level: CheckLevel = "quick" if quick else "full"
        found = _shown(lambda tell: memory.check(level=level, progress=tell), common)
    return _ended(common, found, _checked(found))


def _ended(common: Common, report: CheckReport | RepairReport, lines: Iterable[str]) -> int:
    if common.as_json:
        out_json({"ok": report.ok, **_members(report)})
    else:
        out("\n".join(lines))
    return 0 if report.ok else VstashError.exit_code


def _members(report: CheckReport | RepairReport) -> dict[str, Json]:
    found = to_json(report)
    assert isinstance(found, dict)  # noqa: S101 - every report is an object
    return found


def _shown(work: Callable[[CheckProgressCallback | None], Report], common: Common) -> Report:
    if common.as_json or not is_terminal(sys.stderr):
        return work(None)
    from vstash.cli.progress import PartBar

    with PartBar() as bar:
        return work(bar.update)


def _told(findings: Iterable[Finding]) -> Iterable[str]:
    for finding in findings:
        yield f"{bold(finding.code)} ({finding.count:,}): {printable(finding.message)}"
        if finding.examples:
            yield "   such as " + printable(", ".join(finding.examples))


def _checked(report: CheckReport) -> Iterable[str]:
    yield from _told(report.findings)
    verdict = "nothing wrong" if report.ok else counted(len(report.findings), "finding")
    quickly = ", quick" if report.level == "quick" else ""
    yield (
        f"{counted(report.documents, 'document')}, {counted(report.chunks, 'chunk')}, "
        f"{report.seconds:.1f} s{quickly}: {verdict}"
    )


def _repaired(report: RepairReport) -> Iterable[str]:
    if report.backup is not None:
        yield f"backup: {printable(report.backup)}"
    for finding in report.found:
        if finding.code in report.repaired:
            yield f"{bold(finding.code)} ({finding.count:,}): repaired"
    if report.accepted:
        yield "accepted as they are: " + printable(", ".join(report.accepted))
    yield from _told(report.left)
    if report.awaiting:
        yield f"{counted(report.awaiting, 'chunk')} await a vector: run `vstash embed`"
    verdict = "nothing wrong" if report.ok else f"{counted(len(report.left), 'finding')} left"
    yield f"{counted(len(report.repaired), 'kind')} of damage repaired, {report.seconds:.1f} s: {verdict}"
