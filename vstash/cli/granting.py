"""The commands of access keys."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

import click

from vstash.cli.groups import Group
from vstash.cli.options import Common, OneOf, add_options, common_options, example
from vstash.cli.output import err, out, out_json, table_width
from vstash.cli.render import Column, table, time_cell
from vstash.errors import FieldError
from vstash.keys import SCOPES

if TYPE_CHECKING:
    from vstash.keys import AccessKey, KeyScope

__all__ = ["keys"]

_SPAN: Final = re.compile(r"([0-9]{1,5})([dh])", re.ASCII)
_COLUMNS: Final = (
    Column("ID"),
    Column("NAME", flexible=True),
    Column("SCOPE"),
    Column("COLLECTION", flexible=True),
    Column("CREATED"),
    Column("STATE"),
)


def _expiry(text: str) -> datetime:
    """The time that ``90d``, ``12h`` or an RFC 3339 time means."""
    from vstash.wire import parse_time

    span = _SPAN.fullmatch(text)
    if span is None:
        try:
            return parse_time(text, pointer="/expires_at")
        except FieldError as error:
            raise FieldError(
                "--expires is a number of days or hours, such as 90d or 12h, or a time in RFC 3339 "
                "with its offset, such as 2030-01-02T03:04:05Z.",
                pointer="/expires_at",
            ) from error
    hours = int(span[1]) * (24 if span[2] == "d" else 1)
    if not hours:
        raise FieldError("--expires is in the future, such as 90d.", pointer="/expires_at")
    return datetime.now(timezone.utc) + timedelta(hours=hours)


@click.group(
    "keys",
    cls=Group,
    short_help="Make, list and revoke access keys of the service.",
    epilog=example("vstash keys create laptop --scope write --expires 90d", "vstash keys list"),
)
@add_options
def keys() -> None:
    """Make, list and revoke access keys of the service.

    A client sends its key's secret as `Authorization: Bearer` or `X-API-Key`. The service needs one
    from everybody who does not ask from this machine, and with the setting `require_key` from all.
    """


@keys.command(
    short_help="Make an access key; its secret is shown once.",
    epilog=example("vstash keys create laptop --scope write --collection notes --expires 90d"),
)
@click.argument("name", metavar="NAME")
@click.option(
    "--scope",
    type=OneOf(SCOPES),
    default="read",
    help="What it allows; each includes those before it.  [default: read]",
)
@click.option("--collection", metavar="NAME", help="Bind it to this collection.")
@click.option(
    "--expires",
    "expires_at",
    type=_expiry,
    metavar="WHEN",
    help="After so long, such as 90d or 12h, or at an RFC 3339 time; otherwise never.",
)
@common_options
def create(
    common: Common,
    name: str,
    scope: KeyScope,
    collection: str | None,
    expires_at: datetime | None,
) -> None:
    """Make an access key for NAME: whom or what it is for.

    Only a hash of the secret is stored. A running service knows the key at once.
    """
    with common.memory(create=True) as memory:
        made = memory.create_key(name, scope=scope, collection=collection, expires_at=expires_at)
    if common.as_json:
        out_json(made)
    else:
        out(made.secret)
        err(f"This is the secret of key {made.key.id}. It cannot be shown again: keep it safe.")


@keys.command(
    "list",
    short_help="List the access keys, without their secrets.",
    epilog=example("vstash keys list --json"),
)
@common_options
def list_keys(common: Common) -> None:
    """List all access keys, the oldest first, without their secrets."""
    with common.memory(create=False) as memory:
        found = memory.keys()
    if common.as_json:
        out_json({"items": found})
    elif found:
        out(table(_COLUMNS, [_row(key) for key in found], width=table_width()))
    else:
        out("There are no access keys.")


def _row(key: AccessKey) -> tuple[str, ...]:
    return (
        key.id,
        key.name,
        key.scope,
        "all" if key.collection is None else key.collection,
        time_cell(key.created),
        _state(key),
    )


def _state(key: AccessKey) -> str:
    if key.revoked_at is not None:
        return f"revoked {time_cell(key.revoked_at)}"
    if key.expires_at is None:
        return "valid"
    passed = key.expires_at <= datetime.now(timezone.utc)
    return f"{'expired' if passed else 'valid until'} {time_cell(key.expires_at)}"


@keys.command(
    short_help="Revoke an access key.",
    epilog=example("vstash keys revoke 0f3a9c5e7b1d2468"),
)
@click.argument("id", metavar="ID")
@common_options
def revoke(common: Common, id: str) -> None:
    """Revoke the access key with this ID; a running service refuses it from its next request on."""
    with common.memory(create=False) as memory:
        revoked = memory.revoke_key(id)
    if common.as_json:
        out_json(revoked)
    else:
        out(f"revoked {revoked.id}")
