"""What fusion and adapter learn of judged sets from searches alone, what the gate takes, and what it refuses.

    python -m bench.learning.learners scifact.tar.gz locomo.tar.gz --work /tmp/learners
    python -m bench.learning.learners locomo.tar.gz --work /tmp/learners --controls 20

A set's own training queries are searched, where it has them, or else those of its development split; else its
queries are split in two halves by the seed, one is searched and the other one judged by. Nothing but the searches teaches: judgements are used
to measure, on queries that were never searched before. With ``--labelled`` the judgements of the searched
half are given as well. Whatever the gate says, each learner and both together are measured, so that what it
refused can be seen. ``--controls N`` learns N times of the same searches with their lists dealt out to other
queries, and N times with lists drawn at random: the gate must refuse all. Appends to bench/results/learners.jsonl.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.machine import append_row
from vstash import Memory
from vstash.errors import EvaluationError, LearningError
from vstash.evaluation import Evaluation, JudgedSet, evaluate, load_judged, open_judged
from vstash.learn.tuning import crossed
from vstash.learning import Learned
from vstash.pipeline.lessons import AskedExample, Asking, Lesson
from vstash.resampling import resampled_means
from vstash.settings import load_settings
from vstash.store.examples import StoredExample

RESULTS: Final = Path(__file__).parents[1] / "results" / "learners.jsonl"
WAYS: Final = ("vector", "score")
METRIC: Final = "nDCG@10"


def halves(source: Path, work: Path, seed: int) -> tuple[JudgedSet, JudgedSet, str]:
    """Queries to search, queries to judge by, and where the former came from."""
    test = load_judged(source, split="test", unpacked=work)
    for split in ("train", "dev"):
        with suppress(EvaluationError):
            return load_judged(source, split=split, unpacked=work), test, split
    order = np.random.default_rng(seed).permutation(len(test.queries))
    middle = len(order) // 2
    first, second = (
        replace(test, queries=tuple(test.queries[place] for place in sorted(part)))
        for part in (order[:middle].tolist(), order[middle:].tolist())
    )
    return first, second, "half"


@contextmanager
def copied(judged: JudgedSet, work: Path, name: str) -> Iterator[Memory]:
    """A copy of a set's file, so that nothing of an earlier run is in it."""
    path = work / f"{name}.db"
    for old in work.glob(f"{name}.db*"):
        old.unlink()
    with open_judged(judged, work, settings=load_settings()) as stored:
        stored.memory.backup(path)
    with Memory(path) as memory:
        yield memory


def searched(memory: Memory, judged: JudgedSet, *, labelled: bool) -> float:
    """Search every query as a user would; returns the seconds."""
    start = time.perf_counter()
    for query in judged.queries:
        memory.search(query.text)
    memory.flush_log()
    if labelled:
        memory.label(
            {query.id: query.text for query in judged.queries},
            {query.id: query.judgements for query in judged.queries},
        )
    return round(time.perf_counter() - start, 1)


def measured(memory: Memory, judged: JudgedSet) -> Evaluation:
    """Both ways on queries that were not searched before."""
    return evaluate(memory, judged, ways=WAYS, depth=10)


def gains(before: Evaluation, after: Evaluation, seed: int) -> dict[str, Any]:
    """Means, and the differences with their 95 % intervals."""
    found: dict[str, Any] = {}
    for way in WAYS:
        old, new = (each.run(way).values[METRIC] for each in (before, after))
        drawn = resampled_means((new - old)[:, None], resamples=10_000, seed=seed)[:, 0]
        low, high = np.percentile(drawn, (2.5, 97.5))
        found[way] = {
            "before": round(float(old.mean()), 4),
            "after": round(float(new.mean()), 4),
            "gain": [round(float(each), 4) for each in ((new - old).mean(), low, high)],
        }
    return found


def used(memory: Memory, *learned: Learned) -> None:
    """Use these, and nothing else."""
    while memory.rollback().switched:
        pass
    for each in learned:
        memory.promote(each.id, force=True)


class Control(Asking):
    """Asks as learning does, then puts what was answered into disorder.

    Args:
        asking: The one in the file.
        kind: ``shuffled``: each query is given the lists of another, and which leg is which is drawn;
            ``random``: lists of any chunks.
        seed: Of the disorder.
    """

    def __init__(self, asking: Asking, kind: str, seed: int) -> None:
        self.__dict__.update(asking.__dict__)
        self._asking = asking
        self._kind = kind
        self._rng = np.random.default_rng(seed)

    def asked(self, lesson: Lesson, examples: Sequence[StoredExample]) -> list[AskedExample]:
        """Queries whose lists are none of theirs."""
        found = self._asking.asked(lesson, examples)
        if self._kind == "shuffled":
            order = self._rng.permutation(len(found)).tolist()
            return [
                self._dealt(each, found[other]) for each, other in zip(found, order, strict=True)
            ]
        chunks = np.unique(np.concatenate([each.ids for each in found]))
        return [self._random(each, chunks) for each in found]

    def _dealt(self, asked: AskedExample, other: AskedExample) -> AskedExample:
        # Which leg is which is the label that fusion goes by.
        shares = other.shares
        if shares is not None and self._rng.random() < 0.5:
            shares = shares[::-1]
        return replace(
            other, question=asked.question, words=asked.words, marks=asked.marks, shares=shares
        )

    def _random(self, asked: AskedExample, chunks: Any) -> AskedExample:
        count = len(asked.ids)
        depth = min(asked.question.depth, count)
        vector, keyword = (self._rng.permutation(count) + 1 for _ in range(2))
        return replace(
            asked,
            ids=np.sort(self._rng.choice(chunks, count, replace=False)),
            score=self._rng.normal(0, 2, count).astype(np.float32),
            keyword_part=np.abs(self._rng.normal(0, 1, count)).astype(np.float32),
            shares=crossed(
                np.where(vector > depth, 0, vector), np.where(keyword > depth, 0, keyword), depth
            ),
        )


class Once(Asking):
    """Asks each query once, however many runs learn from it."""

    def __init__(self, asking: Asking) -> None:
        self.__dict__.update(asking.__dict__)
        self._answered: list[AskedExample] | None = None

    def asked(self, lesson: Lesson, examples: Sequence[StoredExample]) -> list[AskedExample]:
        """As before."""
        if self._answered is None:
            self._answered = super().asked(lesson, examples)
        return self._answered


def controls(memory: Memory, count: int) -> dict[str, Any]:
    """How often the gate refuses what was learnt of disorder."""
    # What an example is made of is none of the public interface's business.
    teaching = memory._engine.learning._teaching  # noqa: SLF001
    asking = teaching._asking  # noqa: SLF001
    once = Once(asking)
    found: dict[str, Any] = {}
    for kind in ("shuffled", "random"):
        refused = {"fusion": 0, "adapter": 0}
        for seed in range(count):
            teaching._asking = Control(once, kind, seed)  # noqa: SLF001
            for each in memory.learn(seed=seed, promote=False).learned:
                refused[each.learner] += not each.accepted
        found[kind] = {"runs": count, "refused": refused}
    teaching._asking = asking  # noqa: SLF001
    return found


def _told(each: Learned) -> dict[str, Any]:
    decision = each.decision
    return {
        "accepted": each.accepted,
        "reasons": decision.reasons,
        "figures": [asdict(figure) for figure in decision.figures],
        "settings": decision.settings,
        "seconds": decision.seconds,
    }


def run(source: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Learn of one set and measure."""
    learning, test, origin = halves(source, given.work, given.seed)
    if given.limit is not None:
        test = test.sample(given.limit, seed=given.seed)
    row: dict[str, Any] = {"set": test.name, "learnt_from": origin, "labelled": given.labelled}
    row |= {"searched": len(learning.queries), "test": len(test.queries), "seed": given.seed}
    with copied(test, given.work, f"{test.name}-learning") as memory:
        row["search_s"] = searched(memory, learning, labelled=given.labelled)
        if given.controls:
            return row | {"controls": controls(memory, given.controls)}
        try:
            outcome = memory.learn(seed=given.seed, promote=False)
        except LearningError as error:
            return row | {"taken": [], "told": error.message}
        before = measured(memory, test)
        row |= {"learn_s": outcome.seconds, "examples": dict(outcome.examples)}
        learned = {each.learner: each for each in outcome.learned}
        row |= {name: _told(each) for name, each in learned.items()}
        row["taken"] = [each.learner for each in outcome.learned if each.accepted]
        for name, several in (
            *((name, [each]) for name, each in learned.items()),
            ("both", list(outcome.learned)),
        ):
            used(memory, *several)
            row.setdefault("gains", {})[name] = gains(before, measured(memory, test), given.seed)
    row["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return row


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="+", type=Path, metavar="SET")
    parser.add_argument("--work", type=Path, required=True, help="where files are kept")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=int, help="queries to judge by; without it all")
    parser.add_argument("--labelled", action="store_true", help="give the judgements, too")
    parser.add_argument("--controls", type=int, default=0, metavar="N", help="runs of each kind")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    for source in given.sets:
        row = run(source, given)
        append_row(given.results, row)
        print(row["set"], row.get("controls") or f"taken: {row['taken']}", row.get("told", ""))
        for name, ways in row.get("gains", {}).items():
            told = "  ".join(
                f"{way} {each['before']:.4f} -> {each['after']:.4f} "
                f"({each['gain'][1]:+.4f} to {each['gain'][2]:+.4f})"
                for way, each in ways.items()
            )
            print(f"  {name:8} {told}", flush=True)


if __name__ == "__main__":
    main()
