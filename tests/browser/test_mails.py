"""What a mail leads to, on a phone: unsubscribing, choosing what one hears of; and the mailbox of a local stack."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from dataforge.platform.mail.message import Mail
from dataforge.platform.mail.senders import SmtpSender
from tests.browser.conftest import DESKTOP, PHONE, Desk
from tests.builders.mail import receiving

LINK = "<https://learn.example.org/api/unsubscribe?token=" + "a" * 400 + ">"


def test_a_learner_chooses_what_to_hear_of_and_when(desk: Desk) -> None:
    desk.site.run(desk.site.learner("kim"))
    page = desk.open(name="kim")
    page.set_viewport_size({**PHONE})
    page.get_by_role("link", name="kim").click()
    page.get_by_role("link", name="Messages").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Messages")

    page.get_by_label("Your enrolments").uncheck()
    page.get_by_role("button", name="Keep this choice").click()
    expect(page.get_by_role("status")).to_have_text("Your choice is kept.")
    expect(page.get_by_label("Your enrolments")).not_to_be_checked()
    expect(page.get_by_label("Lessons that are due")).to_be_checked()

    page.get_by_label("Time zone").fill("Asia/Kolkata")
    page.get_by_label("Language of mails").select_option("de")
    page.get_by_label("Reminders at").fill("07:30")
    page.get_by_label("Quiet from").fill("21:00")
    page.get_by_label("Quiet until").fill("06:30")
    page.get_by_role("button", name="Keep these times").click()
    # From here on the pages are in the language that was chosen.
    expect(page.get_by_label("Zeitzone")).to_have_value("Asia/Kolkata")
    expect(page.get_by_label("Sprache der Mails")).to_have_value("de")
    expect(page.get_by_label("Ruhe bis")).to_have_value("06:30")

    page.get_by_label("Zeitzone").fill("Mars/Olympus")
    page.get_by_role("button", name="Diese Zeiten behalten").click()
    expect(page.get_by_role("alert")).to_contain_text("Europe/Berlin")
    expect(page.get_by_label("Zeitzone")).to_have_value("Mars/Olympus")
    assert desk.barriers(page) == []
    assert desk.too_wide(page) == 0
    desk.expect_complaint("400")


def test_the_link_of_a_mail_asks_before_it_unsubscribes(desk: Desk) -> None:
    page = desk.open(desk.site.places.unsubscribe)
    page.set_viewport_size({**PHONE})
    expect(page.get_by_text("Do you want no more reminders from us?")).to_be_visible()

    page.get_by_role("button", name="Unsubscribe").click()

    expect(page.get_by_text("You get no more reminders from us.")).to_be_visible()
    assert desk.too_wide(page) == 0


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_the_local_mailbox_fits_the_screen(desk: Desk, tmp_path: Path, size: dict[str, int]) -> None:
    with receiving(tmp_path) as mailbox:
        sender = SmtpSender(mailbox.smtp_url, "no-reply@dataforge.example")
        link = f"{mailbox.page_url}/?from=mail&kind=lesson"
        html = f'<html><head></head><body><a href="{link}">No more reminders</a></body></html>'
        to = f"{'a' * 60}@a-department-with-a-long-name.example.org"
        mail = Mail(to, "2 lessons to do", f"{link}\n", html, {"List-Unsubscribe": LINK})
        desk.site.run(sender.send(mail))
        context = desk.chromium.new_context(viewport={**size})
        page = context.new_page()
        page.goto(mailbox.page_url)
        listed, barriers = desk.too_wide(page), desk.barriers(page)
        page.get_by_role("link", name="2 lessons to do").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("2 lessons to do")
        shown, more = desk.too_wide(page), desk.barriers(page)
        with context.expect_page() as opened:
            page.frame_locator("iframe").get_by_role("link", name="No more reminders").click()
        opened.value.wait_for_url(link)
        page.get_by_role("link", name=link).click()
        page.wait_for_url(link)
        context.close()

    assert (listed, shown) == (0, 0)
    assert [*barriers, *more] == []
