"""Every error that SQLite can raise leaves as one of ours."""

from __future__ import annotations

import apsw
import pytest

from vstash.errors import (
    FieldError,
    InternalError,
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreForeignError,
    StoreFullError,
    StoreIOError,
    StoreReadOnlyError,
    VstashError,
)
from vstash.store.faults import doubted, translate, translated

EXPECTED: dict[str, type[VstashError]] = {
    "BusyError": StoreBusyError,
    "LockedError": StoreBusyError,
    "ProtocolError": StoreBusyError,
    "ExtensionLoadingError": StoreError,
    "FullError": StoreFullError,
    "ReadOnlyError": StoreReadOnlyError,
    "PermissionsError": StoreReadOnlyError,
    "CorruptError": StoreCorruptError,
    "NotADBError": StoreForeignError,
    "IOError": StoreIOError,
    "CantOpenError": StoreIOError,
    "NoMemError": StoreError,
    "TooBigError": StoreError,
}
# What only a mistake in our own SQL or our own use of APSW can raise.
OURS = {
    *("AbortError", "AuthError", "BindingsError", "ConnectionClosedError", "ConstraintError"),
    *("ConnectionNotClosedError", "CursorClosedError", "EmptyError", "ExecTraceAbort"),
    *("ExecutionCompleteError", "ExtensionLoadingError", "ForkingViolationError", "FormatError"),
    *("IncompleteExecutionError", "InternalError", "InterruptError", "InvalidContextError"),
    *("MismatchError", "MisuseError", "NoFTS5Error", "NoLFSError", "NotFoundError"),
    *(
        "RangeError",
        "SQLError",
        "SchemaChangeError",
        "ThreadingViolationError",
        "VFSFileClosedError",
    ),
    *("VFSNotImplementedError", "VTableError"),
}
KINDS = {
    name: kind
    for name, kind in vars(apsw).items()
    if isinstance(kind, type) and issubclass(kind, apsw.Error) and kind is not apsw.Error
}


def test_every_class_of_apsw_is_known() -> None:
    """APSW has no exception that nobody decided about."""
    assert set(KINDS) - EXPECTED.keys() - OURS == set()
    assert EXPECTED.keys() <= KINDS.keys()


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_class_becomes_one_of_ours(name: str) -> None:
    """Each becomes the class that was decided, and a message without SQL or text."""
    error = translate(KINDS[name]("near SELECT secret: syntax error"))
    assert type(error) is EXPECTED.get(name, InternalError)
    assert "secret" not in error.message
    assert "SELECT" not in error.message
    assert error.message.endswith((".", "report this."))


def test_only_waiting_helps_where_the_class_says_so() -> None:
    """What may succeed later is marked as retryable, damage is not."""
    retryable = {name for name in EXPECTED if translate(KINDS[name]("x")).retryable}
    assert retryable == {
        *("BusyError", "LockedError", "ProtocolError"),
        *("FullError", "IOError", "CantOpenError"),
    }


def test_a_block_lets_only_ours_out() -> None:
    """Inside translated() an error of SQLite changes its class, and others pass."""
    with pytest.raises(StoreBusyError) as caught, translated():
        raise apsw.BusyError("database is locked")
    assert isinstance(caught.value.__cause__, apsw.BusyError)
    with pytest.raises(ZeroDivisionError), translated():
        _ = 1 / 0


def test_a_failed_read_of_the_vector_index_is_no_defect() -> None:
    """sqlite-vec tells of it as of a wrong statement; it is told as a failure to read."""
    error = translate(apsw.SQLError("Internal sqlite-vec error: Could not find latest chunk"))
    assert type(error) is StoreIOError


@pytest.mark.parametrize("error", [TypeError("x"), ValueError("x"), IndexError("x"), KeyError("x")])
def test_an_error_that_damage_explains(error: Exception) -> None:
    """It is told as damage where the file is damaged, and is a defect of ours where it is not."""
    with pytest.raises(StoreCorruptError), doubted(lambda: True):
        raise error
    with pytest.raises(type(error)), doubted(lambda: False):
        raise error


def test_an_error_of_ours_is_not_doubted() -> None:
    """What says already what is wrong leaves as it is."""
    with pytest.raises(FieldError), doubted(lambda: True):
        raise FieldError("A field is wrong.")
