"""The command that says what there is to learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from vstash.cli.options import Common, common_options, count, example
from vstash.cli.output import bold, out, out_json, printable, table_width
from vstash.cli.render import Column, fields_block, table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vstash.mining import Coverage, FalseNegatives, LearnReport, SampleTriple, Spread

__all__ = ["learn_report"]

_SHOWN_CHARS: Final = 200


@click.command(
    "report",
    short_help="Say what there is to learn from.",
    epilog=example("vstash learn report", "vstash learn report --picture triples.png --json"),
)
@click.option("--collection", metavar="NAME", help="Only of queries in it.  [default: all]")
@click.option(
    "--samples",
    type=count("samples"),
    default=5,
    metavar="N",
    help="Triples to read, 0 to 100.  [default: 5]",
)
@click.option("--picture", metavar="FILE", help="Draw the report into a .png or .svg file.")
@common_options
def learn_report(common: Common, collection: str | None, samples: int, picture: str | None) -> None:
    """Say how many triples there are, how sure and how hard they are, and what they are worth.

    Triples of the log count as well as those of `learn mine` and `learn label`.
    """
    if picture is not None:
        from vstash.evaluation.picture import checked_picture

        checked_picture(picture)
    with common.memory(create=False) as memory:
        report = memory.learn_report(collection=collection, samples=samples)
    if picture is not None:
        from vstash.evaluation.learn_picture import draw_triples

        draw_triples(report, picture)
    if common.as_json:
        out_json(report)
    else:
        out(_text(report))


def _text(report: LearnReport) -> str:
    if not report.sources:
        return (
            "There is nothing to learn from yet: search, or make queries with `vstash learn mine`."
        )
    parts = [_summary(report), _sources(report), *map(_sample, report.samples)]
    return "\n\n".join(parts)


def _share(value: float | None) -> str:
    return "not known" if value is None else f"{100 * value:.1f} %"


def _counts(counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts) or "none"


def _spread(found: Spread | None) -> str:
    if found is None:
        return "none"
    low, _, middle, _, high = found.quantiles
    return f"{middle:.2f} in the middle, {low:.2f} to {high:.2f} for nine of ten"


def _false(found: FalseNegatives) -> str:
    return (
        f"{_share(found.estimated)} by their scores; measured: {_share(found.measured)} of "
        f"{found.judged:,} that were judged"
    )


def _summary(report: LearnReport) -> str:
    worth = (
        "none"
        if report.worth is None
        else f"{report.worth:.3f} each, {report.effective:,.1f} in all"
    )
    return fields_block(
        [
            ("triples", _counts(report.triples.items())),
            ("worth", worth),
            ("evidence", _spread(report.evidence)),
            *((f"margin, {kind}", _spread(found)) for kind, found in report.difficulty.items()),
            ("passed over", _counts(report.masked.items())),
            ("false negatives", _false(report.false_negatives)),
            (
                "coverage",
                _cover(report.coverage),
            ),
        ]
    )


def _cover(found: Coverage) -> str:
    return (
        f"{found.documents_covered:,} of {found.documents:,} documents, "
        f"{found.chunks_covered:,} of {found.chunks:,} chunks"
    )


def _sources(report: LearnReport) -> str:
    columns = (
        Column("QUERIES FROM", flexible=True),
        *(Column(name, right=True) for name in ("QUERIES", "DISAGREEMENT", "TRIPLES")),
        *(Column(name, right=True) for name in ("EVIDENCE", "WORTH")),
    )
    rows = [
        (
            each.name,
            f"{each.queries:,}",
            f"{each.disagreement:.3f}",
            f"{sum(each.triples.values()):,}",
            "" if each.evidence is None else f"{each.evidence:.3f}",
            "" if each.worth is None else f"{each.worth:.3f}",
        )
        for each in report.sources
    ]
    return table(columns, rows, width=table_width())


def _sample(sample: SampleTriple) -> str:
    triple = sample.triple

    def shown(text: str | None) -> str:
        return printable(" ".join((text or "").split())[:_SHOWN_CHARS])

    fields = [
        ("kind", f"{triple.kind}, {sample.source}"),
        ("positive", shown(triple.positive_text)),
        ("negative", shown(triple.negative_text)),
        ("evidence", f"{sample.evidence:.2f}, gradient {sample.gradient:.2f}"),
    ]
    return f"{bold(printable(triple.query))}\n{fields_block(fields)}"
