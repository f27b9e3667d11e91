"""Asking before something is removed."""

from __future__ import annotations

import sys

import click

from vstash.cli.output import is_terminal
from vstash.errors import RequestError

__all__ = ["agreed", "require_somebody"]


def require_somebody(option: str, *, here: bool = True) -> None:
    """Refuse to ask where nobody can answer.

    Args:
        option: That would ask.
        here: False where standard input is taken for something else.

    Raises:
        RequestError: When standard input is no terminal.
    """
    if not here or not is_terminal(sys.stdin):
        raise RequestError(
            f"{option} asks before it removes, and nobody is here to answer: add --yes."
        )


def agreed(question: str) -> bool:
    """Ask on standard error; anything but yes means no."""
    click.echo(f"{question} [y/N] ", nl=False, err=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
