"""A layer between SQLite and the disk, for tests: it sees every call, and may let one fail.

It is laid over SQLite's own VFS in this process, below APSW: production code needs no hook. An `apsw.VFS` in
Python would do for recording (it forwards the shared memory of WAL), but not for failing: APSW raises what such a
method raised even where SQLite took note of the failure and went on, as it does when a checkpoint fails after a
commit. Here a failing call returns a code, as a failing disk makes it do.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw

__all__ = ["CODES", "Call", "Failing", "Watch", "lay_over"]

_Pointer = ctypes.c_void_p
_Int = ctypes.c_int
_Long = ctypes.c_int64


def _function(*types: Any) -> Any:
    """The type of a C function that returns a code."""
    return ctypes.CFUNCTYPE(_Int, *types)


# Of ``sqlite3_io_methods`` and ``sqlite3_vfs``, the ones that are replaced.
_TYPES: Final[dict[str, Any]] = {
    "xRead": _function(_Pointer, _Pointer, _Int, _Long),
    "xWrite": _function(_Pointer, _Pointer, _Int, _Long),
    "xTruncate": _function(_Pointer, _Long),
    "xSync": _function(_Pointer, _Int),
    "xFileSize": _function(_Pointer, _Pointer),
    "xLock": _function(_Pointer, _Int),
    "xShmMap": _function(_Pointer, _Int, _Int, _Int, _Pointer),
    "xOpen": _function(_Pointer, _Pointer, _Pointer, _Int, _Pointer),
    "xDelete": _function(_Pointer, ctypes.c_char_p, _Int),
}


def _fields(names: str) -> list[tuple[str, Any]]:
    return [(name, _TYPES.get(name, _Pointer)) for name in names.split()]


class _Methods(ctypes.Structure):
    """``sqlite3_io_methods``."""

    _fields_ = [
        ("iVersion", _Int),
        *_fields(
            "xClose xRead xWrite xTruncate xSync xFileSize xLock xUnlock xCheckReservedLock "
            "xFileControl xSectorSize xDeviceCharacteristics xShmMap xShmLock xShmBarrier xShmUnmap "
            "xFetch xUnfetch"
        ),
    ]


class _File(ctypes.Structure):
    """``sqlite3_file``."""

    _fields_ = [("methods", ctypes.POINTER(_Methods))]


class _Vfs(ctypes.Structure):
    """``sqlite3_vfs``, as far as it is used."""

    _fields_ = [
        ("iVersion", _Int),
        ("szOsFile", _Int),
        ("mxPathname", _Int),
        *_fields("pNext zName pAppData xOpen xDelete"),
    ]


# What a call of each kind returns when the disk fails; a full disk fails writes only.
CODES: Final[Mapping[str, int]] = {
    "open": apsw.SQLITE_CANTOPEN,
    "delete": apsw.SQLITE_IOERR_DELETE,
    "read": apsw.SQLITE_IOERR_READ,
    "write": apsw.SQLITE_IOERR_WRITE,
    "truncate": apsw.SQLITE_IOERR_TRUNCATE,
    "sync": apsw.SQLITE_IOERR_FSYNC,
    "size": apsw.SQLITE_IOERR_FSTAT,
    "lock": apsw.SQLITE_IOERR_LOCK,
    "share": apsw.SQLITE_IOERR_SHMMAP,
    "full": apsw.SQLITE_FULL,
}


@dataclass(frozen=True, slots=True)
class Call:
    """What SQLite asks of the disk.

    Attributes:
        kind: A key of `CODES` other than ``full``.
        name: The file's name without its folder, empty for a temporary one.
        offset: Of a read or write; the new size of a truncation.
        size: Bytes of a read or write.
        address: Where the bytes of a write are, as long as the call lasts.
    """

    kind: str
    name: str
    offset: int = 0
    size: int = 0
    address: int = 0

    @property
    def data(self) -> bytes:
        """The bytes of a write."""
        return ctypes.string_at(self.address, self.size)


# Sees a call before it is made; returns 0 to let it be made, or the code that it fails with.
Watch = Callable[[Call], int]


def _pointer_to_vfs() -> int:
    found = ctypes.c_void_p()
    connection = apsw.Connection(":memory:", vfs="unix")
    connection.file_control("main", apsw.SQLITE_FCNTL_VFS_POINTER, ctypes.addressof(found))
    connection.close()
    assert found.value is not None
    return found.value


class _Layer:
    """The replaced functions, which must live as long as the process."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._names: dict[int, str] = {}
        self._replaced: dict[int, _Methods] = {}
        self._kept: list[Any] = []
        vfs = _Vfs.from_address(_pointer_to_vfs())
        # Called at the address that they have now, not through the fields that change.
        self._open = _TYPES["xOpen"](_address(vfs.xOpen))
        self._delete = _TYPES["xDelete"](_address(vfs.xDelete))
        self._kept += [_TYPES["xOpen"](self._on_open), _TYPES["xDelete"](self._on_delete)]
        vfs.xOpen, vfs.xDelete = self._kept

    def _on_open(self, vfs: int, name: int, address: int, flags: int, out: int) -> int:
        file = _File.from_address(address)
        plain = Path(ctypes.string_at(name).decode()).name if name else ""
        failed = self._watch(Call("open", plain))
        if failed:
            file.methods = None
            return failed
        code = int(self._open(vfs, name, address, flags, out))
        if not file.methods:
            return code
        methods = file.methods.contents
        original = ctypes.addressof(methods)
        if original not in self._replaced:
            self._replaced[original] = self._watched(methods)
        file.methods = ctypes.pointer(self._replaced[original])
        self._names[address] = plain
        return code

    def _on_delete(self, vfs: int, name: bytes, sync: int) -> int:
        failed = self._watch(Call("delete", Path(name.decode()).name))
        return failed or int(self._delete(vfs, name, sync))

    def _watched(self, methods: _Methods) -> _Methods:
        """A copy of a file's methods that asks first."""
        made = _Methods.from_buffer_copy(methods)

        def replace(name: str, call: Callable[..., Call]) -> None:
            if not getattr(methods, name):
                # Journals share no memory.
                return
            original = _TYPES[name](_address(getattr(methods, name)))

            def asked(file: int, *rest: int) -> int:
                failed = self._watch(call(self._names.get(file, ""), *rest))
                return failed or int(original(file, *rest))

            function = _TYPES[name](asked)
            self._kept += [original, function]
            setattr(made, name, function)

        replace("xRead", lambda name, _, size, at: Call("read", name, at, size))
        replace("xWrite", lambda name, data, size, at: Call("write", name, at, size, data))
        replace("xTruncate", lambda name, size: Call("truncate", name, size))
        replace("xSync", lambda name, _: Call("sync", name))
        replace("xFileSize", lambda name, _: Call("size", name))
        replace("xLock", lambda name, _: Call("lock", name))
        replace("xShmMap", lambda name, *_: Call("share", name))
        return made


def _address(function: Any) -> int:
    found = ctypes.cast(function, ctypes.c_void_p).value
    assert found is not None
    return found


_laid: Final[list[_Layer]] = []


def lay_over(watch: Watch) -> None:
    """Let a function see every call that SQLite makes of the disk, until this process ends.

    Args:
        watch: Called in whatever thread; exceptions in it are lost.
    """
    assert not _laid, "once in a process"
    _laid.append(_Layer(watch))


class Failing:
    """Lets the n-th call of a kind fail, and those after it while it lasts.

    Args:
        kind: A key of `CODES`.
        nth: From 1; 0 for none.
        lasting: Whether the disk goes on failing.
    """

    def __init__(self, kind: str, nth: int, *, lasting: bool) -> None:
        self._kind = "write" if kind == "full" else kind
        self._code = CODES[kind]
        self._nth = nth
        self._lasting = lasting
        self._healed = False
        self.calls = 0
        self.failed = 0

    def begin(self) -> None:
        """Let the next call fail, and those after it if it lasts."""
        self._nth = self.calls + 1

    def heal(self) -> None:
        """Let every call be made from now on."""
        self._healed = True

    def __call__(self, call: Call) -> int:
        """Say whether a call fails."""
        if call.kind != self._kind:
            return 0
        self.calls += 1
        due = self.calls == self._nth or (self._lasting and 0 < self._nth < self.calls)
        if self._healed or not due:
            return 0
        self.failed += 1
        return self._code
