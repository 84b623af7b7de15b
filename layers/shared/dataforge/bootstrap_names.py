"""What the functions serve and do, by name: routes, commands, jobs and subscribers, each imported when first used."""

# First path segments -> the module whose `router` serves them (see http.app.LazyContexts).
API_OWNERS = {
    "/api/signup": "dataforge.contexts.identity.routes",
    "/api/auth": "dataforge.contexts.identity.routes",
    "/api/users": "dataforge.contexts.identity.routes",
    "/api/xapi-credentials": "dataforge.contexts.identity.routes",
    "/.well-known": "dataforge.contexts.identity.routes",
    "/api/cohorts": "dataforge.contexts.records.routes",
    "/api/lessons": "dataforge.contexts.records.routes",
    "/api/departments": "dataforge.contexts.academics.routes",
    "/api/courses": "dataforge.contexts.academics.routes",
    "/api/semesters": "dataforge.contexts.academics.routes",
    "/api/sections": "dataforge.contexts.academics.routes",
    "/api/students": "dataforge.contexts.academics.routes",
    "/api/instructors": "dataforge.contexts.academics.routes",
    "/api/enrollments": "dataforge.contexts.academics.routes",
    "/api/rosters": "dataforge.contexts.academics.routes",
    "/api/oneroster": "dataforge.contexts.academics.routes",
    "/health": "dataforge.contexts.operations.routes",
    "/api/health": "dataforge.contexts.operations.routes",
    "/errors": "dataforge.http.registry",
    "/": "dataforge.contexts.operations.pages",
    "/ui": "dataforge.contexts.operations.pages",
    "/ui/status": "dataforge.contexts.operations.pages",
    "/ui/static": "dataforge.web.static_files",
    "/ui/sign-in": "dataforge.contexts.identity.pages",
    "/ui/sign-out": "dataforge.contexts.identity.pages",
    "/ui/renew": "dataforge.contexts.identity.pages",
    "/ui/courses": "dataforge.contexts.academics.pages",
    "/ui/sections": "dataforge.contexts.academics.pages",
    "/ui/enrollments": "dataforge.contexts.academics.pages",
    "/ui/schedule": "dataforge.contexts.academics.pages",
}

DATASETS_PAGES = {
    "/ui/datasets": "dataforge.contexts.datasets.pages",
}
DATASETS_OWNERS = {
    "/api/datasets": "dataforge.contexts.datasets.routes",
    "/api/health": "dataforge.contexts.operations.routes",
}

# What every function answers when it is invoked with `{"command": "health"}`.
HEALTH_COMMANDS = {"health": "dataforge.platform.health:report"}
# Commands of `maintenance`: the scheduler runs `tick`, operators invoke the others by name.
MAINTENANCE_COMMANDS = {
    **HEALTH_COMMANDS,
    "tick": "dataforge.events.jobs:tick",
    "redrive": "dataforge.events.redrive:redrive_queue",
    "create_admin": "dataforge.contexts.identity.consumers:create_admin",
    "load_accepted": "dataforge.contexts.records.consumers:load_accepted",
    "ensure_admin": "dataforge.contexts.identity.consumers:ensure_admin",
    "ensure_signing_key": "dataforge.contexts.identity.consumers:ensure_signing_key",
    "create_xapi_credential": "dataforge.contexts.identity.consumers:create_xapi_credential",
    "revoke_xapi_credential": "dataforge.contexts.identity.consumers:revoke_xapi_credential",
    "rotate_signing_keys": "dataforge.contexts.identity.consumers:rotate_signing_keys",
}
# What one tick does, in this order; one that fails does not stop the others.
MAINTENANCE_JOBS = {
    "outbox": "dataforge.events.jobs:relay_outbox",
    "cleanup": "dataforge.events.jobs:clean_up",
    "identity": "dataforge.contexts.identity.consumers:forget_expired",
    "datasets": "dataforge.contexts.datasets.upkeep:sweep",
    "accepted": "dataforge.contexts.records.consumers:load_kept",
    "records": "dataforge.contexts.records.consumers:incremental_etl",
    "academics": "dataforge.contexts.academics.consumers:forget_old",
}
# Who hears of which outbox event.
OUTBOX_SUBSCRIBERS = {
    "identity.xapi_credential_changed": ("dataforge.contexts.identity.consumers:publish_credential",),
    "academics.enrollment_changed": ("dataforge.contexts.academics.consumers:mail_enrollment_change",),
    "academics.promotion_due": ("dataforge.contexts.academics.consumers:promote_waiting",),
    "records.lesson_completed": ("dataforge.contexts.academics.consumers:record_xapi_completion",),
    "records.course_completed": ("dataforge.contexts.academics.consumers:record_xapi_completion",),
}
# Commands of `dataset_import`, which may read and write chunks; operators invoke them by name.
DATASET_COMMANDS = {
    **HEALTH_COMMANDS,
    "verify_dataset": "dataforge.contexts.datasets.consumers:verify_dataset",
    "upkeep_dataset": "dataforge.contexts.datasets.consumers:upkeep_dataset",
}
DEPLOYER_COMMANDS = {
    **HEALTH_COMMANDS,
    "migrate": "dataforge.platform.deployer:migrate",
}
