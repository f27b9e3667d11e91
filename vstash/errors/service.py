"""What a service refuses: conflicts, missing rights, more than it can do."""

from __future__ import annotations

from vstash.errors.base import VstashError

__all__ = [
    "AccessError",
    "CollectionForbiddenError",
    "ConflictError",
    "DeadlineError",
    "JobFinishedError",
    "KeyRequiredError",
    "LanguageModelError",
    "OverloadError",
    "OverwriteError",
    "PathForbiddenError",
    "PreconditionError",
    "RateLimitError",
    "ReplyGoneError",
    "RequestInFlightError",
    "RequestReusedError",
    "ScopeError",
    "SlowClientError",
    "UnreachableError",
]


class ConflictError(VstashError):
    """The state of what was asked for stands in the way; nothing was changed."""

    code = "conflict"
    status = 409
    exit_code = 7


class PreconditionError(ConflictError):
    """Somebody changed the document since it was read, or it exists where it must not."""

    code = "precondition_failed"
    status = 412


class JobFinishedError(ConflictError):
    """A job that has ended cannot be cancelled."""

    code = "job_finished"


class OverwriteError(ConflictError):
    """A backup or a restore would replace what is there."""

    code = "would_overwrite"


class RequestInFlightError(ConflictError):
    """A request with the same idempotency key is still being worked on."""

    code = "request_in_flight"
    retryable = True


class RequestReusedError(ConflictError):
    """An idempotency key came with another request than before."""

    code = "idempotency_key_reused"
    status = 422


class ReplyGoneError(ConflictError):
    """The request was applied before, and the document that it made is gone."""

    code = "reply_gone"
    status = 410


class AccessError(VstashError):
    """The caller may not do this."""

    code = "access_denied"
    status = 403
    exit_code = 8


class KeyRequiredError(AccessError):
    """There is no access key, or it is unknown, expired or revoked."""

    code = "key_required"
    status = 401


class ScopeError(AccessError):
    """The access key does not allow this operation."""

    code = "scope_missing"


class CollectionForbiddenError(AccessError):
    """The access key is bound to another collection."""

    code = "collection_forbidden"


class PathForbiddenError(AccessError):
    """A path is not below a folder that the service may read."""

    code = "path_forbidden"


class OverloadError(VstashError):
    """The service has more to do than it can; nothing was done."""

    code = "overloaded"
    status = 503
    retryable = True
    exit_code = 9


class RateLimitError(OverloadError):
    """The access key sends more requests than it may."""

    code = "rate_limited"
    status = 429


class DeadlineError(OverloadError):
    """The request took longer than it may and was stopped."""

    code = "deadline_exceeded"
    status = 503


class SlowClientError(OverloadError):
    """The request came too slowly."""

    code = "request_timeout"
    status = 408


class UnreachableError(VstashError):
    """A service does not answer; whether a write happened is not known."""

    code = "service_unreachable"
    status = 503
    retryable = True
    exit_code = 9


class LanguageModelError(VstashError):
    """The address that is asked for questions does not answer as a language model does."""

    code = "language_model_failed"
    status = 502
    retryable = True
    exit_code = 9
