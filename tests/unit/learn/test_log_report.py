"""What many logged searches tell together."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from vstash.learn.log_report import LoggedSearch, Tally, legs_judged

FIRST = datetime(2026, 1, 5, tzinfo=timezone.utc)


def search(
    day: int, disagreement: float, *terms: str, asked: int = 1, collection: str = "default"
) -> LoggedSearch:
    """A search of a day counted from Monday, 5 January 2026."""
    at = int((FIRST + timedelta(days=day, hours=23)).timestamp() * 1_000_000)
    return LoggedSearch(
        at,
        collection,
        disagreement,
        asked,
        day > 1,
        day > 2,
        {"near_score": day},
        day > 0,
        {*terms},
    )


def tally(*searches: LoggedSearch) -> Tally:
    """All of them together."""
    found = Tally()
    for each in searches:
        found.add(each)
    return found


def test_by_day() -> None:
    """Each day with a search, oldest first; repetitions weigh nothing."""
    found = tally(search(3, 0.5), search(0, 1.0, asked=9), search(0, 0.5))
    period, days = found.over_time()
    assert period == "day"
    assert [(each.name, each.searches, each.asked, each.disagreement) for each in days] == [
        ("2026-01-05", 2, 10, 0.75),
        ("2026-01-08", 1, 1, 0.5),
    ]
    assert [each.reformulated for each in days] == [0, 1]
    assert (found.with_triples, found.in_sessions, found.masked) == (1, 1, {"near_score": 3})


def test_by_week_where_days_are_many() -> None:
    """Weeks begin on Mondays; no more than sixty are told, the latest."""
    period, weeks = tally(
        search(0, 1.0), search(6, 0.0), search(7, 0.5), search(40, 0.5)
    ).over_time()
    assert period == "week"
    assert [(each.name, each.searches, each.disagreement) for each in weeks] == [
        *(("2026-01-05", 2, 0.5), ("2026-01-12", 1, 0.5), ("2026-02-09", 1, 0.5)),
    ]
    _, many = tally(*(search(7 * week, 0.5) for week in range(70))).over_time()
    assert len(many) == 60
    assert many[-1].name == (FIRST + timedelta(weeks=69)).date().isoformat()


def test_words_by_how_much_more_they_disagree() -> None:
    """Both how far above the mean and how often count; what came once is left out."""
    found = tally(
        *(search(0, 1.0, "often", "both") for _ in range(3)),
        search(0, 0.8, "both", "once"),
        *(search(0, 0.0, "calm") for _ in range(4)),
    )
    assert [(each.term, each.searches, each.disagreement) for each in found.terms()] == [
        *(("both", 4, 0.95), ("often", 3, 1.0)),
    ]


@pytest.mark.parametrize(
    ("wins", "losses", "expected"),
    [(5, 1, 0.21875), (1, 5, 0.21875), (1, 1, 1.0), (10, 0, 2 / 1024), (3000, 2700, 0.000076)],
)
def test_the_sign_test(wins: int, losses: int, expected: float) -> None:
    """By hand, and for counts whose powers of two are no floats."""
    judged = [*[(1, [1], [2, 1])] * wins, *[(1, [2, 1], [1])] * losses, *[(1, [1], [1])] * 4]
    found = legs_judged(judged)
    assert (found.vector_better, found.keyword_better, found.equal) == (wins, losses, 4)
    assert found.p_value == pytest.approx(expected, abs=1e-5)
