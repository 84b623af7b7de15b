"""The search over 100,000 notes of one workspace, beside as many of others: the whole route, in process.

Run as `python -m infra.bench.notes`. A request goes through the app of `api` as it is served: token checked, person
confirmed by the database, search read, answer made. Notes are made of words as often as words of a language are, with
addresses, versions, paths, names of programs and numbers in them, read by the code that reads them when they are saved,
and copied into the tables.
"""

import argparse
import asyncio
import itertools
import random
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import psycopg

from infra.bench.figure import Figure, show
from infra.bench.reports import _Secrets
from infra.bench.stand import Stand, stand

NOTES, VAULTS, OTHERS, WORDS = 100_000, 10, 10_000, 30_000
_SAMPLES, _WARM_UPS, _LIMIT_MS, _PART = 60, 5, 50.0, 2_000
_HEADS = (
    "the of and to in a is that for it was on are as with they be at one have this from or had by but some what "
    "there we can out other were all your when use word how said an each which do their time if will way about "
    "many then them release deployment server client project meeting customer error build test database backup "
    "network password vault "
)
_SYLLABLES = "ba co di fu ga he lo mi nu pa que ri so ta ve wi xa yo zu bre cla dro fle gri plo sta tra"


def vocabulary() -> list[str]:
    """Words, the most frequent first."""
    rare = ("".join(parts) for size in (2, 3, 4) for parts in itertools.product(_SYLLABLES.split(), repeat=size))
    return list(itertools.islice(itertools.chain(_HEADS.split(), rare), WORDS))


def _bodies(seed: int, count: int) -> Iterator[tuple[str, str]]:
    """Paths and texts of some notes."""
    chance, words = random.Random(seed), vocabulary()
    frequencies = list(itertools.accumulate(1 / (rank + 2.7) for rank in range(len(words))))
    for number in range(count):
        lines, total = [f"# {' '.join(chance.choices(words, cum_weights=frequencies, k=4)).capitalize()}", ""], 0
        length = int(chance.lognormvariate(4.7, 0.8))
        while total < length:
            sentence = chance.choices(words, cum_weights=frequencies, k=chance.randint(5, 18))
            total += len(sentence)
            if chance.random() < 0.2:
                sentence.append(_pasted(chance, words))
            lines.append(" ".join(sentence).capitalize() + ".")
        folder = f"{words[60 + chance.randrange(40)]}/{words[200 + chance.randrange(80)]}"
        yield f"{folder}/{seed}-{number} {' '.join(chance.choices(words, k=2))}.md", "\n".join(lines) + "\n"


def _pasted(chance: random.Random, words: list[str]) -> str:
    word, number = chance.choice(words), chance.randrange(10_000)
    return chance.choice(
        [
            f"https://{word}.example.org/{words[chance.randrange(3_000)]}/{number}?page={number % 7}",
            f"v{number % 9}.{number % 40}.{number % 100}",
            f"/etc/{word}/{words[chance.randrange(500)]}.conf",
            f"get{word.capitalize()}Of{words[chance.randrange(900)].capitalize()}",
            f"{word}-{words[chance.randrange(500)]}",
            f"ERR-{number}",
            f"-{number / 10}",
            f"{word}@example.com",
            "C++",
        ]
    )


def _rows(seed: int, workspace: UUID, vault: UUID, author: UUID, count: int) -> list[tuple[Any, ...]]:
    """Rows of notes as a save would write them."""
    from dataforge.contexts.workspaces.notes.domain.notes import body_sha256, title_of
    from dataforge.contexts.workspaces.notes.domain.paths import path_key
    from dataforge.contexts.workspaces.notes.domain.search import read_text, search_fields
    from dataforge.kernel.ids import uuid7

    rows: list[tuple[Any, ...]] = []
    for number, (path, body) in enumerate(_bodies(seed, count)):
        title, at = title_of(path, body), datetime.now(UTC) - timedelta(minutes=(number * 7919) % 500_000)
        fields = search_fields(workspace, path, title, read_text(body))
        kept = (path, path_key(path), title, body, body_sha256(body))
        rows.append((uuid7(), workspace, vault, author, *kept, fields.title, fields.text, fields.words, at, at))
    return rows


def _furnish(url: str, owner: UUID, workspaces: list[UUID], vaults: list[list[UUID]]) -> None:
    """Write the notes; the index of words is made afterwards."""
    columns = (
        "id, workspace_id, vault_id, updated_by, path, path_key, title, body_md, sha256, search_title, search_text, "
        "search_words, created_at, updated_at"
    )
    tasks = [
        (seed, workspaces[which], vaults[which][seed % len(vaults[which])], owner, _PART)
        for which, total in enumerate((NOTES, OTHERS))
        for seed in range(which * 1_000, which * 1_000 + total // _PART)
    ]
    with psycopg.connect(url, autocommit=True) as connection, ProcessPoolExecutor(2) as pool:
        connection.execute("DROP INDEX workspaces.ix_notes_search_words")
        copy = f"COPY workspaces.notes ({columns}) FROM STDIN"
        for rows in pool.map(_rows, *zip(*tasks, strict=True)):
            with connection.cursor() as cursor, cursor.copy(copy.encode()) as target:
                for row in rows:
                    target.write_row(row)
        connection.execute("SET maintenance_work_mem = '256MB'")
        connection.execute("CREATE INDEX ix_notes_search_words ON workspaces.notes USING gin (search_words)")
        connection.execute("VACUUM ANALYZE workspaces.notes")


async def _client(given: Stand) -> tuple[Any, httpx.AsyncClient, UUID]:
    """The app of `api`, and a client of somebody with a profile."""
    from pydantic import SecretStr

    from dataforge.bootstrap import build_platform, rest_app
    from dataforge.contexts.identity.services import IdentityServices
    from dataforge.contexts.identity.sessions.domain import Session
    from dataforge.kernel.ids import uuid7
    from dataforge.kernel.principal import Role
    from dataforge.settings import ApiSettings

    settings = ApiSettings(
        database_url=SecretStr(given.database.url), app_secret_arn="app", signing_keys_secret_arn="signing-keys"
    )
    platform = build_platform(settings, pool_size=2)
    platform.secrets = _Secrets()  # type: ignore[assignment]  # reads and writes as the real one does
    identity = platform.get(IdentityServices)
    await identity.private_keys.ensure()
    user_id = uuid7()
    async with await psycopg.AsyncConnection.connect(given.database.url) as connection:
        await connection.execute(
            "INSERT INTO identity.users (id, username, email, email_vouched, avatar, display_name, role, created_at, "
            "updated_at) VALUES (%s, 'ada', 'ada@example.org', true, 'ada', 'Ada', 'learner', now(), now())",
            [user_id],
        )
    token = await identity.token_signer.issue(Session(user_id, "ada", Role.LEARNER, uuid7(), "unused"))
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    transport = httpx.ASGITransport(rest_app("api", platform)[1])
    client = httpx.AsyncClient(transport=transport, base_url="http://bench", headers=headers, timeout=120)
    return platform, client, user_id


async def _spaces(client: httpx.AsyncClient, user_id: UUID) -> tuple[list[UUID], list[list[UUID]]]:
    workspaces, vaults = [], []
    for name in ("Large", "Another"):
        path = f"/api/user-profiles/{user_id}/workspaces"
        made = (await client.post(path, json={"name": name})).raise_for_status().json()
        workspaces.append(UUID(made["id"]))
        path = f"/api/workspaces/{made['id']}/vaults"
        answers = [await client.post(path, json={"name": f"Vault {number}"}) for number in range(VAULTS)]
        vaults.append([UUID(answer.raise_for_status().json()["id"]) for answer in answers])
    return workspaces, vaults


def _searches(url: str, workspace: UUID) -> dict[str, list[str]]:
    """What is looked for, by kind: taken from notes that are there, so that all but nothing is found."""
    chance, words = random.Random(7), vocabulary()
    with psycopg.connect(url) as connection:
        query = "SELECT body_md FROM workspaces.notes WHERE workspace_id = %s ORDER BY id LIMIT 3000"
        bodies = [str(row[0]) for row in connection.execute(query, [workspace])]
    pasted = [token.rstrip(".") for body in bodies for token in body.split()]
    sentences = [line.split() for body in bodies for line in body.splitlines() if line.count(" ") > 6]

    def like(beginning: str) -> list[str]:
        return chance.sample([token for token in pasted if token.startswith(beginning)], 20)

    return {
        "rare word": chance.sample(words[5_000:], 20),
        "word of a thousand notes": words[400:420],
        "common word": words[:20],
        "two common words": [f"{one} {another}" for one, another in itertools.pairwise(words[:21])],
        "common and rare word": [f"{words[place]} {words[9_000 + place]}" for place in range(20)],
        "address": like("https://"),
        "version": [token for token in like("v") if token.count(".") == 2] or ["v1.2.3"],
        "path": like("/etc/"),
        "negative number": [token for token in like("-") if token[1:2].isdigit()],
        "C++": ["C++"],
        "pasted sentence": [" ".join(sentence) for sentence in chance.sample(sentences, 20)],
        "exact words": [f'"{" ".join(sentence[1:4])}"' for sentence in chance.sample(sentences, 20)],
        "exact common words": [f'"{words[place]} {words[place + 1]}"' for place in range(20)],
        "beginning of three letters": ["the", "rel", "dep", "cli", "bac", "dif", "ser", "pro"],
        "beginning of a word": ["deplo", "custo", "backu", "proje", "netwo", "bacod", "difug"],
        "without a word": [f"{words[60 + place]} -{words[place]}" for place in range(20)],
        "nothing": ["qqqqzzzz", "xyzzyplugh 12345678"],
    }


async def measure(given: Stand) -> list[Figure]:
    """Milliseconds of searches at the 95th percentile."""
    platform, client, user_id = await _client(given)
    workspaces, vaults = await _spaces(client, user_id)
    began = time.monotonic()
    await asyncio.to_thread(_furnish, given.database.url, user_id, workspaces, vaults)
    figures = [Figure("seconds to make the notes", time.monotonic() - began)]
    everything: list[float] = []
    path = f"/api/workspaces/{workspaces[0]}/notes"
    for name, searches in _searches(given.database.url, workspaces[0]).items():
        taken, hits = [], 0
        for number, search in zip(range(_SAMPLES + _WARM_UPS), itertools.cycle(searches), strict=False):
            began = time.perf_counter()
            answer = await client.get(path, params={"search": search})
            if number >= _WARM_UPS:
                taken.append((time.perf_counter() - began) * 1000)
            if answer.status_code != 200:
                sys.exit(f"{search}: {answer.status_code} {answer.text[:300]}")
            hits += len(answer.json()["items"])
        everything += taken
        shown = f"{name} ({hits / (_SAMPLES + _WARM_UPS):.0f} shown)"
        figures.append(Figure(f"p95 ms of {shown}", statistics.quantiles(taken, n=20)[-1], _LIMIT_MS))
        figures.append(Figure(f"p50 ms of {name}", statistics.median(taken)))
    figures.append(Figure(f"p95 ms of all searches of {NOTES:,} notes", statistics.quantiles(everything, n=20)[-1], 50))
    await client.aclose()
    await platform.database.dispose()
    return figures


def main() -> int:
    """Print the figures; 1 when a limit was missed."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with stand() as given:
        return min(show("notes", asyncio.run(measure(given))), 1)


if __name__ == "__main__":
    sys.exit(main())
