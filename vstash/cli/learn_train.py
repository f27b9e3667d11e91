"""The command that trains an embedding model."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vstash.cli.options import Common, common_options, count, example
from vstash.cli.output import is_terminal, out, out_json
from vstash.cli.render import fields_block

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vstash.training.options import TrainProgress, TrainWatcher
    from vstash.training.reports import Measured, TrainReport

__all__ = ["shown", "train"]

_STAGES = {
    "read": "queries",
    "embed": "passages",
    "train": "steps",
    "export": "files",
    "compare": "texts",
}


@click.command(
    short_help="Train a copy of the embedding model.",
    epilog=example(
        "vstash learn train ./tuned --minutes 30",
        "vstash learn train ./tuned --collection papers --epochs 3 --name papers-1",
        "vstash learn train ./tuned --data examples.jsonl --objective contrast",
        "vstash model add ./tuned && vstash reindex --model tuned",
    ),
)
@click.argument("folder", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--collection", metavar="NAME", help="Whose queries.  [default: default]")
@click.option(
    "--from",
    "base",
    default="",
    metavar="MODEL",
    help="What to start from: the name or folder of a model, a .safetensors file, or organisation/name "
    "of the Hugging Face hub.  [default: the model in the package]",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Learn from JSON Lines of query, positive and negatives instead of the file --db.",
)
@click.option("--name", metavar="NAME", help="Of the new model.  [default: the folder's name]")
@click.option(
    "--objective",
    metavar="NAME",
    help="distil, from fused lists, or contrast, from triples.  [default: distil; contrast with --data]",
)
@click.option(
    "--epochs", type=count("epochs"), metavar="N", help="Times that all is seen.  [default: 3]"
)
@click.option(
    "--lr", "learning_rate", type=float, metavar="X", help="Learning rate.  [default: 3e-5]"
)
@click.option("--batch", type=count("batch"), metavar="N", help="Queries a step.  [default: 32]")
@click.option("--minutes", type=float, metavar="X", help="End within so many.  [default: no limit]")
@click.option("--steps", type=count("steps"), metavar="N", help="Take exactly so many steps.")
@click.option("--seed", type=count("seed"), metavar="N", help="Of what is drawn.  [default: 0]")
@click.option(
    "--share",
    type=float,
    metavar="X",
    help="Of the way from the old weights to the new ones, above 0 to 1.  [default: 1]",
)
@click.option("--checkpointing", is_flag=True, help="Less memory, more time.")
@click.option("--resume", is_flag=True, help="Go on with a training that was interrupted.")
@common_options
def train(
    common: Common,
    folder: Path,
    collection: str | None,
    base: str,
    data: Path | None,
    name: str | None,
    objective: str | None,
    epochs: int | None,
    learning_rate: float | None,
    batch: int | None,
    minutes: float | None,
    steps: int | None,
    seed: int | None,
    share: float | None,
    checkpointing: bool,
    resume: bool,
) -> None:
    """Train a copy of the embedding model on the file's queries, and say whether it is better.

    OUT becomes a model folder that `vstash model add` takes, with decision.json beside: figures on
    held-out queries and on general questions, before and after. Nothing else is changed. Needs
    `pip install 'vstash[train]'`. docs/training.md says what to expect.
    """
    from vstash.training import train_model
    from vstash.training.options import TrainOptions

    given = {
        "objective": objective or ("distil" if data is None else "contrast"),
        "epochs": epochs,
        "learning_rate": learning_rate,
        "batch": batch,
        "minutes": minutes,
        "steps": steps,
        "seed": seed,
        "share": share,
        "checkpointing": checkpointing,
    }
    options = TrainOptions(**{key: value for key, value in given.items() if value is not None})  # type: ignore[arg-type] # checked by `train_model`
    opened = nullcontext() if data is not None else common.memory(create=False)
    with opened as memory, _bars() as progress:
        report = train_model(
            folder,
            memory,
            collection=collection,
            base=base,
            data=data,
            name=name,
            options=options,
            resume=resume,
            progress=progress,
        )
    if common.as_json:
        out_json(report)
    else:
        out(shown(report, folder))


@contextmanager
def _bars() -> Iterator[TrainWatcher | None]:
    """A bar for each stage, where somebody watches."""
    if not is_terminal(sys.stderr):
        yield None
        return
    from vstash.cli.progress import CountBar

    bars: dict[str, Any] = {}

    def show(state: TrainProgress) -> None:
        if state.stage not in bars:
            for bar in bars.values():
                bar.stop()
            bars[state.stage] = CountBar(_STAGES[state.stage])
            bars[state.stage].__enter__()
        bars[state.stage].update(state.done, state.total)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.stop()


def shown(report: TrainReport, folder: Path) -> str:
    """A training as text to read.

    Args:
        report: What it told.
        folder: As it was given.
    """
    left_out = report.planned - report.steps
    steps = f"{report.steps:,}" + (f", {left_out:,} left out for time" if left_out > 0 else "")
    evidence = "" if report.evidence == "known" else ", from the log alone"
    fields = [
        ("model", f"{report.name} in {folder}"),
        ("learnt from", f"{report.examples:,} examples, {report.held_out:,} held out{evidence}"),
        ("steps", f"{steps}, in {report.seconds:,.0f} s on {report.device}"),
        ("int8", f"cosine {report.cosine:.4f} with the trained weights"),
        *_measured("held out", report.own),
        *_measured("general", report.general),
        ("recommended", f"{'yes' if report.recommended else 'no'}: {report.reason}"),
    ]
    text = fields_block(fields)
    if report.recommended:
        text += f"\n\nvstash model add {folder} && vstash reindex --model {report.name}"
    return text


def _measured(label: str, found: Mapping[str, Measured]) -> list[tuple[str, str]]:
    return [(f"{label} {metric}", _change(value)) for metric, value in found.items()]


def _change(value: Measured) -> str:
    change = value.difference
    interval = f"({change.low:+.4f} to {change.high:+.4f})"
    return f"{value.base:.4f} -> {value.tuned:.4f}, {change.mean:+.4f} {interval}"
