"""From a recording's captions to a tutorial that others read, in a browser."""

import re
from pathlib import Path

from playwright.sync_api import expect

from dataforge.kernel.principal import Role
from tests.browser.conftest import PHONE, Desk

FIXTURE = Path(__file__).parents[1] / "fixtures" / "transcripts" / "training_backup.vtt"


def test_a_file_becomes_a_transcript_a_draft_and_a_tutorial(desk: Desk) -> None:
    page = desk.open("/ui/tutorials", role=Role.REGISTRAR)
    page.get_by_role("link", name="Transcripts").click()
    expect(page.get_by_role("heading", name="Transcripts of Acme onboarding")).to_be_visible()
    page.get_by_text("Add a transcript to Acme onboarding", exact=True).click()
    page.get_by_label("File, up to").set_input_files(FIXTURE)
    page.get_by_role("button", name="Add the transcript").click()
    expect(page.get_by_role("status")).to_contain_text("The transcript is read.")
    expect(page.get_by_role("heading", name="training_backup")).to_be_visible()
    page.get_by_text("Names of speakers", exact=True).click()
    page.get_by_label(re.compile("Name of Joanne Pike")).fill("Jo Pike")
    page.get_by_role("form", name="Rename Joanne Pike").get_by_role("button", name="Rename").click()
    expect(page.locator(".spoken").get_by_text("Jo Pike").first).to_be_visible()

    page.get_by_role("button", name="Generate tutorial").click()
    expect(page.get_by_text("The draft waits for its turn.")).to_be_visible()
    assert desk.barriers(page) == []
    desk.site.run(desk.site.work())
    page.get_by_role("link", name="Open the tutorial").click()

    expect(page.get_by_text("draft", exact=True)).to_be_visible()
    expect(page.locator(".cited-steps > li").nth(3)).to_be_visible()
    page.get_by_role("link", name="Tutorials", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("3 tutorials of all your workspaces")


def test_the_time_of_a_step_leads_to_what_it_cites(desk: Desk) -> None:
    page = desk.open(desk.site.places.tutorial, role=Role.LEARNER)

    time = page.get_by_role("link", name="Step 3 cites 0:15")
    time.focus()
    page.keyboard.press("Enter")

    marked = page.locator(".spoken .cited")
    expect(marked).to_have_count(2)
    expect(marked.first).to_be_focused()
    expect(marked.first).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(time).to_be_focused()


def test_the_time_of_a_step_leads_there_without_scripts(desk: Desk) -> None:
    page = desk.open(desk.site.places.tutorial, role=Role.LEARNER, scripts=False)

    page.get_by_role("link", name="Step 3 cites 0:15").click()

    expect(page.locator("#s3")).to_be_in_viewport()


def test_steps_are_changed_moved_added_and_removed(desk: Desk) -> None:
    page = desk.open(desk.site.places.draft_tutorial, role=Role.REGISTRAR)
    steps = page.locator(".cited-steps > li > p")

    page.get_by_text("Edit step 1", exact=True).click()
    page.get_by_label("Text of step 1").fill("Pull the plug.")
    page.get_by_role("button", name="Save the step").first.click()
    expect(steps.first).to_contain_text("Pull the plug.")
    page.get_by_text("Edit step 1", exact=True).click()
    page.get_by_role("button", name="Move down").first.click()
    expect(steps.nth(1)).to_contain_text("Pull the plug.")
    page.get_by_text("Add a step", exact=True).click()
    add = page.locator("details", has_text="Add a step")
    add.get_by_label("Text of the new step").fill("Look at the light.")
    add.get_by_label("From segment").fill("4")
    add.get_by_label("To segment").fill("4")
    add.get_by_role("button", name="Add the step").click()
    expect(steps.nth(3)).to_contain_text(re.compile(r"Look at the light\.\s+Step 4 cites 0:16–0:19"))
    page.get_by_text("Edit step 4", exact=True).click()
    page.locator(".cited-steps > li").nth(3).get_by_role("button", name="Remove").click()
    expect(steps).to_have_count(3)
    page.get_by_text("Title and texts", exact=True).click()
    page.get_by_label("Title", exact=True).fill("Reset it")
    page.get_by_label("Before you begin").fill("A ladder\n\nGloves")
    page.get_by_role("button", name="Save the texts").click()

    expect(page.get_by_role("heading", name="Reset it")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Gloves")).to_be_visible()


def test_a_change_of_what_somebody_else_has_changed_is_refused_and_says_so(desk: Desk) -> None:
    first = desk.open(desk.site.places.draft_tutorial, role=Role.REGISTRAR)
    second = desk.open(desk.site.places.draft_tutorial, role=Role.ANALYST)
    for page in (first, second):
        page.get_by_text("Title and texts", exact=True).click()
        page.get_by_label("Summary").fill(f"As {'the second' if page is second else 'the first'} has it.")
        page.get_by_role("button", name="Save the texts").click()
        if page is first:
            expect(first.get_by_role("status")).to_contain_text("The change is saved.")

    expect(second.get_by_role("alert")).to_contain_text("changed since you read it")
    desk.expect_complaint("412")


def test_a_tutorial_is_published_shared_with_a_stranger_and_taken_back(desk: Desk) -> None:
    page = desk.open(desk.site.places.tutorial, role=Role.INSTRUCTOR)
    page.get_by_label("Cohort of the lesson").select_option("Support")
    page.get_by_role("button", name="Publish as a lesson").click()
    expect(page.get_by_role("status")).to_contain_text("The tutorial is a lesson")
    expect(page.get_by_label("Cohort of the lesson").locator("option:checked")).to_have_text("Support")
    lesson = page.url
    page.get_by_role("link", name="report of its cohort").click()
    expect(page.get_by_role("heading", name="Support")).to_be_visible()
    page.goto(lesson)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Make a public link").click()
    link = page.locator("#new-link").inner_text()
    page.get_by_role("button", name="Copy the link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == link
    path = "/ui/shared-tutorials/" + link.rpartition("/")[2]

    stranger = desk.open(path)
    stranger.set_viewport_size({**PHONE})
    answer = stranger.goto(path)

    expect(stranger.get_by_role("heading", name="How to reset the router")).to_be_visible()
    expect(stranger.get_by_role("main")).to_contain_text("Unplug the power cable.")
    shown = stranger.content()
    assert "Grace Hopper" not in shown
    assert "Acme" not in shown
    assert desk.site.places.transcript.rpartition("/")[2] not in shown
    assert answer is not None
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert "script-src 'self'" in answer.headers["content-security-policy"]

    page.get_by_role("button", name="Revoke").first.click()
    expect(page.get_by_role("status")).to_contain_text("The link is revoked.")
    gone = stranger.goto(path)
    assert gone is not None
    assert gone.status == 404
    desk.expect_complaint("404")
    page.get_by_role("button", name="Archive").click()
    expect(page.get_by_role("status")).to_contain_text("The tutorial is archived")
    page.get_by_role("button", name="Make it a draft again").click()
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("The tutorial is published.")


def test_what_is_no_transcript_is_said_with_its_line_and_what_was_typed_stays(desk: Desk) -> None:
    page = desk.open("/ui/transcripts", role=Role.REGISTRAR)
    page.get_by_text("Add a transcript to Acme onboarding", exact=True).click()
    page.get_by_label("Or the text of the file").fill("WEBVTT\n\n00:01.000 --> later\nHello\n")
    page.get_by_label("Title").fill("A call")
    page.get_by_role("button", name="Add the transcript").click()

    expect(page.get_by_role("alert").first).to_contain_text("Line 3: This line gives no times")
    expect(page.get_by_label("Title")).to_have_value("A call")
    expect(page.get_by_label("Or the text of the file")).to_have_value(re.compile("later"))
    desk.expect_complaint("400")


def test_viewers_see_no_way_to_change_anything(desk: Desk) -> None:
    page = desk.open(desk.site.places.tutorial, role=Role.LEARNER)
    expect(page.get_by_role("heading", name="Steps")).to_be_visible()
    buttons = page.get_by_role("main").get_by_role("button").all_inner_texts()
    page.goto(desk.site.places.transcript)
    buttons += page.get_by_role("main").get_by_role("button").all_inner_texts()
    page.goto("/ui/transcripts")

    assert buttons == []
    expect(page.get_by_text("Add a transcript")).to_have_count(0)
