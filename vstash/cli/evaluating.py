"""The eval command."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from vstash.cli.options import Common, common_options, example
from vstash.cli.output import err, is_terminal, out, out_json, printable
from vstash.errors import RequestError

if TYPE_CHECKING:
    from vstash.cli.comparison import SetReport
    from vstash.evaluation import JudgedSet, Refused, Way
    from vstash.evaluation.run import Progress
    from vstash.memory import Memory

__all__ = ["evaluate"]

_BASELINE: Final = "rrf"


@click.command(
    "eval",
    short_help="Compare ways to search on judged data.",
    epilog=example(
        "vstash eval sets/nfcorpus sets/scifact.tar.gz --picture comparison.svg",
        "vstash eval sets/nfcorpus --split dev --limit 100 --ways 'rrf score' --wins 5",
        "vstash eval --queries questions.csv --db ~/notes.db",
        "vstash eval --from-log --ways 'rrf score' --wins 5",
    ),
)
@click.argument("sets", nargs=-1, metavar="[SET]...")
@click.option(
    "--queries",
    metavar="FILE",
    help="Instead of sets: queries with the keys of expected documents, for the file --db.",
)
@click.option(
    "--from-log",
    is_flag=True,
    help="Instead of sets: the searches of the file --db that got feedback.",
)
@click.option(
    "--collection",
    metavar="NAME",
    help="Goes with --queries, default being default, and with --from-log, default being all.",
)
@click.option(
    "--split", default="test", metavar="NAME", help="Which judgements of a set.  [default: test]"
)
@click.option(
    "--work",
    metavar="FOLDER",
    help="Where files of sets are kept and found again; otherwise below the user's cache folder.",
)
@click.option(
    "--ways",
    multiple=True,
    metavar="NAMES",
    help="Modes and strategies to compare, with blanks or commas between.  "
    "[default: vector keyword rrf adaptive-rrf score]",
)
@click.option(
    "--baseline",
    metavar="NAME",
    help="The way that others are compared with.  [default: rrf, or the first way]",
)
@click.option("--limit", type=int, metavar="N", help="Draw this many queries of each set.")
@click.option(
    "--seed", type=int, default=0, metavar="N", help="Of all that is drawn.  [default: 0]"
)
@click.option(
    "--filter-field",
    "filter_fields",
    multiple=True,
    metavar="NAME",
    help="Search only documents whose metadata has the query's value; several are fine.",
)
@click.option(
    "--wins", type=int, default=0, metavar="N", help="Show the N largest gains and losses."
)
@click.option("--picture", metavar="FILE", help="Draw the comparison into a .png or .svg file.")
@common_options
def evaluate(
    common: Common,
    sets: tuple[str, ...],
    queries: str | None,
    from_log: bool,
    collection: str | None,
    split: str,
    work: str | None,
    ways: tuple[str, ...],
    baseline: str | None,
    limit: int | None,
    seed: int,
    filter_fields: tuple[str, ...],
    wins: int,
    picture: str | None,
) -> None:
    """Compare ways to search on judged data, with intervals of all differences.

    A SET is a folder with corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv, as in BEIR, or a .tar.gz
    of one. Its documents are stored in a file that is kept and used again. docs/evaluation.md says
    how to read the result. Needs `pip install 'vstash[eval]'`.
    """
    from vstash.cli.comparison import as_json, shown
    from vstash.evaluation import draw
    from vstash.evaluation.metrics import require_metrics
    from vstash.evaluation.picture import checked_picture
    from vstash.evaluation.ways import DEFAULT_WAYS, ways_named

    _refuse_mixed(common, sets, queries, collection, work, from_log=from_log)
    _refuse_negative(wins)
    chosen = ways_named(" ".join(ways).replace(",", " ").split() if ways else DEFAULT_WAYS)
    against = _baseline(chosen, baseline)
    require_metrics()
    if picture is not None:
        checked_picture(picture)
    # All input is read before anything is stored.
    judged = _judged(common, sets, queries, collection, split, work, from_log=from_log)
    if limit is not None:
        judged = [each.sample(limit, seed=seed) for each in judged]
    reports = []
    for each in judged:
        with _opened(common, each, work) as (memory, kept, refused):
            report = _report(memory, kept, chosen, against, filter_fields, seed, wins, refused)
        reports.append(report)
        if not common.as_json:
            out(shown(report))
            _tell_notes(report)
    if common.as_json:
        out_json(as_json(reports, common.settings()))
    elif len(reports) > 1:
        from vstash.cli.comparison import overall

        out(overall(reports))
    if picture is not None:
        draw({report.label: report.results for report in reports}, picture)


def _refuse_mixed(
    common: Common,
    sets: Sequence[str],
    queries: str | None,
    collection: str | None,
    work: str | None,
    *,
    from_log: bool,
) -> None:
    if bool(sets) + (queries is not None) + from_log != 1:
        raise RequestError("Name sets of judged data, or one file with --queries, or --from-log.")
    if sets and common.db is not None:
        raise RequestError(
            "--db goes with --queries and --from-log; files of sets are kept in --work."
        )
    if sets and collection is not None:
        raise RequestError("--collection goes with --queries and --from-log.")
    if not sets and work is not None:
        raise RequestError("--work goes with sets; --queries and --from-log ask the file --db.")


def _refuse_negative(wins: int) -> None:
    if wins < 0:
        raise RequestError("--wins is 0 or more.")


def _baseline(ways: Sequence[Way], named: str | None) -> str:
    names = [way.name for way in ways]
    if named is None:
        return _BASELINE if _BASELINE in names else names[0]
    if named not in names:
        raise RequestError(f"--baseline is one of the ways compared: {', '.join(names)}.")
    return named


def _judged(
    common: Common,
    sets: Sequence[str],
    queries: str | None,
    collection: str | None,
    split: str,
    work: str | None,
    *,
    from_log: bool,
) -> list[JudgedSet]:
    from vstash.evaluation import default_work, from_feedback, load_judged, load_queries

    if from_log:
        with common.memory(create=False) as memory:
            return [from_feedback(memory, collection=collection)]
    if queries is not None:
        return [load_queries(queries, collection=collection)]
    unpacked = (default_work() if work is None else Path(work)) / "sets"
    judged = [load_judged(source, split=split, unpacked=unpacked) for source in sets]
    if len({each.name for each in judged}) < len(judged):
        raise RequestError("Two sets have the same name: rename the folder of one.")
    return judged


@contextmanager
def _opened(
    common: Common, judged: JudgedSet, work: str | None
) -> Iterator[tuple[Memory, JudgedSet, tuple[Refused, ...]]]:
    from vstash.evaluation import in_memory, open_judged

    if judged.corpus is None:
        with common.memory(create=False, warm=True) as memory:
            yield memory, in_memory(memory, judged), ()
        return
    with ExitStack() as stack:
        with _bar("documents") as progress:
            opened = open_judged(judged, work, settings=common.settings(), progress=progress)
            stored = stack.enter_context(opened)
        yield stored.memory, judged, stored.refused


def _report(
    memory: Memory,
    judged: JudgedSet,
    ways: Sequence[Way],
    baseline: str,
    filter_fields: Sequence[str],
    seed: int,
    wins: int,
    refused: Sequence[Refused],
) -> SetReport:
    from vstash.cli.comparison import SetReport
    from vstash.evaluation import compare, evaluate, largest

    with _bar("queries") as progress:
        evaluation = evaluate(
            memory, judged, ways=ways, filter_fields=filter_fields, progress=progress
        )
    stats = memory.stats()
    return SetReport(
        evaluation=evaluation,
        results=compare(evaluation, baseline, seed=seed),
        baseline=baseline,
        wins={
            way.name: largest(evaluation, way.name, baseline, wins)
            for way in ways
            if wins and way.name != baseline
        },
        file=stats.path,
        documents=stats.documents,
        chunks=stats.chunks,
        refused=tuple(refused),
    )


@contextmanager
def _bar(things: str) -> Iterator[Progress | None]:
    """A progress bar, where somebody watches."""
    if not is_terminal(sys.stderr):
        yield None
        return
    from vstash.cli.progress import CountBar

    with CountBar(things) as bar:
        yield bar.update


def _tell_notes(report: SetReport) -> None:
    for note in report.notes:
        err(printable(f"note: {note}"))
