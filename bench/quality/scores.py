"""How good probabilities are: calibration error, Brier score, AUROC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["auroc", "brier", "calibration_error", "equal_mass_bins"]


def equal_mass_bins(
    probabilities: NDArray[np.float64], outcomes: NDArray[np.float64], bins: int = 10
) -> NDArray[np.float64]:
    """Mean probability, mean outcome and size of bins that hold equally many predictions.

    Args:
        probabilities: Shape (n,), in [0, 1].
        outcomes: Shape (n,), 0 or 1.
        bins: At most n are made.

    Returns:
        Shape (bins, 3), by ascending probability.
    """
    order = np.argsort(probabilities, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    return np.array(
        [[probabilities[part].mean(), outcomes[part].mean(), len(part)] for part in parts]
    )


def calibration_error(
    probabilities: NDArray[np.float64], outcomes: NDArray[np.float64], bins: int = 10
) -> float:
    """The expected calibration error over bins of equal mass.

    Nixon et al. 2019, Measuring calibration in deep learning, with equal-mass ("adaptive") bins.

    Example:
        >>> calibration_error(np.array([0.2, 0.4, 0.6, 1.0]), np.array([0.0, 1.0, 1.0, 1.0]), bins=2)
        0.2
    """
    found = equal_mass_bins(probabilities, outcomes, bins)
    return float(np.abs(found[:, 0] - found[:, 1]) @ found[:, 2] / len(probabilities))


def brier(probabilities: NDArray[np.float64], outcomes: NDArray[np.float64]) -> float:
    """The mean squared distance of probabilities from outcomes (Brier 1950)."""
    return float(np.mean((probabilities - outcomes) ** 2))


def auroc(positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> float:
    """How probable it is that a positive stands above a negative; ties count half.

    The area under the ROC curve, by Mann and Whitney 1947.

    Args:
        positives: Scores, shape (n,), n above 0.
        negatives: Scores, shape (m,), m above 0.
    """
    ordered = np.sort(negatives)
    below = np.searchsorted(ordered, positives, side="left")
    not_above = np.searchsorted(ordered, positives, side="right")
    return float((below + not_above).mean() / (2 * len(negatives)))
