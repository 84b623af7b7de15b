"""The commands, put together."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from dataforge_client.cli import account, datasets, records, reports, rosters
from dataforge_client.cli.console import FAILED, Settings, explain, tell
from dataforge_client.errors import ClientError
from dataforge_client.session import package_version

app = typer.Typer(
    name="dataforge",
    help="Datasets, rosters, reports and learning records from a shell.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Exit status: 1 failed, 2 wrong usage, 3 refused, 4 not signed in, 5 somebody was faster, 6 they differ.",
)
account.add_to(app)
app.add_typer(datasets.app, name="datasets")
app.add_typer(rosters.app, name="roster")
app.add_typer(reports.app, name="report")
app.add_typer(records.app, name="lrs")
app.add_typer(account.keys, name="keys")


def _version(*, asked: bool) -> None:
    if asked:
        typer.echo(f"dataforge {package_version()}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    profile: Annotated[str | None, typer.Option(help="Which sign-in to use.", envvar="DATAFORGE_PROFILE")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Answers as JSON, lists as JSON lines.")] = False,
    version: Annotated[  # noqa: ARG001 - handled before the command
        bool,
        typer.Option("--version", callback=lambda value: _version(asked=value), is_eager=True, help="The version."),
    ] = False,
) -> None:
    """Options before the command."""
    context.obj = Settings(profile, as_json)


def main() -> None:
    """Run a command; what went wrong is one message on standard error and an exit status."""
    status = _run()
    if "pyarrow" in sys.modules:
        # Its threads now and then abort a process that ends while they do (seen with 26.0): nothing is left to do.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


def _run() -> int:
    try:
        app()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    except ClientError as error:
        return tell(*explain(error))
    except BrokenPipeError:  # `dataforge … | head`
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - what is left to be flushed goes nowhere
        return 0
    except OSError as error:
        return tell(f"{error.strerror or error}: {error.filename}" if error.filename else str(error), FAILED)
    return 0
