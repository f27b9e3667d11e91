"""Starting threads where the system may have none to give."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["started"]


def started(work: Callable[[], object], *, name: str) -> threading.Thread | None:
    """Start a thread that does not keep the process alive.

    Args:
        work: What it does.
        name: Shown in lists of threads.

    Returns:
        None where the system gives no thread, for want of memory or by a limit: a later call may get one.

    Example:
        >>> thread = started(lambda: None, name="vstash-example")
        >>> thread is None or thread.daemon
        True
    """
    thread = threading.Thread(target=work, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        return None
    return thread
