"""Pages of webhooks: made, looked after, and sent again by people."""

import re
from datetime import UTC, timedelta

import httpx

from dataforge.contexts.identity.contract import PasswordChanged
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from tests.builders.browser import person, send
from tests.builders.receivers import Receiver, answer
from tests.builders.webhooks import WebhookDesk

PAGE = "/ui/webhooks"


async def administrator(desk: WebhookDesk) -> httpx.AsyncClient:
    return await person(desk.api, desk.admin_id, Role.ADMIN)


async def test_a_webhook_is_made_with_the_events_that_are_ticked_and_its_secret_is_shown_once(
    desk: WebhookDesk, receiver: Receiver
) -> None:
    browser = await administrator(desk)
    form = {"name": "Staff", "url": receiver.url, "workspace_id": "", "type-identity.password_changed": "1"}

    made = await send(browser, PAGE, form, form_of=PAGE)

    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    assert re.search(r"whsec_[A-Za-z0-9+/]{32}", made.text)
    page = await browser.get(PAGE)
    [address] = re.findall(r'href="(/ui/webhooks/[0-9a-f-]{36})"', page.text)
    shown = await browser.get(address)
    assert "whsec_" not in page.text + shown.text
    assert "the whole organisation" in shown.text
    assert "<code>identity.password_changed</code>" in shown.text


async def test_what_is_wrong_stands_beside_the_field(desk: WebhookDesk) -> None:
    browser = await administrator(desk)

    refused = await send(browser, PAGE, {"name": "", "url": "ftp://x", "workspace_id": ""}, form_of=PAGE)
    elsewhere = await send(browser, PAGE, {"name": "In", "url": "https://10.0.0.1/", "workspace_id": ""}, form_of=PAGE)

    assert (refused.status_code, elsewhere.status_code) == (400, 400)
    assert 'id="why-name"' in refused.text
    assert re.search(r'id="why-url">[^<]*no public address', elsewhere.text)


async def test_members_see_the_webhooks_that_they_keep(desk: WebhookDesk, receiver: Receiver) -> None:
    inside = await desk.subscribe(receiver.url, by=desk.space["owner"], workspace_id=desk.space.id, name="Ours")
    organisation = await desk.subscribe(receiver.url, name="Staff")
    pages = {}
    for name in ("admin", "viewer"):
        browser = await person(desk.api, desk.space.people[name].id, Role.LEARNER)
        statuses = [(await browser.get(f"{PAGE}/{item['id']}")).status_code for item in (inside, organisation)]
        pages[name] = ((await browser.get(PAGE)).text, statuses)

    assert ("Ours" in pages["admin"][0], pages["admin"][1]) == (True, [200, 404])
    assert ("Ours" in pages["viewer"][0], pages["viewer"][1]) == (False, [404, 404])
    assert "New webhook" in pages["admin"][0]
    assert "New webhook" not in pages["viewer"][0]


async def test_a_webhook_is_changed_switched_tested_and_deleted(desk: WebhookDesk, receiver: Receiver) -> None:
    made = await desk.subscribe(receiver.url)
    browser, page = await administrator(desk), f"{PAGE}/{made['id']}"

    changed = {"name": "Renamed", "url": receiver.url, "revision": "1", "type-records.lesson_completed": "1"}
    await send(browser, page, changed, form_of=page)
    await send(browser, f"{page}/switch", {"enabled": "false"}, form_of=page)
    await send(browser, f"{page}/test", {}, form_of=page)
    await desk.deliver(made)

    state = await desk.state(made)
    assert (state["name"], state["event_types"], state["enabled"]) == ("Renamed", ["records.lesson_completed"], False)
    assert [sent.json["type"] for sent in receiver.posts] == ["webhooks.test"]
    secret = await send(browser, f"{page}/secret", {}, form_of=page)
    assert "The one before it signs too" in secret.text
    gone = await send(browser, f"{page}/delete", {}, form_of=page)
    assert (gone.status_code, (await browser.get(page)).status_code) == (303, 404)


async def test_a_delivery_is_looked_at_and_sent_again(desk: WebhookDesk, receiver: Receiver) -> None:
    made = await desk.subscribe(receiver.url)
    event = PasswordChanged(uuid7())
    await desk.publish(event)
    await desk.deliver(made)
    [delivery] = await desk.log(made)
    browser, page = await administrator(desk), f"{PAGE}/{made['id']}"

    shown = await browser.get(f"{page}/deliveries/{delivery['id']}")
    again = await send(browser, f"{page}/replays", {"delivery_id": delivery["id"]}, form_of=page)
    await desk.deliver(made)

    assert str(event.user_id) in shown.text
    assert again.status_code == 303
    assert len(receiver.posts) == 2


async def test_what_has_happened_since_is_sent_again_and_what_was_given_up(
    desk: WebhookDesk, receiver: Receiver
) -> None:
    made = await desk.subscribe(receiver.url, event_types=["identity.password_changed"])
    browser, page = await administrator(desk), f"{PAGE}/{made['id']}"
    await desk.publish(PasswordChanged(uuid7()))
    await desk.deliver(made)
    since = (desk.clock.now() - timedelta(hours=1)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M")

    answers = [
        await send(browser, f"{page}/replays", form, form_of=page)
        for form in ({"since": since}, {"since": "2020-01-01T00:00"}, {"since": "yesterday"}, {"failed": "true"})
    ]
    receiver.answering = answer(204)
    await desk.deliver(made)

    assert [item.status_code for item in answers] == [303, 400, 400, 303]
    assert 'id="why-since"' in answers[1].text
    assert len(receiver.posts) == 2
