"""The settings of everything but the service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from platformdirs import user_data_dir

from vstash.errors import SettingsError

__all__ = ["CoreSettings", "about", "default_db_path"]


def default_db_path() -> Path:
    """The file used when none is named: ``vstash.db`` in the user's data folder."""
    return Path(user_data_dir("vstash", appauthor=False)) / "vstash.db"


def about(unit: str, text: str, *, ge: float | None = None, le: float | None = None) -> Meta:
    """What a setting is, for whoever reads the table."""
    return Meta(description=text, ge=ge, le=le, extra={"unit": unit})


class CoreSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file, its model and its searches are set to."""

    db: Annotated[
        str,
        about("path", "The file; empty means vstash.db in the user's data folder."),
    ] = ""
    model: Annotated[
        str,
        about(
            "name or path",
            "The embedding model: empty for the one that the file is searched with, which is the one in "
            "the package for a new file; the name of an installed one, a folder with model.json, "
            "model.onnx and tokenizer.json, or `fake` for the deterministic test embedder.",
        ),
    ] = ""
    models_folder: Annotated[
        str,
        about(
            "folder",
            "Where `vstash model add` copies models; empty for `models` in the user's data folder.",
        ),
    ] = ""
    durability: Annotated[
        Literal["full", "normal"],
        about(
            "",
            "full: a write that returned survives power loss. normal: it survives kill -9, "
            "but the last moments before a power cut may be lost; the file is never "
            "damaged.",
        ),
    ] = "full"
    threads: Annotated[
        int,
        about("threads", "Embedding workers; 0 means one per core.", ge=0, le=256),
    ] = 0
    busy_timeout_s: Annotated[
        float,
        about(
            "seconds",
            "How long a write waits for another process before it gives up.",
            ge=0,
            le=600,
        ),
    ] = 5.0
    allow_network_filesystem: Annotated[
        bool,
        about(
            "",
            "Open a file on NFS, SMB, 9p, virtiofs or the like all the same. Locks and shared memory "
            "do not hold there for certain: the file may be damaged, above all by several processes.",
        ),
    ] = False
    chunk_tokens: Annotated[
        int,
        about(
            "tokens",
            "Target size of a chunk. Measured on the judged sets: nDCG@10 on long chats "
            ".675 whole, .775 at 384, .821 at 192, .828 at 96; on abstracts of 300 tokens "
            ".373 whole, .369 at 192.",
            ge=16,
            le=8192,
        ),
    ] = 192
    chunk_overlap: Annotated[
        int,
        about(
            "tokens",
            "How much of a chunk's end the next one repeats, where a passage had to be cut.",
            ge=0,
            le=1024,
        ),
    ] = 24
    max_text_chars: Annotated[
        int,
        about("characters", "Longest text of one document.", ge=1, le=500_000_000),
    ] = 10_000_000
    max_metadata_bytes: Annotated[
        int,
        about("bytes", "Largest metadata object, as JSON.", ge=2, le=16_777_216),
    ] = 65_536
    max_query_chars: Annotated[
        int,
        about("characters", "Longest query.", ge=1, le=10_000_000),
    ] = 100_000
    max_file_bytes: Annotated[
        int,
        about("bytes", "Largest file that ingest reads.", ge=1, le=2_000_000_000),
    ] = 50_000_000
    strategy: Annotated[
        Literal["score", "rrf", "adaptive-rrf"],
        about("", "How the two legs are fused when a search does not say."),
    ] = "score"
    context_tokenizer: Annotated[
        str,
        about(
            "path",
            "The tokenizer.json that counts the tokens of a context when a call does not say; empty "
            "for the embedding model's own.",
        ),
    ] = ""
    log_searches: Annotated[
        Literal["full", "ids-only", "off"],
        about(
            "",
            "What the file keeps of each search and where its legs disagree: `full` the query as well, "
            "`ids-only` a keyed hash of it, `off` nothing. `true` means full, `false` off.",
        ),
    ] = "full"
    allow_remote_language_model: Annotated[
        bool,
        about(
            "",
            "Let `vstash learn mine` send passages to a language model whose address is not of this "
            "machine. Without it nothing that is stored leaves the machine.",
        ),
    ] = False
    log_max_rows: Annotated[
        int,
        about(
            "searches",
            "How many logged searches are kept; those not asked for the longest time go first.",
            ge=1,
        ),
    ] = 100_000
    log_max_days: Annotated[
        int,
        about("days", "How long a search is kept after it was last asked.", ge=1, le=36_500),
    ] = 180
    codes_in_memory: Annotated[
        bool,
        about(
            "",
            "Keep 108 bytes a chunk in memory to scan vectors fast; off, sqlite-vec scans the file.",
        ),
    ] = True
    backup_folder: Annotated[
        str,
        about(
            "folder",
            "Where backups are kept; empty for `backups` beside the file. Another disk survives the "
            "loss of this one.",
        ),
    ] = ""
    words_in_memory_mb: Annotated[
        int,
        about(
            "MiB",
            "Where the words asked for most occur is kept in memory, up to this size.",
            ge=0,
            le=65_536,
        ),
    ] = 48

    def db_path(self) -> Path:
        """The file as an absolute path."""
        return _absolute("db", self.db) or default_db_path()

    def models_path(self) -> Path:
        """The folder of installed models as an absolute path."""
        return _absolute("models_folder", self.models_folder) or default_db_path().parent / "models"


def _absolute(name: str, value: str) -> Path | None:
    try:
        return Path(value).expanduser().absolute() if value else None
    except RuntimeError as error:
        raise SettingsError(
            f"Setting `{name}`: there is no such home folder; write the path in full.",
            local_detail=value,
        ) from error
