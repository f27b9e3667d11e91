"""Chats by session: the turns of a chat set joined, judged and searched as documents."""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.lines import read_lines
from bench.quality.report import Report
from bench.quality.sets import Asked, opened, prepared
from bench.quality.strategies import strategies
from vstash.evaluation import JudgedSet

__all__ = ["by_session", "run"]

_CONVERSATION, _SESSION, _TITLE = "conversation", "session", "date_time"


def run(asked: Sequence[Asked], given: argparse.Namespace, report: Report) -> None:
    """Make sets of sessions from the sets that have them, and measure the strategies on these."""
    made = [by_session(each.judged, given.work / "sets", given.split) for each in asked]
    folders = [folder for folder in made if folder is not None]
    if not folders:
        report.section("Strategies on whole sessions")
        report.text("No set has documents with a conversation and a session.")
        return
    inside = argparse.Namespace(**{**vars(given), "filter_field": _CONVERSATION})
    with opened([prepared(folder, inside) for folder in folders], inside) as sessions:
        strategies(sessions, inside, report, title="Strategies on whole sessions", part="sessions")


def by_session(judged: JudgedSet, work: Path, split: str) -> Path | None:
    """Write the set whose documents are whole sessions.

    Args:
        judged: A set of turns whose metadata name their conversation and session.
        work: The new folder stands in it.
        split: Which judgements.

    Returns:
        The folder, in BEIR layout; None where documents have no such metadata.
    """
    if judged.corpus is None:
        return None
    source = judged.corpus.path.parent
    turns: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    session_of = {}
    for turn in read_lines(judged.corpus.path):
        metadata = turn.get("metadata") or {}
        if not metadata.keys() >= {_CONVERSATION, _SESSION} or _TITLE not in metadata:
            return None
        key = f"{metadata[_CONVERSATION]}:S{metadata[_SESSION]}"
        session_of[turn["_id"]] = key
        turns[key].append(turn)
    folder = work / f"{judged.name}-sessions"
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    _write(folder / "corpus.jsonl", (_joined(key, parts) for key, parts in turns.items()))
    (folder / "queries.jsonl").write_bytes((source / "queries.jsonl").read_bytes())
    lines = (source / "qrels" / f"{split}.tsv").read_text(encoding="utf-8").splitlines()
    (folder / "qrels" / f"{split}.tsv").write_text(_judged(lines, session_of), encoding="utf-8")
    return folder


def _joined(key: str, turns: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    metadata = turns[0]["metadata"]
    return {
        "_id": key,
        "title": metadata[_TITLE],
        "text": "\n".join(turn["text"] for turn in turns),
        "metadata": {name: metadata[name] for name in (_CONVERSATION, _SESSION)},
    }


def _judged(lines: Sequence[str], session_of: Mapping[str, str]) -> str:
    """The judgements of turns as judgements of their sessions: each has the best grade of its turns."""
    head, *others = lines
    grades: dict[tuple[str, str], int] = {}
    for line in others:
        query, turn, grade = line.split("\t")
        pair = query, session_of[turn]
        grades[pair] = max(int(grade), grades.get(pair, 0))
    rows = (f"{query}\t{session}\t{grade}" for (query, session), grade in grades.items())
    return "\n".join([head, *rows]) + "\n"


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
