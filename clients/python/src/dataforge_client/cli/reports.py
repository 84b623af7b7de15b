"""Reports from a shell, as tables, files and pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dataforge_client.cli.console import Settings, fail, settings_of
from dataforge_client.flows import Sync
from dataforge_client.reports import Report

app = typer.Typer(help="Who has completed what, who is at risk, which question is hard.", no_args_is_help=True)
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Into a file; its ending says the form: csv, json, parquet, svg.")
]
AsOf = Annotated[str | None, typer.Option(help="The watermark of an earlier report, for the same numbers.")]
CohortOption = Annotated[str | None, typer.Option(help="Id of a cohort.")]
Lesson = Annotated[str, typer.Argument(help="Id of a lesson.")]


def _deliver(settings: Settings, report: Report[Sync], output: Path | None) -> None:
    if output is None:
        if settings.as_json:
            settings.one(report.json())
        else:
            typer.echo(report.csv(), nl=False)
        return
    match output.suffix.lower():
        case ".csv":
            output.write_text(report.csv(), encoding="utf-8", newline="")
        case ".json":
            output.write_text(json.dumps(report.json(), ensure_ascii=False), encoding="utf-8")
        case ".svg":
            output.write_text(report.svg(), encoding="utf-8")
        case ".parquet":
            from pyarrow import parquet

            parquet.write_table(report.to_arrow(), output)
        case _:
            fail(f"{output}: the ending must be .csv, .json, .parquet or .svg.")
    settings.note(f"{output}: {output.stat().st_size:,} bytes")


@app.command()
def cohort(
    context: typer.Context,
    cohort_id: Annotated[str, typer.Argument(help="Id of a cohort.")],
    output: Output = None,
    as_of: AsOf = None,
) -> None:
    """Who has completed which lesson.

    [dim]dataforge report cohort 0198… -o cohort.csv[/]
    """
    settings = settings_of(context)
    with settings.client() as client:
        _deliver(settings, client.reports.cohort(cohort_id, as_of=as_of), output)


@app.command("at-risk")
def at_risk(
    context: typer.Context,
    cohort_id: CohortOption = None,
    idle_days: Annotated[int, typer.Option(min=1)] = 7,
    output: Output = None,
    as_of: AsOf = None,
) -> None:
    """Who has begun, is not done, and has been idle."""
    settings = settings_of(context)
    with settings.client() as client:
        _deliver(settings, client.reports.at_risk(cohort_id=cohort_id, idle_days=idle_days, as_of=as_of), output)


@app.command()
def funnel(
    context: typer.Context, lesson_id: Lesson, cohort_id: CohortOption = None, output: Output = None, as_of: AsOf = None
) -> None:
    """How many have started and completed a lesson, and how long it took."""
    settings = settings_of(context)
    with settings.client() as client:
        _deliver(settings, client.reports.funnel(lesson_id, cohort_id=cohort_id, as_of=as_of), output)


@app.command()
def incomplete(
    context: typer.Context, lesson_id: Lesson, cohort_id: CohortOption = None, output: Output = None, as_of: AsOf = None
) -> None:
    """Who has not completed a lesson."""
    settings = settings_of(context)
    with settings.client() as client:
        _deliver(settings, client.reports.incomplete(lesson_id, cohort_id=cohort_id, as_of=as_of), output)


@app.command()
def questions(context: typer.Context, lesson_id: Lesson, output: Output = None, as_of: AsOf = None) -> None:
    """What was answered to the questions of a lesson."""
    settings = settings_of(context)
    with settings.client() as client:
        _deliver(settings, client.reports.questions(lesson_id, as_of=as_of), output)


@app.command()
def completions(
    context: typer.Context,
    since: Annotated[str, typer.Option(help="An instant, or the watermark of the last time.")],
    output: Output = None,
) -> None:
    """Completions of all learners since an earlier time."""
    settings = settings_of(context)
    with settings.client() as client:
        _deliver(settings, client.reports.completions(since), output)
