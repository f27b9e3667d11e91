"""Comparing ways to search on judged data, through the same path as every other use of vstash.

Example:
    >>> from vstash.evaluation import compare, evaluate, load_judged, open_judged
    >>> judged = load_judged("sets/nfcorpus")
    >>> with open_judged(judged, "work") as stored:
    ...     evaluation = evaluate(stored.memory, judged)
    >>> compare(evaluation)["score"].against["nDCG@10"].difference
    Interval(mean=0.012, low=0.004, high=0.02)
"""

from vstash.evaluation.beir import load_judged
from vstash.evaluation.bootstrap import Comparison, Interval, WayResult, compare
from vstash.evaluation.feedback import from_feedback
from vstash.evaluation.judged import Corpus, JudgedQuery, JudgedSet, judged_set
from vstash.evaluation.metrics import METRICS, first_relevant
from vstash.evaluation.picture import draw
from vstash.evaluation.questions import in_memory, load_queries
from vstash.evaluation.run import Evaluation, Run, evaluate
from vstash.evaluation.storing import Refused, StoredSet, default_work, open_judged
from vstash.evaluation.ways import DEFAULT_WAYS, Way, known_ways
from vstash.evaluation.wins import Win, largest

__all__ = [
    "DEFAULT_WAYS",
    "METRICS",
    "Comparison",
    "Corpus",
    "Evaluation",
    "Interval",
    "JudgedQuery",
    "JudgedSet",
    "Refused",
    "Run",
    "StoredSet",
    "Way",
    "WayResult",
    "Win",
    "compare",
    "default_work",
    "draw",
    "evaluate",
    "first_relevant",
    "from_feedback",
    "in_memory",
    "judged_set",
    "known_ways",
    "largest",
    "load_judged",
    "load_queries",
    "open_judged",
]
