"""The peers by name: their module, their environment and what is installed there."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

__all__ = ["PEERS", "PeerSpec", "chosen"]

_SQLITE: tuple[str, ...] = (
    ()
    if hasattr(sqlite3.Connection, "enable_load_extension")
    else ("pysqlite3-binary==0.5.4.post2",)
)


@dataclass(frozen=True)
class PeerSpec:
    """One row of the table."""

    name: str
    module: str
    option: str = ""
    requirements: tuple[str, ...] = ()
    """For pip; none means that the peer runs in the interpreter of the driver."""

    packages: tuple[str, ...] = ()
    """Distributions whose versions a row holds, the peer itself first."""

    @property
    def environment(self) -> str:
        """The folder of the environment: peers with the same requirements share one."""
        return self.requirements[0].replace("==", "-")


def _lancedb(option: str) -> PeerSpec:
    return PeerSpec(
        f"lancedb-{option}",
        "with_lancedb",
        option,
        ("lancedb==0.40.0", "numpy>=2,<3"),
        ("lancedb", "pyarrow", "numpy"),
    )


PEERS = (
    PeerSpec("vstash", "with_vstash", packages=("vstash", "apsw", "numpy")),
    PeerSpec(
        "vstash-0.39",
        "with_vstash039",
        requirements=("vstash==0.39.0", "sqlite-vec==0.1.9", "numpy>=2,<3", *_SQLITE),
        packages=("vstash", "sqlite-vec", "pysqlite3-binary", "numpy"),
    ),
    _lancedb("flat"),
    _lancedb("pq"),
    _lancedb("hnsw"),
    PeerSpec("sqlite-vec", "with_sqlitevec", packages=("sqlite-vec", "apsw")),
    PeerSpec(
        "chroma",
        "with_chroma",
        requirements=("chromadb==1.5.9", "numpy>=2,<3"),
        packages=("chromadb", "numpy"),
    ),
    PeerSpec(
        "bm25s",
        "with_bm25s",
        requirements=("bm25s==0.3.16", "PyStemmer==3.1.0", "numpy>=2,<3"),
        packages=("bm25s", "PyStemmer", "numpy"),
    ),
    PeerSpec(
        "tantivy",
        "with_tantivy",
        requirements=("tantivy==0.27.0", "numpy>=2,<3"),
        packages=("tantivy",),
    ),
)


def chosen(names: str) -> tuple[PeerSpec, ...]:
    """Find the peers of a list with commas.

    Args:
        names: Full names, or a family's (``lancedb``); nothing for all.

    Returns:
        The peers, in the order of the list.

    Raises:
        ValueError: For a name that no peer has.
    """
    found: dict[str, PeerSpec] = {}
    for name in filter(None, (part.strip() for part in names.split(","))):
        exact = [spec for spec in PEERS if spec.name == name]
        family = exact or [spec for spec in PEERS if spec.name.startswith(f"{name}-")]
        if not family:
            raise ValueError(f"no peer {name!r}; there are {', '.join(s.name for s in PEERS)}")
        found.update({spec.name: spec for spec in family})
    return tuple(found.values()) or PEERS
