"""Writes whose connections are cut at random, each repeated until it is answered.

`python -m tests.faults cut` says how many writes were sent and repeated, and how many documents there are in
the end: with an idempotency key as many as writes, without one more.
"""

from __future__ import annotations

import json
import random
import socket
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tests.unit.api.service import running

__all__ = ["Outcome", "measure", "run"]

# How many callers write at the same time.
_WRITERS: Final = 50
# Four of five attempts are cut, until there were so many.
_CUT_SHARE: Final = 0.8
_MOST_CUTS: Final = 6
# Long enough for some to be applied before the cut, and for some not.
_LONGEST_WAIT_S: Final = 0.05


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes:
        writes: Different ones.
        attempts: Requests sent in all.
        documents: In the file afterwards.
        once: Texts that are there exactly once.
        findings: Of the check.
    """

    writes: int
    attempts: int
    documents: int
    once: int
    findings: int


def _request(port: int, number: int, *, keyed: bool) -> bytes:
    body = json.dumps({"text": f"Write number {number} of many."}).encode()
    key = f"Idempotency-Key: write-{number}\r\n" if keyed else ""
    head = (
        f"POST /v1/documents HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{key}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body


def _attempt(port: int, sent: bytes, chosen: random.Random, *, cut: bool) -> bool:
    """Send a request; returns whether it was answered with success before the connection ended."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        end = chosen.randrange(1, len(sent)) if cut and chosen.random() < 0.3 else len(sent)
        connection.sendall(sent[:end])
        if cut:
            time.sleep(chosen.random() * _LONGEST_WAIT_S)
            # Nothing is said goodbye: what is on its way gets lost.
            linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return False
        answer = b""
        while more := connection.recv(65_536):
            answer += more
    return answer.startswith(b"HTTP/1.1 201")


def _write(port: int, number: int, *, keyed: bool) -> int:
    """One write, repeated until it is answered; returns how often it was sent."""
    chosen = random.Random(number)
    sent = _request(port, number, keyed=keyed)
    attempts, cuts = 0, 0
    while True:
        attempts += 1
        cut = cuts < _MOST_CUTS and chosen.random() < _CUT_SHARE
        cuts += cut
        try:
            if _attempt(port, sent, chosen, cut=cut):
                return attempts
        except OSError:
            continue
        time.sleep(0.002)


def run(folder: Path, writes: int, *, keyed: bool = True) -> Outcome:
    """Send writes whose connections are cut.

    Args:
        folder: Where the file is made.
        writes: How many different ones.
        keyed: Whether they carry idempotency keys; the control does without.
    """
    with running(folder) as service, ThreadPoolExecutor(_WRITERS) as pool:
        attempts = sum(
            pool.map(lambda number: _write(service.port, number, keyed=keyed), range(writes))
        )
        texts: dict[str, int] = {}
        cursor = None
        while True:
            page = service.memory.list(limit=1000, cursor=cursor)
            for document in page.items:
                text = str(service.memory.get(document.id).text)
                texts[text] = texts.get(text, 0) + 1
            cursor = page.next_cursor
            if cursor is None:
                break
        return Outcome(
            writes,
            attempts,
            sum(texts.values()),
            sum(count == 1 for count in texts.values()),
            len(service.memory.check().findings),
        )


def measure(count: int, _seed: int) -> dict[str, object]:
    """Send so many writes with keys, and as many without: the control."""
    outcomes = []
    for keyed in (True, False):
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(asdict(run(Path(folder), count, keyed=keyed)))
    return {**outcomes[0], "control": outcomes[1]}
