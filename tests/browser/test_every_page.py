"""Every page, on a phone and on a desk, in light and in dark: no barrier, nothing cut off, no complaint."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dataforge.kernel.principal import Role
from tests.browser.conftest import DESKTOP, PHONE, Desk
from tests.builders.site import Places

PAGES: dict[str, tuple[Role | None, Callable[[Places], str]]] = {
    "welcome": (None, lambda _: "/ui"),
    "sign-in": (None, lambda _: "/ui/sign-in"),
    "sign-up": (None, lambda _: "/ui/sign-up"),
    "problem": (None, lambda _: "/ui/nowhere"),
    "home": (Role.LEARNER, lambda _: "/ui"),
    "status": (Role.ADMIN, lambda _: "/ui/status"),
    "operations": (Role.ADMIN, lambda _: "/ui/operations"),
    "queue": (Role.ADMIN, lambda _: "/ui/operations/queues/statements"),
    "audit": (Role.ADMIN, lambda _: "/ui/operations/audit"),
    "audit-none": (Role.ADMIN, lambda _: "/ui/operations/audit?entity=nothing"),
    "events": (Role.ADMIN, lambda _: "/ui/operations/events"),
    "catalog": (Role.LEARNER, lambda _: "/ui/courses"),
    "catalog-empty": (Role.REGISTRAR, lambda _: "/ui/courses?q=nothingfits"),
    "course": (Role.LEARNER, lambda places: places.course),
    "section": (Role.LEARNER, lambda places: places.section),
    "section-roster": (Role.REGISTRAR, lambda places: places.full_section),
    "lessons": (Role.LEARNER, lambda _: "/ui/lessons"),
    "schedule": (Role.LEARNER, lambda _: "/ui/schedule"),
    "section-dates": (Role.REGISTRAR, lambda places: f"{places.section}/dates"),
    "section-dates-learner": (Role.LEARNER, lambda places: f"{places.section}/dates"),
    "section-dates-none": (Role.REGISTRAR, lambda places: f"{places.full_section}/dates"),
    "semesters": (Role.LEARNER, lambda _: "/ui/semesters"),
    "semester": (Role.REGISTRAR, lambda places: places.semester),
    "semester-learner": (Role.LEARNER, lambda places: places.semester),
    "rosters": (Role.REGISTRAR, lambda _: "/ui/rosters"),
    "rosters-none": (Role.REGISTRAR, lambda _: "/ui/rosters?state=applied"),
    "roster": (Role.REGISTRAR, lambda places: places.roster),
    "calendar-feeds": (Role.LEARNER, lambda _: "/ui/calendar-feeds"),
    "calendar-feeds-section": (
        Role.REGISTRAR,
        lambda places: f"/ui/calendar-feeds?kind=section&section_id={places.section.rpartition('/')[2]}",
    ),
    "calendar-feeds-none": (Role.VIEWER, lambda _: "/ui/calendar-feeds"),
    "reminders": (Role.ADMIN, lambda _: "/ui/test-reminders"),
    "invitation": (Role.LEARNER, lambda _: "/ui/workspaces/accept?token=from-a-mail"),
    "account-invitation": (None, lambda places: places.invitation),
    "account-invitation-unknown": (None, lambda _: "/ui/invitation?token=forged"),
    "people": (Role.ADMIN, lambda _: "/ui/admin/people"),
    "people-unclaimed": (Role.ADMIN, lambda _: "/ui/admin/people?state=unclaimed"),
    "person": (Role.ADMIN, lambda places: places.account),
    "invitations": (Role.ADMIN, lambda _: "/ui/admin/invitations"),
    "notification-preferences": (Role.LEARNER, lambda _: "/ui/notification-preferences"),
    "account": (Role.LEARNER, lambda _: "/ui/account"),
    "account-password": (Role.LEARNER, lambda _: "/ui/account/password"),
    "account-second-factor": (Role.LEARNER, lambda _: "/ui/account/second-factor"),
    "account-email": (Role.LEARNER, lambda _: "/ui/account/email"),
    "account-sign-in-methods": (Role.LEARNER, lambda _: "/ui/account/sign-in-methods"),
    "sign-in-providers": (Role.ADMIN, lambda _: "/ui/admin/sign-in-providers"),
    "account-sessions": (Role.LEARNER, lambda _: "/ui/account/sessions"),
    "account-tokens": (Role.REGISTRAR, lambda _: "/ui/account/tokens"),
    "account-calendar": (Role.LEARNER, lambda _: "/ui/account/calendar"),
    "account-data": (Role.LEARNER, lambda _: "/ui/account/data"),
    "person-data": (
        Role.ADMIN,
        lambda places: places.own_progress.replace("/ui/reports/learners", "/ui/admin/person-data"),
    ),
    "unsubscribe": (None, lambda places: places.unsubscribe),
    "keys": (Role.ADMIN, lambda _: "/ui/admin/keys"),
    "key": (Role.ADMIN, lambda places: places.key),
    "attributions": (Role.ADMIN, lambda _: "/ui/admin/attributions"),
    "statements": (Role.ADMIN, lambda _: "/ui/admin/statements"),
    "statements-person": (Role.ADMIN, lambda places: places.person),
    "statements-none": (Role.ADMIN, lambda _: "/ui/admin/statements?verb=https://e.org/none"),
    "statement": (Role.ADMIN, lambda places: places.statement),
    "quarantine": (Role.ADMIN, lambda _: "/ui/admin/quarantine"),
    "quarantine-entry": (Role.ADMIN, lambda places: places.entry),
    "subscriptions": (Role.ADMIN, lambda _: "/ui/admin/subscriptions"),
    "subscription": (Role.ADMIN, lambda places: places.subscription),
    "webhooks": (Role.ADMIN, lambda _: "/ui/webhooks"),
    "webhooks-none": (Role.LEARNER, lambda _: "/ui/webhooks"),
    "webhook": (Role.ADMIN, lambda places: places.webhook),
    "webhook-delivery": (Role.ADMIN, lambda places: places.webhook_delivery),
    "etl-streaming": (Role.ADMIN, lambda _: "/ui/test-etl-streaming"),
    "etl-incremental": (Role.ADMIN, lambda _: "/ui/test-etl-incremental"),
    "reports": (Role.ANALYST, lambda _: "/ui/reports"),
    "reports-none": (Role.ANALYST, lambda _: "/ui/reports?q=nothingfits"),
    "report-cohort": (Role.ANALYST, lambda places: places.cohort),
    "report-cohort-empty": (Role.ANALYST, lambda places: places.empty_cohort),
    "report-funnel": (Role.INSTRUCTOR, lambda places: f"{places.lesson}/funnel"),
    "report-questions": (Role.INSTRUCTOR, lambda places: f"{places.lesson}/questions"),
    "report-incomplete": (Role.INSTRUCTOR, lambda places: f"{places.lesson}/incomplete"),
    "report-at-risk": (Role.REGISTRAR, lambda _: "/ui/reports/at-risk"),
    "report-activity": (Role.ADMIN, lambda _: "/ui/reports/activity?from=2026-09-01&to=2026-09-30"),
    "report-activity-refused": (Role.ADMIN, lambda _: "/ui/reports/activity?from=2026-09-30&to=2026-09-01"),
    "report-comparison": (Role.ADMIN, lambda _: "/ui/reports/comparison"),
    "report-completions": (Role.ADMIN, lambda _: "/ui/reports/completions?since=2026-01-01T00:00:00Z"),
    "report-learner": (Role.ANALYST, lambda places: places.learner),
    "report-own-progress": (Role.LEARNER, lambda places: places.own_progress),
    "workspaces": (Role.INSTRUCTOR, lambda _: "/ui/workspaces?state=all"),
    "workspaces-none": (Role.VIEWER, lambda _: "/ui/workspaces"),
    "workspace": (Role.INSTRUCTOR, lambda places: places.workspace),
    "workspace-archived": (Role.INSTRUCTOR, lambda places: places.archived),
    "workspace-settings": (Role.INSTRUCTOR, lambda places: f"{places.workspace}/settings"),
    "workspace-settings-archived": (Role.INSTRUCTOR, lambda places: f"{places.archived}/settings"),
    "workspace-members": (Role.INSTRUCTOR, lambda places: f"{places.workspace}/members"),
    "workspace-invitations": (Role.ANALYST, lambda places: f"{places.workspace}/invitations"),
    "workspace-resources": (Role.INSTRUCTOR, lambda places: f"{places.workspace}/resources"),
    "workspace-viewer": (Role.LEARNER, lambda places: f"{places.workspace}/members"),
    "vaults": (Role.REGISTRAR, lambda places: f"{places.workspace}/vaults"),
    "vault": (Role.REGISTRAR, lambda places: places.vault),
    "vault-locked": (Role.REGISTRAR, lambda places: places.locked_vault),
    "note-search": (Role.LEARNER, lambda places: f"{places.workspace}/notes?search=agenda"),
    "note-search-none": (Role.LEARNER, lambda places: f"{places.workspace}/notes?search=nothingfits"),
    "vault-zips": (Role.REGISTRAR, lambda places: f"{places.vault}/zips"),
    "vault-trash": (Role.ANALYST, lambda places: f"{places.vault}/trash"),
    "note": (Role.REGISTRAR, lambda places: places.note),
    "note-viewer": (Role.LEARNER, lambda places: places.note),
    "note-locked": (Role.INSTRUCTOR, lambda places: places.locked_note),
    "note-editor": (Role.REGISTRAR, lambda places: f"{places.note}/edit"),
    "note-revisions": (Role.LEARNER, lambda places: f"{places.note}/revisions"),
    "note-revision": (Role.REGISTRAR, lambda places: f"{places.note}/revisions/2"),
    "vault-settings": (Role.ANALYST, lambda places: f"{places.vault}/settings"),
    "vault-settings-locked": (Role.ANALYST, lambda places: f"{places.locked_vault}/settings"),
    "repos": (Role.REGISTRAR, lambda places: f"{places.workspace}/repos"),
    "repo": (Role.INSTRUCTOR, lambda places: places.repo),
    "transcripts": (Role.REGISTRAR, lambda _: "/ui/transcripts"),
    "transcripts-none": (Role.VIEWER, lambda _: "/ui/transcripts"),
    "transcript": (Role.INSTRUCTOR, lambda places: places.transcript),
    "transcript-viewer": (Role.LEARNER, lambda places: places.transcript),
    "tutorials": (Role.REGISTRAR, lambda _: "/ui/tutorials"),
    "tutorials-none": (Role.REGISTRAR, lambda _: "/ui/tutorials?search=nothingfits"),
    "tutorial": (Role.INSTRUCTOR, lambda places: places.tutorial),
    "tutorial-draft": (Role.INSTRUCTOR, lambda places: places.draft_tutorial),
    "tutorial-viewer": (Role.LEARNER, lambda places: places.tutorial),
    "tutorial-shared": (None, lambda places: places.shared_tutorial),
    "schema": (Role.INSTRUCTOR, lambda places: places.schema),
    "schema-viewer": (Role.LEARNER, lambda places: places.schema),
    "schema-none": (Role.INSTRUCTOR, lambda places: places.archived.replace("workspaces", "schemas")),
    "schema-editor": (Role.REGISTRAR, lambda places: f"{places.schema}/editor"),
    "schema-source": (Role.REGISTRAR, lambda places: f"{places.schema}/editor/source"),
    "schema-plan": (Role.INSTRUCTOR, lambda places: places.plan),
    "schema-plan-stale": (Role.REGISTRAR, lambda places: places.stale_plan),
    "schema-deployment": (Role.LEARNER, lambda places: places.deployment),
    "schema-deployment-failed": (Role.INSTRUCTOR, lambda places: places.failed_deployment),
    "schema-history": (Role.INSTRUCTOR, lambda places: f"{places.schema}/history"),
    "schema-revision": (Role.LEARNER, lambda places: f"{places.schema}/history/2"),
    "schema-comparison": (Role.INSTRUCTOR, lambda places: f"{places.schema}/history/1/compare"),
    "schema-comparison-none": (Role.INSTRUCTOR, lambda places: f"{places.schema}/history/1/compare?to=1"),
    "schema-history-none": (
        Role.INSTRUCTOR,
        lambda places: f"{places.archived}/history".replace("workspaces", "schemas"),
    ),
    "schema-trash": (Role.INSTRUCTOR, lambda places: f"{places.drifted}/trash"),
    "schema-trash-none": (Role.LEARNER, lambda places: f"{places.schema}/trash"),
    "schema-drift": (Role.INSTRUCTOR, lambda places: f"{places.drifted}/drift"),
    "schema-drift-none": (Role.INSTRUCTOR, lambda places: f"{places.schema}/drift"),
    "datasets": (Role.ADMIN, lambda _: "/ui/datasets"),
    "dataset": (Role.ADMIN, lambda places: places.dataset),
    "dataset-import": (Role.ADMIN, lambda places: f"{places.dataset}/imports"),
    "table": (Role.ADMIN, lambda places: f"{places.table}?column=mark&op=gte&value=60&show=student&show=mark"),
}


REFUSED = {"account-invitation-unknown": "404", "problem": "404", "report-activity-refused": "422"}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_for_everybody(desk: Desk, name: str) -> None:
    role, path = PAGES[name]
    page = desk.open(path(desk.site.places), role=role)
    found = {}
    for width, size in (("desk", DESKTOP), ("phone", PHONE)):
        for scheme in ("light", "dark"):
            page.set_viewport_size({**size})
            page.emulate_media(color_scheme=scheme)
            cut = desk.too_wide(page)
            found[width, scheme] = [*desk.barriers(page), *([f"{cut} px too wide"] if cut > 0 else [])]
            if folder := os.environ.get("SCREENSHOTS"):
                page.screenshot(path=Path(folder) / f"{name}-{width}-{scheme}.png", full_page=True)

    assert {at: barriers for at, barriers in found.items() if barriers} == {}
    if name in REFUSED:
        desk.expect_complaint(REFUSED[name])
