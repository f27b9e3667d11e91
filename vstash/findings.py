"""Every kind of thing that a check can find: what it means and what a repair does about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["KINDS", "Kind"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding.

    Attributes:
        means: In one sentence, without its full stop.
        repair: What `repair` does about it, or what to do where it does nothing.
        by_hand: Whether a repair leaves it.
        quick: Whether the quick level looks for it too.
    """

    means: str
    repair: str
    by_hand: bool = False
    quick: bool = False

    @property
    def message(self) -> str:
        """What it means and what to do."""
        do = self.repair if self.by_hand else "`vstash check --repair` sets it right"
        return f"{self.means}: {do}."


_RESTORE: Final = "restore a backup"
_REMOVED: Final = "removes them"
_WORDS: Final = "derives the keyword index, the postings and the lengths anew from the text"
_CODES: Final = "derives signs and codes anew from the vectors"
_EMBED: Final = "removes them, marks their chunks as awaiting and embeds those"
_CHUNKS: Final = "cuts the documents anew from their text, in place where as many chunks come out"

KINDS: Final[dict[str, Kind]] = {
    "file_damaged": Kind(
        "SQLite finds pages of the file damaged",
        "restore a backup, or copy what can be read into a new file with `vstash salvage`",
        by_hand=True,
        quick=True,
    ),
    "table_damaged": Kind(
        "A table cannot be read as vstash made it", _RESTORE, by_hand=True, quick=True
    ),
    "value_damaged": Kind("A stored value cannot be read", _RESTORE, by_hand=True, quick=True),
    "table_missing": Kind(
        "A table that cannot be derived was missing or is another than vstash made",
        _RESTORE,
        by_hand=True,
        quick=True,
    ),
    "schema_differs": Kind(
        "A table that is derived, an index, a trigger or a view is missing, changed or not vstash's",
        "makes what is missing, and removes indexes, triggers and views that vstash did not make",
        quick=True,
    ),
    "table_unknown": Kind(
        "The file holds tables that vstash did not make",
        "remove them if nothing else needs them: vstash does not read them",
        by_hand=True,
        quick=True,
    ),
    "index_differs": Kind("An index of SQLite does not match its table", "makes the indexes anew"),
    "row_invalid": Kind(
        "Rows break a rule of their table", "leaves those that no other finding names", by_hand=True
    ),
    "migration_differs": Kind(
        "The record of migrations is another than those that made the file",
        "writes the record anew",
        quick=True,
    ),
    "sequence_low": Kind(
        "Ids that were given would be given again", "counts on from the highest id", quick=True
    ),
    "counter_differs": Kind(
        "A number that the file keeps is missing or wrong", "counts anew", quick=True
    ),
    "model_differs": Kind(
        "No model, or more than one, is the active one, or its description is not sound",
        "makes the newest one active",
        quick=True,
    ),
    "collection_missing": Kind(
        "Documents are in a collection that does not exist",
        "makes it, under the name `recovered-` and its number",
        quick=True,
    ),
    "document_missing": Kind(
        "Texts, chunks or tags are there without their document",
        "makes a document of each text, under the key `recovered-` and its number, and removes the "
        "rest",
        quick=True,
    ),
    "reference_broken": Kind("Rows refer to others that do not exist", _REMOVED, quick=True),
    "document_invalid": Kind(
        "A document's row holds what vstash does not write",
        "store the document again, or restore a backup",
        by_hand=True,
        quick=True,
    ),
    "text_order": Kind(
        "The parts of a text do not follow one another",
        "numbers them anew, where the text then matches its hash",
    ),
    "text_length": Kind(
        "A document's text is longer or shorter than recorded",
        "counts anew, where the text matches its hash",
    ),
    "text_hash": Kind(
        "A document's text, title, tags or metadata do not match its hash",
        "restore a backup, store the document again, or accept it as it is with "
        "`vstash check --repair --accept-content`",
        by_hand=True,
    ),
    "document_chunks": Kind(
        "A document's first chunk or number of chunks is wrong", "counts anew", quick=True
    ),
    "chunk_missing": Kind("A document has no chunks", _CHUNKS, quick=True),
    "chunk_span": Kind(
        "Chunks are out of order, outside of their text, or leave some of it out",
        _CHUNKS,
        quick=True,
    ),
    "chunk_differs": Kind(
        "Chunks have neither the words nor the passage that was embedded for them", _CHUNKS
    ),
    "passage_differs": Kind(
        "A chunk's text is not what its digest says was embedded", "makes the digests anew"
    ),
    "passage_missing": Kind(
        "Chunks that await a vector have no digest", "makes the digests anew", quick=True
    ),
    "words_missing": Kind("Chunks are not in the keyword index", _WORDS, quick=True),
    "words_differ": Kind("The keyword index holds other words than the text", _WORDS),
    "words_orphaned": Kind("The keyword index holds chunks that do not exist", _WORDS, quick=True),
    "words_damaged": Kind("The keyword index cannot be searched", _WORDS, quick=True),
    "words_uncounted": Kind(
        "The keyword index counts other numbers of words than the text has", _WORDS, quick=True
    ),
    "postings_differ": Kind("The packed postings hold other words than the text", _WORDS),
    "postings_damaged": Kind("Packed postings cannot be read", _WORDS),
    "segment_differs": Kind(
        "A segment of the postings names other bounds or levels than its chunks have", _WORDS
    ),
    "length_differs": Kind("The number of words of chunks is wrong", _WORDS, quick=True),
    "length_orphaned": Kind("Chunks that do not exist have a number of words", _WORDS, quick=True),
    "vector_missing": Kind(
        "Chunks have no vector and do not await one",
        "marks them as awaiting and embeds them",
        quick=True,
    ),
    "vector_invalid": Kind("Vectors are not of the model's length or not of norm 1", _EMBED),
    "vector_differs": Kind("Vectors match neither of the codes that were made of them", _EMBED),
    "vector_orphaned": Kind("There are vectors of chunks that do not exist", _REMOVED, quick=True),
    "awaiting_differs": Kind(
        "Chunks that await a vector have one", "takes them off the list", quick=True
    ),
    "code_differs": Kind("Codes are missing or do not match their vectors", _CODES, quick=True),
    "code_orphaned": Kind("There are codes of chunks that have no vector", _CODES, quick=True),
    "code_repeated": Kind("Chunks have two codes", _CODES),
    "codes_damaged": Kind("Codes cannot be read", _CODES),
    "code_run_differs": Kind(
        "A run of codes is of another level or time than the file has", _CODES, quick=True
    ),
    "calibration_damaged": Kind(
        "A calibration that was learnt cannot be read, so searches use the model's own",
        "removes it; `vstash calibrate` learns another",
        quick=True,
    ),
    "learned_damaged": Kind(
        "What was learnt of a collection cannot be read, so searches use the built-in",
        "removes it; `vstash learn run` learns another",
        quick=True,
    ),
    "log_damaged": Kind(
        "Logged searches hold what vstash does not write",
        "removes them with their triples and feedback",
        quick=True,
    ),
    "triple_damaged": Kind(
        "Triples hold what vstash does not write, or one chunk as both", _REMOVED, quick=True
    ),
    "made_damaged": Kind(
        "Queries of which the answer is known hold what vstash does not write",
        "removes them with their triples; `vstash learn mine` makes others",
        quick=True,
    ),
    "feedback_differs": Kind("Feedback names a chunk of another document", _REMOVED, quick=True),
    "reply_damaged": Kind(
        "Stored replies hold what vstash does not write",
        "empties them: who repeats the request is told so",
        quick=True,
    ),
    "reply_unlinked": Kind(
        "Stored replies tell of documents that they are not linked with",
        "links them, so that removing a document takes them back",
        quick=True,
    ),
    "key_damaged": Kind(
        "Access keys hold what vstash does not write",
        "removes them: they open nothing any more; make new ones",
        quick=True,
    ),
    "job_damaged": Kind(
        "Jobs hold what vstash does not write, or a state that does not fit their times",
        "removes those that cannot be read, and says of the others that they were interrupted",
        quick=True,
    ),
}
