"""From the JSON of an answer back to the values that `Memory` returns."""

from __future__ import annotations

from typing import Any, TypeVar

from vstash.client.transport import raised
from vstash.errors import UnreachableError, VstashError

__all__ = ["as_list", "decoded", "told"]

Value = TypeVar("Value")


def decoded(kind: type[Value], answer: object) -> Value:
    """Read a value of the public interface.

    Args:
        kind: A dataclass, such as `vstash.Document` or ``Page[Document]``.
        answer: JSON in the form of `vstash.wire.to_json`.

    Raises:
        UnreachableError: When it is not such JSON: another program answered, or another version.

    Example:
        >>> from vstash import Weights
        >>> decoded(Weights, {"vector": 1, "keyword": 0.5})
        Weights(vector=1.0, keyword=0.5)
    """
    import msgspec  # noqa: PLC0415 - `import vstash` need not pay for it

    try:
        return msgspec.convert(answer, kind)
    except msgspec.ValidationError as error:
        raise UnreachableError(
            "The service answers in another form than this version of vstash knows: use the same "
            "version on both sides.",
            local_detail=str(error),
        ) from error


def told(result: dict[str, Any], name: str, kind: type[Value]) -> Value | VstashError:
    """One result of a batch: the value under its name, or the error that kept it out."""
    return raised(result["error"]) if result.get("error") else decoded(kind, result[name])


def as_list(values: object) -> object:
    """A sequence or an array as a JSON list; anything else as it is, for the service to refuse."""
    if isinstance(values, (str, bytes, dict)) or values is None:
        return values
    found = values.tolist() if hasattr(values, "tolist") else values
    return list(found) if hasattr(found, "__iter__") else found
