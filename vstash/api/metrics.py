"""What the service counts, in the form that Prometheus reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from vstash.api.seen import Seen
from vstash.errors import VstashError
from vstash.reports import Gauges

__all__ = ["Cached", "Metrics"]

_BUCKETS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_STAGE_BUCKETS: Final = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0)
_READABLE: Final = "Whether the file could be read just now, 0 or 1."
_OF_FILE: Final[Mapping[str, str]] = {
    "documents": "Documents in the file.",
    "chunks": "Chunks in the file.",
    "awaiting": "Chunks that have no vector yet.",
    "file_bytes": "Size of the file.",
    "wal_bytes": "Size of its write-ahead log.",
    "free_bytes": "Room left where the file is.",
    "disagreement": "Mean disagreement of the two indexes over the newest logged searches.",
    "log_dropped": "Searches not logged because the file was busy, since the start.",
    "jobs_open": "Jobs that are queued or running.",
    "backup_age_s": "Seconds since the newest backup was made.",
}

Value = TypeVar("Value")


class Cached(Generic[Value]):
    """What a function returned, for some seconds; called from one thread at a time.

    Args:
        make: The function.
        seconds: How old it may become.
    """

    def __init__(self, make: Callable[[], Value], seconds: float) -> None:
        self._make = make
        self._seconds = seconds
        self._kept: tuple[float, Value] | None = None

    def get(self) -> Value:
        """The value, made anew where it is too old."""
        now = time.monotonic()
        if self._kept is None or now - self._kept[0] >= self._seconds:
            self._kept = (now, self._make())
        return self._kept[1]


class Metrics:
    """Counts requests, and gathers what is to be told when it is asked.

    Args:
        of_file: Tells of the file, called from one thread at a time; it may raise.
    """

    def __init__(self, of_file: Callable[[], Gauges]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "vstash_request_seconds",
            "Time to answer a request, its waiting included.",
            ("method", "route", "status"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._stages = Histogram(
            "vstash_search_stage_seconds",
            "Time that a stage of a search took.",
            ("stage",),
            buckets=_STAGE_BUCKETS,
            registry=self._registry,
        )
        self._errors = Counter(
            "vstash_errors", "Problems answered, by code.", ("code",), registry=self._registry
        )
        self._shed = Counter(
            "vstash_shed", "Requests turned away, by reason.", ("reason",), registry=self._registry
        )
        self._cut = Counter(
            "vstash_connections_cut",
            "Connections closed on the client, by reason.",
            ("reason",),
            registry=self._registry,
        )
        self._now: dict[str, tuple[str, Callable[[], float]]] = {}
        self._registry.register(_Gathered(self._now, of_file))
        ProcessCollector(namespace="vstash", registry=self._registry)

    def request(self, method: str, seen: Seen, seconds: float) -> None:
        """Count a request that was served.

        Args:
            method: One of a few.
            seen: What became of it.
            seconds: From its head to its end.
        """
        self._requests.labels(method, seen.route, str(seen.status)).observe(seconds)
        for stage, spent in seen.stages.items():
            self._stages.labels(stage).observe(spent / 1000)
        if seen.code:
            self._errors.labels(seen.code).inc()
        if seen.reason:
            self._shed.labels(seen.reason).inc()

    def cut(self, reason: str) -> None:
        """Count a connection that was closed on its client."""
        self._cut.labels(reason).inc()

    def watch(self, name: str, said: str, value: Callable[[], float]) -> None:
        """Tell a value that is asked for each time.

        Args:
            name: After ``vstash_``.
            said: What it is.
            value: Returns it; called from any thread.
        """
        self._now[name] = (said, value)

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self._registry)


class _Gathered(Collector):
    """What is not counted along the way but asked for."""

    def __init__(
        self,
        now: Mapping[str, tuple[str, Callable[[], float]]],
        of_file: Callable[[], Gauges],
    ) -> None:
        self._now = now
        self._of_file = of_file

    def describe(self) -> Iterator[Metric]:
        """Nothing: by this the registry need not ask the file when it is made."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """The values of this moment."""
        for name, (said, value) in self._now.items():
            yield GaugeMetricFamily(f"vstash_{name}", said, value())
        try:
            found = self._of_file()
        except VstashError:
            # What the service itself counts is told all the same.
            yield GaugeMetricFamily("vstash_file_readable", _READABLE, 0)
            return
        yield GaugeMetricFamily("vstash_file_readable", _READABLE, 1)
        for name, said in _OF_FILE.items():
            value = getattr(found, name)
            if value is not None:
                yield GaugeMetricFamily(f"vstash_{name}", said, value)
