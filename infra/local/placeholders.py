"""What a function must know to start, where nothing of it exists: for tests and benches of the start itself."""

NOWHERE = {
    "DATABASE_URL": "postgresql://nobody:nothing@127.0.0.1:9/nowhere",
    "DATA_BUCKET": "no-bucket",
    "APP_SECRET_ARN": "no-secret",
    "SIGNING_KEYS_SECRET_ARN": "no-secret",
    "STATEMENTS_QUEUE_URL": "http://127.0.0.1:9/statements",
    "IMPORTS_QUEUE_URL": "http://127.0.0.1:9/imports",
    "EXPORTS_QUEUE_URL": "http://127.0.0.1:9/exports",
    "DEPLOYMENTS_QUEUE_URL": "http://127.0.0.1:9/deployments",
    "JOBS_QUEUE_URL": "http://127.0.0.1:9/jobs",
    "FEEDBACK_QUEUE_URL": "http://127.0.0.1:9/feedback",
    "PROOF_DATABASE_URL": "postgresql://nobody:nothing@127.0.0.1:9/nowhere",
    "PUBLIC_BASE_URL": "http://127.0.0.1:9",
}
