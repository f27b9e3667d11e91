"""What was asked for does not exist."""

from __future__ import annotations

from vstash.errors.base import VstashError

__all__ = [
    "ChunkNotFoundError",
    "CollectionNotFoundError",
    "DocumentNotFoundError",
    "JobNotFoundError",
    "KeyNotFoundError",
    "NotFoundError",
    "PathNotFoundError",
    "RouteNotFoundError",
    "SearchNotFoundError",
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


class PathNotFoundError(NotFoundError):
    """A file or folder to read does not exist or cannot be read."""

    code = "path_not_found"


class RouteNotFoundError(NotFoundError):
    """The REST API has no such address."""

    code = "route_not_found"
