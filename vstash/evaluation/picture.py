"""The picture of a comparison: one group of bars per set, one bar per way."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vstash.errors import EvaluationError, ExtraMissingError

if TYPE_CHECKING:
    from vstash.evaluation.bootstrap import WayResult

__all__ = ["checked_picture", "draw", "plotting", "save"]

_SUFFIXES: Final = (".png", ".svg")
_GROUP: Final = 0.8
_WIDTH_PER_BAR_IN: Final = 0.32


def checked_picture(path: str | os.PathLike[str]) -> Path:
    """A path that `draw` can write to.

    Raises:
        EvaluationError: When its name does not end in .png or .svg, or its folder is missing.
        ExtraMissingError: When matplotlib is not installed.
    """
    target = Path(path)
    if target.suffix.lower() not in _SUFFIXES:
        raise EvaluationError("A picture is a .png or .svg file.", pointer="/picture")
    if not target.absolute().parent.is_dir():
        raise EvaluationError(
            "The picture's folder does not exist.", pointer="/picture", local_detail=str(target)
        )
    plotting()
    return target


def draw(
    results: Mapping[str, Mapping[str, WayResult]],
    path: str | os.PathLike[str],
    *,
    metric: str = "nDCG@10",
) -> None:
    """Draw means with their 95 % intervals.

    Args:
        results: By set, what `compare` returned; every set with the same ways.
        path: A .png or .svg file.
        metric: Which means.

    Raises:
        EvaluationError: When the file's name or folder cannot be used.
        ExtraMissingError: When matplotlib is not installed.
    """
    target, library = checked_picture(path), plotting()
    ways = list(next(iter(results.values())))
    width = _GROUP / len(ways)
    places = np.arange(len(results))
    # The same picture has the same bytes.
    with library.rc_context({"svg.hashsalt": "vstash"}):
        inches = 3.0 + _WIDTH_PER_BAR_IN * len(ways) * len(results)
        figure = library.figure.Figure(figsize=(inches, 3.6), layout="constrained")
        axes = figure.subplots()
        for number, way in enumerate(ways):
            found = [result[way].means[metric] for result in results.values()]
            means = np.array([each.mean for each in found])
            errors = np.array(
                [
                    [max(each.mean - each.low, 0.0) for each in found],
                    [max(each.high - each.mean, 0.0) for each in found],
                ]
            )
            shift = (number - (len(ways) - 1) / 2) * width
            axes.bar(places + shift, means, width, yerr=errors, capsize=2, label=way)
        axes.set_xticks(places, list(results))
        axes.set_ylabel(f"{metric}, 95 % interval")
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside right upper", frameon=False)
        save(figure, target)


def save(figure: Any, target: Path) -> None:
    """Write a figure of matplotlib.

    Raises:
        EvaluationError: When the file cannot be written.
    """
    dated: dict[str, Any] = {"Date": None} if target.suffix.lower() == ".svg" else {}
    try:
        figure.savefig(target, dpi=150, metadata=dated)
    except OSError as error:
        raise EvaluationError(
            "The picture cannot be written.",
            pointer="/picture",
            local_detail=f"{target}: {error.strerror}",
        ) from error


def plotting() -> Any:
    """The library that draws.

    Raises:
        ExtraMissingError: When it is not installed.
    """
    try:
        import matplotlib.figure  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ExtraMissingError(
            "Drawing needs the library matplotlib: pip install 'vstash[eval]'"
        ) from error
    return matplotlib
