"""Queries of which the answer is known, the same through every interface."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.interface import ContractError, Interface
from vstash import Memory, NewDocument

WORDS = ("amber", "basil", "cedar", "delta", "ember", "fjord", "grove", "heron", "islet", "jade")


@pytest.fixture
def path(path: Path) -> Path:
    """A file with ten documents of two sentences, and one in another collection."""
    with Memory(path, model="fake") as memory:
        memory.add_batch(
            [
                NewDocument(
                    f"The {word} stands beside the old {WORDS[place - 1]} of the harbour town. "
                    f"Nobody who paints a {word} sells the {WORDS[place - 2]} again in winter.",
                    key=word,
                    title=f"Notes on the {word} and how keepers look after such things",
                )
                for place, word in enumerate(WORDS)
            ]
        )
        memory.add("Work in the grove goes on until the evening comes over it.", collection="work")
    return path


def test_mining_goes_on_where_it_ended(interface: Interface) -> None:
    """A limit leaves documents, the next call takes them, a third finds none; each form is made."""
    first = interface.mine(limit=7)
    assert sum(first["queries"].values()) == 7
    assert first["left"] > 0
    second = interface.mine()
    assert second["left"] == 0
    assert interface.mine()["queries"] == {}
    made: dict[str, int] = {}
    for report in (first, second):
        for form, count in report["queries"].items():
            made[form] = made.get(form, 0) + count
    assert made["title"] == 10
    assert set(made) <= {"title", "keyphrase", "cloze"}
    assert "cloze" in made
    items = interface.made_queries(limit=1000)["items"]
    assert len(items) == sum(made.values())
    assert [each["number"] for each in items] == sorted(
        (each["number"] for each in items), reverse=True
    )
    assert {each["collection"] for each in items} == {"default"}
    titles = interface.made_queries(form="title", limit=1000)["items"]
    assert len(titles) == 10
    assert all(each["query"].startswith("Notes on the") for each in titles)


def test_pages_and_removal(interface: Interface) -> None:
    """Queries come in pages, and go by form; then they are made again."""
    interface.mine(forms=["cloze"], per_document=1)
    page = interface.made_queries(limit=6)
    rest = interface.made_queries(limit=6, cursor=page["next_cursor"])
    assert (len(page["items"]), len(rest["items"]), rest["next_cursor"]) == (6, 4, None)
    assert interface.remove_made(form="title") == {"removed": 0}
    assert interface.remove_made(form="cloze", collection="default") == {"removed": 10}
    assert interface.made_queries()["items"] == []
    again = interface.mine(forms=["cloze"], per_document=1)
    assert again["queries"] == {"cloze": 10}


def test_labels(interface: Interface) -> None:
    """Queries with judgements are taken once, and what they name that is not there is counted."""
    queries = {"q1": "amber beside the jade", "q2": "no answer", "q3": "the heron in winter"}
    judgements = {"q1": {"amber": 1, "basil": 1, "nowhere": 2}, "q3": {"heron": 1, "cedar": 0}}
    report = interface.label(queries, judgements)
    unanswered = 0 if interface.kind == "cli" else 1
    assert (report["queries"], report["unanswered"], report["unknown"]) == (2, unanswered, 1)
    assert report["stored"] >= 2
    assert interface.label(queries, judgements)["stored"] == 0
    items = interface.made_queries(form="labelled")["items"]
    assert {each["query"] for each in items} == {queries["q1"], queries["q3"]}


def test_the_report(interface: Interface) -> None:
    """Every source is there with its triples, and what is shown is what was asked for."""
    interface.search("the amber of the town")
    interface.mine(forms=["keyphrase", "cloze"])
    report = interface.learn_report(samples=2)
    assert report["sources"][0]["name"] == "search"
    assert {each["name"] for each in report["sources"][1:]} <= {"keyphrase", "cloze"}
    total = sum(report["triples"].values())
    assert total == sum(sum(each["triples"].values()) for each in report["sources"])
    assert len(report["samples"]) == min(2, total)
    assert report["coverage"]["documents"] == 11
    assert interface.learn_report(collection="work")["sources"] == []


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"forms": ["poem"]}, "field_invalid", "/forms"),
        ({"forms": ["labelled"]}, "field_invalid", "/forms"),
        ({"per_document": 0}, "query_invalid", "/per_document"),
        ({"per_document": 21}, "query_invalid", "/per_document"),
        ({"limit": 0}, "query_invalid", "/limit"),
        ({"seed": -1}, "query_invalid", "/seed"),
        ({"collection": "nowhere"}, "collection_not_found", "/collection"),
        ({"collection": "no/name"}, "field_invalid", "/collection"),
    ],
)
def test_wrong_options_of_mining(
    interface: Interface, fields: dict[str, object], code: str, pointer: str
) -> None:
    """Each is refused by name, and nothing is made."""
    with pytest.raises(ContractError) as caught:
        interface.mine(**fields)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)
    assert interface.made_queries()["items"] == []


@pytest.mark.parametrize(
    ("method", "fields", "code", "pointer"),
    [
        ("made_queries", {"limit": 0}, "query_invalid", "/limit"),
        ("made_queries", {"cursor": "x"}, "cursor_invalid", "/cursor"),
        ("learn_report", {"samples": 101}, "query_invalid", "/samples"),
        ("learn_report", {"collection": "nowhere"}, "collection_not_found", "/collection"),
        ("remove_made", {"collection": "nowhere"}, "collection_not_found", "/collection"),
    ],
)
def test_other_wrong_options(
    interface: Interface, method: str, fields: dict[str, object], code: str, pointer: str
) -> None:
    """The same of what lists, removes and sums up."""
    with pytest.raises(ContractError) as caught:
        getattr(interface, method)(**fields)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)
