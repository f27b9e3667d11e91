"""How relevant the candidates of a search are, and whether any answers at all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vstash.search.candidates import order
from vstash.search.relevance import (
    ABSTAIN_BELOW,
    Calibration,
    features,
    relevance,
    shipped,
)
from vstash.search.words import idf

if TYPE_CHECKING:
    from vstash.pipeline.legs import Answers
    from vstash.pipeline.question import Question
    from vstash.search.fusion import Candidates, Fused
    from vstash.search.score import Scored
    from vstash.search.words import QueryWords
    from vstash.store.session import Reader
    from vstash.types import FloatArray, IdArray, ModelInfo

__all__ = ["Judged", "Judging"]

# Among these the best of another document is looked for, whose score the best one leads.
_AMONG: Final = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """The relevance of candidates.

    Attributes:
        relevance: In their order, shape (n,), in (0, 1).
        features: What it was judged by, shape (n, 5).
        calibrated: Whether for the file's model.
        abstained: Why none is likely to answer, None where one is.
    """

    relevance: FloatArray
    features: FloatArray
    calibrated: bool
    abstained: str | None

    def at(self, places: IdArray) -> Judged:
        """The same of some candidates, by their positions."""
        return Judged(
            self.relevance[places], self.features[places], self.calibrated, self.abstained
        )


class Judging:
    """Judges relevance by the model's calibration, or by what was learnt of the file.

    Args:
        info: The file's model.
        model: Its number in the file.
    """

    def __init__(self, info: ModelInfo, model: int) -> None:
        self._model = model
        self._calibration = shipped(info)
        self._calibrated = info.calibration is not None

    def judge(
        self,
        reader: Reader,
        question: Question,
        words: QueryWords,
        answers: Answers,
        scored: Scored,
        unmapped: tuple[Candidates, Fused] | None = None,
    ) -> Judged:
        """Judge every candidate.

        Args:
            reader: The view that they came from.
            question: What was asked.
            words: Its words.
            answers: What the indexes said.
            scored: What the strategy ``score`` made of it.
            unmapped: Candidates and scores with the query's own vector, where they were found with a
                mapped one: no calibration was fitted to cosines of those.
        """
        candidates, fused = unmapped or (answers.candidates, scored.fused)
        learnt = reader.calibration(self._model)
        calibration = self._calibration if learnt is None else Calibration.of(learnt)
        best = order(candidates.ids, scored.fused.score, _AMONG)
        owners = reader.owners(candidates.ids[best])
        found = features(
            candidates,
            fused,
            best=best,
            documents=tuple(owners.get(chunk, "") for chunk in candidates.ids[best].tolist()),
            most_bm25=_most_bm25(words, answers),
            agreement=scored.experience.agreement,
        )
        judged = relevance(found, calibration)
        return Judged(
            judged,
            found,
            calibrated=self._calibrated or learnt is not None,
            abstained=_abstained(judged, best[: question.k], question.min_relevance),
        )


def _most_bm25(words: QueryWords, answers: Answers) -> float:
    """The IDFs of the query's words, as often as they are asked; a word of no chunk has the highest."""
    often = Counter(words.all)
    return sum(often[word] * value for word, value in answers.idfs.items()) or idf(answers.count, 0)


def _abstained(judged: FloatArray, best: IdArray, min_relevance: float | None) -> str | None:
    if not len(best):
        return "nothing_found: no passage could be compared with the query"
    if min_relevance is not None:
        # Whatever is relevant enough is a hit, also behind the best by score.
        most = float(judged.max())
        if most >= min_relevance:
            return None
        return f"below_min_relevance: the best hit has {most:.2f}, less than {min_relevance:g}"
    most = float(judged[best].max())
    if most < ABSTAIN_BELOW:
        return f"unlikely: the best hit has a relevance of {most:.2f}, less than {ABSTAIN_BELOW:g}"
    return None
