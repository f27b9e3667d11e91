"""Whether a trained model should take the place of the one before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vstash.training.reports import Measured

__all__ = ["LEAST_COSINE", "MOST_FORGOTTEN", "decided"]

_METRIC: Final = "nDCG@10"
MOST_FORGOTTEN: Final = 0.02
"""Loss of nDCG@10 on the general questions above which a model is not recommended."""
LEAST_COSINE: Final = 0.97
"""Mean cosine of the int8 model's vectors with the float model's; the packaged model has .998."""


def decided(
    own: Mapping[str, Measured], general: Mapping[str, Measured], cosine: float, evidence: str
) -> tuple[bool, str]:
    """Whether to recommend a model, and why.

    Args:
        own: Measured on held-out examples.
        general: Measured on the general questions.
        cosine: Of the int8 model with the float model.
        evidence: Whether the answers of the held-out examples were ``known`` beforehand, or follow from the
            ``log``, as what was learnt does: on a judged set such a model gained on these and lost on the test.
    """
    gained, kept = own[_METRIC].difference, general[_METRIC].difference
    if cosine < LEAST_COSINE:
        return False, (
            f"the int8 model differs too much from the trained one: cosine {cosine:.3f}, where "
            f"{LEAST_COSINE} is the least"
        )
    if gained.low <= 0:
        return False, (
            f"{_METRIC} on held-out examples changed by {gained.mean:+.4f} "
            f"({gained.low:+.4f} to {gained.high:+.4f}), "
            f"{'for the worse' if gained.high < 0 else 'which may be chance'}"
        )
    if kept.mean < -MOST_FORGOTTEN:
        return False, (
            f"it forgets: {_METRIC} on general questions fell by {-kept.mean:.4f}, more than "
            f"{MOST_FORGOTTEN}"
        )
    if evidence != "known":
        return False, (
            f"{_METRIC} on held-out examples rose by {gained.mean:.4f}, but their answers follow from the log, "
            "as what was learnt does: give some whose answers are known, by `vstash learn label` or "
            "`vstash learn mine`"
        )
    return True, (
        f"{_METRIC} on held-out examples rose by {gained.mean:.4f} ({gained.low:+.4f} to "
        f"{gained.high:+.4f}), and changed by {kept.mean:+.4f} on general questions"
    )
