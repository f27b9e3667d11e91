"""Calls that cannot be carried out: one typed error each, the same through every interface."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.contract.interface import ContractError, Kind
from tests.contract.opening import Opener, Shared
from tests.contract.wrong_calls import WRONG_CALLS, Wrong
from vstash import Memory, errors
from vstash.types import Document

STATUS = {
    found.code: found.status
    for found in vars(errors).values()
    if isinstance(found, type) and issubclass(found, errors.VstashError)
}


@dataclass(frozen=True, slots=True)
class Kept:
    """A file with one document, which must stay as it is.

    Attributes:
        shared: The file through each interface, with the settings as they come.
        witness: What looks at it afterwards.
        document: What is in it.
    """

    shared: Shared
    witness: Memory
    document: Document


@pytest.fixture(scope="module")
def kept(later: ExitStack, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """What no wrong call may touch."""
    path = tmp_path_factory.mktemp("kept") / "memory.db"
    memory = later.enter_context(Memory(path))
    stored = memory.add("Fine weather.", key="kept", title="Kept", metadata={"n": 1})
    return Kept(Shared(path, later), memory, memory.get(stored.id))


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        pytest.param(kind, wrong, id=f"{kind}-{wrong.name}")
        for wrong in WRONG_CALLS
        for kind in wrong.kinds
    ],
    indirect=["kind"],
)
def test_a_wrong_call_is_refused_and_changes_nothing(
    kind: Kind, wrong: Wrong, kept: Kept, opening: Opener
) -> None:
    """It ends in one error of the right code that names the field, and the file stays as it was."""
    interface = (
        opening(kept.shared.path, dict(wrong.settings))
        if wrong.settings
        else kept.shared.through(kind)
    )
    with pytest.raises(ContractError) as error:
        wrong.call(interface, kept.document.id)
    code = wrong.instead.get(kind, wrong.code)
    assert error.value.code == code
    assert error.value.status == STATUS[code]
    if code == wrong.code:
        assert error.value.pointer == wrong.pointer
    assert kept.witness.get(kept.document.id) == kept.document
    assert kept.witness.stats().collections == {"default": 1}
    assert kept.witness.check().findings == ()
