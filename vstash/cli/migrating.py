"""The migrate command."""

from __future__ import annotations

import click

from vstash.cli.options import Common, common_options, example
from vstash.cli.output import out, out_json
from vstash.cli.render import fields_block

__all__ = ["migrate"]


@click.command(
    short_help="Bring the file to the schema of this version.",
    epilog=example("vstash migrate --dry-run", "vstash migrate"),
)
@click.option("--dry-run", is_flag=True, help="Only say what would happen; nothing is changed.")
@click.option("--no-backup", is_flag=True, help="Make no copy before; there is no way back.")
@common_options
def migrate(common: Common, dry_run: bool, no_backup: bool) -> None:
    """Bring the file to the schema of this version, after a copy of it into its backup folder.

    Opening the file does the same. An older vstash can go on with the copy.
    """
    from vstash import migrate

    report = migrate(settings=common.settings(), dry_run=dry_run, backup=not no_backup)
    if common.as_json:
        out_json(report)
        return
    if not (report.steps or report.derived):
        out(f"up to date: schema {report.to_version}")
        return
    fields = [
        ("schema", f"{report.from_version} -> {report.to_version}"),
        *((f"  step {step.version}", step.name.replace("_", " ")) for step in report.steps),
        *(("derive anew", index) for index in report.derived),
        ("size", f"{report.bytes:,} bytes"),
    ]
    if dry_run:
        copy = f"of {report.bytes:,} bytes, before" if report.steps and not no_backup else "none"
        out(fields_block([*fields, ("backup", copy)]) + "\nnothing was changed")
        return
    out(
        fields_block(
            [*fields, ("backup", report.backup or "none"), ("time", f"{report.seconds:.1f} s")]
        )
    )
