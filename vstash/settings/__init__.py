"""The one table of settings: name, default, unit and help.

Values come from, strongest first: arguments, environment variables (``VSTASH_`` and the name in
capitals), ``vstash.toml`` in the user's configuration folder or wherever ``VSTASH_CONFIG`` points,
and the defaults below. The working directory is never searched: a folder that somebody else wrote
must not choose the model or the file.
"""

from __future__ import annotations

from vstash.settings.core import default_db_path
from vstash.settings.reading import (
    SettingRow,
    checked_settings,
    config_path,
    load_settings,
    setting_rows,
    written_value,
)
from vstash.settings.service import Settings

__all__ = [
    "SettingRow",
    "Settings",
    "checked_settings",
    "config_path",
    "default_db_path",
    "load_settings",
    "setting_rows",
    "written_value",
]
