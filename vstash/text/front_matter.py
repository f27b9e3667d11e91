"""The YAML block at the head of a Markdown file."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Final, TypeGuard

if TYPE_CHECKING:
    from yaml import MappingNode, SafeLoader

    from vstash.types import Json

__all__ = ["FrontMatter", "split_front_matter"]

FrontMatter = dict[str, "Json"]

# PyYAML takes time quadratic in open brackets: .8 s for this many, 12 s for four times as many.
_MAX_CHARS: Final = 16_384
_MAX_VALUES: Final = 10_000
_MAX_DEPTH: Final = 32
_MAX_INTEGER: Final = 2**63
# What PyYAML's constructors raise besides YAMLError, on text such as `!!bool x` or `2024-13-45`.
_MALFORMED: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


def split_front_matter(text: str) -> tuple[FrontMatter, str]:
    r"""Part a text from its front matter.

    Args:
        text: With line feeds as line ends.

    Returns:
        The front matter as a JSON object, and the text behind it. Without front matter, or when it
        is malformed, longer than 16,384 characters or not an object: an empty object and the whole
        text.

    Example:
        >>> split_front_matter("---\ndue: 2026-01-31\n---\nPay the rent.")
        ({'due': '2026-01-31'}, 'Pay the rent.')
    """
    block, body = _block(text)
    if block is None:
        return {}, text
    loaded = _load(block)
    if loaded is None:
        return {}, text
    return loaded, body.lstrip("\n")


def _block(text: str) -> tuple[str | None, str]:
    first, _, rest = text.partition("\n")
    if first.rstrip() != "---":
        return None, text
    position = 0
    while position <= min(len(rest), _MAX_CHARS):
        end = rest.find("\n", position)
        end = len(rest) if end < 0 else end
        if rest[position:end].rstrip() in ("---", "..."):
            return rest[:position], rest[end + 1 :]
        position = end + 1
    return None, text


def _load(block: str) -> FrontMatter | None:
    import yaml  # noqa: PLC0415 - only Markdown files need it

    try:
        # The loader in Python: libyaml's would overflow the C stack on deep nesting.
        loaded: object = yaml.load(block, Loader=_loader())  # noqa: S506 - a SafeLoader
        if loaded is None:
            return {}
        if not isinstance(loaded, Mapping):
            return None
        seen = count(1)
        return {_text(key): _json(value, seen, 1) for key, value in loaded.items()}
    except (yaml.YAMLError, *_MALFORMED):
        return None


@lru_cache(maxsize=1)
def _loader() -> type[SafeLoader]:
    import yaml  # noqa: PLC0415 - only Markdown files need it

    class BoundedLoader(yaml.SafeLoader):
        """Merge keys (``<<: [*a, *a]``) multiply with every level, before there is a value to bound."""

        merged = 0

        def flatten_mapping(self, node: MappingNode) -> None:
            super().flatten_mapping(node)
            self.merged += len(node.value)
            if self.merged > _MAX_VALUES:
                raise ValueError("front matter merges too much")

    return BoundedLoader


def _json(value: object, seen: Iterator[int], depth: int) -> Json:
    """A value as JSON; aliases can make a small file a huge or endless value, so both are bounded.

    Raises:
        ValueError: When there are too many values or levels.
    """
    if next(seen) > _MAX_VALUES or depth > _MAX_DEPTH:
        raise ValueError("front matter is too large")
    if isinstance(value, Mapping):
        return {_text(key): _json(item, seen, depth + 1) for key, item in value.items()}
    if isinstance(value, set):
        value = sorted(value, key=_text)
    if isinstance(value, list | tuple):
        return [_json(item, seen, depth + 1) for item in value]
    return value if _is_plain(value) else _text(value)


def _is_plain(value: object) -> TypeGuard[bool | int | float | None]:
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, int) and -_MAX_INTEGER <= value < _MAX_INTEGER)


def _text(value: object) -> str:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    # YAML escapes can spell NUL, and an emoji as two surrogates.
    joined = str(value).replace("\0", "").encode("utf-16-le", "surrogatepass")
    return joined.decode("utf-16-le", "replace")
