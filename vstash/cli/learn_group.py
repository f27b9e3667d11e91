"""The group of commands about learning."""

from __future__ import annotations

import click

from vstash.cli import learning
from vstash.cli.groups import Group
from vstash.cli.learn_mine import label, made_queries, mine
from vstash.cli.learn_report import learn_report
from vstash.cli.learn_train import train
from vstash.cli.options import add_options, example

__all__ = ["learn"]


@click.group(
    cls=Group,
    short_help="Learn from searches, and use or leave what was learnt.",
    epilog=example(
        "vstash learn report", "vstash learn run", "vstash learn history", "vstash learn rollback"
    ),
)
@add_options
def learn() -> None:
    """Learn from disagreements, and see what was learnt."""


learn.add_command(learning.run)
learn.add_command(learning.history)
learn.add_command(learning.promote)
learn.add_command(learning.rollback)
learn.add_command(learning.auto)
learn.add_command(mine)
learn.add_command(label)
learn.add_command(made_queries)
learn.add_command(learn_report)
learn.add_command(train)
