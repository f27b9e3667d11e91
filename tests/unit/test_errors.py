"""One tree of errors, drawn as it is."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

from vstash import errors
from vstash.errors import VstashError

CLASSES = {
    name: kind
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and issubclass(kind, VstashError)
}


def drawn(docstring: str) -> dict[str, str]:
    """Each class of the drawn tree with the class it stands under."""
    parents: list[str] = []
    found: dict[str, str] = {}
    for line in docstring.splitlines():
        match = re.fullmatch(r"( *)\* ([\w, ]+?)(: .*)?", line)
        if match:
            depth = len(match[1]) // 4
            names = match[2].split(", ")
            parents = [*parents[:depth], names[-1]]
            for name in names:
                found[name] = parents[depth - 1] if depth else "Exception"
    return found


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """Every class is drawn once, under its base."""
    assert drawn(errors.__doc__ or "") == {
        name: kind.__bases__[0].__name__ for name, kind in CLASSES.items()
    }


def test_the_drawing_is_read_right() -> None:
    """A control: a class that is missing or misplaced in a drawing is seen."""
    assert drawn("* A\n    * B: why\n        * C, D\n    * E") == {
        "A": "Exception",
        "B": "A",
        "C": "B",
        "D": "B",
        "E": "A",
    }


def test_every_class_is_public() -> None:
    """The module offers all of its classes and nothing else, in order."""
    assert errors.__all__ == sorted(CLASSES)


def test_codes_are_unique_and_stable_words() -> None:
    """A program can tell every class by its code."""
    codes = [kind.code for kind in CLASSES.values()]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes)


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_class_says_what_interfaces_need(name: str) -> None:
    """Code of its own, HTTP status of an error, exit code of a failure, a sentence."""
    kind = CLASSES[name]
    assert "code" in vars(kind)
    assert 400 <= kind.status <= 599
    assert 1 <= kind.exit_code <= 125
    assert isinstance(kind.retryable, bool)
    assert (kind.__doc__ or "").strip()


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_what_stays_local_is_not_in_the_message(name: str) -> None:
    """The message holds no path; str() does, for the person on this machine."""
    error = CLASSES[name]("What to do.", pointer="/text", local_detail="/home/ada/x.db")
    assert (error.message, error.pointer) == ("What to do.", "/text")
    assert str(error) == "What to do. (/home/ada/x.db)"
    assert str(CLASSES[name]("What to do.")) == "What to do."
    assert isinstance(error, Exception)


def test_an_error_survives_pickling() -> None:
    """An error that crosses to another process is still readable there."""
    error = pickle.loads(pickle.dumps(errors.TextError("Empty.")))
    assert (type(error), error.message, str(error)) == (errors.TextError, "Empty.", "Empty.")
