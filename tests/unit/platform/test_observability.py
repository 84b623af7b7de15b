"""Metrics: one line in CloudWatch's embedded metric format, out at once."""

import json

import pytest
from aws_lambda_powertools.metrics import MetricUnit

from dataforge.platform.observability import emit_metrics


def test_metrics_are_one_line_with_their_units(capsys: pytest.CaptureFixture[str]) -> None:
    emit_metrics({"loaded": 3, "rejected": 0})
    emit_metrics({"lag": 12.5}, unit=MetricUnit.Seconds)

    counts, lag = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    [directive] = counts["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "DataForge"
    assert directive["Dimensions"] == [["service"]]
    assert [(metric["Name"], metric["Unit"]) for metric in directive["Metrics"]] == [
        ("loaded", "Count"),
        ("rejected", "Count"),
    ]
    assert (counts["service"], counts["loaded"], counts["rejected"]) == ("tests", [3.0], [0.0])
    assert (lag["lag"], lag["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Unit"]) == ([12.5], "Seconds")


def test_one_call_counts_once(capsys: pytest.CaptureFixture[str]) -> None:
    emit_metrics({"loaded": 1})
    emit_metrics({"loaded": 2})

    assert [json.loads(line)["loaded"] for line in capsys.readouterr().out.splitlines()] == [[1.0], [2.0]]
