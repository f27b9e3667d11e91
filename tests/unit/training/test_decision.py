"""A model is compared with the one before as it is served, and recommended only with evidence."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from vstash import Memory, install_model
from vstash.embed.catalogue import open_model
from vstash.embed.fake import FakeEmbedder
from vstash.errors import QueryError, TrainingError
from vstash.evaluation import Interval
from vstash.settings import Settings
from vstash.training.base import Base, open_base
from vstash.training.comparison import Judged, background, compared, general_set, held_out_set
from vstash.training.deciding import LEAST_COSINE, MOST_FORGOTTEN, decided
from vstash.training.examples import Example, Passage
from vstash.training.export import describe, export, mixed, served
from vstash.training.options import TrainOptions
from vstash.training.reports import Measured

if TYPE_CHECKING:
    from vstash.types import FloatArray

QUERIES = tuple(f"query {number}" for number in range(40))


class Knows(FakeEmbedder):
    """An embedder that puts every query where the passage of its number is, or nowhere near."""

    def __init__(self, *, right: bool) -> None:
        super().__init__()
        self._right = right

    def embed_queries(self, texts: Sequence[str]) -> FloatArray:
        """As said."""
        moved = 0 if self._right else 15
        numbers = ((int(text.split()[-1]) + moved) % 40 for text in texts)
        return self.embed_passages([f"passage {number}" for number in numbers])


def judged() -> Judged:
    """Each query is answered by the passage of its number."""
    passages = tuple(Passage(f"passage {number}", f"d{number}") for number in range(40))
    return Judged(QUERIES, tuple(frozenset({each.document}) for each in passages), passages)


@pytest.fixture(scope="module")
def base() -> Base:
    """The packaged model."""
    return open_base("", None)


def test_the_general_set_is_what_it_says() -> None:
    """150 different questions in 30 topics of five, with different answers that do not repeat them."""
    found = general_set()
    assert len(set(found.queries)) == len({each.text for each in found.passages}) == 150
    assert [set(each) for each in found.answers] == [{each.document} for each in found.passages]
    for query, passage in zip(found.queries, found.passages, strict=True):
        assert query.casefold() not in passage.text.casefold()
        assert 15 <= len(passage.text.split()) <= 60
    starts = Counter(text.split()[0] for text in found.queries)
    assert starts.most_common(1)[0][1] < 80


def test_a_better_model_is_seen() -> None:
    """From never right to always right is a difference of 1, and a model is no better than itself."""
    counted: list[int] = []
    found = compared(
        judged(), Knows(right=False), Knows(right=True), seed=0, progress=counted.append
    )
    assert found["MRR@10"].tuned == found["nDCG@10"].tuned == 1.0
    assert found["nDCG@10"].base < 0.5
    assert found["nDCG@10"].difference.low > 0.4
    assert sum(counted) == 2 * 80
    same = compared(judged(), Knows(right=True), Knows(right=True), seed=0)
    assert same["nDCG@10"].difference == Interval(0.0, 0.0, 0.0)


def test_several_answers_share_the_gain() -> None:
    """NDCG of one found among two that there are."""
    two = Judged(("query 0",), (frozenset({"d0", "gone"}),), judged().passages)
    found = compared(two, Knows(right=True), Knows(right=True), seed=0)
    assert found["nDCG@10"].base == pytest.approx(1 / (1 + 1 / np.log2(3)))


def test_what_is_searched_for_the_held_out() -> None:
    """Their own passages all, others up to the number."""
    example = Example("q", Passage("p", "d"), (Passage("n", "e"),), "made")
    again = Example("q", Passage("p2", "d2"), (), "made")
    others = [Example("o", None, (), "search", tuple(Passage(f"t{n}", "x") for n in range(9)), ())]
    found = held_out_set([example, again], others, most=6, seed=0)
    assert found.queries == ("q",)
    assert found.answers == (frozenset({"d", "d2"}),)
    texts = {each.text for each in found.passages}
    assert {"p", "n", "p2"} < texts
    assert len(texts) == 6


def measured(mean: float, low: float) -> dict[str, Measured]:
    """A change."""
    return {"nDCG@10": Measured(0.5, 0.5 + mean, Interval(mean, low, 2 * mean - low), 100)}


@pytest.mark.parametrize(
    ("own", "general", "cosine", "told"),
    [
        (measured(0.03, 0.001), measured(0.01, -0.02), 0.99, None),
        (measured(0.03, 0.001), measured(-MOST_FORGOTTEN, -0.05), LEAST_COSINE, None),
        (measured(0.03, -0.001), measured(0.01, -0.02), 0.99, "may be chance"),
        (measured(-0.03, -0.04), measured(0.01, -0.02), 0.99, "for the worse"),
        (measured(0.03, 0.001), measured(-0.021, -0.05), 0.99, "forgets"),
        (measured(0.03, 0.001), measured(0.01, -0.02), 0.96, "int8"),
    ],
)
def test_a_model_is_recommended_with_evidence_alone(
    own: dict[str, Measured], general: dict[str, Measured], cosine: float, told: str | None
) -> None:
    """A gain above chance, little forgotten, and an int8 model that is near the trained one."""
    recommended, reason = decided(own, general, cosine, "known")
    assert recommended is (told is None)
    assert (told or "rose") in reason
    # What the log suggests is no evidence for what was learnt of the log.
    recommended, reason = decided(own, general, cosine, "log")
    assert not recommended
    assert (told or "follow from the log") in reason


def test_a_model_folder_is_taken_as_it_is(base: Base, tmp_path: Path) -> None:
    """It installs, embeds, and is another model than its base once its weights are others."""
    settings = Settings(models_folder=str(tmp_path / "models"))
    same, other = tmp_path / "same", tmp_path / "other"
    for folder in (same, other):
        folder.mkdir()
    export(base, base.weights, same, name="same")
    bias = "embeddings.LayerNorm.bias"
    export(base, {**base.weights, bias: base.weights[bias] + 0.1}, other, name="other")
    describe(other, {"background_mean": 0.4, "source": "trained"})
    infos = [install_model(folder, settings=settings) for folder in (same, other)]
    assert infos[0].sha256 == base.folder.info.sha256
    assert infos[1].sha256 != infos[0].sha256
    assert infos[1].background_mean == 0.4
    assert json.loads((other / "config.json").read_text("utf-8"))["hidden_size"] == 384
    packaged, changed = open_model(""), open_model("other", models=settings.models_path())
    cosines = packaged.embed_queries(["tea", "port"]) @ changed.embed_queries(["tea", "port"]).T
    assert 0.5 < cosines[0, 0] < 0.9999
    with Memory(tmp_path / "a.db", model="other", settings=settings) as memory:
        memory.add("Ada prefers tea.", key="ada")
        assert memory.search("who drinks tea", mode="vector").hits[0].document.key == "ada"
    assert open_base(str(other), None).config == base.config


def test_a_base_is_served_with_its_own_weights(base: Base) -> None:
    """From its folder, or, where they came from elsewhere, from a folder made for it."""
    bias = "embeddings.LayerNorm.bias"
    moved = replace(base, weights={**base.weights, bias: base.weights[bias] + 0.1}, own=False)
    with served(base) as one, served(moved) as other:
        assert one.info.sha256 == base.folder.info.sha256
        assert other.info.sha256 != one.info.sha256
        assert float((one.embed_queries(["tea"]) @ other.embed_queries(["tea"]).T)[0, 0]) < 0.9999


def test_a_folder_that_cannot_be_written_is_named(base: Base, tmp_path: Path) -> None:
    """Where there is no such folder."""
    with pytest.raises(TrainingError, match="cannot be written"):
        export(base, base.weights, tmp_path / "none", name="x")


def test_weights_on_the_way(base: Base) -> None:
    """None of it is the base, all of it the tuned model."""
    tuned = {name: values + 1 for name, values in base.weights.items()}
    name = "embeddings.LayerNorm.bias"
    for share in (0.0, 0.25, 1.0):
        np.testing.assert_allclose(
            mixed(base.weights, tuned, share)[name], base.weights[name] + share, rtol=1e-6
        )


def test_the_background_is_that_of_unrelated_texts() -> None:
    """Mean and deviation over pairs, in the bounds of a cosine."""
    mean, deviation = background(FakeEmbedder(), judged(), seed=0)
    assert -1 < mean < 1
    assert 0 < deviation < 1


@pytest.mark.parametrize(
    "given",
    [{"epochs": 0}, {"learning_rate": 0.0}, {"batch": 1}, {"minutes": -1.0}, {"share": 0.0}],
)
def test_options_have_bounds(given: dict[str, float]) -> None:
    """What is out of range is refused by name; the defaults are not."""
    assert TrainOptions().checked() == TrainOptions()
    with pytest.raises(QueryError, match=next(iter(given))):
        TrainOptions(**given).checked()  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="objective"):
        TrainOptions(objective="other").checked()  # type: ignore[arg-type]
