"""Learning by itself: while nobody searches, within a share of the processor, and seldom."""

from __future__ import annotations

import logging
import math
import os
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from vstash import deadlines
from vstash.errors import LearningError, VstashError
from vstash.learning import AutoLearning, LearningDue, LearnProgress
from vstash.store.documents import to_datetime
from vstash.threads import started

if TYPE_CHECKING:
    from vstash.pipeline.assembly import Engine
    from vstash.settings import Settings
    from vstash.store.protocol import Store

__all__ = ["BackgroundLearning", "Paced"]

_DAY_US: Final = 86_400_000_000
# How often to look whether there is something to learn.
_LOOK_S: Final = 300.0
# Who searched so lately may search again.
_QUIET_S: Final = 5.0
_NICENESS: Final = 10
_log = logging.getLogger("vstash")


class StoppedError(Exception):
    """The file is being closed."""


class Paced:
    """Holds work up, step by step, so that it keeps to its share and gives way to searches.

    Args:
        share: Of one core, more than 0 and at most 1.
        stopped: Set when the work is to end.
        last_search: When somebody last searched, by `time.monotonic`.
        quiet_s: How long to wait after that.
        used: Seconds of processor time that were used so far.
    """

    def __init__(
        self,
        share: float,
        stopped: threading.Event,
        last_search: Callable[[], float],
        *,
        quiet_s: float = _QUIET_S,
        used: Callable[[], float] = time.process_time,
    ) -> None:
        self._share = share
        self._stopped = stopped
        self._last_search = last_search
        self._quiet_s = quiet_s
        self._used = used
        self._before = used()
        self._since = time.monotonic()

    def step(self, _told: LearnProgress) -> None:
        """Wait as long as the share and searches under way ask for.

        Raises:
            StoppedError: When the work is to end.
        """
        # All threads of the process count: a model works in its own.
        spent = self._used() - self._before
        self._wait(spent / self._share - (time.monotonic() - self._since))
        while (quiet := time.monotonic() - self._last_search()) < self._quiet_s:
            self._wait(self._quiet_s - quiet)
        self._before, self._since = self._used(), time.monotonic()

    def _wait(self, seconds: float) -> None:
        if self._stopped.wait(max(seconds, 0)):
            raise StoppedError


class BackgroundLearning:
    """A thread that learns by the settings, until the file is closed.

    Args:
        store: The file.
        current: The parts for its active model.
        settings: Whether, how much of the processor it takes, and after how many searches.
        clock: Microseconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        current: Callable[[], Engine],
        settings: Settings,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._current = current
        self._settings = settings
        self._clock = clock
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._limit: deadlines.Deadline | None = None
        # Collections that gave too little to learn from, and when: nothing in the file tells that.
        self._tried: dict[str, int] = {}

    def start(self) -> None:
        """Begin, where the settings say so; a second call changes nothing."""
        if self._settings.learn_auto and self._thread is None:
            self._thread = started(self._run, name="vstash-learning")

    def close(self) -> None:
        """Give up what is being learnt; nothing is stored of it."""
        self._stopped.set()
        if self._limit is not None:
            self._limit.stop()
        if self._thread is not None:
            self._thread.join()

    def state(self) -> AutoLearning:
        """What the settings say, and what there is to learn; see `Memory.auto_learning`."""
        settings, now = self._settings, self._clock()
        with self._store.read() as reader:
            served = reader.served
            found = (
                []
                if served is None
                else reader.learned.traffic(served.number, settings.learn_auto_searches)
            )
        return AutoLearning(
            on=settings.learn_auto,
            cpu_percent=settings.learn_auto_cpu_percent,
            searches=settings.learn_auto_searches,
            collections=tuple(
                LearningDue(
                    collection=name,
                    searches=searches,
                    last=None if last is None else to_datetime(last),
                    due=searches >= settings.learn_auto_searches
                    and all(now - at >= _DAY_US for at in (last, self._tried.get(name)) if at),
                )
                for name, last, searches in found
            ),
        )

    def learn(self) -> int:
        """Learn what is due, and return of how many collections."""
        due = [each.collection for each in self.state().collections if each.due]
        paced = Paced(self._settings.learn_auto_cpu_percent / 100, self._stopped, self._last_search)
        for name in due:
            self._tried[name] = self._clock()
            with suppress(LearningError):
                self._current().learning.learn(
                    name, learner="all", seed=0, budget_s=None, promote=True, progress=paced.step
                )
        return len(due)

    def _last_search(self) -> float:
        return self._current().searching.last_search

    def _run(self) -> None:
        _be_nice()
        with deadlines.deadline(math.inf) as self._limit, suppress(StoppedError):
            # Services on one file that were started together should not look together.
            while not self._stopped.wait(_LOOK_S * random.uniform(0.5, 1)):  # noqa: S311
                self._look()

    def _look(self) -> None:
        try:
            self.learn()
        except StoppedError:
            raise
        except VstashError as error:
            if not self._stopped.is_set():
                _log.warning("learning by itself failed: %s", error.code)
        except Exception as error:  # noqa: BLE001 - a defect of a learner must not end the service's others
            # Its message and traceback may hold stored text.
            _log.error("learning by itself failed: %s", type(error).__name__)


def _be_nice() -> None:
    """Let others go first, where the system knows the priority of a thread."""
    if hasattr(os, "setpriority") and os.uname().sysname == "Linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
