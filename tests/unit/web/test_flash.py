"""The message that one page leaves for the next."""

from dataforge.web import flash


def test_what_is_refused_before_it_comes_to_an_app_shows_no_message() -> None:
    scope = {"type": "http", "scheme": "https", "path": "/ui", "headers": [(b"cookie", b"__Host-dataforge_flash=x")]}

    assert flash.take(scope) is None
    assert flash.take({**scope, "headers": [(b"cookie", b"dataforge_flash=x")]}) is None
