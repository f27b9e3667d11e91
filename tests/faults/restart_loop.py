"""A service that is stopped and started again while callers write to it.

`python -m tests.faults restart` says how many writes were acknowledged, lost and there twice. Stopped by
SIGTERM, killed for comparison, and as a control without idempotency keys by callers who lose their patience.
"""

from __future__ import annotations

import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import httpx

from tests.faults.service_process import Served
from vstash import Memory

__all__ = ["Outcome", "measure", "run"]

_CALLERS: Final = 4
# Writes that are acknowledged before it is stopped again.
_BETWEEN: Final = 30
_PATIENCE_S: Final = 60
_PAUSE_S: Final = 0.01
_IMPATIENCE_S: Final = 0.02


@dataclass
class Outcome:
    """What came of it.

    Attributes:
        acknowledged: Writes that were answered with success, in the end all.
        attempts: Requests sent in all.
        refused: Answers that are none of success, by status.
        lost: Acknowledged and not there.
        twice: There more than once.
        findings: Of the check.
        exit_codes: Of the service, how often each.
        start_s: The slowest start, until it answered.
    """

    restarts: int = 0
    acknowledged: int = 0
    attempts: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    twice: int = 0
    findings: int = 0
    exit_codes: dict[str, int] = field(default_factory=dict)
    start_s: float = 0.0


def run(
    folder: Path,
    restarts: int,
    *,
    stops: Sequence[signal.Signals] = (signal.SIGTERM,),
    keyed: bool = True,
    patient: bool = True,
) -> Outcome:
    """Stop and start a service under load.

    Args:
        folder: Where its file is.
        restarts: How often.
        stops: The signals, in turn.
        keyed: Whether writes carry idempotency keys.
        patient: Whether callers wait for answers.
    """
    path, ended, outcome = folder / "x.db", threading.Event(), Outcome(restarts)
    codes: Counter[str] = Counter()
    with Served(path) as service, ThreadPoolExecutor(_CALLERS) as pool:
        callers = [
            _Caller(service, number, keyed=keyed, patient=patient) for number in range(_CALLERS)
        ]
        running = [pool.submit(caller.write_until, ended) for caller in callers]
        for number in range(restarts):
            _wait_for(callers, _BETWEEN)
            codes[str(service.stop(stops[number % len(stops)]))] += 1
            outcome.start_s = max(outcome.start_s, round(service.start(), 2))
        ended.set()
        for each in running:
            each.result()
        service.stop(signal.SIGTERM)
    outcome.exit_codes = dict(codes)
    outcome.attempts = sum(caller.attempts for caller in callers)
    outcome.refused = dict(sum((caller.refused for caller in callers), Counter()))
    _compare(path, [text for caller in callers for text in caller.written], outcome)
    return outcome


def _wait_for(callers: Sequence[_Caller], count: int) -> None:
    """Wait until so many more writes were acknowledged."""
    wanted = sum(len(caller.written) for caller in callers) + count
    end = time.monotonic() + _PATIENCE_S
    while sum(len(caller.written) for caller in callers) < wanted:
        assert time.monotonic() < end, "the service acknowledges nothing"
        time.sleep(_PAUSE_S)


class _Caller:
    """Writes one document after the other, each until it is acknowledged."""

    def __init__(self, service: Served, number: int, *, keyed: bool, patient: bool) -> None:
        self.service = service
        self.number = number
        self.keyed = keyed
        self.patient = patient
        self.attempts = 0
        self.refused: Counter[str] = Counter()
        self.written: list[str] = []

    def write_until(self, ended: threading.Event) -> None:
        rng = random.Random(self.number)
        with self.service.http() as http:
            while not ended.is_set():
                text = f"Caller {self.number} wrote note {len(self.written)}."
                while not self._sent(http, text, rng):
                    time.sleep(_PAUSE_S)
                self.written.append(text)

    def _sent(self, http: httpx.Client, text: str, rng: random.Random) -> bool:
        self.attempts += 1
        headers = {"Idempotency-Key": text.replace(" ", "-")} if self.keyed else {}
        patience = 30.0 if self.patient or rng.random() < 0.3 else rng.random() * _IMPATIENCE_S
        try:
            answer = http.post(
                "/v1/documents", json={"text": text}, headers=headers, timeout=patience
            )
        except httpx.TransportError:
            return False
        if not answer.is_success:
            self.refused[f"{answer.status_code} {answer.json().get('code')}"] += 1
        return answer.is_success


def _compare(path: Path, written: list[str], outcome: Outcome) -> None:
    there: Counter[str] = Counter()
    with Memory(path, model="fake") as memory:
        cursor: str | None = ""
        while cursor is not None:
            page = memory.list(limit=1000, cursor=cursor or None)
            there.update(str(memory.get(item.id).text) for item in page.items)
            cursor = page.next_cursor
        outcome.findings = len(memory.check().findings)
    outcome.acknowledged = len(written)
    outcome.lost = sum(not there[text] for text in written)
    outcome.twice = sum(count > 1 for count in there.values())


def measure(count: int, _seed: int) -> dict[str, object]:
    """Restart so many times by SIGTERM, as often by SIGKILL, and the control."""
    outcomes = []
    for stop, keyed, restarts in (
        (signal.SIGTERM, True, count),
        (signal.SIGKILL, True, count),
        (signal.SIGKILL, False, min(count, 3)),
    ):
        with tempfile.TemporaryDirectory(prefix="vstash-restart-") as folder:
            done = run(Path(folder), restarts, stops=(stop,), keyed=keyed, patient=keyed)
            outcomes.append(asdict(done))
    return {**outcomes[0], "killed": outcomes[1], "control": outcomes[2]}
