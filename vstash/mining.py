"""What tells of queries that were made from a corpus, or given with judgements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from vstash.types import LegEntry, MaskReason, Triple, TripleKind, TripleOrigin

__all__ = [
    "FORMS",
    "MADE_FORMS",
    "Coverage",
    "FalseNegatives",
    "Form",
    "LabelReport",
    "LanguageModel",
    "LearnReport",
    "MadeQuery",
    "MineProgress",
    "MineReport",
    "MineWatcher",
    "SampleTriple",
    "Spread",
    "TaughtSource",
]

Form = Literal["title", "heading", "first_sentence", "keyphrase", "cloze", "asked", "labelled"]
FORMS: Final[tuple[Form, ...]] = get_args(Form)
MADE_FORMS: Final[tuple[Form, ...]] = FORMS[:5]
"""Those that need nothing but the corpus."""


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A language model behind an address that follows OpenAI's protocol.

    Attributes:
        url: Its base, such as ``http://127.0.0.1:11434/v1``. It must be of this machine, unless the
            setting ``allow_remote_language_model`` says otherwise.
        name: As the address knows it.
        timeout_s: How long one question may take.
    """

    url: str
    name: str
    timeout_s: float = 60.0


@dataclass(frozen=True, slots=True)
class MadeQuery:
    """A query of which the answer is known.

    Attributes:
        number: Grows with each that is made.
        form: How it was made: from the title, a heading, the first sentence, informative words or
            another sentence of its document, by a language model, or given with judgements.
        positive_chunk_id: What answers it; never holds it word for word, unless it was given.
        disagreement: How far both legs' first 10 differ.
        vector_leg: Best first, at most 10. For ``title`` and ``heading`` the positive stands where it
            would without its title and headings.
        keyword_leg: The same.
        masked: Negatives that were passed over since they may answer as well, by reason.
        triples: None where both legs list the answer, or neither does.
    """

    number: int
    query: str
    form: Form
    collection: str
    document_id: str
    positive_chunk_id: int
    disagreement: float
    vector_leg: tuple[LegEntry, ...]
    keyword_leg: tuple[LegEntry, ...]
    masked: Mapping[MaskReason, int]
    made_at: datetime
    triples: tuple[Triple, ...] = ()


@dataclass(frozen=True, slots=True)
class MineProgress:
    """How far the making of queries is.

    Attributes:
        form: Under way.
        done: Documents that were gone through, once for each form.
        documents: Of how many.
        queries: Made by this call.
        triples: That follow from them.
        seconds_left: At the pace so far, None before there is one.
    """

    form: Form
    done: int
    documents: int
    queries: int
    triples: int
    seconds_left: float | None


MineWatcher = Callable[[MineProgress], None]


@dataclass(frozen=True, slots=True)
class MineReport:
    """What a call made.

    Attributes:
        documents: That were gone through, once for each form.
        left: That were not, since ``limit`` was reached: the next call goes on with them.
        queries: By form.
        triples: By kind.
        masked: Negatives that were passed over since they may answer as well, by reason.
        disagreement: Mean over the queries, None without one.
        seconds: Wall time.
    """

    collection: str
    documents: int
    left: int
    queries: Mapping[Form, int]
    triples: Mapping[TripleKind, int]
    masked: Mapping[MaskReason, int]
    disagreement: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class LabelReport:
    """What became of queries with judgements.

    Attributes:
        queries: That were given with a relevant document of the collection.
        unanswered: That were given without one; these were left out.
        unknown: Relevant documents that the collection does not hold.
        stored: Pairs of a query and a relevant chunk that a leg lists among its first 10; those that were
            there already do not count.
        triples: By kind.
        masked: Negatives that were passed over, by reason; ``judged`` are those that the judgements call
            relevant and nothing else gave away.
        false_negatives: Share of the negatives left by all other masks that are judged relevant, None
            without a negative.
        disagreement: Mean over the queries, None without one.
        seconds: Wall time.
    """

    collection: str
    queries: int
    unanswered: int
    unknown: int
    stored: int
    triples: Mapping[TripleKind, int]
    masked: Mapping[MaskReason, int]
    false_negatives: float | None
    disagreement: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Spread:
    """How values are distributed: their mean, and what 5, 25, 50, 75 and 95 % of them are at most."""

    mean: float
    quantiles: tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class TaughtSource:
    """Queries of one source, and the triples that follow from them.

    Attributes:
        name: ``search`` for the log, else a form.
        queries: Different ones, those without a triple too.
        disagreement: Mean over the queries.
        triples: By kind.
        evidence: Mean score of the triples, None without one.
        worth: Mean worth of the triples, None without one.
    """

    name: str
    origin: TripleOrigin
    queries: int
    disagreement: float
    triples: Mapping[TripleKind, int]
    evidence: float | None
    worth: float | None


@dataclass(frozen=True, slots=True)
class FalseNegatives:
    """How many negatives answer the query as well.

    Attributes:
        estimated: Share of the negatives, by what seven judged sets show for as high a score; too low where
            many documents answer a query. None without a triple.
        measured: Share of those that somebody judged which were called right, None without one.
        judged: Negatives that somebody judged.
    """

    estimated: float | None
    measured: float | None
    judged: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a collection, or of all, is the positive of a triple."""

    documents: int
    documents_covered: int
    chunks: int
    chunks_covered: int


@dataclass(frozen=True, slots=True)
class SampleTriple:
    """A triple to read.

    Attributes:
        source: ``search`` for the log, else a form.
        evidence: How sure it is that the positive is right and the negative wrong, in [0, 1].
        gradient: Share of a contrastive loss' gradient that it still carries, in [0, 1].
    """

    triple: Triple
    source: str
    evidence: float
    gradient: float


@dataclass(frozen=True, slots=True)
class LearnReport:
    """What there is to learn from, before anything is trained.

    Attributes:
        collection: None for all.
        triples: By kind.
        sources: The log first, then forms.
        masked: Negatives that were passed over, by reason.
        difficulty: By kind, how far the leg that is sure of the positive prefers it to the negative: a
            share of the positive's BM25, or cosines in deviations from unrelated text.
        evidence: Of the scores of all triples, None without one.
        worth: Mean of evidence times gradient over the triples, in [0, 1]; None without one.
        effective: Its sum: the triples are worth so many that are certain and wholly unlearnt.
        samples: From those worth most to those worth least.
    """

    collection: str | None
    triples: Mapping[TripleKind, int]
    sources: tuple[TaughtSource, ...]
    masked: Mapping[MaskReason, int]
    difficulty: Mapping[TripleKind, Spread]
    evidence: Spread | None
    coverage: Coverage
    false_negatives: FalseNegatives
    worth: float | None
    effective: float
    samples: tuple[SampleTriple, ...]
