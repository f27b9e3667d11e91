"""The commands of models."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from vstash.cli.groups import Group
from vstash.cli.options import Common, add_options, common_options, embed_option, example
from vstash.cli.output import is_terminal, out, out_json, table_width
from vstash.cli.render import Column, counted, fields_block, table
from vstash.errors import ModelNotFoundError, RequestError

if TYPE_CHECKING:
    from vstash.settings import Settings
    from vstash.switching import ModelState, ReindexProgress, ReindexReport, ReindexWatcher

__all__ = ["model", "reindex"]

_COLUMNS: Final = (
    Column("NAME", flexible=True),
    Column("DIMENSION", right=True),
    Column("INDEX"),
    Column("INSTALLED"),
    Column("VECTORS", right=True),
    Column("AWAITING", right=True),
    Column("BYTES", right=True),
)


@click.command(
    short_help="Build the index of another model, and switch to it.",
    epilog=example("vstash reindex --model minilm"),
)
@common_options
def reindex(common: Common) -> None:
    """Build the index of the model that --model names, beside the one in use; then switch to it.

    Here --model is not the model that the file is opened with. Searches and writes of other processes
    go on meanwhile. When it is interrupted, the next call goes on. The index before is kept: `vstash
    model use` goes back to it, and `vstash model remove` gives its room back.
    """
    if common.model is None:
        raise RequestError(
            "Name the model with --model; `vstash model list` shows those there are."
        )
    separators = [each for each in (os.sep, os.altsep) if each]
    is_path = any(each in common.model for each in separators)
    wanted = Path(common.model) if is_path else common.model
    with Common(common.db, None, common.as_json).memory(create=False) as memory:
        report = _watched(lambda tell: memory.reindex(wanted, progress=tell))
    _tell(report, as_json=common.as_json)


@click.group(
    "model",
    cls=Group,
    short_help="Install, list, use and remove models.",
    epilog=example("vstash model add ./minilm --name minilm", "vstash reindex --model minilm"),
)
@add_options
def model() -> None:
    """Install, list, use and remove embedding models."""


@model.command(
    "add",
    short_help="Install a model from its folder.",
    epilog=example("vstash model add ./minilm --name minilm"),
)
@click.argument("folder", metavar="FOLDER")
@click.option("--name", metavar="NAME", help="What it is to be called; otherwise as it says.")
@common_options
def add_model(common: Common, folder: str, name: str | None) -> None:
    """Copy a model's folder to where vstash finds it by its name, for every file.

    The folder has model.json, model.onnx and tokenizer.json. Nothing is downloaded.
    """
    from vstash import install_model

    info = install_model(folder, name=name, settings=common.settings())
    if common.as_json:
        out_json(info)
    else:
        out(f"{info.name} installed: {info.dimension} dimensions, sha256 {info.sha256[:12]}")


@model.command(
    "list",
    short_help="List models.",
    epilog=example("vstash model list", "vstash model list --json"),
)
@common_options
def list_models(common: Common) -> None:
    """List the models that the file has an index of, and then those that are only installed."""
    in_force = common.settings()
    states = _of_file(common) if in_force.db_path().exists() else _only_installed(in_force)
    if common.as_json:
        out_json({"items": states})
        return
    rows = [
        (
            each.name,
            f"{each.dimension:,}",
            each.index,
            "yes" if each.installed else "no",
            f"{each.vectors:,}",
            f"{each.awaiting:,}" if each.index != "none" else "",
            f"{each.bytes:,}",
        )
        for each in states
    ]
    out(table(_COLUMNS, rows, width=table_width()))


def _of_file(common: Common) -> tuple[ModelState, ...]:
    with common.memory(create=False) as memory:
        return memory.models()


def _only_installed(in_force: Settings) -> tuple[ModelState, ...]:
    from vstash import ModelState, installed_models

    return tuple(
        ModelState(info.name, info.dimension, info.sha256, "none", False, True, 0, 0, 0)
        for info in installed_models(settings=in_force)
    )


@model.command(
    "use",
    short_help="Switch to a model whose index is there.",
    epilog=example("vstash model use bge-small-en-v1.5"),
)
@click.argument("name", metavar="NAME")
@embed_option
@common_options
def use_model(common: Common, name: str, embed: str) -> None:
    """Switch to a model whose index is in the file, such as the one before the last switch.

    What was written since its index was in use is embedded first; --embed later switches at once.
    """
    with common.memory(create=False) as memory:
        report = _watched(
            lambda tell: memory.use_model(name, embed=embed, progress=tell)  # type: ignore[arg-type]  # Memory refuses others
        )
    _tell(report, as_json=common.as_json)


@model.command(
    "remove",
    short_help="Remove a model's index and its installed copy.",
    epilog=example("vstash model remove minilm", "vstash model remove minilm --index-only"),
)
@click.argument("name", metavar="NAME")
@click.option(
    "--index-only", is_flag=True, help="Remove its index in the file, and leave it installed."
)
@common_options
def remove_model(common: Common, name: str, index_only: bool) -> None:
    """Remove the index that the file has of a model, and the model's installed copy.

    A model that the file is searched with is refused. Other files that use the model need its copy.
    """
    from vstash import uninstall_model

    in_force = common.settings()
    state = None
    if index_only or in_force.db_path().exists():
        with common.memory(create=False) as memory:
            if index_only or any(x.name == name and x.index != "none" for x in memory.models()):
                state = memory.remove_model(name)
    uninstalled = False
    if not index_only:
        try:
            uninstall_model(name, settings=in_force)
            uninstalled = True
        except ModelNotFoundError:
            if state is None:
                raise
    if common.as_json:
        out_json({"name": name, "index": state, "uninstalled": uninstalled})
        return
    if state is not None:
        out(f"index removed: {counted(state.vectors, 'vector')}, about {state.bytes:,} bytes")
    if uninstalled:
        out("installed copy removed")


def _watched(run: Callable[[ReindexWatcher | None], ReindexReport]) -> ReindexReport:
    if not is_terminal(sys.stderr):
        return run(None)
    from vstash.cli.progress import CountBar

    told = False
    with CountBar("chunks") as shown:

        def tell(state: ReindexProgress) -> None:
            nonlocal told
            if not told:
                told = True
                shown.say(f"needs about {state.bytes_needed / 2**20:,.0f} MiB in the file")
            shown.update(state.done, state.chunks)

        return run(tell)


def _tell(report: ReindexReport, *, as_json: bool) -> None:
    if as_json:
        out_json(report)
        return
    if not report.switched:
        out(f"nothing to do: the file is searched with {report.model}")
        return
    fields = [
        ("model", f"{report.before} -> {report.model}"),
        ("embedded", f"{counted(report.embedded, 'chunk')} in {report.seconds:.1f} s"),
        ("index", f"about {report.bytes:,} bytes"),
        ("writers waited", f"{report.locked_ms:.0f} ms at most for the switch"),
    ]
    if report.awaiting:
        fields.append(("awaiting", f"{counted(report.awaiting, 'chunk')}: run `vstash embed`"))
    out(fields_block(fields))
