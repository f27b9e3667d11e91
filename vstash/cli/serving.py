"""The serve command."""

from __future__ import annotations

import click

from vstash.cli.options import Common, common_options, example
from vstash.errors import RequestError

__all__ = ["serve"]


@click.command(
    short_help="Serve the REST API.",
    epilog=example("vstash serve --port 8765", "vstash serve --uds ~/.local/share/vstash.sock"),
)
@click.option(
    "--host",
    metavar="ADDRESS",
    help="Any but a loopback one needs access keys; otherwise the setting `host`.",
)
@click.option("--port", type=int, metavar="PORT", help="0 picks a free one; otherwise the setting.")
@click.option(
    "--uds",
    metavar="PATH",
    help="A Unix socket instead of a port, for this user alone; otherwise the setting.",
)
@common_options
def serve(common: Common, host: str | None, port: int | None, uds: str | None) -> None:
    """Serve the REST API until Ctrl-C.

    Without an access key only programs of this machine can use it: see `vstash keys`.
    """
    from vstash.api.server import serve as run

    named = host is not None or port is not None
    if uds and named:
        raise RequestError("--uds takes the place of --host and --port: leave them out.")
    # A port that is asked for wins over a socket in the settings.
    run(common.settings(host=host, port=port, uds="" if named else uds))
