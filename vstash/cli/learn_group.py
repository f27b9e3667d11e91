"""The group of commands about learning."""

from __future__ import annotations

import click

from vstash.cli.groups import Group

__all__ = ["learn"]


@click.group(cls=Group)
def learn() -> None:
    """Learn from disagreements, and see what was learnt."""
