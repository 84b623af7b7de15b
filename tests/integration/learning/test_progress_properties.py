"""Whatever happens in whatever order: progress is what a plain model says, and no answer changes afterwards."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.builders.progress import START, Drawn, Fact, Model, World, address, spelt

# Most of it happens to few, so that it meets.
LESSON = st.sampled_from([0, 0, 0, 1, 2])
WHO = st.sampled_from([0, 0, 0, 1, 2, 3])
KINDS = st.sampled_from(["completes", "completes", "completes", "views", "answers", "voids", "voids"])
STATEMENTS = st.builds(
    Drawn, who=WHO, lesson=LESSON, kind=KINDS, minute=st.integers(0, 4), spelling=st.integers(0, 2),
    target=st.integers(0, 7),
)  # fmt: skip
BATCHES = st.lists(st.integers(0, 7), min_size=1, max_size=3, unique=True)
STEPS = st.one_of(
    st.tuples(st.just("accept"), st.lists(STATEMENTS, min_size=1, max_size=4)),
    st.tuples(st.just("load"), BATCHES),
    st.tuples(st.just("load"), BATCHES),
    st.tuples(st.just("import"), st.lists(STATEMENTS, min_size=1, max_size=3)),
    st.tuples(st.just("person"), st.integers(0, 1)),
    st.tuples(st.just("link"), st.tuples(st.integers(2, 3), st.integers(0, 1))),
    st.tuples(st.just("unlink"), st.integers(2, 3)),
    st.tuples(st.just("follow"), st.none()),
    st.tuples(st.just("backfill"), st.none()),
    st.tuples(st.just("create"), st.tuples(LESSON, st.integers(0, 2))),
    st.tuples(st.just("change"), st.tuples(st.integers(0, 3), LESSON)),
    st.tuples(st.just("alias"), st.tuples(st.integers(0, 3), st.sets(LESSON, max_size=2))),
    st.tuples(st.just("delete"), st.integers(0, 3)),
    st.tuples(st.just("ask"), st.none()),
)


Steps = list[tuple[str, Any]]
_KNOWN: Steps = [("person", 0), ("create", (0, 0))]
_ASK = ("ask", None)


def _done(minute: int = 0, who: int = 0) -> Drawn:
    return Drawn(who, 0, "completes", minute, 0, 0)


def _void(target: int) -> Drawn:
    return Drawn(0, 0, "voids", 0, 0, target)


# Accepted after its target, loaded before it.
_VOIDED_BEFORE_IT_IS_LOADED: Steps = [
    ("accept", [_done()]), ("accept", [_void(0)]), ("load", [1]), ("load", [0]), _ASK, ("accept", [_done(3)]),
    ("load", [2]), _ASK,
]  # fmt: skip
# The second of them is loaded first.
_TWO_VOIDERS: Steps = [
    ("accept", [_done(1), _done(2)]), ("load", [0]), ("accept", [_void(0)]), ("accept", [_void(0)]), _ASK,
    ("load", [2]), _ASK, ("load", [1]), _ASK,
]  # fmt: skip
# By another identifier, whose link has ended.
_VOIDED_AFTER_IT_HAS_MOVED: Steps = [
    ("accept", [_done(who=2)]), ("load", [0]), ("link", (2, 0)), ("follow", None), _ASK, ("unlink", 2),
    ("accept", [_void(0)]), ("follow", None), _ASK, ("load", [1]), _ASK, ("link", (2, 0)), ("follow", None), _ASK,
]  # fmt: skip
# An earlier completion is loaded after the first one was voided, and voided too.
_LATE_BUT_EARLIER: Steps = [
    ("accept", [_done(2)]), ("load", [0]), ("accept", [_done(1)]), ("accept", [_void(0)]), ("load", [2]),
    ("load", [1]), _ASK, ("import", [_done(0)]), _ASK, ("accept", [_void(3)]), ("load", [3]), _ASK,
]  # fmt: skip


class Story:
    """A world and its model, to which the same happens."""

    def __init__(self, world: World) -> None:
        self.world, self.model = world, Model()
        self.now, self.number = START, 0
        self.messages: list[tuple[Any, list[Fact]]] = []
        self.loaded: set[int] = set()
        self.lessons: dict[UUID, list[str]] = {}  # its own address first
        self.link_ids: dict[int, UUID] = {}
        self.asked: list[tuple[datetime, datetime, dict[str, Any]]] = []

    async def run(self, steps: Sequence[tuple[str, Any]]) -> None:
        """Let all of it happen, then what is left to be done."""
        await self.world.clean()
        rest = [("load", [index]) for index in range(sum(name == "accept" for name, _ in steps))]
        for name, given_value in [*steps, *rest, ("follow", None), ("backfill", None), ("ask", None)]:
            self.now += timedelta(minutes=1)
            await self.world.set_clock(self.now)
            await getattr(self, f"_{name}")(given_value)

    async def _accept(self, drawn: list[Drawn]) -> None:
        self.messages.append(await self.world.accept(self._numbered(drawn)))

    async def _load(self, chosen: list[int]) -> None:
        there = [index for index in chosen if index < len(self.messages)]
        if there:
            await self.world.load([self.messages[index][0] for index in there])
            self.model.load([fact for index in sorted(there) for fact in self.messages[index][1]])
            self.loaded.update(there)

    async def _import(self, drawn: list[Drawn]) -> None:
        self.model.load(await self.world.bring_in(self._numbered(drawn)))

    def _numbered(self, drawn: list[Drawn]) -> list[tuple[int, Drawn]]:
        self.number += len(drawn)
        return list(enumerate(drawn, self.number - len(drawn)))

    async def _person(self, who: int) -> None:
        if who not in self.model.accounts:
            self.model.accounts[who] = await self.world.add_person(who)

    async def _link(self, both: tuple[int, int]) -> None:
        who, person = both
        if person in self.model.accounts and not self.model.links.get(who, (None, False))[1]:
            self.link_ids[who] = await self.world.link(who, self.model.accounts[person])
            self.model.links[who] = (self.model.accounts[person], True)

    async def _unlink(self, who: int) -> None:
        user, linked = self.model.links.get(who, (None, False))
        if linked and user is not None:
            await self.world.unlink(self.link_ids[who])
            self.model.links[who] = (user, False)

    async def _follow(self, _: None) -> None:
        await self.world.follow()
        self.model.follow(self.now)

    async def _backfill(self, _: None) -> None:
        await self.world.backfill()
        self.model.match_lessons(self.now)
        self.model.match_people(self.now)

    async def _create(self, both: tuple[int, int]) -> None:
        number, spelling = both
        if address(number) not in self.model.addresses:
            lesson = await self.world.create_lesson(spelt(number, spelling))
            self.lessons[lesson] = [address(number)]
            self.model.addresses[address(number)] = lesson
            self._matched(lesson)

    def _chosen(self, number: int) -> UUID | None:
        return list(self.lessons)[number % len(self.lessons)] if self.lessons else None

    async def _change(self, both: tuple[int, int]) -> None:
        lesson, new = self._chosen(both[0]), address(both[1])
        if lesson is None or self.model.addresses.get(new, lesson) != lesson or new == self.lessons[lesson][0]:
            return
        await self.world.change_lesson(lesson, spelt(both[1], both[0]))
        old = self.lessons[lesson][0]
        self.lessons[lesson] = [new, *(alias for alias in self.lessons[lesson][1:] if alias != new)]
        self._moved(lesson, {old})

    async def _alias(self, both: tuple[int, set[int]]) -> None:
        lesson, wanted = self._chosen(both[0]), {address(number) for number in both[1]}
        if lesson is None or any(self.model.addresses.get(item, lesson) != lesson for item in wanted):
            return
        await self.world.replace_aliases(lesson, sorted(wanted))
        own, *before = self.lessons[lesson]
        self.lessons[lesson] = [own, *sorted(wanted - {own})]
        self._moved(lesson, set(before) - wanted)

    async def _delete(self, number: int) -> None:
        if (lesson := self._chosen(number)) is not None:
            await self.world.delete_lesson(lesson)
            gone = set(self.lessons.pop(lesson))
            self.model.addresses = {item: which for item, which in self.model.addresses.items() if which != lesson}
            self.model.release(self.now, lesson, gone)

    def _moved(self, lesson: UUID, gone: set[str]) -> None:
        self.model.addresses = {item: which for item, which in self.model.addresses.items() if which != lesson}
        self.model.addresses |= dict.fromkeys(self.lessons[lesson], lesson)
        self.model.release(self.now, lesson, gone)
        self._matched(lesson)

    def _matched(self, lesson: UUID) -> None:
        """A command matches statements of its own lesson only."""
        others = self.model.addresses
        self.model.addresses = {item: which for item, which in others.items() if which == lesson}
        self.model.match_lessons(self.now)
        self.model.addresses = others

    async def _ask(self, _: None) -> None:
        watermark = await self.world.watermark() - timedelta(microseconds=1)
        since = self.asked[-1][1] if self.asked else START - timedelta(days=60)
        self.asked.append((since, watermark, await self.world.answers(since, watermark)))

    async def check(self) -> None:
        """Every answer is given again, and is the model's."""
        for since, watermark, answer in self.asked:
            assert await self.world.answers(since, watermark) == answer
            progress = self.model.progress(watermark)
            assert answer["progress"] == {pair: row for pair, row in progress.items() if row[2]}
            assert answer["completions"] == {
                pair: row[3:] for pair, row in progress.items() if row[6] is not None and row[6] > since
            }
            assert answer["answers"] == self.model.answers(watermark)


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    world = World(database_url)
    yield world
    world.close()


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@example(known=True, steps=_VOIDED_BEFORE_IT_IS_LOADED)
@example(known=True, steps=_TWO_VOIDERS)
@example(known=True, steps=_VOIDED_AFTER_IT_HAS_MOVED)
@example(known=True, steps=_LATE_BUT_EARLIER)
@given(known=st.booleans(), steps=st.lists(STEPS, min_size=12, max_size=30))
def test_progress_is_what_the_model_says_and_answers_stay(
    world: World,
    steps: list[tuple[str, Any]],
    known: bool,
) -> None:
    story = Story(world)
    world.do(story.run([*(_KNOWN if known else []), *steps]))
    before = world.do(world.tables())
    world.do(story.check())

    world.do(world.rebuild())

    assert world.do(world.tables()) == before
    world.do(story.check())
