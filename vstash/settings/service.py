"""The settings of the service, and with those all settings."""

from __future__ import annotations

from typing import Annotated

from vstash.settings.core import CoreSettings, about

__all__ = ["Settings"]


class Settings(CoreSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of vstash; `load_settings` reads and checks them.

    Example:
        >>> from vstash.settings import Settings
        >>> Settings(chunk_tokens=128).chunk_tokens
        128
    """

    host: Annotated[
        str,
        about(
            "address",
            "Where `vstash serve` listens. Any address but a loopback one needs access keys.",
        ),
    ] = "127.0.0.1"
    port: Annotated[
        int,
        about("port", "Port of `vstash serve`; 0 picks a free one.", ge=0, le=65_535),
    ] = 8765
    uds: Annotated[
        str,
        about("path", "A Unix socket to listen on instead of a port; only its owner may use it."),
    ] = ""
    allowed_hosts: Annotated[
        tuple[str, ...],
        about(
            "names",
            "Further host names under which the service may be asked, such as that of a "
            "proxy in front.",
        ),
    ] = ()
    cors_origins: Annotated[
        tuple[str, ...],
        about(
            "origins",
            "Web pages of these origins may use the service, such as "
            "`http://localhost:3000`; each needs an access key to do so.",
        ),
    ] = ()
    require_key: Annotated[
        bool,
        about(
            "",
            "Refuse whoever has no access key, on loopback too; elsewhere a key is always needed.",
        ),
    ] = False
    tls_cert: Annotated[
        str,
        about("path", "Certificate chain, PEM; with it the service speaks HTTPS."),
    ] = ""
    tls_key: Annotated[
        str,
        about("path", "Private key of `tls_cert`, PEM."),
    ] = ""
    ingest_roots: Annotated[
        tuple[str, ...],
        about("folders", "Files below these may be ingested over HTTP; empty means none."),
    ] = ()
    max_body_bytes: Annotated[
        int,
        about("bytes", "Largest request body that the service reads.", ge=1024),
    ] = 16_777_216
    work_threads: Annotated[
        int,
        about(
            "threads",
            "Requests worked on at a time; 0 means one more than there are cores.",
            ge=0,
            le=256,
        ),
    ] = 0
    queue_size: Annotated[
        int,
        about(
            "requests",
            "Requests that may wait for a thread; more are refused with 503.",
            ge=0,
            le=100_000,
        ),
    ] = 64
    requests_per_s: Annotated[
        float,
        about(
            "requests a second",
            "How many one access key may send, in bursts of ten seconds' worth; 0 means no limit.",
            ge=0,
            le=1_000_000,
        ),
    ] = 0.0
    requests_at_once: Annotated[
        int,
        about(
            "requests",
            "How many of one access key may be under way; 0 means no limit.",
            ge=0,
            le=100_000,
        ),
    ] = 0
    request_timeout_s: Annotated[
        float,
        about(
            "seconds",
            "How long a request may take before it is stopped; imports, checks and "
            "calibrations may take longer.",
            ge=0.01,
            le=86_400,
        ),
    ] = 30.0
    client_timeout_s: Annotated[
        float,
        about(
            "seconds",
            "How long a client may take to send a request or to read what it gets.",
            ge=0.01,
            le=3_600,
        ),
    ] = 20.0
    backup_every: Annotated[
        int,
        about(
            "seconds",
            "How often `vstash serve` makes a backup, where something changed; 0 means never.",
            ge=0,
            le=31_536_000,
        ),
    ] = 0
    backup_keep: Annotated[
        int,
        about(
            "backups",
            "How many scheduled backups are kept; the oldest go first. Others stay.",
            ge=1,
            le=100_000,
        ),
    ] = 7
    learn_auto: Annotated[
        bool,
        about(
            "",
            "`vstash serve` learns by itself from where its searches disagreed, while nobody searches; "
            "what it learns is used where held-out queries get better.",
        ),
    ] = False
    learn_auto_cpu_percent: Annotated[
        int,
        about("percent", "Of one core, at most, that it takes for that.", ge=1, le=100),
    ] = 10
    learn_auto_searches: Annotated[
        int,
        about(
            "searches",
            "How many new ones a collection needs; it is learnt of once a day at most.",
            ge=1,
            le=1_000_000,
        ),
    ] = 200
    access_log: Annotated[
        bool,
        about(
            "", "Write a line of JSON to stderr for each request; it holds nothing of the user's."
        ),
    ] = True
    max_connections: Annotated[
        int,
        about(
            "connections", "Open connections at a time; more are closed at once.", ge=1, le=100_000
        ),
    ] = 1_000
