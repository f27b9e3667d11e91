"""What the caller sent cannot be used."""

from __future__ import annotations

from vstash.errors.base import VstashError

__all__ = [
    "CalibrationError",
    "CursorError",
    "EvaluationError",
    "FieldError",
    "FilterError",
    "ForbiddenOriginError",
    "InputError",
    "MediaTypeError",
    "MethodNotAllowedError",
    "QueryError",
    "RequestError",
    "RequestTooLargeError",
    "SettingsError",
    "TextError",
    "TrainingError",
    "TransferError",
]


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


class TrainingError(InputError):
    """A model cannot be trained with what there is, or there where it was to go."""

    code = "training_impossible"
    status = 409


class TransferError(InputError):
    """What is to be imported is not an export of vstash, or is cut off."""

    code = "import_invalid"
