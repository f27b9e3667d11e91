"""The model or the file cannot be used."""

from __future__ import annotations

from vstash.errors.base import VstashError

__all__ = [
    "EmbeddingError",
    "ModelError",
    "ModelExistsError",
    "ModelInUseError",
    "ModelIncompleteError",
    "ModelInvalidError",
    "ModelMismatchError",
    "ModelMissingError",
    "ModelTooShortError",
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
]


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


class ModelMissingError(ModelError):
    """The model that the file is searched with is not installed on this machine."""

    code = "model_missing"
    status = 503


class ModelExistsError(ModelError):
    """Another model has this name already; nothing was changed."""

    code = "model_exists"
    status = 409


class ModelInUseError(ModelError):
    """The file is searched with this model, so its index stays."""

    code = "model_in_use"
    status = 409


class ModelIncompleteError(ModelError):
    """The index of this model, or of another one, is still being built."""

    code = "model_incomplete"
    status = 409


class ModelTooShortError(ModelError):
    """The model reads fewer tokens than the file's chunks have; nothing was changed."""

    code = "model_too_short"
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


class StoreFilesystemError(StoreError):
    """The file lies, or would lie, on a filesystem where SQLite's locks cannot be relied on."""

    code = "store_filesystem"
    status = 403


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


class StoreReplacedError(StoreError):
    """The file was removed or replaced while it was open; nothing was changed."""

    code = "store_replaced"
    status = 503
