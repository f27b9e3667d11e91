"""The command that says what a file holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from vstash.cli.options import Common, common_options, example
from vstash.cli.output import out, out_json, printable
from vstash.cli.render import fields_block

if TYPE_CHECKING:
    from vstash.reports import Stats

__all__ = ["stats"]

_CALIBRATED: Final = {
    "shipped": "calibrated for the model",
    "own": "calibrated for this file",
    None: "not calibrated for this model",
}


@click.command(short_help="Say what the file holds.", epilog=example("vstash stats --json"))
@common_options
def stats(common: Common) -> None:
    """Say what the file holds: documents, chunks, model, log, size, versions."""
    with common.memory(create=False) as memory:
        found = memory.stats()
    if common.as_json:
        out_json(found)
    else:
        out(_stats_text(found))


def _stats_text(found: Stats) -> str:
    model = found.model
    mean = found.mean_disagreement
    fields = [
        ("file", found.path),
        ("size", f"{found.file_bytes:,} bytes"),
        ("documents", f"{found.documents:,}"),
        *((f"  in {name}", f"{count:,}") for name, count in sorted(found.collections.items())),
        ("chunks", f"{found.chunks:,}"),
        ("vectors", f"{found.vectors:,} ({found.awaiting:,} awaited)"),
        ("model", f"{model.name} ({model.dimension} dimensions, sha256 {model.sha256[:12]})"),
        ("relevance", _CALIBRATED[found.calibrated]),
        ("searches logged", f"{found.searches_logged:,} ({found.log_dropped:,} dropped)"),
        ("triples", f"{found.triples:,}"),
        ("feedback", f"{found.feedback:,}"),
        ("mean disagreement", "none yet" if mean is None else f"{mean:.3f}"),
        ("durability", found.durability),
        ("schema", str(found.schema_version)),
        ("versions", f"vstash {found.vstash_version}, SQLite {found.sqlite_version}"),
    ]
    return fields_block([(printable(name), value) for name, value in fields])
