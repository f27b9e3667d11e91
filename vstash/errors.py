"""Every error that vstash raises on purpose, as one tree.

* VstashError
    * InputError: what the caller sent cannot be used; nothing was stored
        * TextError: empty, too long, or not storable text
        * FieldError: a title, key, tag, collection name, metadata or time is malformed
        * FilterError: a filter tree is malformed or too deep
        * QueryError: a search parameter is out of range
        * CursorError: a page cursor is not one of ours
        * RequestError: an HTTP request or command line is malformed
        * RequestTooLargeError: a request body is over the limit
        * MediaTypeError: a request or file is of a type that is not read
        * MethodNotAllowedError: an address of the REST API does not take this method
        * ForbiddenOriginError: a foreign host name or web page asked
        * SettingsError: a setting is unknown or out of range
        * EvaluationError: judged data, or an option of an evaluation, cannot be used
        * CalibrationError: a file holds too little to learn a calibration from
    * NotFoundError
        * DocumentNotFoundError, ChunkNotFoundError, CollectionNotFoundError
        * SearchNotFoundError: a search is not in the log
        * PathNotFoundError: a file or folder to ingest is missing or unreadable
        * RouteNotFoundError: no such address in the REST API
    * ModelError
        * ModelInvalidError: a model folder lacks a file, or a file has another hash
        * ModelMismatchError: the file was written with another model
        * EmbeddingError: a model returned vectors that cannot be stored
    * StoreError
        * StoreBusyError: another process held the write lock for too long
        * StoreFullError: the disk is full; nothing was changed
        * StoreReadOnlyError: the file or its folder cannot be written
        * StoreCorruptError: the file is damaged
        * StoreForeignError: the file is not a vstash file
        * StoreNewerError: the file was written by a newer vstash
        * StoreIOError: the operating system failed to read or write the file
    * MisuseError: a programming error of the caller
        * ClosedError: a method was called after close()
        * ForkedError: an object crossed a fork; open a new Memory in the child
    * ExtraMissingError: a library that comes with an extra of vstash is not installed
    * InternalError: a defect of vstash itself

Each class has ``code`` (stable, for programs), ``status`` (HTTP), ``retryable`` (the same call may
succeed later) and ``exit_code`` (command line). Messages say what to do and hold no SQL and no
stored text; file paths appear only where ``local_detail`` does, which never leaves the machine.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "CalibrationError",
    "ChunkNotFoundError",
    "ClosedError",
    "CollectionNotFoundError",
    "CursorError",
    "DocumentNotFoundError",
    "EmbeddingError",
    "EvaluationError",
    "ExtraMissingError",
    "FieldError",
    "FilterError",
    "ForbiddenOriginError",
    "ForkedError",
    "InputError",
    "InternalError",
    "MediaTypeError",
    "MethodNotAllowedError",
    "MisuseError",
    "ModelError",
    "ModelInvalidError",
    "ModelMismatchError",
    "NotFoundError",
    "PathNotFoundError",
    "QueryError",
    "RequestError",
    "RequestTooLargeError",
    "RouteNotFoundError",
    "SearchNotFoundError",
    "SettingsError",
    "StoreBusyError",
    "StoreCorruptError",
    "StoreError",
    "StoreForeignError",
    "StoreFullError",
    "StoreIOError",
    "StoreNewerError",
    "StoreReadOnlyError",
    "TextError",
    "VstashError",
]


class VstashError(Exception):
    """Base of every error that vstash raises on purpose.

    Args:
        message: What happened and what to do, safe to show to a remote caller.
        pointer: JSON pointer of the offending field of the call, such as ``/metadata``.
        local_detail: What only somebody on this machine may read, such as a path.

    Example:
        >>> from vstash import errors
        >>> error = errors.TextError("The text is empty: give at least one character.", pointer="/text")
        >>> (error.code, error.status, error.pointer)
        ('text_invalid', 422, '/text')
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, pointer: str | None = None, local_detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.pointer = pointer
        self.local_detail = local_detail

    def __str__(self) -> str:
        return f"{self.message} ({self.local_detail})" if self.local_detail else self.message


class InputError(VstashError):
    """What the caller sent cannot be used; nothing was stored."""

    code = "input_invalid"
    status = 422
    exit_code = 2


class TextError(InputError):
    """A text is empty, too long, or holds characters that cannot be stored."""

    code = "text_invalid"


class FieldError(InputError):
    """A title, key, tag, collection name, metadata object or time is malformed."""

    code = "field_invalid"


class FilterError(InputError):
    """A filter tree is malformed, of the wrong type, or too deep."""

    code = "filter_invalid"


class QueryError(InputError):
    """A search parameter is missing or out of range."""

    code = "query_invalid"


class CursorError(InputError):
    """A page cursor was not made by this listing."""

    code = "cursor_invalid"


class RequestError(InputError):
    """An HTTP request or a command line is malformed."""

    code = "request_invalid"
    status = 400


class RequestTooLargeError(InputError):
    """A request body is over the limit of the service."""

    code = "request_too_large"
    status = 413


class MediaTypeError(InputError):
    """A request body or a file is of a type that is not read."""

    code = "media_type_unsupported"
    status = 415


class MethodNotAllowedError(InputError):
    """An address of the REST API does not take this method."""

    code = "method_not_allowed"
    status = 405


class ForbiddenOriginError(InputError):
    """A request came under a foreign host name or from a web page of another origin."""

    code = "origin_forbidden"
    status = 403


class SettingsError(InputError):
    """A setting is unknown or its value is out of range."""

    code = "settings_invalid"
    status = 500


class EvaluationError(InputError):
    """Judged data, or an option of an evaluation, cannot be used."""

    code = "evaluation_invalid"


class CalibrationError(InputError):
    """A file holds too little to learn a calibration from; nothing was stored."""

    code = "calibration_impossible"
    status = 409


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


class PathNotFoundError(NotFoundError):
    """A file or folder to read does not exist or cannot be read."""

    code = "path_not_found"


class RouteNotFoundError(NotFoundError):
    """The REST API has no such address."""

    code = "route_not_found"


class ModelError(VstashError):
    """An embedding model cannot be used."""

    code = "model_error"
    exit_code = 4


class ModelInvalidError(ModelError):
    """A model folder lacks a file, a file has another hash, or its description is malformed."""

    code = "model_invalid"


class ModelMismatchError(ModelError):
    """The file was written with another embedding model than the one given."""

    code = "model_mismatch"
    status = 409


class EmbeddingError(ModelError):
    """A model returned vectors of the wrong shape, or with values that are not finite, or zero."""

    code = "embedding_invalid"


class StoreError(VstashError):
    """The file cannot be used as asked."""

    code = "store_error"
    exit_code = 5


class StoreBusyError(StoreError):
    """Another process held the write lock for longer than the timeout; nothing was changed."""

    code = "store_busy"
    status = 503
    retryable = True
    exit_code = 6


class StoreFullError(StoreError):
    """The disk or the file's size limit is full; nothing was changed."""

    code = "store_full"
    status = 507
    retryable = True


class StoreReadOnlyError(StoreError):
    """The file or its folder cannot be written."""

    code = "store_read_only"
    status = 403


class StoreCorruptError(StoreError):
    """The file is damaged."""

    code = "store_corrupt"


class StoreForeignError(StoreError):
    """The file exists and is not a vstash file; it was left as it was."""

    code = "store_foreign"


class StoreNewerError(StoreError):
    """The file was written by a newer vstash than this one; it was left as it was."""

    code = "store_newer"


class StoreIOError(StoreError):
    """The operating system failed to read or write the file; a write may or may not have happened."""

    code = "store_io"
    status = 503
    retryable = True


class MisuseError(VstashError):
    """The program used vstash in a way that cannot work."""

    code = "misuse"


class ClosedError(MisuseError):
    """A method was called after ``close()``."""

    code = "closed"


class ForkedError(MisuseError):
    """An object was used in a process forked after it was opened."""

    code = "forked"


class ExtraMissingError(VstashError):
    """A library that comes with an extra of vstash is not installed."""

    code = "extra_missing"


class InternalError(VstashError):
    """A defect of vstash itself."""

    code = "internal"
