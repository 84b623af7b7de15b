"""What operations and tags of the OpenAPI document are called; generated clients make functions and modules of them.

An operation has the name of the function that serves it, unless `OPERATIONS` gives a better one: a name is a method of
the whole API, so that `close` has to say what it closes. Names never change once they were released (`breaking.py`).
"""

from collections.abc import Sequence

from fastapi.routing import APIRoute

_CONTEXTS = "dataforge.contexts."

# The noun's module and the function, and what the operation is called.
OPERATIONS = {
    "academics.catalog.get_lessons": "get_course_lessons",
    "academics.catalog.set_lessons": "set_course_lessons",
    "academics.enrollment.list_events": "list_enrollment_events",
    "academics.oneroster.get_oneroster": "get_oneroster_record",
    "academics.oneroster.list_oneroster": "list_oneroster_records",
    "academics.rosters.apply_plan": "apply_roster_plan",
    "academics.rosters.create_upload": "create_roster_upload",
    "academics.rosters.get_plan": "get_roster_plan",
    "academics.rosters.list_rows": "list_roster_rows",
    "academics.rosters.plan_body": "plan_roster",
    "academics.rosters.plan_upload": "plan_roster_upload",
    "academics.students.get_progress": "get_student_progress",
    "academics.students.get_schedule": "get_student_schedule",
    "academics.students.get_transcript": "get_student_transcript",
    "datasets.commits.commit": "create_commit",
    "datasets.commits.history_of_ref": "list_commits",
    "datasets.comparisons.compare": "compare_versions",
    "datasets.datasets.list_permissions": "list_dataset_permissions",
    "datasets.datasets.list_tags": "list_dataset_tags",
    "datasets.datasets.put_permission": "set_dataset_permission",
    "datasets.datasets.remove_permission": "remove_dataset_permission",
    "datasets.exports.export": "export_version",
    "datasets.imports.apply_plan": "apply_import_plan",
    "datasets.imports.get_plan": "get_import_plan",
    "datasets.imports.plan_file": "plan_file_import",
    "datasets.jobs.cancel_job": "cancel_dataset_job",
    "datasets.jobs.get_any_job": "find_dataset_job",
    "datasets.jobs.get_job": "get_dataset_job",
    "datasets.jobs.list_jobs": "list_dataset_jobs",
    "datasets.jobs.remove_job": "remove_dataset_job",
    "datasets.jobs.retry_job": "retry_dataset_job",
    "datasets.merges.cherry_pick": "cherry_pick_commit",
    "datasets.merges.merge": "merge_ref",
    "datasets.merges.revert": "revert_commit",
    "datasets.reviews.check": "check_review",
    "datasets.reviews.close": "close_review",
    "datasets.reviews.comment": "comment_on_review",
    "datasets.reviews.judge": "set_review_verdict",
    "datasets.uploads.plan_upload": "plan_upload_import",
    "datasets.uploads.part_urls": "get_upload_part_urls",
    "identity.claims.request_claims": "request_account_claims",
    "identity.credential_tokens.give_token": "create_oauth_token",
    "identity.data_requests.link_export": "link_personal_export",
    "identity.data_requests.list_exports": "list_personal_exports",
    "identity.data_requests.preview_erasure": "preview_person_erasure",
    "identity.data_requests.request_export": "request_personal_export",
    "identity.email_addresses.request_confirmation": "request_email_confirmation",
    "identity.invitations.accept_with_new_account": "accept_invitation_with_new_account",
    "identity.invitations.invite": "create_invitation",
    "identity.passwords.request_reset": "request_password_reset",
    "identity.passwords.request_reset_of": "request_password_reset_of",
    "identity.sign_in.answer_challenge": "answer_sign_in_challenge",
    "identity.sign_in.refresh": "refresh_tokens",
    "identity.signing_keys.jwks": "get_signing_keys",
    "identity.single_sign_on.ask_provider": "check_sign_in_provider",
    "identity.single_sign_on.change_provider": "change_sign_in_provider",
    "identity.single_sign_on.create_provider": "create_sign_in_provider",
    "identity.single_sign_on.delete_provider": "delete_sign_in_provider",
    "identity.single_sign_on.get_provider": "get_sign_in_provider",
    "identity.single_sign_on.list_methods": "list_sign_in_methods",
    "identity.single_sign_on.list_providers": "list_sign_in_providers",
    "identity.single_sign_on.unlink": "remove_sign_in_method",
    "identity.xapi_credentials.renew_secret": "renew_xapi_credential_secret",
    "learning.cohorts.add_member": "add_cohort_member",
    "learning.cohorts.cohort_completions": "list_cohort_completions",
    "learning.cohorts.import_learner_list": "import_cohort",
    "learning.cohorts.list_members": "list_cohort_members",
    "learning.cohorts.remove_member": "remove_cohort_member",
    "learning.launches.fetch_credential": "fetch_launch_credential",
    "learning.lessons.get_aliases": "get_lesson_aliases",
    "learning.lessons.lesson_incomplete": "list_lesson_incomplete",
    "learning.lessons.replace_aliases": "replace_lesson_aliases",
    "lrs.erasures.apply_erasure": "apply_statement_erasure",
    "lrs.erasures.preview_erasure": "preview_statement_erasure",
    "lrs.forwarding.change_subscription": "change_statement_subscription",
    "lrs.forwarding.create_subscription": "create_statement_subscription",
    "lrs.forwarding.delete_subscription": "delete_statement_subscription",
    "lrs.forwarding.get_subscription": "get_statement_subscription",
    "lrs.forwarding.list_deliveries": "list_statement_deliveries",
    "lrs.forwarding.list_subscriptions": "list_statement_subscriptions",
    "lrs.forwarding.redrive_deliveries": "redrive_statement_deliveries",
    "lrs.forwarding.redrive_delivery": "redrive_statement_delivery",
    "lrs.forwarding.replace_secret": "replace_statement_subscription_secret",
    "lrs.forwarding.test_subscription": "test_statement_subscription",
    "lrs.identifiers.link_identifier": "link_agent_identifier",
    "lrs.identifiers.list_identifiers": "list_agent_identifiers",
    "lrs.identifiers.unlink_identifier": "unlink_agent_identifier",
    "lrs.imports.announce_upload": "create_statement_upload",
    "lrs.imports.import_file": "import_statements",
    "lrs.imports.import_store": "import_record_store",
    "lrs.purges.apply_purge": "apply_statement_purge",
    "lrs.purges.preview_purge": "preview_statement_purge",
    "notifications.preferences.list_preferences": "list_notification_preferences",
    "notifications.preferences.set_preference": "set_notification_preference",
    "notifications.reminders.get_cadence": "get_reminder_cadence",
    "notifications.reminders.get_run": "get_reminder_run",
    "notifications.reminders.list_runs": "list_reminder_runs",
    "notifications.reminders.set_cadence": "set_reminder_cadence",
    "operations.health": "get_health",
    "operations.health_of_function": "get_function_health",
    "operations.public_health": "get_public_health",
    "reports.activity.activity_report": "get_activity_report",
    "reports.at_risk.at_risk_report": "get_at_risk_report",
    "reports.cohort.cohort_report": "get_cohort_report",
    "reports.comparison.comparison_report": "get_comparison_report",
    "reports.completions.completions_report": "get_completions_report",
    "reports.funnel.funnel_report": "get_funnel_report",
    "reports.incomplete.incomplete_report": "get_incomplete_report",
    "reports.learner.learner_report": "get_learner_report",
    "reports.questions.questions_report": "get_questions_report",
    "schemas.deployments.cancel_deployment": "cancel_schema_deployment",
    "schemas.deployments.get_deployment": "get_schema_deployment",
    "schemas.deployments.list_revisions": "list_schema_revisions",
    "schemas.deployments.plan_rollback": "plan_schema_rollback",
    "schemas.deployments.resume_deployment": "resume_schema_deployment",
    "schemas.designs.get_target_format": "get_schema_format",
    "schemas.drift.get_drift": "get_schema_drift",
    "schemas.drift.plan_adoption": "plan_drift_adoption",
    "schemas.drift.plan_restoration": "plan_drift_restoration",
    "schemas.plans.check_target": "validate_schema",
    "schemas.plans.get_plan": "get_schema_plan",
    "schemas.promotions.plan_promotion": "plan_schema_promotion",
    "schemas.revisions.compare_revisions": "compare_schema_revisions",
    "schemas.revisions.get_revision": "get_schema_revision",
    "schemas.trash.empty_trash_item": "delete_schema_trash_item",
    "schemas.trash.list_trash": "list_schema_trash",
    "tutorials.transcripts.announce_transcript_upload": "create_transcript_upload",
    "tutorials.tutorials.get_draft": "get_tutorial_draft",
    "tutorials.tutorials.list_links": "list_tutorial_links",
    "tutorials.tutorials.order_steps": "order_tutorial_steps",
    "tutorials.tutorials.publish_lesson": "publish_tutorial_as_lesson",
    "tutorials.tutorials.replace_steps": "replace_tutorial_steps",
    "tutorials.tutorials.revoke_link": "revoke_tutorial_link",
    "workspaces.exports.get_export": "get_workspace_export",
    "workspaces.invitations.accept_invitation": "accept_workspace_invitation",
    "workspaces.invitations.invite": "create_workspace_invitation",
    "workspaces.invitations.list_invitations": "list_workspace_invitations",
    "workspaces.invitations.resend_invitation": "resend_workspace_invitation",
    "workspaces.invitations.revoke_invitation": "revoke_workspace_invitation",
    "workspaces.members.change_role": "change_workspace_member",
    "workspaces.members.list_members": "list_workspace_members",
    "workspaces.members.remove_member": "remove_workspace_member",
    "workspaces.notes.diff_revisions": "diff_note_revisions",
    "workspaces.notes.get_revision": "get_note_revision",
    "workspaces.notes.list_backlinks": "list_note_backlinks",
    "workspaces.notes.list_links": "list_note_links",
    "workspaces.notes.list_revisions": "list_note_revisions",
    "workspaces.notes.move_folder": "move_note_folder",
    "workspaces.notes.restore_revision": "restore_note_revision",
    "workspaces.remotes.list_refs": "list_repo_refs",
    "workspaces.webhooks.change_webhook_secret": "change_repo_webhook_secret",
    "workspaces.webhooks.remove_webhook_secret": "remove_repo_webhook_secret",
    "workspaces.webhooks.take_delivery": "receive_repo_webhook",
    "workspaces.workspaces.workspace_stats": "get_workspace_stats",
    "workspaces.zips.announce_zip": "create_vault_upload",
}

# A noun and its tag, where contexts have nouns of the same name, or the noun is a word of ours only.
TAGS = {
    "academics.enrollment": "enrollments",
    "datasets.contents": "dataset-contents",
    "datasets.datasets": "datasets",
    "datasets.exports": "dataset-exports",
    "datasets.jobs": "dataset-jobs",
    "datasets.uploads": "dataset-uploads",
    "identity.claims": "account-claims",
    "identity.credential_tokens": "oauth",
    "identity.data_requests": "personal-data",
    "lrs.erasures": "statement-erasures",
    "lrs.exports": "statement-exports",
    "lrs.forwarding": "statement-subscriptions",
    "lrs.identifiers": "agent-identifiers",
    "lrs.imports": "statement-imports",
    "lrs.purges": "statement-purges",
    "notifications.preferences": "notification-preferences",
    "notifications.suppressions": "unsubscribing",
    "operations": "health",
    "reports": "reports",
    "schemas.deployments": "schema-deployments",
    "schemas.designs": "schemas",
    "schemas.drift": "schema-drift",
    "schemas.plans": "schema-plans",
    "schemas.promotions": "schema-promotions",
    "schemas.revisions": "schema-revisions",
    "schemas.sources": "schema-sources",
    "schemas.trash": "schema-trash",
    "workspaces.exports": "workspace-exports",
    "workspaces.invitations": "workspace-invitations",
    "workspaces.members": "workspace-members",
    "workspaces.remotes": "repos",
    "workspaces.resources": "shared-resources",
    "workspaces.webhooks": "repo-webhooks",
    "workspaces.zips": "vault-zips",
}
# What tags are for, where the modules of their routes say less.
TAG_DESCRIPTIONS = {
    "account-claims": "Accounts that imports made, claimed by a mailed link.",
    "accounts": "People with an account: signing up, one's own account, and all of them for administrators.",
    "comparisons": "What is different between two versions of a dataset.",
    "email-addresses": "Confirming and changing e-mail addresses by mailed links.",
    "enrollments": "Enrollments in sections: enrolling, the waitlist, dropping, withdrawing, completing.",
    "health": "Whether the functions and what is behind them answer.",
    "notes": "Notes of a vault: text with links between notes, revisions, the trash, search.",
    "notification-preferences": "What to hear of by mail, when, and in which language.",
    "passwords": "Changing a password, and setting one by a mailed link.",
    "profiles": "Profiles of people: their preferences, resources and workspaces hang on them.",
    "reminders": "Reminders of lessons: previews, runs, and how often a cohort is reminded.",
    "schema-deployments": "Deployments of schema plans, and the history that they leave.",
    "schema-drift": "What changed in a schema without a deployment, and the two ways out of it.",
    "schema-plans": "Plans: what leads from a schema to a target, at which risk, with proof.",
    "schema-promotions": "Plans that bring a revision into another workspace.",
    "schema-revisions": "Single revisions of a schema, and what is different between two.",
    "schema-sources": "SQL and DBML made into targets.",
    "schema-trash": "What deployments dropped and is kept for a while.",
    "schemas": "The schema of a workspace as it is, and the format of targets.",
    "second-factor": "Codes of an authenticator app, and recovery codes.",
    "sessions": "Where one is signed in, and the way to end that.",
    "single-sign-on": "Sign-in providers of OpenID Connect, for administrators, and one's own ways to sign in.",
    "transcripts": "Transcripts of talks and screencasts, which tutorials are made of.",
    "tutorials": "Tutorials: drafted from transcripts, edited, published, shared by links.",
    "vaults": "Vaults of a workspace, which hold notes.",
    "workspace-exports": "All that a workspace holds as one file, and taking back its deletion.",
    "workspace-invitations": "Invitations into a workspace by mail.",
    "workspace-members": "Who is in a workspace, and in which role.",
    "workspaces": "Workspaces: what a group of people has for itself.",
    "xapi-credentials": "Credentials with which systems send and read statements.",
}
GROUPS = {
    "academics": "Academics",
    "datasets": "Datasets",
    "http": "Errors",
    "identity": "People and sign-in",
    "learning": "Learning",
    "lrs": "Learning records",
    "notifications": "Notifications",
    "operations": "Operations",
    "reports": "Reports",
    "schemas": "Schemas",
    "tutorials": "Tutorials",
    "workspaces": "Workspaces",
}


def noun_of(route: APIRoute) -> str:
    """The context and noun that serve a route, as in `academics.catalog`; a context alone, or `http.registry`."""
    module = route.endpoint.__module__
    if not module.startswith(_CONTEXTS):
        return ".".join(module.split(".")[1:3])
    parts = module.removeprefix(_CONTEXTS).split(".")
    return ".".join(parts[:2]) if len(parts) > 2 else parts[0]


def context_of(route: APIRoute) -> str:
    """The context that serves a route."""
    return noun_of(route).partition(".")[0]


def operation_id(route: APIRoute, routes: Sequence[APIRoute]) -> str:
    """What the operation of a route is called.

    A version of a dataset is read by the name of a ref or by its commit: the latter is the one that says so.
    """
    named = route.operation_id or OPERATIONS.get(f"{noun_of(route)}.{route.name}", route.name)
    twice = sum(candidate.endpoint is route.endpoint for candidate in routes) > 1
    return f"{named}_of_commit" if twice and "/commits/{" in route.path_format else named


def tag_of(route: APIRoute) -> str:
    """The tag of a route: its noun, several nouns of reports sharing one."""
    noun = noun_of(route)
    context, _, name = noun.partition(".")
    if noun == "http.registry":
        return "errors"
    return TAGS.get(noun) or TAGS.get(context if context == "reports" else "") or name.replace("_", "-")
