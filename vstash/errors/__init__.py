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
        * LearningError: a collection holds too little to learn from
        * TrainingError: a model cannot be trained with what there is
        * TransferError: what is to be imported is no export, or is cut off
    * NotFoundError
        * DocumentNotFoundError, ChunkNotFoundError, CollectionNotFoundError
        * SearchNotFoundError: a search is not in the log
        * JobNotFoundError, KeyNotFoundError, BackupNotFoundError, ModelNotFoundError
        * LearnedNotFoundError: nothing that was learnt has this id
        * PathNotFoundError: a file or folder to ingest is missing or unreadable
        * RouteNotFoundError: no such address in the REST API
    * ConflictError: the state of what was asked for stands in the way
        * PreconditionError: a document was changed meanwhile, or exists where it must not
        * OverwriteError: a backup or a restore would replace what is there
        * JobFinishedError: a job that has ended cannot be cancelled
        * RequestInFlightError: the same idempotency key is being worked on
        * RequestReusedError: an idempotency key came with another request than before
        * ReplyGoneError: applied before, and the document that it made is gone
        * LearnedRefusedError: the gate refused what was learnt, and it was not forced
        * LearnedOtherModelError: it was learnt with another model than the file is searched with
        * LearnedDamagedError: what was learnt cannot be read any more
    * AccessError: the caller may not do this
        * KeyRequiredError: no access key, or one that does not count
        * ScopeError: the access key does not allow the operation
        * CollectionForbiddenError: the access key is bound to another collection
        * PathForbiddenError: a path outside the folders that the service may read
    * OverloadError: the service has more to do than it can
        * RateLimitError: too many requests under one access key
        * DeadlineError: a request took too long and was stopped
        * SlowClientError: a request came too slowly
    * UnreachableError: a service does not answer its client
    * LanguageModelError: an address that is asked for questions does not answer as a language model
    * ModelError
        * ModelInvalidError: a model folder lacks a file, or a file has another hash
        * ModelMismatchError: the file was written with another model
        * ModelMissingError: the file's model is not installed on this machine
        * ModelExistsError: another model has this name
        * ModelInUseError: the file is searched with the model that was to be removed
        * ModelIncompleteError: a model's index is still being built
        * ModelTooShortError: a model reads fewer tokens than the file's chunks have
        * EmbeddingError: a model returned vectors that cannot be stored
    * StoreError
        * StoreBusyError: another process held the write lock for too long
        * StoreFullError: the disk is full; nothing was changed
        * StoreReadOnlyError: the file or its folder cannot be written
        * StoreCorruptError: the file is damaged
        * StoreFilesystemError: the file lies on a filesystem of a network
        * StoreForeignError: the file is not a vstash file
        * StoreNewerError: the file was written by a newer vstash
        * StoreIOError: the operating system failed to read or write the file
        * StoreReplacedError: the file was removed or replaced while it was open
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

from vstash.errors.base import (
    VstashError,
)
from vstash.errors.inputs import (
    CalibrationError,
    CursorError,
    EvaluationError,
    FieldError,
    FilterError,
    ForbiddenOriginError,
    InputError,
    MediaTypeError,
    MethodNotAllowedError,
    QueryError,
    RequestError,
    RequestTooLargeError,
    SettingsError,
    TextError,
    TrainingError,
    TransferError,
)
from vstash.errors.learning import (
    LearnedDamagedError,
    LearnedNotFoundError,
    LearnedOtherModelError,
    LearnedRefusedError,
    LearningError,
)
from vstash.errors.missing import (
    BackupNotFoundError,
    ChunkNotFoundError,
    CollectionNotFoundError,
    DocumentNotFoundError,
    JobNotFoundError,
    KeyNotFoundError,
    ModelNotFoundError,
    NotFoundError,
    PathNotFoundError,
    RouteNotFoundError,
    SearchNotFoundError,
)
from vstash.errors.program import (
    ClosedError,
    ExtraMissingError,
    ForkedError,
    InternalError,
    MisuseError,
)
from vstash.errors.service import (
    AccessError,
    CollectionForbiddenError,
    ConflictError,
    DeadlineError,
    JobFinishedError,
    KeyRequiredError,
    LanguageModelError,
    OverloadError,
    OverwriteError,
    PathForbiddenError,
    PreconditionError,
    RateLimitError,
    ReplyGoneError,
    RequestInFlightError,
    RequestReusedError,
    ScopeError,
    SlowClientError,
    UnreachableError,
)
from vstash.errors.store import (
    EmbeddingError,
    ModelError,
    ModelExistsError,
    ModelIncompleteError,
    ModelInUseError,
    ModelInvalidError,
    ModelMismatchError,
    ModelMissingError,
    ModelTooShortError,
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreFilesystemError,
    StoreForeignError,
    StoreFullError,
    StoreIOError,
    StoreNewerError,
    StoreReadOnlyError,
    StoreReplacedError,
)

__all__ = [
    "AccessError",
    "BackupNotFoundError",
    "CalibrationError",
    "ChunkNotFoundError",
    "ClosedError",
    "CollectionForbiddenError",
    "CollectionNotFoundError",
    "ConflictError",
    "CursorError",
    "DeadlineError",
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
    "JobFinishedError",
    "JobNotFoundError",
    "KeyNotFoundError",
    "KeyRequiredError",
    "LanguageModelError",
    "LearnedDamagedError",
    "LearnedNotFoundError",
    "LearnedOtherModelError",
    "LearnedRefusedError",
    "LearningError",
    "MediaTypeError",
    "MethodNotAllowedError",
    "MisuseError",
    "ModelError",
    "ModelExistsError",
    "ModelInUseError",
    "ModelIncompleteError",
    "ModelInvalidError",
    "ModelMismatchError",
    "ModelMissingError",
    "ModelNotFoundError",
    "ModelTooShortError",
    "NotFoundError",
    "OverloadError",
    "OverwriteError",
    "PathForbiddenError",
    "PathNotFoundError",
    "PreconditionError",
    "QueryError",
    "RateLimitError",
    "ReplyGoneError",
    "RequestError",
    "RequestInFlightError",
    "RequestReusedError",
    "RequestTooLargeError",
    "RouteNotFoundError",
    "ScopeError",
    "SearchNotFoundError",
    "SettingsError",
    "SlowClientError",
    "StoreBusyError",
    "StoreCorruptError",
    "StoreError",
    "StoreFilesystemError",
    "StoreForeignError",
    "StoreFullError",
    "StoreIOError",
    "StoreNewerError",
    "StoreReadOnlyError",
    "StoreReplacedError",
    "TextError",
    "TrainingError",
    "TransferError",
    "UnreachableError",
    "VstashError",
]
