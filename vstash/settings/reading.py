"""Where settings come from, and what is refused."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta
from platformdirs import user_config_dir

from vstash.errors import SettingsError
from vstash.settings.service import Settings

__all__ = [
    "SettingRow",
    "checked_settings",
    "config_path",
    "load_settings",
    "setting_rows",
    "written_value",
]


_LOGS: Final = {"true": "full", "1": "full", "false": "off", "0": "off"}


def config_path() -> Path:
    """Where ``vstash.toml`` is looked for."""
    named = os.environ.get("VSTASH_CONFIG")
    return (
        Path(named) if named else Path(user_config_dir("vstash", appauthor=False)) / "vstash.toml"
    )


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
    logs = found.get("log_searches")
    if isinstance(logs, bool | str):
        # It was true or false once.
        found = found | {"log_searches": _LOGS.get(str(logs).lower(), logs)}
    try:
        return msgspec.convert(found, Settings, strict=False)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        # A variable may hold bytes that are no text; paths may be such.
        text = isinstance(error, msgspec.ValidationError)
        told = str(error) if text else "A value is not valid UTF-8"
        name = re.search(r"- at `\$\.(\w+)`\Z", told)
        reason = told.partition(" - at")[0]
        # It goes on to repeat the value, or names one end of the range.
        if name and re.match(r"Invalid enum value|Expected `\w+` [<>]=", reason):
            allowed = {row.name: row.range for row in setting_rows()}
            reason = f"Expected {allowed[name[1]]}"
        raise SettingsError(
            f"Setting `{name[1]}`: {reason}." if name else f"Settings: {reason}.",
            local_detail=f"vstash.toml is {config_path()}; `vstash settings` lists names and ranges",
        ) from None


def _from_environment() -> dict[str, str]:
    found: dict[str, Any] = {}
    for name, default in zip(Settings.__struct_fields__, Settings.__struct_defaults__, strict=True):
        text = os.environ.get(f"VSTASH_{name.upper()}")
        if text is not None:
            found[name] = _several(text) if isinstance(default, tuple) else text
    return found


def _several(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


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
    default: str | int | float | bool | tuple[str, ...]
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


def written_value(value: object) -> str:
    """A setting's value as environment variables take it; empty where it is empty.

    Example:
        >>> written_value(True), written_value(("a", "b")), written_value(0)
        ('true', 'a, b', '0')
    """
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _range(kind: object, about: Meta) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(kind))
    if about.ge is not None and about.le is not None:
        return f"{about.ge:,} to {about.le:,}"
    return "" if about.ge is None else f"{about.ge:,} or more"
