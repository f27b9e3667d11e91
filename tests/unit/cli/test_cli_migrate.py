"""The migrate command says what it would do, does it, and finds nothing more to do."""

from __future__ import annotations

from tests.faults.migrate_loop import unpacked
from tests.unit.cli.command import Vstash


def test_a_dry_run_and_the_run(vstash: Vstash) -> None:
    """The same steps are told as JSON and to read."""
    unpacked(4, vstash.db)
    told = vstash.json("migrate", "--dry-run")
    assert (told["from_version"], told["dry_run"], told["backup"]) == (4, True, None)
    assert {"version": 5, "name": "service"} in told["steps"]
    shown = vstash.run("migrate", "--dry-run").stdout
    assert "4 -> " in shown
    assert "nothing was changed" in shown
    done = vstash.json("migrate")
    assert done["steps"] == told["steps"]
    assert (vstash.folder / "backups" / done["backup"]).is_file()
    assert vstash.run("migrate").stdout.startswith("up to date: schema ")


def test_without_a_backup(vstash: Vstash) -> None:
    """No copy is made where none is wanted."""
    unpacked(4, vstash.db)
    assert "backup    none" in vstash.run("migrate", "--no-backup").stdout
    assert not (vstash.folder / "backups").exists()


def test_no_file(vstash: Vstash) -> None:
    """A missing file is told, and none is made."""
    assert vstash.run("migrate").exit_code != 0
    assert not vstash.db.exists()


def test_a_folder_is_told(vstash: Vstash) -> None:
    """It is no file that could be brought up to date."""
    done = vstash.run("migrate", "--db", str(vstash.folder))
    assert done.exit_code == 5
    assert "name a file in it" in done.stderr
