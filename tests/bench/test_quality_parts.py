"""What the benchmark of quality computes, against values worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.quality.distort import rarest, with_typos
from bench.quality.fitting import logistic
from bench.quality.rare_words import holds, kind_of, rare_words
from bench.quality.report import Report, number
from bench.quality.scores import auroc, brier, calibration_error, equal_mass_bins
from bench.quality.sessions import by_session
from vstash.evaluation import load_judged


def judged_folder(
    folder: Path,
    corpus: list[dict[str, object]],
    queries: list[dict[str, object]],
    judgements: list[tuple[str, str, int]],
) -> Path:
    """A set in BEIR layout."""
    (folder / "qrels").mkdir(parents=True)
    for name, rows in (("corpus", corpus), ("queries", queries)):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    table = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, line)) for line in judgements)]
    (folder / "qrels" / "test.tsv").write_text("\n".join(table) + "\n", encoding="utf-8")
    return folder


def test_calibration_error_weighs_bins_by_their_size() -> None:
    """Bins of 2 and 3: |.3 - .5| and |.8 - 1/3|, weighted 2/5 and 3/5."""
    probabilities = np.array([0.9, 0.2, 0.7, 0.4, 0.8])
    outcomes = np.array([1.0, 0.0, 0.0, 1.0, 0.0])
    bins = equal_mass_bins(probabilities, outcomes, 2)
    assert bins[:, 2].tolist() == [3, 2]
    # Ascending: .2 .4 .7 (outcomes 0 1 0), then .8 .9 (outcomes 0 1).
    expected = 3 / 5 * abs(1.3 / 3 - 1 / 3) + 2 / 5 * abs(0.85 - 0.5)
    assert calibration_error(probabilities, outcomes, 2) == pytest.approx(expected)
    assert calibration_error(probabilities, outcomes) == pytest.approx(
        np.abs(probabilities - outcomes).mean()
    )


def test_brier_is_the_mean_square() -> None:
    """(.1² + .5²) / 2."""
    assert brier(np.array([0.9, 0.5]), np.array([1.0, 0.0])) == pytest.approx(0.13)


def test_auroc_counts_ties_half() -> None:
    """Of six pairs three are right, one is wrong and two are tied."""
    assert auroc(np.array([0.9, 0.5]), np.array([0.5, 0.5, 0.95])) == pytest.approx(3 / 6)
    assert auroc(np.array([2.0, 3.0]), np.array([1.0])) == 1.0
    assert auroc(np.array([0.0]), np.array([1.0])) == 0.0


def test_logistic_finds_what_counts_say() -> None:
    """With one feature of two values and no penalty the fitted shares are the observed ones."""
    features = np.array([[0.0]] * 4 + [[1.0]] * 4)
    outcomes = np.array([1.0, 0, 0, 0, 1, 1, 1, 0])
    weight, intercept = logistic(features, outcomes, np.ones(8), penalty=0.0)
    assert intercept == pytest.approx(np.log(1 / 3))
    assert weight == pytest.approx(np.log(3) - np.log(1 / 3))


def test_logistic_counts_a_weight_of_two_as_two_rows() -> None:
    """Weights stand for repeated rows, and a constant feature gets nothing."""
    features = np.array([[0.0, 7.0], [1.0, 7.0], [0.5, 7.0]])
    outcomes = np.array([0.0, 1.0, 0.0])
    weighted = logistic(features, outcomes, np.array([1.0, 2.0, 1.0]))
    repeated = logistic(features[[0, 1, 1, 2]], outcomes[[0, 1, 1, 2]], np.ones(4))
    assert weighted == pytest.approx(repeated)
    assert weighted[1] == pytest.approx(0, abs=1e-6)


def test_typos_are_the_same_for_the_same_seed_and_leave_short_words_alone() -> None:
    """One word in five changes, by one letter, and never its first."""
    text = "we do ask what makes an aeroplane fly so far"
    made = with_typos(text, "7 q1")
    assert made == with_typos(text, "7 q1")
    assert len({with_typos(text, f"{seed} q1") for seed in range(30)}) > 10
    for seed in range(200):
        before, after = text.split(), with_typos(text, str(seed)).split()
        changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
        assert len(changed) == 2
        for word, typo in changed:
            assert len(word) >= 3
            assert word[0] == typo[0]
            assert abs(len(word) - len(typo)) <= 1
    assert with_typos("is it so 1973", "1") == "is it so 1973"


def test_the_rarest_words_stay_in_their_order() -> None:
    """Rarity counts stems, and a word of no document is the rarest."""
    frequencies = {"what": 90, "wing": 3, "flow": 5, "over": 60, "a": 99}
    assert rarest("What flows over a wing zyx?", frequencies) == "flows wing zyx?"
    assert rarest("?!", frequencies) == "?!"


def test_words_have_kinds_and_stand_by_themselves() -> None:
    """A shape is a kind; part of a longer word is not the word."""
    kinds = {
        "1.2.3": "version",
        "IL-6": "hyphenated",
        "os.path": "dotted",
        "read_line": "snake or camel",
        "readLine": "snake or camel",
        "E0308": "code",
        "1973": "number",
        "Caroline": "name",
        "wing": None,
        "12": None,
    }
    assert {word: kind_of(word) for word in kinds} == kinds
    assert holds("See e0308.", "E0308")
    assert not holds("xE0308", "E0308")


def test_rare_words_stand_in_one_document_only(tmp_path: Path) -> None:
    """E0308 is in two documents, once inside a longer word that is cut at its hyphen."""
    corpus: list[dict[str, object]] = [
        {"_id": "a", "title": "", "text": "the E0308 and E0499 of Turing"},
        {"_id": "b", "title": "Zuse Z3", "text": "E0308-like, with HTTPServer and 4711"},
        {"_id": "c", "title": "", "text": "Only ordinary words. Maybe."},
    ]
    queries: list[dict[str, object]] = [{"_id": "q", "text": "what"}]
    folder = judged_folder(tmp_path / "tiny", corpus, queries, [("q", "a", 1)])
    judged = load_judged(folder)
    assert judged.corpus is not None
    found = {(word.text, word.key) for word in rare_words(judged.corpus, 200, "1")}
    assert found == {
        ("E0499", "a"),
        ("Turing", "a"),
        ("E0308-like", "b"),
        ("HTTPServer", "b"),
        ("4711", "b"),
    }
    assert len(rare_words(judged.corpus, 2, "1")) == 2
    assert rare_words(judged.corpus, 2, "1") == rare_words(judged.corpus, 2, "1")


def test_turns_become_sessions_with_the_best_grade_of_their_turns(tmp_path: Path) -> None:
    """Turns are joined in order under the time of their session; others have no sessions."""

    def turn(session: int, number: int, text: str) -> dict[str, object]:
        about = {"conversation": "c1", "session": session, "date_time": f"day {session}"}
        return {"_id": f"{session}:{number}", "title": "", "text": text, "metadata": about}

    corpus = [turn(1, 1, "Hello."), turn(1, 2, "Tea?"), turn(2, 1, "Coffee.")]
    query: dict[str, object] = {"_id": "q", "text": "tea", "metadata": {"conversation": "c1"}}
    judgements = [("q", "1:1", 0), ("q", "1:2", 2), ("q", "2:1", 0)]
    turns = load_judged(judged_folder(tmp_path / "chat", corpus, [query], judgements))
    folder = by_session(turns, tmp_path / "made", "test")
    assert folder is not None
    assert folder.name == "chat-sessions"
    rows = [json.loads(line) for line in (folder / "corpus.jsonl").read_text().splitlines()]
    assert [(row["_id"], row["title"], row["text"]) for row in rows] == [
        ("c1:S1", "day 1", "Hello.\nTea?"),
        ("c1:S2", "day 2", "Coffee."),
    ]
    assert load_judged(folder).queries[0].judgements == {"c1:S1": 2, "c1:S2": 0}

    corpus[0]["metadata"] = {}
    plain = load_judged(judged_folder(tmp_path / "plain", corpus, [query], judgements))
    assert by_session(plain, tmp_path / "made", "test") is None


def test_a_report_keeps_the_sections_of_earlier_runs(tmp_path: Path) -> None:
    """A section that is made anew takes the place of the old one."""
    path = tmp_path / "quality.md"
    for title, text in (("First", "one"), ("Second", "two"), ("First", "three")):
        report = Report(tmp_path / "rows.jsonl", {})
        report.section(title)
        report.table(["set", "value"], [[text, number(0.5)]])
        report.write(path)
    written = path.read_text(encoding="utf-8")
    assert written.index("## First") < written.index("three") < written.index("## Second")
    assert "| two |  .500 |" in written
    assert "one" not in written.split("## First", 1)[1]
