"""The one table of settings: name, default, unit and help.

Values come from, strongest first: arguments, environment variables (``VSTASH_`` and the name in
capitals), ``vstash.toml`` in the user's configuration folder or wherever ``VSTASH_CONFIG`` points,
and the defaults below. The working directory is never searched: a folder that somebody else wrote
must not choose the model or the file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_config_dir, user_data_dir
from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from vstash.errors import SettingsError

__all__ = [
    "SettingRow",
    "Settings",
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


def _row(default: Any, unit: str, text: str, **bounds: Any) -> Any:
    return Field(default, description=text, json_schema_extra={"unit": unit}, **bounds)


class Settings(BaseSettings):
    """All settings of vstash, validated.

    Raises:
        SettingsError: From `load_settings`, when a value is unknown or out of range.

    Example:
        >>> from vstash.settings import Settings
        >>> Settings(chunk_tokens=128).chunk_tokens
        128
    """

    model_config = SettingsConfigDict(
        env_prefix="VSTASH_", extra="forbid", frozen=True, protected_namespaces=()
    )

    db: str = _row("", "path", "The file; empty means vstash.db in the user's data folder.")
    model: str = _row(
        "",
        "name or path",
        "The embedding model: empty for the one in the package, a folder with model.json, "
        "model.onnx and tokenizer.json, or `fake` for the deterministic test embedder.",
    )
    durability: Literal["full", "normal"] = _row(
        "full",
        "",
        "full: a write that returned survives power loss. normal: it survives kill -9, but the last "
        "moments before a power cut may be lost; the file is never damaged.",
    )
    threads: int = _row(0, "threads", "Embedding workers; 0 means one per core.", ge=0, le=256)
    busy_timeout_s: float = _row(
        5.0,
        "seconds",
        "How long a write waits for another process before it gives up.",
        ge=0,
        le=600,
    )
    chunk_tokens: int = _row(
        192,
        "tokens",
        "Target size of a chunk. Measured on the judged sets: nDCG@10 on long chats .675 whole, .775 "
        "at 384, .821 at 192, .828 at 96; on abstracts of 300 tokens .373 whole, .369 at 192.",
        ge=16,
        le=8192,
    )
    chunk_overlap: int = _row(
        24,
        "tokens",
        "How much of a chunk's end the next one repeats, where a passage had to be cut.",
        ge=0,
        le=1024,
    )
    max_text_chars: int = _row(
        10_000_000, "characters", "Longest text of one document.", ge=1, le=500_000_000
    )
    max_metadata_bytes: int = _row(
        65_536, "bytes", "Largest metadata object, as JSON.", ge=2, le=16_777_216
    )
    max_query_chars: int = _row(100_000, "characters", "Longest query.", ge=1, le=10_000_000)
    max_file_bytes: int = _row(
        50_000_000, "bytes", "Largest file that ingest reads.", ge=1, le=2_000_000_000
    )
    strategy: Literal["score", "rrf", "adaptive-rrf"] = _row(
        "score", "", "How the two legs are fused when a search does not say."
    )
    log_searches: bool = _row(
        True,
        "",
        "Log each search and where its legs disagree, in the file itself.",
    )
    log_max_rows: int = _row(
        100_000, "searches", "How many logged searches are kept; the oldest go first.", ge=1
    )
    log_max_days: int = _row(180, "days", "How long a logged search is kept.", ge=1, le=36_500)
    host: str = _row("127.0.0.1", "address", "Where `vstash serve` listens; loopback only.")
    port: int = _row(8765, "port", "Port of `vstash serve`; 0 picks a free one.", ge=0, le=65_535)
    max_body_bytes: int = _row(
        16_777_216, "bytes", "Largest request body that the service reads.", ge=1024
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is the library's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then vstash.toml."""
        toml = TomlConfigSettingsSource(settings_cls, toml_file=config_path())
        return init_settings, env_settings, toml

    def db_path(self) -> Path:
        """The file as an absolute path."""
        return Path(self.db).expanduser().absolute() if self.db else default_db_path()


def load_settings(**overrides: Any) -> Settings:
    """Read the settings from every source.

    Args:
        overrides: Values that win over environment and file; None means not given.

    Returns:
        The validated settings.

    Raises:
        SettingsError: When a name is unknown, a value is out of range, or vstash.toml is malformed.

    Example:
        >>> load_settings(chunk_tokens=64).chunk_tokens
        64
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"]) or "settings"
        raise SettingsError(
            f"Setting `{name}`: {first['msg']}. `vstash settings` lists names, units and ranges.",
            local_detail=f"vstash.toml is {config_path()}",
        ) from error
    except (ValueError, OSError) as error:
        raise SettingsError(
            "vstash.toml cannot be read: it must be valid TOML.",
            local_detail=f"{config_path()}: {error}",
        ) from error


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One line of the table of settings."""

    name: str
    default: str
    unit: str
    help: str
    env: str


def setting_rows() -> tuple[SettingRow, ...]:
    """The table of settings, from which the CLI and the documentation are made."""
    rows = []
    for name, info in Settings.model_fields.items():
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        rows.append(
            SettingRow(
                name=name,
                default=str(info.default),
                unit=str(extra.get("unit", "")),
                help=info.description or "",
                env=f"VSTASH_{name.upper()}",
            )
        )
    return tuple(rows)
