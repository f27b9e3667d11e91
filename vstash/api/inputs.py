"""What the REST API takes: names, types and descriptions; limits are Memory's own."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from vstash.api import bounds
from vstash.api.access import Access
from vstash.errors import FilterError
from vstash.strict_json import parse_json
from vstash.types import Collapse, EmbedWhen, JsonObject, Mmr, Mode, StrategyName

__all__ = [
    "MAX_BATCH",
    "BatchInput",
    "CalibrationInput",
    "CollectionQuery",
    "DisagreementsQuery",
    "DocumentInput",
    "DocumentPatch",
    "DocumentReplacement",
    "DocumentsQuery",
    "HitsInput",
    "LogQuery",
    "NewDocumentInput",
    "PageQuery",
    "QuestionInput",
    "SearchInput",
    "filter_tree",
]

MAX_BATCH = 1000

Text = Annotated[
    str,
    Field(
        description="What to remember, at least one visible character.",
        examples=["Ada prefers tea over coffee."],
        json_schema_extra=bounds.VISIBLE,
    ),
]
Title = Annotated[
    str | None,
    Field(
        description="Put in front of every passage when it is indexed.",
        examples=["Ada"],
        json_schema_extra=bounds.TITLE,
    ),
]
Collection = Annotated[
    str | None,
    Field(
        description="A hard partition of the file; `default` when left out.",
        examples=["default"],
        json_schema_extra=bounds.COLLECTION,
    ),
]
Tags = Annotated[
    list[str],
    Field(
        description="Labels to filter by.",
        # A million wrong items would be a million errors otherwise, as for every list.
        fail_fast=True,
        examples=[["people"]],
        json_schema_extra=bounds.TAGS,
    ),
]
Metadata = Annotated[
    dict[str, Any],
    Field(
        description="A JSON object to filter by.",
        examples=[{"author": "ada"}],
        json_schema_extra=bounds.METADATA,
    ),
]
Time = Annotated[
    str | None,
    Field(
        description="From this time on the document is hidden; RFC 3339 with an offset.",
        examples=["2030-01-01T00:00:00Z"],
        json_schema_extra={"format": "date-time"},
    ),
]
Embed = Annotated[
    EmbedWhen,
    Field(
        description="`later` stores text and words at once; the service makes the vectors in the "
        "background, and searches say how many chunks still await theirs."
    ),
]
FilterTree = Annotated[dict[str, Any], WithJsonSchema(bounds.FILTER)]
FilterText = Annotated[
    str | None,
    Field(description="A filter tree as JSON text.", examples=['{"tags": {"contains": "people"}}']),
]
Limit = Annotated[
    int,
    Field(description="Items per page, 1 to 1,000.", examples=[50], json_schema_extra=bounds.LIMIT),
]
Cursor = Annotated[
    str | None, Field(description="`next_cursor` of the page before; left out for the first.")
]


class Closed(BaseModel):
    """An object that has the members listed and no others."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown(cls, data: object) -> object:
        # pydantic would refuse them as well, but by repeating the name that was sent.
        if isinstance(data, dict) and not cls.model_fields.keys() >= data.keys():
            raise PydanticCustomError(
                "unknown_member",
                "There is a {thing} that is not known here; known are {names}",
                {
                    "thing": "member" if issubclass(cls, Body) else "parameter",
                    "names": ", ".join(cls.model_fields),
                },
            )
        return data


class Body(Closed):
    """A JSON body: types are taken as they are, "5" is not 5."""

    model_config = ConfigDict(extra="forbid", strict=True)


class DocumentInput(Body):
    """A document to remember."""

    text: Text
    key: str | None = Field(
        default=None,
        description="Your own name for it, unique in its collection: a document that has it is "
        "replaced and keeps its id. Left out, the new document's id is its key.",
        examples=["people/ada"],
        json_schema_extra=bounds.KEY,
    )
    title: Title = None
    collection: Collection = None
    tags: Tags = Field(default_factory=list)
    metadata: Metadata = Field(default_factory=dict)
    expires_at: Time = None


class NewDocumentInput(DocumentInput):
    """A document to remember, and when to embed it."""

    embed: Embed = "now"


class DocumentReplacement(Body):
    """Everything of a document but its id, key, collection and creation time."""

    text: Text
    title: Title = None
    tags: Tags = Field(default_factory=list)
    metadata: Metadata = Field(default_factory=dict)
    expires_at: Time = None


class DocumentPatch(Body):
    """A JSON merge patch (RFC 7396): what is left out stays, null removes."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"title": "Ada", "metadata": {"draft": None}}]}
    )

    text: str = Field(
        default_factory=str,
        description="A new text; it cannot be removed.",
        json_schema_extra=bounds.VISIBLE,
    )
    title: str | None = Field(
        default=None, description="A new title; null for none.", json_schema_extra=bounds.TITLE
    )
    tags: list[str] | None = Field(
        None, description="All tags; null for none.", fail_fast=True, json_schema_extra=bounds.TAGS
    )
    metadata: dict[str, Any] | None = Field(
        default=None,
        description="A merge patch of the metadata: members given are set, members given as null "
        "are removed, all others stay; null removes all.",
        json_schema_extra=bounds.METADATA,
    )
    expires_at: Time = Field(default=None, description="A new time; null for never.")


class BatchInput(Body):
    """Many documents at once."""

    documents: list[DocumentInput] = Field(
        max_length=MAX_BATCH, description=f"At most {MAX_BATCH:,}, stored in one transaction."
    )
    embed: Embed = "now"


Log = Annotated[
    bool, Field(description="Log the search in the file, where the service's settings say so.")
]


class QuestionInput(Body):
    """What every search is asked."""

    query: str = Field(
        description="Any text with a visible character.",
        examples=["what does Ada drink?"],
        json_schema_extra=bounds.QUERY,
    )
    vector: list[float] | None = Field(
        default=None,
        fail_fast=True,
        description="The query's vector where it is ready, of the file's model; it is brought to "
        "length 1.",
        json_schema_extra=bounds.VECTOR,
    )
    collection: Collection = None
    filter: FilterTree | None = Field(
        default=None,
        description="A filter tree over key, title, tags, times and metadata; applied before the "
        "cut.",
        examples=[{"metadata.author": {"eq": "ada"}}],
    )
    mode: Mode = Field(
        default="hybrid", description="hybrid asks both indexes, the others one each."
    )
    strategy: StrategyName | None = Field(
        default=None, description="How hybrid fuses the two; the service's setting when left out."
    )
    min_relevance: float | None = Field(
        default=None,
        description="Leave out hits of lower relevance, in [0, 1]; needs the strategy score.",
        json_schema_extra=bounds.UNIT,
    )
    mmr: Mmr | None = Field(
        default=None,
        description="Choose the hits by maximal marginal relevance: `within` keeps the chunks of one "
        "document apart, `across` all.",
    )
    mmr_lambda: float = Field(
        default=0.7,
        description="Of MMR, 0 to 1; 1 is relevance alone.",
        json_schema_extra=bounds.UNIT,
    )
    fold_duplicates: bool = Field(
        default=False,
        description="Leave out hits that say the same as a better one, or nearly so.",
    )
    recency_half_life_days: float | None = Field(
        default=None,
        description="Raise what changed lately; after so many days it is raised half as much.",
        json_schema_extra={"exclusiveMinimum": 0, "maximum": 36_500},
    )

    def asked(self, caller: Access) -> dict[str, Any]:
        """The arguments that the searching methods of `Memory` share, in the caller's collection."""
        given = {name: getattr(self, name) for name in QuestionInput.model_fields}
        return given | {"collection": caller.collection(self.collection)}


Session = Annotated[
    str | None,
    Field(
        description="Your own opaque name for what somebody is about: a query that puts an earlier one of "
        "its session in other words is logged as its reformulation.",
        examples=["f3a9"],
        json_schema_extra=bounds.SESSION,
    ),
]


class HitsInput(QuestionInput):
    """A search for hits."""

    k: int = Field(
        default=10,
        description="How many hits, 1 to 1,000.",
        examples=[10],
        json_schema_extra=bounds.LIMIT,
    )
    collapse: Collapse | None = Field(
        default=None, description="One hit a document, its best chunk; k counts documents."
    )


class SearchInput(HitsInput):
    """A search."""

    explain: bool = Field(default=False, description="Say for each hit where its score comes from.")
    log: Log = True
    session: Session = None


class CalibrationInput(Body):
    """What to ask the file for."""

    collection: Collection = None
    probes: int = Field(
        default=300,
        description="Queries to ask, 50 to 1,000.",
        examples=[300],
        json_schema_extra={"minimum": 50, "maximum": 1000},
    )
    seed: int = Field(
        default=0,
        description="Which queries, 0 or more.",
        examples=[0],
        json_schema_extra={"minimum": 0, "maximum": 2**63 - 1},
    )


class CollectionQuery(Closed):
    """Which collection."""

    collection: Collection = None


class DocumentsQuery(CollectionQuery):
    """Which documents to list."""

    key: str | None = Field(
        default=None,
        description="Only the document with exactly this key; not with a filter.",
        json_schema_extra=bounds.KEY,
    )
    filter: FilterText = None
    limit: Limit = 50
    cursor: Cursor = None


class PageQuery(Closed):
    """Which part of a listing."""

    limit: Limit = 50
    cursor: Cursor = None


class LogQuery(PageQuery):
    """Which logged searches to list."""

    collection: str | None = Field(
        default=None, description="That was searched; all when left out.", examples=["default"]
    )


class DisagreementsQuery(LogQuery):
    """Which logged searches to list."""

    texts: bool = Field(default=False, description="Put the chunks' texts into the triples.")


def filter_tree(text: str | None) -> JsonObject | None:
    """The filter tree that a parameter holds as text.

    Raises:
        FilterError: When it is not a JSON object.
    """
    if text is None:
        return None
    found = parse_json(text, refuse=FilterError, pointer="/filter")
    if isinstance(found, dict):
        return found
    raise FilterError("A filter is a JSON object.", pointer="/filter")
