"""What was asked for does not exist."""

from __future__ import annotations

from vstash.errors.base import VstashError

__all__ = [
    "BackupNotFoundError",
    "ChunkNotFoundError",
    "CollectionNotFoundError",
    "DocumentNotFoundError",
    "JobNotFoundError",
    "KeyNotFoundError",
    "ModelNotFoundError",
    "NotFoundError",
    "PathNotFoundError",
    "RouteNotFoundError",
    "SearchNotFoundError",
    "no_chunk",
    "no_collection",
    "no_document",
    "no_job",
    "no_model",
    "no_search",
]


class NotFoundError(VstashError):
    """What was asked for does not exist."""

    code = "not_found"
    status = 404
    exit_code = 3


class DocumentNotFoundError(NotFoundError):
    """No document has this id or key."""

    code = "document_not_found"


class ChunkNotFoundError(NotFoundError):
    """No chunk has this id; a chunk's id ends with the text that it was cut from."""

    code = "chunk_not_found"


class CollectionNotFoundError(NotFoundError):
    """No document was ever written to this collection."""

    code = "collection_not_found"


class SearchNotFoundError(NotFoundError):
    """No search with this id is in the log."""

    code = "search_not_found"


class JobNotFoundError(NotFoundError):
    """No job has this id."""

    code = "job_not_found"


class KeyNotFoundError(NotFoundError):
    """No access key has this id."""

    code = "key_not_found"


class ModelNotFoundError(NotFoundError):
    """No model has this name."""

    code = "model_not_found"


class PathNotFoundError(NotFoundError):
    """A file or folder to read does not exist or cannot be read."""

    code = "path_not_found"


class BackupNotFoundError(NotFoundError):
    """No backup in the folder has this name."""

    code = "backup_not_found"


class RouteNotFoundError(NotFoundError):
    """The REST API has no such address."""

    code = "route_not_found"


def no_document(word: str = "id", *, pointer: str | None = None) -> DocumentNotFoundError:
    """The error for a document that is not there, or that the caller may not know of.

    Args:
        word: What it was looked for by: ``id`` or ``key``.
        pointer: The field that held it, where it has another name.
    """
    return DocumentNotFoundError(
        f"There is no document with this {word}.", pointer=pointer or f"/{word}"
    )


def no_chunk(*, pointer: str = "/chunk_id") -> ChunkNotFoundError:
    """The same for a chunk."""
    return ChunkNotFoundError(
        "There is no chunk with this id: replacing a document ends its chunks.", pointer=pointer
    )


def no_collection() -> CollectionNotFoundError:
    """The same for a collection."""
    return CollectionNotFoundError(
        "There is no such collection: it exists from the first document written to it.",
        pointer="/collection",
    )


def no_job() -> JobNotFoundError:
    """The same for a job."""
    return JobNotFoundError(
        "There is no job with this id: the last 1,000 that have ended are kept.", pointer="/id"
    )


def no_model(*, pointer: str = "/name") -> ModelNotFoundError:
    """The same for a model."""
    return ModelNotFoundError(
        "There is no model with this name: `vstash model list` shows those that there are, and `vstash "
        "model add` installs one.",
        pointer=pointer,
    )


def no_search() -> SearchNotFoundError:
    """The same for a logged search."""
    return SearchNotFoundError(
        "No search with this id is in the log. Only hybrid searches are logged, and none "
        "while logging is off; the log forgets its oldest searches, and leaves one out "
        "when the file is busy.",
        pointer="/search_id",
    )
