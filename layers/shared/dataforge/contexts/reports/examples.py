"""What each report answers, for the OpenAPI document: one small answer by the report's name."""

from collections.abc import Mapping
from typing import Any

_WHEN = {"watermark": "2026-11-02T09:30:00Z", "removed_since": 0}
_PAGE = {"limit": 50, "next_cursor": None, "next": None}
_COHORT = "0193b8a4-2c11-7d3e-9a55-0c6f1e8d2b70"
_ANA = {
    "user_id": "0193b8a4-51f0-7a92-8e0d-3b7d5c9a1f42",
    "display_name": "Ana Roux",
    "email": "ana.roux@example.org",
}
_LESSON = {
    "lesson_id": "0193b8a4-7d2e-7c18-b3f4-6a1e9d0c5b83",
    "title": "Fire safety",
    "lesson_number": 1,
    "lesson_date": "2026-10-12",
    "required": True,
}
_STATEMENT = "0193b8a5-9c41-7f6a-a2d8-4e7b1c0f3d95"

EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "relations": {
        "items": [
            {
                "name": "reports.cohort",
                "description": "Who of a cohort has completed what.",
                "parameters": [
                    {
                        "name": "cohort_id",
                        "parameter_type": "uuid",
                        "description": "the cohort",
                        "required": True,
                        "choices": [],
                    }
                ],
                "columns": [{"name": "display_name", "type": "string"}, {"name": "rate", "type": "double"}],
            }
        ]
    },
    "cohort": {
        **_WHEN,
        "cohort_id": _COHORT,
        "cohort_name": "Blue East",
        "learners": 12,
        "rate": 0.75,
        "lessons": [{**_LESSON, "started": 11, "completed": 9, "rate": 0.75}],
        "items": [
            {
                **_ANA,
                "last_activity": "2026-10-13T08:12:40Z",
                "completed": 1,
                "rate": 1.0,
                "completed_at": ["2026-10-13T08:12:40Z"],
                "started_at": ["2026-10-12T15:02:11Z"],
            }
        ],
        **_PAGE,
    },
    "incomplete": {
        **_WHEN,
        "lesson": _LESSON,
        "cohort_id": None,
        "expected": 12,
        "missing": 1,
        "items": [
            {
                **_ANA,
                "state": "in_progress",
                "started_at": "2026-10-12T15:02:11Z",
                "last_activity": "2026-10-12T15:09:58Z",
            }
        ],
        **_PAGE,
    },
    "funnel": {
        **_WHEN,
        "lesson": _LESSON,
        "cohort_id": _COHORT,
        "stages": [
            {"stage": "expected", "learners": 12, "share": 1.0, "share_of_previous": 1.0},
            {"stage": "started", "learners": 9, "share": 0.75, "share_of_previous": 0.75},
            {"stage": "completed", "learners": 6, "share": 0.5, "share_of_previous": 0.6666666666666666},
        ],
        "durations": {"n": 6, "lower_quartile": 540.0, "median": 900.5, "upper_quartile": 61_829.0},
        "histogram": [
            {"least_seconds": 300, "below_seconds": 900, "learners": 3},
            {"least_seconds": 7_776_000, "below_seconds": None, "learners": 0},
        ],
    },
    "questions": {
        **_WHEN,
        "lesson": _LESSON,
        "learners": 11,
        "items": [
            {
                "question_id": "https://lms.example.org/fire-safety/question/7",
                "name": "Which way out?",
                "learners": 11,
                "responses": 14,
                "judged_learners": 11,
                "right_learners": 8,
                "difficulty": 0.7272727272727273,
                "discrimination": 0.41,
                "given": [{"response": "stairs", "responses": 10, "learners": 10, "right": 10}],
                "choices": [],
            }
        ],
        **_PAGE,
    },
    "at-risk": {
        **_WHEN,
        "cohort_id": None,
        "idle_days": 7,
        "include_never_started": False,
        "total": 1,
        "items": [
            {
                **_ANA,
                "cohorts": ["Blue East"],
                "required": 4,
                "started": 2,
                "completed": 1,
                "last_activity": "2026-10-13T08:12:40Z",
                "idle_days": 20,
            }
        ],
        **_PAGE,
    },
    "activity": {
        **_WHEN,
        "interval": "week",
        "time_zone": "Europe/Berlin",
        "cohort_id": None,
        "lesson_id": None,
        "statements": 214,
        "learners": 11,
        "completions": 9,
        "items": [
            {
                "begins": "2026-10-19T00:00:00+02:00",
                "ends": "2026-10-26T00:00:00+01:00",
                "statements": 214,
                "learners": 11,
                "completions": 9,
            }
        ],
    },
    "comparison": {
        **_WHEN,
        "by": "lesson",
        "cohort_id": None,
        "items": [
            {
                "id": _LESSON["lesson_id"],
                "title": "Fire safety",
                "expected": 12,
                "started": 9,
                "completed": 6,
                "rate": 0.5,
                "median_seconds": 900.5,
                "mean_score": 0.85,
                "scored": 5,
            }
        ],
        **_PAGE,
    },
    "completions": {
        **_WHEN,
        "since": "2026-11-01T00:00:00Z",
        "next_since": "2026-11-02T09:30:00Z",
        "items": [
            {
                "user_id": _ANA["user_id"],
                "lesson_id": _LESSON["lesson_id"],
                "completed_at": "2026-11-02T08:12:40Z",
                "statement_id": _STATEMENT,
                "score_scaled": 0.85,
                "changed_at": "2026-11-02T08:12:41.275Z",
            }
        ],
        **_PAGE,
    },
    "learner": {
        **_WHEN,
        **_ANA,
        "lessons": [
            {
                **_LESSON,
                "expected": True,
                "started_at": "2026-10-12T15:02:11Z",
                "last_activity": "2026-10-13T08:12:40Z",
                "completed_at": "2026-10-13T08:12:40Z",
                "statements": 6,
                "score_scaled": 0.85,
            }
        ],
        "items": [
            {
                "statement_id": _STATEMENT,
                "lesson_id": _LESSON["lesson_id"],
                "lesson_title": "Fire safety",
                "completes": True,
                "occurred_at": "2026-10-13T08:12:40Z",
            }
        ],
        **_PAGE,
    },
}
