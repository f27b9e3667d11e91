"""The same chunks, vectors and questions through vstash and its peers, in one run.

    python -m bench.peers corpus.jsonl --work WORK --sizes 10000 50000 250000

- Every peer is driven as its documentation says; its module in this folder (`with_NAME.py`) says what
  was chosen and why. Versions are pinned in `catalogue.py`.
- A peer has an environment of its own below WORK/env (vstash and plain sqlite-vec run in this one) and
  two processes at each size: one builds the store from nothing, one opens and searches it.
- What is indexed is the title, a line end and the text; a peer that keeps titles apart gets them apart.
  Vectors are ready, so no figure holds the time of a model. `corpus.py` says how they are made, and why
  they are hard on indexes that rely on clusters.
- Seconds of a build start when the library is loaded and end when all indexes are made and closed. A
  search asks for ten hits with their passages; 20 other questions go before each leg as warm-up, then
  each question is asked once, one after the other. Recall is that of the vector leg against an exact
  float32 scan. Memory is the peak of the process; a build's holds the texts and vectors it was given.
- Stores are removed after they were measured. Run with nothing else on the machine.

Prints a table for each size and appends one row for each measurement to bench/results/peers.jsonl.
Exit code 1 says that a peer could not be installed or failed; the table says why.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.machine import append_row
from bench.peers.catalogue import PeerSpec, chosen
from bench.peers.corpus import VECTORS, Dataset, Judge, prepare
from bench.peers.measure import measure
from bench.peers.peer import PeerError
from bench.peers.picture import picture
from bench.peers.report import table

RESULTS = Path(__file__).resolve().parents[1] / "results" / "peers.jsonl"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, append; the exit code."""
    given = _parser().parse_args(arguments)
    given.work.mkdir(parents=True, exist_ok=True)
    data = prepare(
        given.corpus, given.work / "data", max(given.sizes), given.queries, given.vectors
    )
    sizes = sorted({min(size, data.count) for size in given.sizes})
    rows: list[dict[str, Any]] = []
    for size in sizes:
        rows += _at_size(given, data, size)
    measured = [row for row in rows if "failed" not in row]
    if given.picture and measured:
        given.picture.write_text(picture(measured), encoding="utf-8")
    return int(len(measured) < len(rows))


def _at_size(given: argparse.Namespace, data: Dataset, size: int) -> list[dict[str, Any]]:
    judge = Judge(data, size)
    rows = [_measured(spec, given, data, size, judge) for spec in given.peers]
    title = f"{size:,} chunks, {given.queries} questions of 11 words, vectors: {given.vectors}"
    print(f"{title}\n\n{table(rows)}", flush=True)
    return rows


def _measured(
    spec: PeerSpec, given: argparse.Namespace, data: Dataset, size: int, judge: Judge
) -> dict[str, Any]:
    try:
        row = measure(spec, data, size, judge, work=given.work, timeout=given.timeout)
    except PeerError as error:
        print(f"{spec.name}: failed: {error}", file=sys.stderr, flush=True)
        return {"peer": spec.name, "chunks": size, "failed": str(error)}
    append_row(given.results, {**row, "vectors": given.vectors})
    return row


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m bench.peers", description=__doc__.split("\n", 1)[0])
    parser.add_argument("corpus", type=Path, help="JSON Lines with _id, title and text")
    parser.add_argument("--work", type=Path, required=True, help="environments and data, kept")
    parser.add_argument("--sizes", type=_positive, nargs="+", default=[10_000, 50_000, 250_000])
    parser.add_argument("--peers", type=_peers, default=chosen(""), help="names with commas")
    parser.add_argument("--queries", type=_positive, default=100, help="timed questions")
    parser.add_argument(
        "--timeout", type=float, default=3_600, help="seconds a build or search may take"
    )
    parser.add_argument("--vectors", choices=VECTORS, default=VECTORS[0], help="see corpus.py")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the file to append rows to")
    parser.add_argument("--picture", type=Path, help="an SVG of median latency by size")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("a number from 1")
    return value


def _peers(text: str) -> tuple[PeerSpec, ...]:
    try:
        return chosen(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())
