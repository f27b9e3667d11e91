"""Settings: where they come from, and what is refused."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from vstash import Memory
from vstash.errors import SettingsError
from vstash.settings import (
    Settings,
    config_path,
    default_db_path,
    load_settings,
    setting_rows,
)


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment without settings, and the place of vstash.toml."""
    for row in setting_rows():
        monkeypatch.delenv(row.env, raising=False)
    path = tmp_path / "vstash.toml"
    monkeypatch.setenv("VSTASH_CONFIG", str(path))
    return path


def test_the_defaults_hold_without_any_source(config: Path) -> None:
    """No file, no variable: every setting has its default."""
    settings = load_settings()
    for row in setting_rows():
        assert getattr(settings, row.name) == row.default
    assert (settings.durability, settings.busy_timeout_s, settings.host) == ("full", 5, "127.0.0.1")


def test_the_stronger_source_wins(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments over the environment, the environment over the file, the file over defaults."""
    config.write_text("chunk_tokens = 100\nport = 1\nstrategy = 'rrf'\n", encoding="utf-8")
    monkeypatch.setenv("VSTASH_CHUNK_TOKENS", "200")
    monkeypatch.setenv("VSTASH_PORT", "2")
    settings = load_settings(chunk_tokens=300, durability=None)
    assert (settings.chunk_tokens, settings.port, settings.strategy) == (300, 2, "rrf")
    assert settings.durability == "full"


def test_the_working_directory_is_not_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vstash.toml or .env that lies around does not count."""
    monkeypatch.setenv("VSTASH_CONFIG", str(tmp_path / "elsewhere" / "vstash.toml"))
    (tmp_path / "vstash.toml").write_text("port = 1\n", encoding="utf-8")
    (tmp_path / ".env").write_text("VSTASH_PORT=2\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_settings().port == 8765


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("threads", -1), ("threads", 257), ("busy_timeout_s", -0.1), ("busy_timeout_s", 601)),
        *(("chunk_tokens", 15), ("chunk_tokens", 8193), ("chunk_overlap", -1)),
        *(("max_text_chars", 0), ("max_metadata_bytes", 1), ("max_query_chars", 0)),
        *(("max_file_bytes", 0), ("log_max_rows", 0), ("log_max_days", 0), ("port", 65_536)),
        *(("port", -1), ("max_body_bytes", 1023), ("durability", "off"), ("strategy", "best")),
        *(("chunk_tokens", "many"), ("log_searches", "perhaps"), ("unknown", 1)),
    ],
)
def test_a_value_out_of_range_is_named(name: str, value: Any) -> None:
    """The error names the setting, and what the range is stays with the library's words."""
    with pytest.raises(SettingsError) as caught:
        load_settings(**{name: value})
    assert f"`{name}`" in caught.value.message
    assert "input_value" not in str(caught.value)


def test_a_list_comes_from_every_source(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An array in the file, commas in a variable, a tuple as an argument."""
    config.write_text("allowed_hosts = ['a.example', 'b.example']\n", encoding="utf-8")
    assert load_settings().allowed_hosts == ("a.example", "b.example")
    monkeypatch.setenv("VSTASH_ALLOWED_HOSTS", "c.example, d.example,")
    assert load_settings().allowed_hosts == ("c.example", "d.example")
    assert load_settings(allowed_hosts=("e.example",)).allowed_hosts == ("e.example",)


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes from the environment is checked as well, without repeating the value."""
    monkeypatch.setenv("VSTASH_PORT", "my-secret")
    with pytest.raises(SettingsError, match="`port`") as caught:
        load_settings()
    assert "my-secret" not in str(caught.value)


def test_a_value_out_of_range_is_told_the_range() -> None:
    """Both ends of it, and not in the words of the library that checks."""
    with pytest.raises(SettingsError, match=r"^Setting `port`: Expected 0 to 65,535\."):
        load_settings(port=65_536)


def test_a_wrong_choice_is_told_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that is none of the allowed ones is not repeated; those that are allowed are named."""
    monkeypatch.setenv("VSTASH_STRATEGY", "my-secret - at `$.port`")
    with pytest.raises(SettingsError, match="`strategy`: Expected `score` or `rrf`") as caught:
        load_settings()
    assert "my-secret" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="variables are always text there")
def test_a_variable_may_be_any_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that are not UTF-8 are a path, but neither a number nor a choice."""
    monkeypatch.setenv("VSTASH_DB", os.fsdecode(b"/x/\xff.db"))
    assert os.fsencode(load_settings().db_path()) == b"/x/\xff.db"
    for name in ("VSTASH_THREADS", "VSTASH_STRATEGY", "VSTASH_LOG_SEARCHES"):
        with monkeypatch.context() as patch:
            patch.setenv(name, os.fsdecode(b"\xff"))
            with pytest.raises(SettingsError, match="not valid UTF-8"):
                load_settings()


@pytest.mark.skipif(sys.platform == "win32", reason="a name beside the own is taken for a folder")
def test_a_home_folder_that_is_missing_is_told() -> None:
    """~ and a user's name that this machine does not know is a wrong setting."""
    with pytest.raises(SettingsError, match="`db`"):
        load_settings(db="~nobody-of-this-name/notes.db").db_path()


@pytest.mark.parametrize(
    "text",
    [
        "port = ",
        "[[",
        "port = " + "[" * 5000,
        "unknown = 1",
        "port = 'x'",
        "[port]\na = 1",
        "\x00",
        "port = 70000",
    ],
)
def test_a_wrong_file_is_named(config: Path, text: str) -> None:
    """A malformed vstash.toml, or an unknown name in it, raises and says which file."""
    config.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(config) in caught.value.local_detail
    assert str(config) not in caught.value.message


def test_a_file_that_is_not_text_is_named(config: Path) -> None:
    """Bytes that are not UTF-8 are told as such."""
    config.write_bytes(b"port = 1 # \xff")
    with pytest.raises(SettingsError):
        load_settings()


def test_settings_do_not_change() -> None:
    """A Settings object is frozen."""
    with pytest.raises(AttributeError):
        load_settings().port = 1  # type: ignore[misc]


def test_every_setting_has_its_row() -> None:
    """Name, variable and a sentence of help for each, so that documents can be made from them."""
    rows = {row.name: row for row in setting_rows()}
    assert set(rows) == set(Settings.__struct_fields__)
    for name, row in rows.items():
        assert row.env == f"VSTASH_{name.upper()}"
        assert row.help.endswith(".")
        unitless = {"durability", "strategy", "log_searches", "access_log"}
        unitless |= {"codes_in_memory", "require_key", "allow_network_filesystem", "learn_auto"}
        unitless |= {"allow_remote_language_model"}
        assert row.unit or name in unitless


def test_the_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path is absolute, from the setting or the user's data folder; ~ is the home folder."""
    assert load_settings().db_path() == default_db_path()
    assert default_db_path().is_absolute()
    assert default_db_path().name == "vstash.db"
    monkeypatch.chdir(tmp_path)
    assert load_settings(db="notes.db").db_path() == tmp_path / "notes.db"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert load_settings(db="~/notes.db").db_path() == tmp_path / "notes.db"


def test_the_configuration_has_a_usual_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without VSTASH_CONFIG it is vstash.toml in the user's configuration folder."""
    monkeypatch.delenv("VSTASH_CONFIG")
    assert config_path().name == "vstash.toml"
    assert config_path().parent.name == "vstash"


def test_settings_made_by_hand_are_checked_when_a_file_is_opened(tmp_path: Path) -> None:
    """A Settings object skips the sources, not the checks."""
    with pytest.raises(SettingsError, match="`chunk_tokens`"):
        Memory(tmp_path / "x.db", model="fake", settings=Settings(chunk_tokens=0))
