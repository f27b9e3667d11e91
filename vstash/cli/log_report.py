"""A report about the log as text, with bars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from vstash.cli.output import bold, printable, table_width
from vstash.cli.render import Column, fields_block, table

if TYPE_CHECKING:
    from vstash.log_reports import DisagreementReport, LegsJudged, LogRate

__all__ = ["report_text"]

_BAR: Final = 20
_BLOCK: Final = "#"
_MOST_TERMS: Final = 10
_MEANT: Final = {
    "dense_blind_spot": "keywords found what vectors missed",
    "lexical_blind_spot": "vectors found what keywords missed",
    "same_document": "of the positive's own document",
    "near_duplicate": "saying nearly what the positive says",
    "near_score": "scoring nearly as high as the positive",
}
# With fewer, or less sure, it may be chance.
_SURE: Final = 0.05


def report_text(report: DisagreementReport) -> str:
    """The report for a terminal."""
    if not report.searches:
        return "No searches are logged."
    parts = [
        _summary(report),
        _rates(f"by {report.period}, when last asked", report.period.upper(), report.over_time),
        _rates("by collection", "COLLECTION", report.by_collection),
        _terms(report),
        _counts("triples", report.triples.items()),
        _counts("negatives passed over, since they may answer as well", report.masked.items()),
        _legs(report.legs),
    ]
    return "\n\n".join(part for part in parts if part)


def _share(value: float | None) -> str:
    return "none yet" if value is None else f"{100 * value:.1f} %"


def _summary(report: DisagreementReport) -> str:
    mean = report.disagreement or 0.0
    hashed = f", {report.hashed:,} without their text" if report.hashed else ""
    dropped = f", {report.dropped:,} not logged" if report.dropped else ""
    return fields_block(
        [
            (f"disagreement@{report.k}", f"{_share(mean)} of the two lists on average"),
            ("searches", f"{report.searches:,} different ones{hashed}{dropped}"),
            ("asked", f"{report.asked:,} times, {_share(report.folded)} of them again"),
            ("with a triple", _share(report.with_triples)),
            ("in a session", f"{report.in_sessions:,}, put anew: {_share(report.reformulated)}"),
        ]
    )


def _bar(value: float) -> str:
    return (_BLOCK * round(_BAR * value)).ljust(_BAR, ".")


def _rates(title: str, name: str, rates: Sequence[LogRate]) -> str:
    columns = (
        Column(name, flexible=True),
        Column("SEARCHES", right=True),
        Column("ASKED", right=True),
        Column("DISAGREEMENT", right=True),
        Column(""),
    )
    rows = [
        (
            printable(each.name),
            f"{each.searches:,}",
            f"{each.asked:,}",
            f"{each.disagreement:.3f}",
            _bar(each.disagreement),
        )
        for each in rates
    ]
    return f"{bold(title)}\n{table(columns, rows, width=table_width())}"


def _terms(report: DisagreementReport) -> str:
    if not report.terms:
        return ""
    columns = (
        Column("WORD", flexible=True),
        Column("SEARCHES", right=True),
        Column("DISAGREEMENT", right=True),
        Column(""),
    )
    rows = [
        (
            printable(each.term),
            f"{each.searches:,}",
            f"{each.disagreement:.3f}",
            _bar(each.disagreement),
        )
        for each in report.terms[:_MOST_TERMS]
    ]
    return f"{bold('words whose queries disagree more than others')}\n{table(columns, rows, width=table_width())}"


def _counts(title: str, counts: Iterable[tuple[str, int]]) -> str:
    fields = [(name, f"{count:,}  {_MEANT.get(name, '')}") for name, count in counts]
    if not fields:
        return ""
    return f"{bold(title)}\n{fields_block(fields)}"


def _legs(legs: LegsJudged) -> str:
    if not legs.chunks:
        return "Which leg is right nobody said yet: `vstash feedback` does."
    fields = [
        ("vectors higher", f"{legs.vector_better:,}  mean reciprocal rank {legs.vector_mrr:.3f}"),
        (
            "keywords higher",
            f"{legs.keyword_better:,}  mean reciprocal rank {legs.keyword_mrr:.3f}",
        ),
        ("equal", f"{legs.equal:,}"),
    ]
    sure = legs.p_value is not None and legs.p_value < _SURE
    said = "not chance alone" if sure else "may be chance"
    if legs.p_value is not None:
        fields.append(("sign test", f"p = {legs.p_value:.3g}: {said}"))
    return (
        f"{bold(f'which leg ranked {legs.chunks:,} helpful chunks higher')}\n{fields_block(fields)}"
    )
