"""Measure everything that the retrieval quality of vstash is judged by, and print tables.

    python -m bench.quality SET [SET ...] --work FOLDER [--only PART,...] [--limit N]

A SET is a folder in BEIR layout, or a .tar.gz of one. Its vstash file is kept below --work and used
again. Rows are appended to bench/results/quality.jsonl, and the tables are kept in quality.md beside it,
where a section stays until its part runs again. bench/README.md says what each part measures.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.quality import context, cost, exact, relevance, robust, sessions, strategies
from bench.quality.report import Report
from bench.quality.sets import Asked, opened, prepared
from vstash.errors import VstashError
from vstash.evaluation import JudgedSet

RESULTS = Path(__file__).parents[1] / "results" / "quality.jsonl"
PARTS: Mapping[str, Callable[[Sequence[Asked], argparse.Namespace, Report], None]] = {
    "strategies": strategies.run,
    "robust": robust.run,
    "relevance": relevance.run,
    "exact": exact.run,
    "context": context.run,
    "sessions": sessions.run,
    "cost": cost.run,
}


def parser() -> argparse.ArgumentParser:
    """The words of the command."""
    made = argparse.ArgumentParser("python -m bench.quality", description=__doc__.split("\n", 1)[0])
    made.add_argument("sets", nargs="+", type=Path, metavar="SET")
    made.add_argument("--work", type=Path, required=True, help="where vstash files are kept")
    made.add_argument("--only", type=_parts, default=tuple(PARTS), metavar="PART,...",
                      help=f"some of {', '.join(PARTS)}")  # fmt: skip
    made.add_argument("--limit", type=_count, help="queries drawn from each set; without it all")
    made.add_argument("--seed", type=int, default=0, help="of everything that is drawn")
    made.add_argument("--split", default="test", help="which judgements")
    made.add_argument("--depth", type=_count, default=10, help="hits asked for, from 10")
    made.add_argument("--filter-field", help="metadata of a query that a document must share")
    made.add_argument("--chunk-tokens", type=_count, help="size of chunks")
    made.add_argument("--fit", action="store_true", help="relevance: fit calibrations, too")
    made.add_argument("--fit-hits", type=int, choices=(1, 2, 3), default=1,
                      help="how many hits of a query are fitted on")  # fmt: skip
    made.add_argument("--picture", type=Path, metavar="FOLDER", help="relevance: draw reliability")
    made.add_argument("--wins", type=_count, default=0, metavar="N",
                      help="exact: list at most N failures of score per set")  # fmt: skip
    made.add_argument("--chunks", type=_count, default=50_000, help="cost: chunks in the file")
    made.add_argument("--corpus", type=Path, help="cost: a corpus.jsonl; else the first set's")
    made.add_argument("--results", type=Path, default=RESULTS, help="rows; tables stand beside it")
    return made


def main() -> None:
    """Measure the parts asked for, in the order that they are listed in."""
    words = parser()
    given = words.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    try:
        judged = [prepared(source, given) for source in given.sets]
        if len({each.name for each in judged}) < len(judged):
            words.error("two sets have the same name")
        _measure(judged, given)
    except VstashError as error:
        raise SystemExit(str(error)) from error


def _measure(judged: Sequence[JudgedSet], given: argparse.Namespace) -> None:
    common = {"split": given.split, "limit": given.limit, "seed": given.seed}
    report = Report(given.results, common | {"depth": given.depth})
    with opened(judged, given) as asked:
        for part, run in PARTS.items():
            if part in given.only:
                run(asked, given, report)
                report.write(given.results.with_suffix(".md"))


def _parts(words: str) -> tuple[str, ...]:
    chosen = tuple(words.split(","))
    for word in chosen:
        if word not in PARTS:
            raise argparse.ArgumentTypeError(f"no part {word!r}; there is: {', '.join(PARTS)}")
    return chosen


def _count(word: str) -> int:
    value = int(word)
    if value < 1:
        raise argparse.ArgumentTypeError("1 or more")
    return value


if __name__ == "__main__":
    main()
