"""What the commands share: the options that go anywhere, and how values are read from words."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import click

from vstash.errors import (
    FieldError,
    FilterError,
    PathNotFoundError,
    QueryError,
    RequestError,
    TextError,
)
from vstash.types import Json, JsonObject

if TYPE_CHECKING:
    from vstash.memory import Memory
    from vstash.settings import Settings

__all__ = [
    "Common",
    "OneOf",
    "add_options",
    "common_options",
    "count",
    "embed_option",
    "example",
    "if_match_option",
    "joined_query",
    "joined_text",
    "parse_filter",
    "parse_json",
    "parse_metadata",
    "read_standard_input",
    "read_text_file",
]

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Common:
    """The options that every command takes, before or after its name.

    Attributes:
        db: The file, None for the setting.
        model: The embedding model, None for the setting.
        as_json: Whether to print one JSON document instead of text to read.
    """

    db: str | None
    model: str | None
    as_json: bool

    def settings(self, **options: object) -> Settings:
        """Read the settings; options win over them, None is none."""
        from vstash.settings import load_settings

        return load_settings(db=self.db, model=self.model, **options)

    def memory(self, *, create: bool, warm: bool = False) -> Memory:
        """Open the file that the options and settings name; ``warm`` for who will embed at once."""
        from vstash.memory import Memory

        return Memory(settings=self.settings(), create=create, warm=warm)


class OneOf(click.Choice[str]):
    """Values to show and to complete; what is none of them is refused by `Memory`, as everywhere."""

    def convert(
        self,
        value: str,
        param: click.Parameter | None,  # noqa: ARG002 - click's signature
        ctx: click.Context | None,  # noqa: ARG002 - the same
    ) -> str:
        """Take it as it is."""
        return value


def count(name: str) -> Callable[[str], int]:
    """The click type of a whole number whose range `Memory` checks.

    Args:
        name: The field that an error points at, as on every interface.
    """

    def convert(text: str) -> int:
        try:
            return int(text)
        except ValueError as error:
            raise QueryError(f"{name} is a whole number.", pointer=f"/{name}") from error

    return convert


def _keep(ctx: click.Context, param: click.Parameter, value: str | bool | None) -> None:
    """Remember an option; every level of a command line shares ``meta``, so the last one wins."""
    if value == "":
        raise click.BadParameter("it is empty; leave it out for the setting.", ctx, param)
    if value:
        ctx.meta[f"vstash.{param.name}"] = value


def _options() -> tuple[Callable[[F], F], ...]:
    return (
        click.option(
            "--db",
            metavar="PATH",
            expose_value=False,
            callback=_keep,
            help="The file; otherwise the setting `db`.",
        ),
        click.option(
            "--model",
            metavar="MODEL",
            expose_value=False,
            callback=_keep,
            help="The embedding model: a folder, or `fake`; otherwise the setting `model`.",
        ),
        click.option(
            "--json",
            "as_json",
            is_flag=True,
            expose_value=False,
            callback=_keep,
            help="Print one JSON document.",
        ),
    )


def add_options(function: F) -> F:
    """Put ``--db``, ``--model`` and ``--json`` on a command."""
    for option in reversed(_options()):
        function = option(function)
    return function


def common_options(function: Callable[Concatenate[Common, P], R]) -> Callable[P, R]:
    """Put ``--db``, ``--model`` and ``--json`` on a command, which gets them as its first argument."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        meta = click.get_current_context().meta
        common = Common(
            db=meta.get("vstash.db"),
            model=meta.get("vstash.model"),
            as_json=bool(meta.get("vstash.as_json", False)),
        )
        return function(common, *args, **kwargs)

    return add_options(call)


embed_option = click.option(
    "--embed",
    type=OneOf(("now", "later")),
    default="now",
    help="When to make the vectors; later stores at once, and `vstash embed` or a running service "
    "makes them.  [default: now]",
)


if_match_option = click.option(
    "--if-match",
    metavar="ETAG",
    help="Change nothing unless this is the document's etag, as --json shows it.",
)


def example(*lines: str) -> str:
    """The end of a command's help, kept as it is by click."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def read_standard_input() -> bytes:
    """Read all of standard input.

    Raises:
        RequestError: When there is none, as under some schedulers.
    """
    if sys.stdin is None:
        raise RequestError("Standard input is closed: there is nothing that - could read.")
    return sys.stdin.buffer.read()


def read_text_file(path: str) -> str:
    """Read a text file, or standard input for ``-``.

    Raises:
        PathNotFoundError: When it cannot be read.
        TextError: When it is not UTF-8.
    """
    if path == "-":
        return _decoded(read_standard_input(), "Standard input")
    try:
        with click.open_file(path, "rb") as stream:
            raw = stream.read()
    except OSError as error:
        raise PathNotFoundError(
            "The text file cannot be read.", local_detail=f"{path}: {error.strerror}"
        ) from error
    return _decoded(raw, "The text file")


def _decoded(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TextError(
            f"{name} is not UTF-8 (byte {error.start}): convert it, or use `vstash ingest` for a "
            "file, which detects encodings.",
            pointer="/text",
        ) from error


def joined_text(words: Sequence[str]) -> str:
    """The text that words of the command line mean: standard input for a single ``-``.

    Raises:
        TextError: When standard input is not UTF-8.
    """
    return read_text_file("-") if tuple(words) == ("-",) else " ".join(words)


def joined_query(words: Sequence[str]) -> str:
    """The query that words of the command line mean, as in `joined_text`.

    Raises:
        QueryError: When standard input is not UTF-8.
    """
    try:
        return joined_text(words)
    except TextError as error:
        raise QueryError(error.message, pointer="/query") from error


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def _members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has the same name twice")
    return found


def parse_json(text: str) -> Json:
    """Read strict JSON: NaN, Infinity and repeated names in one object are not part of it.

    Raises:
        ValueError: When it is not JSON, or nested too deeply to be read.
    """
    try:
        value: Json = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_members)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return value


def parse_metadata(pairs: Sequence[str]) -> dict[str, Json]:
    """Read ``NAME=VALUE`` words; a value that is JSON is taken as such, any other as text.

    Raises:
        FieldError: When a word has no name or no ``=``, or a name comes twice.
    """
    found: dict[str, Json] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise FieldError(
                f"--meta takes NAME=VALUE, such as --meta author=Ada; got {pair!r}.",
                pointer="/metadata",
            )
        if name in found:
            raise FieldError(
                f"--meta names {name!r} twice; give a list as JSON: --meta '{name}=[1, 2]'.",
                pointer="/metadata",
            )
        try:
            found[name] = parse_json(value)
        except ValueError:
            found[name] = value
    return found


def parse_filter(
    text: str | None, tags: Sequence[str] = (), *, name: str = "filter"
) -> JsonObject | None:
    """Put ``--filter`` and ``--tag`` together; all must hold.

    Raises:
        FilterError: When the filter is not a JSON object.
    """
    parts: list[JsonObject] = [{"tags": {"contains": tag}} for tag in tags]
    if text is not None:
        try:
            tree = parse_json(text)
        except ValueError as error:
            raise FilterError(
                f"--{name} is not JSON ({error}); it looks like "
                '\'{"metadata.author": {"eq": "Ada"}}\'.',
                pointer=f"/{name}",
            ) from error
        if not isinstance(tree, dict):
            raise FilterError(f"--{name} is a JSON object.", pointer=f"/{name}")
        parts.insert(0, tree)
    if len(parts) > 1:
        return {"and": parts}
    return parts[0] if parts else None
