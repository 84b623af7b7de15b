"""Pages: templates compile and escape, and nobody pays for them who is not shown one."""

import subprocess
import sys
from pathlib import Path

import pytest

import dataforge
from dataforge.web.assets import FOLDER, MEDIA_TYPES
from dataforge.web.templates import environment
from infra.local.layout import SOURCE_PATH

PACKAGE = Path(dataforge.__path__[0])
TEMPLATES = sorted([*PACKAGE.glob("web/templates/*.html"), *PACKAGE.glob("contexts/*/*/templates/*.html")])
NOT_YET = """
import asyncio, sys
sys.stdout = open("/dev/null", "w")
from dataforge import bootstrap
from dataforge.bootstrap import build_platform, rest_app
from dataforge.settings import ApiSettings
_, asgi = rest_app({function!r}, build_platform(ApiSettings()))
async def receive(): return {{"type": "http.request", "body": b""}}
async def send(message): pass
scope = {{"type": "http", "method": "GET", "path": "{path}", "raw_path": b"", "query_string": b"", "headers": [],
         "scheme": "http", "server": ("x", 80), "client": ("x", 1), "root_path": "", "http_version": "1.1"}}
asyncio.run(asgi(scope, receive, send))
loaded = sorted(name for name in sys.modules if name.startswith(("jinja2", "dataforge.web")) or ".pages" in name)
sys.exit(" ".join(name for name in loaded if not name.startswith("versioned_tables.")) or 0)
"""


def names() -> set[str]:
    return {f"{'web' if path.parent.parent.name == 'web' else path.parents[2].name}/{path.name}" for path in TEMPLATES}


def test_every_template_compiles_and_is_found() -> None:
    found = environment().list_templates()

    assert set(found) == names()
    for name in found:
        environment().get_template(name)


def test_what_a_template_is_given_is_escaped_everywhere() -> None:
    assert environment().autoescape is True
    assert [path.name for path in TEMPLATES if "|safe" in path.read_text() or "autoescape" in path.read_text()] == []


def test_no_template_makes_an_address_itself() -> None:
    made = [
        (path.name, line)
        for path in TEMPLATES
        for line in path.read_text().splitlines()
        if any(f'{name}="{start}' in line for name in ("href", "src", "action", "hx-get") for start in ("/", "http"))
    ]

    assert made == []


def test_every_form_that_changes_something_carries_the_proof() -> None:
    for path in TEMPLATES:
        for form in path.read_text().split("<form")[1:]:
            assert 'method="post"' not in form.split(">")[0] or "ui.csrf(csrf)" in form.split("</form>")[0], path


def test_static_files_have_a_media_type_and_vendored_ones_their_licence() -> None:
    files = {path.name for path in FOLDER.iterdir()}

    assert {Path(name).suffix for name in files} <= set(MEDIA_TYPES)
    assert "htmx-LICENSE.txt" in files


@pytest.mark.slow
@pytest.mark.parametrize(("function", "path"), [("api", "/api/courses"), ("datasets_api", "/api/datasets")])
def test_the_api_starts_and_answers_without_loading_pages(function: str, path: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", NOT_YET.format(function=function, path=path)],
        env={"PYTHONPATH": SOURCE_PATH, "POWERTOOLS_TRACE_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.returncode, result.stderr) == (0, "")
