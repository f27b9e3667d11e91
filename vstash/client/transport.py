"""Requests to a service: sent, repeated where that is safe, and their errors raised again."""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from vstash import errors
from vstash.errors import FieldError, RequestError, UnreachableError, VstashError

if TYPE_CHECKING:
    import httpx

__all__ = ["Transport", "raised", "written"]

_BY_CODE: Final[Mapping[str, type[VstashError]]] = {
    kind.code: kind for kind in (getattr(errors, name) for name in errors.__all__)
}
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0


class Transport:
    """Sends requests to one service; safe to share between threads.

    Args:
        url: Where the service is, such as ``http://127.0.0.1:8765``.
        key: An access key; None where the service asks for none.
        uds: Path of the Unix socket that the service listens on, None for a port.
        timeout_s: How long to wait for each answer.
        retries: How often a request is repeated that got no answer, or one that says to come later.
        verify: For HTTPS: whether to check the certificate, or a file with those to trust.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None,
        uds: str | None,
        timeout_s: float,
        retries: int,
        verify: bool | str,
    ) -> None:
        import ssl  # noqa: PLC0415 - `import vstash` need not pay for it

        import httpx  # noqa: PLC0415 - the same

        if not url.lower().startswith(("http://", "https://")):
            raise FieldError(
                "The address of a service begins with http:// or https://, such as "
                "http://127.0.0.1:8765.",
                pointer="/url",
            )
        if key is not None and not (key.isascii() and key.isprintable()):
            raise FieldError("An access key is of printable ASCII characters.", pointer="/key")
        self._retries = retries
        try:
            context = (
                ssl.create_default_context(cafile=verify) if isinstance(verify, str) else verify
            )
        except OSError as error:
            raise FieldError(
                "The file of certificates to trust cannot be read, or is not PEM.",
                pointer="/verify",
                local_detail=f"{verify}: {error.strerror or error}",
            ) from error
        self._http = httpx.Client(
            base_url=url,
            headers={} if key is None else {"Authorization": f"Bearer {key}"},
            timeout=timeout_s,
            transport=httpx.HTTPTransport(uds=uds, verify=context),
            # No proxy of the environment gets to see what goes to a service of this machine.
            trust_env=False,
        )
        self._failures = (httpx.TransportError,)
        self._unfit = (httpx.InvalidURL, UnicodeEncodeError)

    def close(self) -> None:
        """Close the connections; may be called twice."""
        self._http.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        once: bool = False,
        told: int | None = None,
    ) -> Any:
        """Send one request.

        Args:
            method: Of HTTP.
            path: Of the address, with a leading slash.
            body: To be sent as JSON, None for no body.
            query: Parameters; those that are None are left out.
            headers: Further headers.
            once: Whether it writes without being idempotent by itself: then a key makes it so.
            told: A status of failure that is an answer like that of success, and not repeated.

        Returns:
            The answer's JSON, None where it has no body.

        Raises:
            VstashError: Of the class that the service named.
            UnreachableError: When there was no answer, or none of a vstash service. A write may or may
                not have happened; it is applied once however often this method sent it.
        """
        request = self._request(method, path, body, query, headers, once=once)
        answer = self._answered(request, told)
        if answer.is_error and answer.status_code != told:
            raise _error(answer)
        return _json(answer) if answer.content else None

    @contextmanager
    def streamed(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        content: Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[httpx.Response]:
        """Send a request whose body or answer is a stream; it is not repeated.

        Args:
            method: Of HTTP.
            path: Of the address.
            query: Parameters; those that are None are left out.
            content: The body.
            headers: Further headers.

        Raises:
            VstashError: As in `send`.
        """
        request = self._built(method, path, query, content, headers)
        try:
            with closing(self._http.send(request, stream=True)) as answer:
                if answer.is_error:
                    answer.read()
                    raise _error(answer)
                yield answer
        except self._failures as error:
            raise _unreachable(error) from error

    def _request(
        self,
        method: str,
        path: str,
        body: object,
        query: Mapping[str, object] | None,
        headers: Mapping[str, str] | None,
        *,
        once: bool,
    ) -> httpx.Request:
        sent = dict(headers or {})
        content = None
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
            content = written(body)
        if once:
            sent["Idempotency-Key"] = str(uuid.uuid4())
        return self._built(method, path, query, content, sent)

    def _built(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None,
        content: bytes | Iterator[bytes] | None,
        headers: Mapping[str, str] | None,
    ) -> httpx.Request:
        try:
            return self._http.build_request(
                method, path, params=_given(query), content=content, headers=headers
            )
        except self._unfit as error:
            raise RequestError(
                "A parameter is too long for an address, or no text that UTF-8 can hold."
            ) from error

    def _answered(self, request: httpx.Request, told: int | None) -> httpx.Response:
        """The answer to a request that may be sent again and again."""
        for attempt in range(self._retries + 1):
            last = attempt == self._retries
            try:
                answer = self._http.send(request)
            except self._failures as error:
                if last:
                    raise _unreachable(error) from error
                _pause(attempt, None)
            else:
                if last or answer.status_code == told or not _comes_later(answer):
                    return answer
                _pause(attempt, answer.headers.get("Retry-After"))
        raise AssertionError


def _comes_later(answer: httpx.Response) -> bool:
    waiting = answer.status_code in {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.CONFLICT,
    }
    return waiting and _error(answer).retryable


def _pause(attempt: int, asked: str | None) -> None:
    """Wait longer each time, and not in step with others."""
    most = min(_FIRST_PAUSE_S * 2**attempt, _LONGEST_PAUSE_S)
    least = min(float(asked), _LONGEST_PAUSE_S) if asked and asked.isdigit() else 0.0
    time.sleep(max(least, most) * random.uniform(0.5, 1.0))  # noqa: S311 - guards nothing


def _given(query: Mapping[str, object] | None) -> dict[str, str]:
    return {
        name: ("true" if value else "false") if isinstance(value, bool) else str(value)
        for name, value in (query or {}).items()
        if value is not None
    }


def written(body: object) -> bytes:
    """A value as JSON.

    Raises:
        RequestError: When it cannot be.
    """
    try:
        return json.dumps(body, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise RequestError("A value cannot be written as JSON.") from error


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise _unreachable(error) from error


def raised(problem: Mapping[str, Any]) -> VstashError:
    """The error that problem details tell of."""
    kind = _BY_CODE.get(problem["code"], VstashError)
    places = problem["errors"]
    return kind(problem["detail"], pointer=places[0]["pointer"] if places else None)


def _error(answer: httpx.Response) -> VstashError:
    """The error that an answer tells of, as the service raised it."""
    try:
        return raised(answer.json())
    except (ValueError, KeyError, TypeError, IndexError) as error:
        return _unreachable(error)


def _unreachable(error: Exception) -> UnreachableError:
    return UnreachableError(
        "There is no answer of a vstash service: check that it runs, and its address.",
        local_detail=f"{type(error).__name__}: {error}",
    )
