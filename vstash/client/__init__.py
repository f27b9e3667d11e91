"""The same methods as `Memory`, on a service."""

from __future__ import annotations

import os
from types import TracebackType

from vstash.client.backing_up import BackingUp
from vstash.client.checking import Checking
from vstash.client.collecting import Collecting
from vstash.client.documents import Documents
from vstash.client.granting import Granting
from vstash.client.judging import Judging
from vstash.client.learning import Learning
from vstash.client.mining import Mining
from vstash.client.searching import Searching
from vstash.client.switching import Switching
from vstash.client.transferring import Transferring
from vstash.client.transport import Transport
from vstash.client.working import Working

__all__ = ["Client"]


class Client(
    Documents,
    Searching,
    Collecting,
    Judging,
    Mining,
    Granting,
    Transferring,
    Working,
    BackingUp,
    Checking,
    Switching,
    Learning,
):
    """A vstash service, used like a `Memory`; safe to share between threads.

    Requests that got no answer are repeated, and applied once however often they arrive.

    Args:
        url: Where the service is.
        key: An access key; None for the variable ``VSTASH_KEY``, or none.
        uds: Path of the Unix socket that the service listens on, in place of a port.
        timeout_s: How long to wait for each answer, in seconds.
        retries: How often a request is repeated that got no answer or was told to come later.
        verify: For HTTPS: whether to check the service's certificate, or a file with those to trust.

    Raises:
        FieldError: When ``url`` is no address of HTTP, or the file ``verify`` cannot be used.

    Example:
        >>> from vstash import Client
        >>> with Client("http://127.0.0.1:8765") as memory:  # doctest: +SKIP
        ...     memory.add("The port of the staging server is 8090.", key="staging")
        ...     memory.search("which port?").hits[0].text
        'The port of the staging server is 8090.'
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8765",
        *,
        key: str | None = None,
        uds: str | os.PathLike[str] | None = None,
        timeout_s: float = 60.0,
        retries: int = 4,
        verify: bool | str = True,
    ) -> None:
        self._service = Transport(
            url,
            key=os.environ.get("VSTASH_KEY") if key is None else key,
            uds=None if uds is None else os.fspath(uds),
            timeout_s=timeout_s,
            retries=retries,
            verify=verify,
        )

    def __enter__(self) -> Client:  # noqa: PYI034 - Self needs Python 3.11
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the service; may be called twice."""
        self._service.close()
