"""The one table of settings: name, default, unit and help.

Values come from, strongest first: arguments, environment variables (``VSTASH_`` and the name in
capitals), ``vstash.toml`` in the user's configuration folder or wherever ``VSTASH_CONFIG`` points,
and the defaults below. The working directory is never searched: a folder that somebody else wrote
must not choose the model or the file.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta
from platformdirs import user_config_dir, user_data_dir

from vstash.errors import SettingsError

__all__ = [
    "SettingRow",
    "Settings",
    "checked_settings",
    "config_path",
    "default_db_path",
    "load_settings",
    "setting_rows",
]


def default_db_path() -> Path:
    """The file used when none is named: ``vstash.db`` in the user's data folder."""
    return Path(user_data_dir("vstash", appauthor=False)) / "vstash.db"


def config_path() -> Path:
    """Where ``vstash.toml`` is looked for."""
    named = os.environ.get("VSTASH_CONFIG")
    return (
        Path(named) if named else Path(user_config_dir("vstash", appauthor=False)) / "vstash.toml"
    )


def _about(unit: str, text: str, *, ge: float | None = None, le: float | None = None) -> Meta:
    return Meta(description=text, ge=ge, le=le, extra={"unit": unit})


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of vstash; `load_settings` reads and checks them.

    Example:
        >>> from vstash.settings import Settings
        >>> Settings(chunk_tokens=128).chunk_tokens
        128
    """

    db: Annotated[
        str,
        _about("path", "The file; empty means vstash.db in the user's data folder."),
    ] = ""
    model: Annotated[
        str,
        _about(
            "name or path",
            "The embedding model: empty for the one in the package, a folder with "
            "model.json, model.onnx and tokenizer.json, or `fake` for the deterministic "
            "test embedder.",
        ),
    ] = ""
    durability: Annotated[
        Literal["full", "normal"],
        _about(
            "",
            "full: a write that returned survives power loss. normal: it survives kill -9, "
            "but the last moments before a power cut may be lost; the file is never "
            "damaged.",
        ),
    ] = "full"
    threads: Annotated[
        int,
        _about("threads", "Embedding workers; 0 means one per core.", ge=0, le=256),
    ] = 0
    busy_timeout_s: Annotated[
        float,
        _about(
            "seconds",
            "How long a write waits for another process before it gives up.",
            ge=0,
            le=600,
        ),
    ] = 5.0
    chunk_tokens: Annotated[
        int,
        _about(
            "tokens",
            "Target size of a chunk. Measured on the judged sets: nDCG@10 on long chats "
            ".675 whole, .775 at 384, .821 at 192, .828 at 96; on abstracts of 300 tokens "
            ".373 whole, .369 at 192.",
            ge=16,
            le=8192,
        ),
    ] = 192
    chunk_overlap: Annotated[
        int,
        _about(
            "tokens",
            "How much of a chunk's end the next one repeats, where a passage had to be cut.",
            ge=0,
            le=1024,
        ),
    ] = 24
    max_text_chars: Annotated[
        int,
        _about("characters", "Longest text of one document.", ge=1, le=500_000_000),
    ] = 10_000_000
    max_metadata_bytes: Annotated[
        int,
        _about("bytes", "Largest metadata object, as JSON.", ge=2, le=16_777_216),
    ] = 65_536
    max_query_chars: Annotated[
        int,
        _about("characters", "Longest query.", ge=1, le=10_000_000),
    ] = 100_000
    max_file_bytes: Annotated[
        int,
        _about("bytes", "Largest file that ingest reads.", ge=1, le=2_000_000_000),
    ] = 50_000_000
    strategy: Annotated[
        Literal["score", "rrf", "adaptive-rrf"],
        _about("", "How the two legs are fused when a search does not say."),
    ] = "score"
    context_tokenizer: Annotated[
        str,
        _about(
            "path",
            "The tokenizer.json that counts the tokens of a context when a call does not say; empty "
            "for the embedding model's own.",
        ),
    ] = ""
    log_searches: Annotated[
        bool,
        _about("", "Log each search and where its legs disagree, in the file itself."),
    ] = True
    log_max_rows: Annotated[
        int,
        _about("searches", "How many logged searches are kept; the oldest go first.", ge=1),
    ] = 100_000
    log_max_days: Annotated[
        int,
        _about("days", "How long a logged search is kept.", ge=1, le=36_500),
    ] = 180
    codes_in_memory: Annotated[
        bool,
        _about(
            "",
            "Keep 108 bytes a chunk in memory to scan vectors fast; off, sqlite-vec scans the file.",
        ),
    ] = True
    words_in_memory_mb: Annotated[
        int,
        _about(
            "MiB",
            "Where the words asked for most occur is kept in memory, up to this size.",
            ge=0,
            le=65_536,
        ),
    ] = 48
    host: Annotated[
        str,
        _about("address", "Where `vstash serve` listens; loopback only."),
    ] = "127.0.0.1"
    port: Annotated[
        int,
        _about("port", "Port of `vstash serve`; 0 picks a free one.", ge=0, le=65_535),
    ] = 8765
    max_body_bytes: Annotated[
        int,
        _about("bytes", "Largest request body that the service reads.", ge=1024),
    ] = 16_777_216

    def db_path(self) -> Path:
        """The file as an absolute path."""
        try:
            return Path(self.db).expanduser().absolute() if self.db else default_db_path()
        except RuntimeError as error:
            raise SettingsError(
                "Setting `db`: there is no such home folder; write the path in full.",
                local_detail=self.db,
            ) from error


def load_settings(**overrides: Any) -> Settings:
    """Read the settings from every source and check them.

    Args:
        overrides: Values that win over environment and file; None means not given.

    Returns:
        The checked settings.

    Raises:
        SettingsError: When a name is unknown, a value is out of range, or vstash.toml is malformed.

    Example:
        >>> load_settings(chunk_tokens=64).chunk_tokens
        64
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    return _checked({**_from_file(), **_from_environment(), **given})


def checked_settings(settings: Settings) -> Settings:
    """The same settings, checked: an object made by hand is not.

    Args:
        settings: Made by ``Settings(...)``.

    Raises:
        SettingsError: When a value is of another type or out of range.
    """
    return _checked(msgspec.structs.asdict(settings))


def _checked(found: dict[str, Any]) -> Settings:
    try:
        return msgspec.convert(found, Settings, strict=False)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        # A variable may hold bytes that are no text; paths may be such.
        text = isinstance(error, msgspec.ValidationError)
        told = str(error) if text else "A value is not valid UTF-8"
        name = re.search(r"- at `\$\.(\w+)`\Z", told)
        reason = told.partition(" - at")[0]
        if name and reason.startswith("Invalid enum value"):  # it goes on to repeat the value
            allowed = {row.name: row.range for row in setting_rows()}
            reason = f"Expected {allowed[name[1]]}"
        raise SettingsError(
            f"Setting `{name[1]}`: {reason}." if name else f"Settings: {reason}.",
            local_detail=f"vstash.toml is {config_path()}; `vstash settings` lists names and ranges",
        ) from None


def _from_environment() -> dict[str, str]:
    names = ((name, f"VSTASH_{name.upper()}") for name in Settings.__struct_fields__)
    return {name: os.environ[variable] for name, variable in names if variable in os.environ}


def _from_file() -> dict[str, Any]:
    path = config_path()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            "vstash.toml cannot be read.", local_detail=f"{path}: {error}"
        ) from error
    try:
        return _toml(text)
    except (ValueError, RecursionError) as error:
        raise SettingsError(
            "vstash.toml must be valid TOML.", local_detail=f"{path}: {error}"
        ) from error


def _toml(text: str) -> dict[str, Any]:
    # Imported when there is a file: most have none, and every process would pay for it.
    parser = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    return dict(parser.loads(text))


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One line of the table of settings; ``range`` is empty where any value will do."""

    name: str
    default: str | int | float | bool
    unit: str
    range: str
    help: str
    env: str


def setting_rows() -> tuple[SettingRow, ...]:
    """The table of settings, from which the CLI and the documentation are made."""
    hints = get_type_hints(Settings, include_extras=True)
    rows = []
    for name, default in zip(Settings.__struct_fields__, Settings.__struct_defaults__, strict=True):
        kind, about = get_args(hints[name])
        rows.append(
            SettingRow(
                name=name,
                default=default,
                unit=(about.extra or {})["unit"],
                range=_range(kind, about),
                help=about.description or "",
                env=f"VSTASH_{name.upper()}",
            )
        )
    return tuple(rows)


def _range(kind: object, about: Meta) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(kind))
    if about.ge is not None and about.le is not None:
        return f"{about.ge:,} to {about.le:,}"
    return "" if about.ge is None else f"{about.ge:,} or more"
