"""docs/operation.md says what is so."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.api.service import Service
from vstash.settings import setting_rows

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/operation.md").read_text(encoding="utf-8")
UNITS = re.findall(r"```ini\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)


def test_every_metric_is_in_the_table(service: Service) -> None:
    """Names and kinds are those of /metrics, and none is left out."""
    service.add("Ada prefers tea.")
    service.http.post("/v1/search", json={"query": "tea"})
    service.memory.backup()
    service.memory.stats()  # waits for the log of the search
    service.http.get("/v1/documents/none")
    lines = service.http.get("/metrics").text.splitlines()
    kinds = {line.split()[2]: line.split()[3] for line in lines if line.startswith("# TYPE ")}
    told = {
        name: kind
        for name, kind in kinds.items()
        if not name.startswith("vstash_process_") and not name.endswith("_created")
    }
    table = dict(re.findall(r"^\| `(vstash_\w+)` \| (\w+) \|", PAGE, re.MULTILINE))
    assert table == told


def test_every_setting_is_one() -> None:
    """The settings that the page names are settings."""
    names = {row.name for row in setting_rows()}
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)(?: = \w+)?`", PAGE))
    codes = {"rate_limited", "deadline_exceeded", "request_timeout", "read_only", "disk_full"}
    codes |= {"backup_failed", "forget_pending", "store_replaced"}
    reasons = {"at_once", "slow_body", "client_gone", "slow_head", "slow_reader"}
    reasons |= {"too_many", "not_http"}
    assert {"queue_size", "access_log", "tls_cert"} <= named
    assert {name for name in named if not name.startswith("vstash_")} <= names | codes | reasons


def test_the_line_of_the_log() -> None:
    """The line on the page has the members of a line."""
    line = re.search(r"```json\n(.*)\n```", PAGE)
    assert line is not None
    source = (ROOT / "vstash/api/outer.py").read_text(encoding="utf-8")
    for name in re.findall(r'"(\w+)": ', line[1])[3:]:
        assert f'"{name}":' in source


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """Systemd finds nothing wrong with them; the control is a unit with a mistake."""

    def verified(wrong: str) -> str:
        for path, text in UNITS:
            # The command has to be there to be found.
            unit = text.replace("/usr/local/bin/vstash", "/bin/true") + wrong
            (tmp_path / Path(path).name).write_text(unit, encoding="utf-8")
        units = [str(tmp_path / Path(path).name) for path, _ in UNITS]
        command = ["systemd-analyze", "verify", "--man=no", *units]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return "\n".join(line for line in ran.stderr.splitlines() if str(tmp_path) in line)

    assert len(UNITS) == 2
    assert verified("") == ""
    assert "Nonsense" in verified("\n[Service]\nNonsense=yes\n")
