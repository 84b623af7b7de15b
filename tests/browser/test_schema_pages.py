"""What people do with the schema of a workspace in a browser: write a target, look at the plan, deploy it, go back."""

import json
import re
from uuid import UUID

from playwright.sync_api import Page, expect

from dataforge.kernel.principal import Role
from tests.browser.conftest import PHONE, Desk
from tests.builders.schemas import SchemasUnderTest, column, table
from tests.builders.workspaces import Person, new_workspace

PEOPLE = table("people", column("name", "VARCHAR(255)", nullable=False), column("born", "DATE"))


def target(*tables: dict[str, object]) -> str:
    return json.dumps({"tables": list(tables)}, indent=2)


def people_with(name: str) -> dict[str, object]:
    """A table with one column, and no ids."""
    return {"name": "people", "columns": [{"name": name, "dataType": "text"}]}


def new_schema(desk: Desk, name: str) -> str:
    """The id of a new workspace of the instructor."""

    async def made() -> str:
        client = await desk.site.whole.api.as_user(desk.site.ids[Role.INSTRUCTOR], Role.INSTRUCTOR)
        return await new_workspace(Person(desk.site.ids[Role.INSTRUCTOR], "", client), name)

    return str(desk.site.run(made()))


def schemas_of(desk: Desk, workspace_id: str) -> SchemasUnderTest:
    owner = Person(desk.site.ids[Role.INSTRUCTOR], "", desk.site.whole.client)
    return SchemasUnderTest(desk.site.whole.api, owner, desk.site.database, UUID(workspace_id))


def deploy(page: Page, desk: Desk, workspace_id: str) -> None:
    """Press the button of the plan that is shown, and let the deployer do it while the page looks on."""
    page.get_by_role("button", name=re.compile("^Deploy ")).click()
    expect(page.get_by_role("heading", name="Deployment")).to_be_visible()
    desk.site.run(desk.site.deploy(workspace_id))
    expect(page.get_by_text("The schema is as planned.")).to_be_visible()


def test_a_target_is_written_planned_and_deployed(desk: Desk) -> None:
    workspace_id = new_schema(desk, "First schema")
    page = desk.open(f"/ui/workspaces/{workspace_id}", role=Role.INSTRUCTOR)

    page.get_by_role("link", name="Schema", exact=True).click()
    page.get_by_role("link", name="Write the first target").click()
    text = page.get_by_label("Target in JSON")
    text.fill(target(PEOPLE).replace("DATE", "DAET"))
    problems = page.get_by_role("status").filter(has_text="1 problem")
    expect(problems).to_contain_text('did you mean "date"')
    problems.get_by_role("link", name=re.compile("^Line")).click()
    expect(text).to_be_focused()
    marked = page.evaluate(
        "(() => { const t = document.activeElement; return t.value.slice(t.selectionStart, t.selectionEnd); })()"
    )
    text.fill(target(PEOPLE))
    expect(page.get_by_text("The target is valid: PostgreSQL accepts it.")).to_be_visible()
    page.get_by_role("button", name="See what would change", exact=True).click()
    expect(page.get_by_role("heading", name="1 change")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text('CREATE TABLE "people"')
    deploy(page, desk, workspace_id)
    page.get_by_role("link", name="Diagram").click()

    assert "DAET" in marked
    expect(page.get_by_role("img", name="Schema as it is")).to_contain_text("born")
    page.get_by_role("main").locator("summary").filter(has_text="people").click()
    expect(page.get_by_role("region", name="Columns of people")).to_contain_text("born")
    page.get_by_role("link", name="Change the schema").click()
    page.get_by_role("button", name="See what would change", exact=True).click()
    expect(page.get_by_role("heading", name="Nothing would change")).to_be_visible()


def test_types_and_sequences_without_a_table_are_drawn_listed_and_downloaded(desk: Desk) -> None:
    workspace_id = new_schema(desk, "Types alone")
    page = desk.open(f"/ui/schemas/{workspace_id}/editor", role=Role.INSTRUCTOR)
    types = {
        "composites": [{"name": "address", "attributes": [{"name": "street", "dataType": "TEXT"}]}],
        "ranges": [{"name": "span", "subtype": "date"}],
        "sequences": [{"name": "tickets"}],
    }
    page.get_by_label("Target in JSON").fill(json.dumps(types))
    page.get_by_role("button", name="See what would change", exact=True).click()
    deploy(page, desk, workspace_id)
    page.get_by_role("link", name="Diagram").click()

    picture = page.get_by_role("img", name="Schema as it is")
    for name in ("address", "street", "span", "tickets"):
        expect(picture).to_contain_text(name)
    listed = page.get_by_role("region", name="Types, sequences and views")
    expect(listed).to_contain_text("composite address: street text")
    expect(listed).to_contain_text("range span of date")
    expect(listed).to_contain_text("sequence tickets")
    expect(page.get_by_role("link", name="Change the schema")).to_be_visible()
    expect(page.get_by_role("link", name="Download as SQL")).to_be_visible()


def test_each_loss_is_confirmed_with_the_keyboard_and_there_is_a_way_back(desk: Desk) -> None:
    workspace_id = new_schema(desk, "Losing")
    schemas = schemas_of(desk, workspace_id)
    page = desk.open(f"/ui/schemas/{workspace_id}/editor", role=Role.INSTRUCTOR)
    page.get_by_label("Target in JSON").fill(target(PEOPLE))
    page.get_by_role("button", name="See what would change", exact=True).click()
    deploy(page, desk, workspace_id)
    desk.site.run(schemas.sql("INSERT INTO people (name, born) VALUES ('Ada', '1815-12-10')"))

    page.goto(f"/ui/schemas/{workspace_id}/editor")
    page.get_by_label("Target in JSON").fill(target({**PEOPLE, "columns": PEOPLE["columns"][:2]}))
    page.get_by_role("button", name="See what would change", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("1 row")
    page.get_by_role("button", name=re.compile("^Deploy ")).click()
    expect(page.get_by_role("alert")).to_contain_text(
        "Nothing is deployed before what would be lost is confirmed: column people.born."
    )
    page.get_by_role("link", name="Confirm and deploy").click()
    expect(page.get_by_role("heading", name="Deploy", exact=True)).to_be_in_viewport()
    page.get_by_role("checkbox", name="column people.born").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Deployment")).to_be_visible()
    desk.site.run(desk.site.deploy(workspace_id))
    expect(page.get_by_text("The schema is as planned.")).to_be_visible()
    page.get_by_role("link", name="History").click()
    page.get_by_role("combobox", name="From revision").select_option("1")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="From revision 1 to")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("people.born"))).to_contain_text("dropped")
    page.get_by_role("link", name="Back to the history").click()
    page.get_by_role("combobox", name="To").select_option("2")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="From revision 1 to revision 2")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("people.born"))).to_contain_text("dropped")
    page.get_by_role("link", name="Back to the history").click()
    page.get_by_role("button", name="Plan the way back to revision 1").click()

    expect(page.get_by_role("main")).to_contain_text("born")
    deploy(page, desk, workspace_id)
    desk.expect_complaint("409")


def test_all_of_it_is_done_without_scripts_on_a_phone(desk: Desk) -> None:
    workspace_id = new_schema(desk, "Without scripts")
    page = desk.open(f"/ui/schemas/{workspace_id}/editor", role=Role.INSTRUCTOR, scripts=False)
    page.set_viewport_size({**PHONE})

    page.get_by_label("Target in JSON").fill('{"tables": [\n{"name": "x"')
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("status").filter(has_text="1 problem")).to_contain_text("Line 2")
    page.get_by_label("Target in JSON").fill(target(PEOPLE))
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("The target is valid: PostgreSQL accepts it.")).to_be_visible()
    page.get_by_role("button", name="See what would change", exact=True).click()
    page.get_by_role("button", name=re.compile("^Deploy ")).click()
    desk.site.run(desk.site.deploy(workspace_id))
    page.get_by_role("link", name="look again").click()

    expect(page.get_by_text("The schema is as planned.")).to_be_visible()


def test_a_target_is_made_of_sql_and_of_dbml(desk: Desk) -> None:
    workspace_id = new_schema(desk, "Pasted")
    page = desk.open(f"/ui/schemas/{workspace_id}/editor", role=Role.INSTRUCTOR)
    page.get_by_role("link", name="From SQL or DBML").click()
    page.get_by_role("textbox", name="Text").fill("CREATE TABLE people (\n  id bigint PRIMARY KEY,\n  born daet\n);")
    page.get_by_role("button", name="Make it the target").click()
    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("Line 3")
    barriers = desk.barriers(page)
    page.get_by_role("textbox", name="Text").fill("CREATE TABLE people (id bigint PRIMARY KEY, born date);")
    page.get_by_role("button", name="Make it the target").click()
    expect(page.get_by_label("Target in JSON")).to_have_value(re.compile('"born"'))
    expect(page.get_by_role("img", name="Target")).to_contain_text("born")
    page.get_by_role("link", name="From SQL or DBML").click()
    page.get_by_role("combobox", name="Written in").select_option("dbml")
    page.get_by_role("textbox", name="Text").fill("Table rooms {\n  id bigint [pk]\n  seats integer\n}")
    page.get_by_role("button", name="Make it the target").click()

    expect(page.get_by_role("img", name="Target")).to_contain_text("seats")
    page.get_by_role("button", name="See what would change", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text('CREATE TABLE "rooms"')
    assert barriers == []
    desk.expect_complaint("400")


def test_the_buttons_of_the_editor_stay_in_sight_below_a_top_of_two_rows(desk: Desk) -> None:
    workspace_id = new_schema(desk, "In sight")
    page = desk.open(f"/ui/schemas/{workspace_id}/editor", role=Role.INSTRUCTOR)
    page.set_viewport_size({"width": 800, "height": 600})
    button = page.get_by_role("button", name="See what would change", exact=True)
    page.get_by_label("Target in JSON").fill(target(PEOPLE, *(table(f"t{number}") for number in range(20))))
    expect(page.get_by_text("The target is valid: PostgreSQL accepts it.")).to_be_visible()

    page.mouse.move(780, 300)
    page.mouse.wheel(0, 600)
    page.wait_for_function("window.scrollY > 300")
    button.click(trial=True, timeout=2_000)

    page.wait_for_function("window.scrollY > 300")
    expect(button).to_be_in_viewport()


def test_what_may_be_another_name_is_asked_and_answered(desk: Desk) -> None:
    workspace_id = new_schema(desk, "Asked")
    schemas = schemas_of(desk, workspace_id)
    page = desk.open(f"/ui/schemas/{workspace_id}/editor", role=Role.INSTRUCTOR)
    page.get_by_label("Target in JSON").fill(target(people_with("mail")))
    page.get_by_role("button", name="See what would change", exact=True).click()
    deploy(page, desk, workspace_id)
    desk.site.run(schemas.sql("INSERT INTO people VALUES ('ada@example.org')"))
    page.goto(f"/ui/schemas/{workspace_id}/editor")
    page.get_by_label("Target in JSON").fill(target(people_with("email")))
    page.get_by_role("button", name="See what would change", exact=True).click()

    asked = page.get_by_role("group", name="What has become of column people.mail?")
    asked.get_by_role("radio", name=re.compile("called column people.email now")).focus()
    page.keyboard.press("Space")
    expect(asked.get_by_role("radio", name=re.compile("called column people.email now"))).to_be_checked()
    barriers = desk.barriers(page)
    page.get_by_role("button", name="Answer and see what would change").click()
    expect(page.get_by_role("heading", name="1 change")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("RENAME COLUMN")
    deploy(page, desk, workspace_id)

    assert barriers == []
    assert desk.site.run(schemas.sql("SELECT email FROM people")) == [("ada@example.org",)]
    desk.expect_complaint("409")


def test_a_deployment_is_cancelled_and_goes_on(desk: Desk) -> None:
    workspace_id = new_schema(desk, "Cancelled")
    page = desk.open(f"/ui/schemas/{workspace_id}/editor", role=Role.INSTRUCTOR)
    page.get_by_label("Target in JSON").fill(target(PEOPLE))
    page.get_by_role("button", name="See what would change", exact=True).click()
    page.get_by_role("button", name=re.compile("^Deploy ")).click()

    page.get_by_role("button", name="Cancel before the next step").click()
    expect(page.get_by_text("Nothing was changed.")).to_be_visible()
    page.get_by_role("link", name="History").click()
    expect(page.get_by_text("The newest deployment was cancelled.")).to_be_visible()
    page.get_by_role("link", name="See how far it is").click()
    page.get_by_role("button", name="Go on after the last step that was done").click()
    expect(page.get_by_text("It waits for its turn.")).to_be_visible()
    desk.site.run(desk.site.deploy(workspace_id))

    expect(page.get_by_text("The schema is as planned.")).to_be_visible()


def test_a_revision_is_promoted_to_another_workspace_by_the_same_hash(desk: Desk) -> None:
    first, second = new_schema(desk, "Test stage"), new_schema(desk, "Production stage")
    page = desk.open(f"/ui/schemas/{first}/editor", role=Role.INSTRUCTOR)
    page.get_by_label("Target in JSON").fill(target(PEOPLE))
    page.get_by_role("button", name="See what would change", exact=True).click()
    deploy(page, desk, first)

    page.goto(f"/ui/schemas/{first}/history/1")
    page.get_by_role("combobox", name="To the workspace").select_option("Production stage")
    page.get_by_role("button", name="See the plan there").click()
    expect(page.get_by_text("This is the very plan that was deployed there")).to_be_visible()
    expect(page.get_by_role("link", name="Production stage")).to_be_visible()
    deploy(page, desk, second)


def test_a_schema_that_moved_is_said_on_the_plan_and_shown_as_drift(desk: Desk) -> None:
    workspace_id = new_schema(desk, "Moving")
    schemas = schemas_of(desk, workspace_id)
    page = desk.open(f"/ui/schemas/{workspace_id}/editor", role=Role.INSTRUCTOR)
    page.get_by_label("Target in JSON").fill(target(PEOPLE))
    page.get_by_role("button", name="See what would change", exact=True).click()
    deploy(page, desk, workspace_id)
    page.goto(f"/ui/schemas/{workspace_id}/editor")
    page.get_by_label("Target in JSON").fill(target(PEOPLE, table("rooms")))
    page.get_by_role("button", name="See what would change", exact=True).click()
    desk.site.run(schemas.sql("ALTER TABLE people ADD COLUMN strange integer"))

    page.get_by_role("button", name=re.compile("^Deploy ")).click()
    expect(page.get_by_role("alert")).to_contain_text("The schema has changed since the plan was made")
    page.get_by_role("link", name="Drift").click()
    expect(page.get_by_role("region", name="What happened")).to_contain_text("column people.strange")
    page.get_by_role("button", name="Plan to keep it as a revision").click()
    expect(page.get_by_role("heading", name="What happened becomes a revision")).to_be_visible()
    deploy(page, desk, workspace_id)
    page.get_by_role("link", name="Drift").click()
    expect(page.get_by_text("The schema is as it was deployed.")).to_be_visible()
    desk.site.run(schemas.sql("ALTER TABLE people ADD COLUMN stranger integer"))
    page.reload()
    page.get_by_role("button", name="Plan to undo it").click()
    expect(page.get_by_role("main")).to_contain_text("people.stranger")
    page.get_by_role("checkbox", name="column people.stranger").check()
    deploy(page, desk, workspace_id)

    desk.expect_complaint("409")


def test_a_viewer_looks_and_changes_nothing(desk: Desk) -> None:
    page = desk.open(desk.site.places.plan, role=Role.LEARNER)

    expect(page.get_by_text("Administrators and owners of the workspace deploy plans.")).to_be_visible()
    expect(page.get_by_role("link", name="Editor")).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("^Deploy "))).to_have_count(0)
    page.get_by_role("link", name="Diagram").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as SQL").click()

    assert download.value.suggested_filename == "schema.sql"
    assert 'CREATE TABLE "people"' in download.value.path().read_text()
