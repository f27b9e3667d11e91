"""The serve command."""

from __future__ import annotations

import click

from vstash.cli.options import Common, common_options, example

__all__ = ["serve"]


@click.command(
    short_help="Serve the REST API on this machine.",
    epilog=example("vstash serve --port 8765"),
)
@click.option("--host", metavar="ADDRESS", help="Loopback only; otherwise the setting `host`.")
@click.option("--port", type=int, metavar="PORT", help="0 picks a free one; otherwise the setting.")
@common_options
def serve(common: Common, host: str | None, port: int | None) -> None:
    """Serve the REST API on this machine until Ctrl-C."""
    from vstash.api.server import serve as run

    run(common.settings(host=host, port=port))
