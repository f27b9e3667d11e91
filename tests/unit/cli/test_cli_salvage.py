"""The salvage command makes a new file and says what is missing in it."""

from __future__ import annotations

import json
from contextlib import closing

import apsw

from tests.unit.cli.command import Vstash


def test_it_saves_and_tells(vstash: Vstash) -> None:
    """Exit code 0 where all is whole, 1 where not; the report as JSON and to read."""
    vstash.json("add", "The port is 8090.", "--key", "port")
    vstash.json("add", "The door is open.", "--key", "door")
    saved = vstash.folder / "a.db"
    assert vstash.json("salvage", str(saved))["whole"] == 2
    assert vstash.json("get", "--key", "port", "--db", str(saved))["text"] == "The port is 8090."
    with closing(apsw.Connection(str(vstash.db))) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("DELETE FROM text_part WHERE document = 2")
    shown = vstash.run("salvage", str(vstash.folder / "b.db"))
    assert shown.exit_code == 1
    assert "damaged: door (default): its text is lost; 0 characters read" in shown.stdout
    told = vstash.run("salvage", str(vstash.folder / "c.db"), "--json")
    assert told.exit_code == 1
    assert [item["key"] for item in json.loads(told.stdout)["documents"]] == ["door"]


def test_a_target_that_exists_is_left(vstash: Vstash) -> None:
    """It is refused before anything is read."""
    vstash.json("add", "The port is 8090.", "--key", "port")
    before = vstash.db.read_bytes()
    assert vstash.run("salvage", str(vstash.db)).exit_code == 7
    assert vstash.db.read_bytes() == before
