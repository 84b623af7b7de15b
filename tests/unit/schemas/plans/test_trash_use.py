"""What statements need of the trash: what is there, and what is free."""

from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.schemas.designs.domain.names import quoted
from dataforge.contexts.schemas.plans.domain.trash_use import trash_use

HOME = "ws_0123456789abcdef"
TRASH = f'"{HOME}_trash"'
NAMES = st.text(st.sampled_from("ab'\". "), min_size=1, max_size=5)


def test_what_comes_back_is_needed() -> None:
    use = trash_use(
        [
            f'ALTER TABLE {TRASH}."orders" SET SCHEMA "{HOME}"',
            f'UPDATE "people" SET "age" = s.value FROM {TRASH}."people.age" s WHERE s.key = 1',
            f"""COMMENT ON TABLE {TRASH}."people.mail" IS '{{}}'""",
        ],
        HOME,
    )

    assert use.needed == {"orders", "people.age", "people.mail"}
    assert use.made == set()
    assert use.missing({"orders"}) == ["people.age", "people.mail"]


def test_what_goes_needs_a_place() -> None:
    use = trash_use(
        [
            f'CREATE TABLE {TRASH}."people.age" AS SELECT 1 AS key',
            f"""COMMENT ON TABLE {TRASH}."people.age" IS '{{}}'""",
            f'ALTER TABLE "orders" SET SCHEMA {TRASH}',
            f"""COMMENT ON TABLE {TRASH}."orders" IS '{{}}'""",
        ],
        HOME,
    )

    assert use.needed == set()
    assert use.made == {"people.age", "orders"}
    assert use.taken({"orders", "other"}) == ["orders"]


def test_texts_and_the_trash_of_others_are_nothing() -> None:
    use = trash_use(
        [
            f"""COMMENT ON TABLE "it's" IS 'was {TRASH}."orders" once'""",
            'UPDATE "ws_fedcba9876543210_trash"."orders" SET a = 1',
        ],
        HOME,
    )

    assert use.needed == use.made == set()


@given(st.lists(NAMES, unique=True), st.lists(NAMES, unique=True), NAMES)
def test_any_names_are_told_apart(back: list[str], gone: list[str], thing: str) -> None:
    took = [f"ALTER TABLE {TRASH}.{quoted(name)} SET SCHEMA {quoted(HOME)}" for name in back if name not in gone]
    made = [f"CREATE TABLE {TRASH}.{quoted(name)} AS SELECT * FROM {quoted(thing)}" for name in gone]

    use = trash_use([*took, *made], HOME)

    assert use.needed == set(back) - set(gone)
    assert use.made == set(gone)
