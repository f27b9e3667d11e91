"""Where the service listens: beyond this machine, on Unix sockets, for systemd, and with TLS."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.api.service import serving
from vstash import Memory
from vstash.api.app import create_app
from vstash.api.listening import address_of, bind, check_tls, listening
from vstash.api.server import serve
from vstash.errors import SettingsError
from vstash.settings import Settings

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such sockets")
OUTSIDE = "0.0.0.0"


@contextmanager
def process(folder: Path, **settings: str) -> Iterator[tuple[Any, str]]:
    """A service as a process of its own, and the first line that it prints."""
    chosen = {"model": "fake", "db": str(folder / "own.db"), "port": "0", **settings}
    environment = {f"VSTASH_{name.upper()}": value for name, value in chosen.items()}
    with subprocess.Popen(
        [sys.executable, "-m", "vstash", "serve"],
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            yield child, "" if child.stderr is None else child.stderr.readline()
        finally:
            child.kill()


def over(path: Path | str, **headers: str) -> httpx.Response:
    """What a Unix socket answers to a request for the statistics."""
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path))) as http:
        return http.get("http://localhost/v1/stats", headers=headers)


class TestOutside:
    """Addresses that others can reach."""

    @pytest.mark.parametrize("there", [False, True])
    def test_refused_without_a_key(self, tmp_path: Path, there: bool) -> None:  # noqa: FBT001 - a case
        """Whether there is a file or not, nothing is served, and no file is made."""
        path = tmp_path / "x.db"
        if there:
            with Memory(path, model="fake") as memory:
                memory.revoke_key(memory.create_key("gone").key.id)
        with pytest.raises(SettingsError, match="vstash keys create") as caught:
            serve(Settings(host=OUTSIDE, port=0, model="fake", db=str(path)))
        assert caught.value.pointer == "/host"
        assert path.exists() == there

    @posix
    def test_served_with_a_key(self, tmp_path: Path) -> None:
        """Everybody needs one then, on this machine too; that nothing is encrypted is said."""
        with Memory(tmp_path / "own.db", model="fake") as memory:
            key = memory.create_key("x").secret
        with process(tmp_path, host=OUTSIDE) as (child, line):
            port = re.fullmatch(r"vstash listens on http://0\.0\.0\.0:(\d+)\n", line)
            assert port, line
            address = f"http://127.0.0.1:{port[1]}/v1/stats"
            assert httpx.get(address, trust_env=False).status_code == 401
            headers = {"Authorization": f"Bearer {key}"}
            assert httpx.get(address, headers=headers, trust_env=False).status_code == 200
            child.send_signal(signal.SIGTERM)
            told = child.stderr.read()
            assert "access keys: needed by everybody" in told
            assert "network readable" in told

    def test_an_address_of_another_machine(self, tmp_path: Path) -> None:
        """The host is wrong then, not the port."""
        with pytest.raises(SettingsError, match="no address of this machine") as caught:
            bind(Settings(host="192.0.2.1", port=0))
        assert caught.value.pointer == "/host"


@posix
class TestWhatIsTold:
    """The lines on stderr when a service starts."""

    @pytest.mark.parametrize(
        ("required", "there", "lines"),
        [
            ("false", False, ["access keys: not needed on this machine"]),
            ("true", True, ["access keys: needed by everybody"]),
            (
                "true",
                False,
                [
                    "access keys: needed by everybody",
                    "warning: the file has no access key: make one with `vstash keys create`",
                ],
            ),
        ],
    )
    def test_keys(
        self,
        tmp_path: Path,
        required: str,
        there: bool,  # noqa: FBT001 - a case
        lines: list[str],
    ) -> None:
        """Who needs one, and that there is none though everybody needs one."""
        if there:
            with Memory(tmp_path / "own.db", model="fake") as memory:
                memory.create_key("x")
        with process(tmp_path, require_key=required, access_log="false") as (child, _):
            child.send_signal(signal.SIGTERM)
            told = child.stderr.read().splitlines()
        addresses = "description at /openapi.json, health at /readyz, metrics at /metrics"
        assert told == [lines[0], addresses, *lines[1:]]

    @pytest.mark.parametrize("root", ["there", "/absent/folder"])
    def test_roots_that_are_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str
    ) -> None:
        """A folder to ingest from that is relative or not there is told before anything is served."""
        monkeypatch.chdir(tmp_path)
        (tmp_path / "there").mkdir()
        path = tmp_path / "x.db"
        with pytest.raises(SettingsError) as caught:
            serve(Settings(port=0, model="fake", db=str(path), ingest_roots=(root,)))
        assert caught.value.pointer == "/ingest_roots"
        assert not path.exists()


@posix
class TestUnixSocket:
    """A socket in the file system."""

    @pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
    def test_only_its_owner_may_use_it(self, tmp_path: Path, umask: int) -> None:
        """Its mode is 0600 whatever the umask, which stays as it was."""
        path = tmp_path / "s"
        before = os.umask(umask)
        try:
            with bind(Settings(uds=str(path))):
                assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert os.umask(umask) == umask
        finally:
            os.umask(before)

    def test_life(self, tmp_path: Path) -> None:
        """It serves under the name localhost, without a key, and removes its socket at the end."""
        path = tmp_path / "s"
        with process(tmp_path, uds=str(path)) as (child, line):
            assert line == f"vstash listens on {path}\n"
            assert over(path).status_code == 200
            assert over(path, Host="evil.example").status_code == 403
            assert over(path, Host="").status_code == 403
            assert over(path, Origin="http://localhost").status_code == 403
            assert over(path, Authorization="Bearer wrong").status_code == 401
            child.send_signal(signal.SIGTERM)
            assert child.wait(timeout=20) == 0
        assert not path.exists()

    def test_curl(self, tmp_path: Path) -> None:
        """The usual command line works as it is."""
        path = tmp_path / "s"
        settings = Settings(uds=str(path), model="fake")
        with (
            Memory(tmp_path / "x.db", settings=settings) as memory,
            listening(settings) as (listener, _),
            serving(create_app(memory, settings), listener),
        ):
            done = subprocess.run(
                ["curl", "-sf", "--unix-socket", str(path), "http://localhost/healthz"],
                capture_output=True,
                check=True,
            )
        assert done.stdout == b'{"status":"ok"}'

    def test_a_stale_socket_is_replaced(self, tmp_path: Path) -> None:
        """One that nobody listens on was left behind."""
        path = tmp_path / "s"
        with bind(Settings(uds=str(path))):
            pass
        assert path.is_socket()
        with listening(Settings(uds=str(path))) as (listener, _):
            assert address_of(listener) == str(path)
        assert not path.exists()

    def test_a_living_socket_is_not(self, tmp_path: Path) -> None:
        """Neither while somebody listens, nor when its place was taken meanwhile."""
        path = tmp_path / "s"
        with listening(Settings(uds=str(path))):
            with pytest.raises(SettingsError, match="Another service") as caught:
                bind(Settings(uds=str(path)))
            assert caught.value.pointer == "/uds"
            path.unlink()
            path.write_text("of somebody else")
        assert path.read_text() == "of somebody else"

    @pytest.mark.parametrize("kind", ["file", "folder", "link"])
    def test_what_is_no_socket_stays(self, tmp_path: Path, kind: str) -> None:
        """It is refused and left alone, and so is a link to a socket."""
        path, target = tmp_path / "s", tmp_path / "t"
        with bind(Settings(uds=str(target))):
            pass
        if kind == "file":
            path.write_text("kept")
        elif kind == "folder":
            path.mkdir()
        else:
            path.symlink_to(target)
        before = path.lstat()
        with pytest.raises(SettingsError, match="not a socket") as caught:
            bind(Settings(uds=str(path)))
        assert str(path) not in caught.value.message
        assert path.lstat().st_ino == before.st_ino
        assert target.is_socket()

    @pytest.mark.parametrize("path", ["none/s", "x" * 200])
    def test_where_there_can_be_none(self, tmp_path: Path, path: str) -> None:
        """The folder is missing, or the path too long for a socket."""
        with pytest.raises(SettingsError, match="folder must be there") as caught:
            bind(Settings(uds=str(tmp_path / path)))
        assert caught.value.pointer == "/uds"


# Puts its own standard input in the place of the socket that systemd passes, then becomes the service.
AS_SYSTEMD = (
    "import os, sys; os.dup2(0, 3); os.set_inheritable(3, True); "
    "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=sys.argv[1]); "
    "os.execv(sys.argv[2], sys.argv[2:])"
)


@posix
class TestSystemd:
    """A socket that systemd passes."""

    @contextmanager
    def started(
        self, folder: Path, given: socket.socket, *, count: str = "1", **settings: str
    ) -> Iterator[tuple[Any, str]]:
        """A service that gets a socket as its descriptor 3."""
        chosen = {"model": "fake", "db": str(folder / "own.db"), **settings}
        environment = {f"VSTASH_{name.upper()}": value for name, value in chosen.items()}
        with subprocess.Popen(
            [sys.executable, "-c", AS_SYSTEMD, count, sys.executable, "-m", "vstash", "serve"],
            env={**os.environ, **environment},
            stdin=given.fileno(),
            stderr=subprocess.PIPE,
            text=True,
        ) as child:
            try:
                yield child, "" if child.stderr is None else child.stderr.readline()
            finally:
                child.kill()

    def test_a_port(self, tmp_path: Path) -> None:
        """It wins over the settings, and is served as any other."""
        with socket.create_server(("127.0.0.1", 0)) as given:
            address = address_of(given)
            with self.started(tmp_path, given, uds=str(tmp_path / "s")) as (_, line):
                assert line == f"vstash listens on {address}\n"
                assert httpx.get(f"{address}/v1/stats", trust_env=False).status_code == 200
        assert not (tmp_path / "s").exists()

    def test_a_port_that_others_reach(self, tmp_path: Path) -> None:
        """What counts is where the socket is, not what the settings say."""
        with (
            socket.create_server((OUTSIDE, 0)) as given,
            self.started(tmp_path, given, host="127.0.0.1") as (child, line),
        ):
            assert "vstash keys create" in line
            assert child.wait(timeout=20) == 2

    @pytest.mark.parametrize(("mode", "status"), [(0o600, 200), (0o660, 401), (0o666, 401)])
    def test_a_unix_socket(self, tmp_path: Path, mode: int, status: int) -> None:
        """One that others may write to needs a key, as a port does; it stays when the service ends."""
        path = tmp_path / "s"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as given:
            given.bind(str(path))
            path.chmod(mode)
            given.listen()
            with self.started(tmp_path, given) as (child, line):
                assert line == f"vstash listens on {path}\n"
                assert over(path).status_code == status
                child.send_signal(signal.SIGTERM)
                assert child.wait(timeout=20) == 0
        assert path.exists()

    @pytest.mark.parametrize(
        ("kind", "count"), [("two", "2"), ("datagrams", "1"), ("connection", "1")]
    )
    def test_what_it_cannot_take(self, tmp_path: Path, kind: str, count: str) -> None:
        """More than one socket, one without streams, or one connection are refused with the reason."""
        with (
            socket.create_server(("127.0.0.1", 0)) as stream,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
            socket.socket() as connection,
        ):
            given = {"two": stream, "datagrams": datagrams, "connection": connection}[kind]
            with self.started(tmp_path, given, count=count) as (child, line):
                assert "exactly one socket" in line
                assert child.wait(timeout=20) == 2
        assert not (tmp_path / "own.db").exists()

    def test_the_socket_of_another_process(self) -> None:
        """Variables that were meant for the parent are not ours."""
        environment = {"LISTEN_PID": str(os.getppid()), "LISTEN_FDS": "1"}
        with listening(Settings(port=0), environment) as (listener, in_force):
            assert address_of(listener).startswith("http://127.0.0.1:")
            assert in_force == Settings(port=0)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate for localhost, signed by itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    return str(cert), str(key)


class TestTls:
    """HTTPS."""

    def test_served(self, tmp_path: Path, pair: tuple[str, str]) -> None:
        """The certificate is shown, pages of the service itself come by HTTPS, and HTTP gets nothing."""
        settings = Settings(port=0, model="fake", tls_cert=pair[0], tls_key=pair[1])
        check_tls(settings)
        with (
            Memory(tmp_path / "x.db", settings=settings) as memory,
            bind(settings) as listener,
            serving(create_app(memory, settings), listener, settings),
        ):
            address = address_of(listener, tls=True)
            assert address.startswith("https://127.0.0.1:")
            trusting = ssl.create_default_context(cafile=pair[0])
            with httpx.Client(base_url=address, verify=trusting, trust_env=False) as http:
                assert http.get("/v1/stats").status_code == 200
                for origin, status in (
                    (address, 200),
                    (address.replace("https", "http"), 403),
                    ("https://evil.example", 403),
                ):
                    answer = http.get("/v1/stats", headers={"Origin": origin})
                    assert answer.status_code == status, origin
            with pytest.raises(httpx.HTTPError):
                httpx.get(address.replace("https", "http"), trust_env=False)
            with pytest.raises(httpx.ConnectError):
                httpx.get(address, trust_env=False)

    @posix
    def test_outside(self, tmp_path: Path, pair: tuple[str, str]) -> None:
        """There is nothing to warn of then."""
        with Memory(tmp_path / "own.db", model="fake") as memory:
            memory.create_key("x")
        certificate = {"tls_cert": pair[0], "tls_key": pair[1]}
        with process(tmp_path, host=OUTSIDE, **certificate) as (child, line):
            assert line.startswith("vstash listens on https://0.0.0.0:")
            child.send_signal(signal.SIGTERM)
            assert "warning" not in child.stderr.read()

    @pytest.mark.parametrize(
        ("given", "pointer"),
        [
            ({"tls_cert": "cert"}, "/tls_key"),
            ({"tls_key": "key"}, "/tls_cert"),
            ({"tls_cert": "none", "tls_key": "key"}, "/tls_cert"),
            ({"tls_cert": "cert", "tls_key": "none"}, "/tls_cert"),
            ({"tls_cert": "key", "tls_key": "cert"}, "/tls_cert"),
            ({"tls_cert": "cert", "tls_key": "other"}, "/tls_cert"),
            ({"tls_cert": "cert", "tls_key": "locked"}, "/tls_cert"),
            ({"tls_cert": "empty", "tls_key": "key"}, "/tls_cert"),
        ],
    )
    def test_what_cannot_be_used(
        self, tmp_path: Path, pair: tuple[str, str], given: dict[str, str], pointer: str
    ) -> None:
        """Half a pair, missing and mixed up files, a foreign key, and one that asks for a password."""
        files = {"cert": pair[0], "key": pair[1]}
        for name in ("none", "empty", "other", "locked"):
            files[name] = str(tmp_path / name)
        (tmp_path / "empty").touch()
        new = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out"]
        subprocess.run([*new, files["other"]], check=True, capture_output=True)
        lock = ["openssl", "ec", "-aes256", "-passout", "pass:secret", "-in", pair[1], "-out"]
        subprocess.run([*lock, files["locked"]], check=True, capture_output=True)
        chosen: dict[str, Any] = {name: files[value] for name, value in given.items()}
        settings = Settings(db=str(tmp_path / "x.db"), **chosen)
        with pytest.raises(SettingsError) as caught:
            serve(settings)
        assert caught.value.pointer == pointer
        assert str(tmp_path) not in caught.value.message
        assert not (tmp_path / "x.db").exists()
