"""What a person needs once the stack is up: addresses, credentials and three commands that work when pasted."""

from __future__ import annotations

from infra.local.stack import LocalStack

_STATEMENTS = (
    '[{"actor":{"account":{"homePage":"https://lms.dataforge.example","name":"learner-1"}},'
    '"verb":{"id":"http://adlnet.gov/expapi/verbs/completed"},'
    '"object":{"id":"https://lms.dataforge.example/course/fire-safety"}}]'
)


def summary(stack: LocalStack) -> str:
    """The table and the commands as text."""
    facts = stack.facts
    admin, xapi = facts["credentials"]["admin"], facts["credentials"]["xapi"]
    rows = [
        ("API", facts["api_url"] + "/health"),
        ("Web pages", facts["api_url"] + "/ui"),
        ("xAPI endpoint", facts["xapi_url"]),
        ("xAPI key, secret", f"{xapi['key']}  {xapi['secret']}"),
        ("Administrator", f"{admin['username']}  {admin['password']}"),
        ("Mail that was sent", facts["mail_url"]),
        ("Database", facts["database_url"]),
        ("AWS endpoint", facts["aws_endpoint_url"]),
        ("For scripts", str(stack.directory.stack_file)),
    ]
    width = max(len(name) for name, _ in rows)
    table = "\n".join(f"  {name:{width}}  {value}" for name, value in rows)
    return f"\n{table}\n\n{curl_lines(stack)}\n"


def curl_lines(stack: LocalStack) -> str:
    """Sign in, send a statement, read the report."""
    facts = stack.facts
    api, admin, xapi = facts["api_url"], facts["credentials"]["admin"], facts["credentials"]["xapi"]
    body = f'{{"username":"{admin["username"]}","password":"{admin["password"]}"}}'
    login = f"curl -s {api}/api/auth/login -H 'Content-Type: application/json' -d '{body}'"
    token = f'$({login} | sed \'s/.*"access_token":"\\([^"]*\\)".*/\\1/\')'
    cohort = facts.get("demo", {}).get("cohort_id", "COHORT_ID")
    headers = "-H 'X-Experience-API-Version: 1.0.3' -H 'Content-Type: application/json'"
    statement = f"curl -s -u {xapi['key']}:{xapi['secret']} {headers} {facts['xapi_url']}/statements -d '{_STATEMENTS}'"
    report = f'curl -s "{api}/api/cohorts/{cohort}/completions" -H "Authorization: Bearer {token}"'
    return "\n".join(f"  {line}" for line in (login, statement, report))
