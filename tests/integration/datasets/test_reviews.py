"""Review requests on protected branches, and expectations."""

from typing import Any

import httpx
import pytest

from dataforge.contexts.datasets.contract import ReviewDecided, ReviewRequested
from tests.builders.datasets import (
    DatasetsUnderTest,
    branch,
    commit_rows,
    csv,
    head,
    import_file,
    new_dataset,
    ok,
    refused,
    rows_of,
)
from tests.builders.events import published


class Proposal:
    """A protected main, a branch with one change, its author, a second writer, and the review request between them."""

    def __init__(self, author: httpx.AsyncClient, other: httpx.AsyncClient, dataset_id: str, path: str) -> None:
        self.author = author
        self.other = other
        self.dataset_id = dataset_id
        self.path = path


async def proposed(datasets: DatasetsUnderTest, *, approvals: int = 1, **values: Any) -> Proposal:
    author = await datasets.analyst()
    dataset_id = await new_dataset(author)
    await import_file(datasets, author, dataset_id, key=["id"])
    await branch(author, dataset_id, "fix")
    change = {"op": "update", "key": {"id": 1}, "values": values or {"age": 37}}
    ok(await commit_rows(author, dataset_id, [change], ref="fix"), 201)
    protection = {"protected": True, "required_approvals": approvals}
    ok(await author.put(f"/api/datasets/{dataset_id}/refs/main/protection", json=protection))
    other = await datasets.member(author, dataset_id, "write")
    body = {"title": "Ada's age", "source_ref": "fix"}
    made = ok(await author.post(f"/api/datasets/{dataset_id}/reviews", json=body), 201)
    return Proposal(author, other, dataset_id, f"/api/datasets/{dataset_id}/reviews/{made['number']}")


async def test_a_change_reaches_a_protected_branch_by_an_approved_review(datasets: DatasetsUnderTest) -> None:
    proposal = await proposed(datasets)

    ok(await proposal.other.put(f"{proposal.path}/verdict", json={"verdict": "approved"}))
    merged = ok(await proposal.author.post(f"{proposal.path}/merge", json={}), 201)

    [asked] = await published(datasets.database, ReviewRequested)
    decided = await published(datasets.database, ReviewDecided)
    assert (asked.title, asked.source_ref, asked.target_ref) == ("Ada's age", "fix", "main")
    assert len(asked.reviewers) == 2
    assert asked.author_id in asked.reviewers
    assert [event.decision for event in decided] == ["approved", "merged"]
    assert decided[0].by in set(asked.reviewers) - {asked.author_id}
    review = ok(await proposal.author.get(proposal.path))
    assert (review["state"], review["merged_commit_id"]) == ("merged", merged["new_commit_id"])
    assert (await rows_of(proposal.author, proposal.dataset_id))[0]["age"] == 37


async def test_without_enough_approvals_nothing_is_merged(datasets: DatasetsUnderTest) -> None:
    proposal = await proposed(datasets, approvals=2)
    before = await head(proposal.author, proposal.dataset_id)
    ok(await proposal.other.put(f"{proposal.path}/verdict", json={"verdict": "approved"}))

    response = await proposal.author.post(f"{proposal.path}/merge", json={})

    assert refused(response) == (409, "review_incomplete")
    assert response.json()["missing"][0].startswith("1 more approval")
    assert await head(proposal.author, proposal.dataset_id) == before


async def test_nobody_approves_their_own_proposal(datasets: DatasetsUnderTest) -> None:
    proposal = await proposed(datasets)

    response = await proposal.author.put(f"{proposal.path}/verdict", json={"verdict": "approved"})

    assert refused(response) == (403, "own_proposal")


async def test_an_approval_ends_when_the_branch_moves(datasets: DatasetsUnderTest) -> None:
    proposal = await proposed(datasets)
    ok(await proposal.other.put(f"{proposal.path}/verdict", json={"verdict": "approved"}))
    change = {"op": "update", "key": {"id": 2}, "values": {"age": 1}}
    ok(await commit_rows(proposal.author, proposal.dataset_id, [change], ref="fix"), 201)

    response = await proposal.author.post(f"{proposal.path}/merge", json={})
    review = ok(await proposal.author.get(proposal.path))

    assert refused(response) == (409, "review_incomplete")
    assert [opinion["current"] for opinion in review["opinions"]] == [False]


async def test_requested_changes_stand_in_the_way_until_withdrawn(datasets: DatasetsUnderTest) -> None:
    proposal = await proposed(datasets, approvals=0)
    ok(await proposal.other.put(f"{proposal.path}/verdict", json={"verdict": "changes_requested"}))

    blocked = await proposal.author.post(f"{proposal.path}/merge", json={})
    ok(await proposal.other.put(f"{proposal.path}/verdict", json={"verdict": None}))
    merged = await proposal.author.post(f"{proposal.path}/merge", json={})

    assert refused(blocked) == (409, "review_incomplete")
    assert merged.status_code == 201


async def test_readers_discuss_the_whole_and_single_rows(datasets: DatasetsUnderTest) -> None:
    proposal = await proposed(datasets)
    reader = await datasets.member(proposal.author, proposal.dataset_id, "read")

    ok(await reader.post(f"{proposal.path}/comments", json={"body": "Why?"}), 201)
    remark = {"body": "Is that so?", "sheet": "data", "row_key": {"id": 1}}
    review = ok(await reader.post(f"{proposal.path}/comments", json=remark), 201)

    assert [(item["body"], item["row_key"]) for item in review["comments"]] == [
        ("Why?", None),
        ("Is that so?", {"id": 1}),
    ]


async def test_the_preview_shows_what_merging_would_do(datasets: DatasetsUnderTest) -> None:
    proposal = await proposed(datasets)

    preview = ok(await proposal.other.get(f"{proposal.path}/preview"))

    assert (preview["fast_forward"], preview["conflict_count"]) == (True, 0)


async def test_a_closed_review_is_neither_judged_nor_merged(datasets: DatasetsUnderTest) -> None:
    proposal = await proposed(datasets)
    ok(await proposal.author.post(f"{proposal.path}/close"))

    judged = await proposal.other.put(f"{proposal.path}/verdict", json={"verdict": "approved"})
    merged = await proposal.author.post(f"{proposal.path}/merge", json={})

    assert refused(judged) == refused(merged) == (409, "review_ended")


async def test_reviews_are_numbered_and_listed(datasets: DatasetsUnderTest) -> None:
    proposal = await proposed(datasets)
    path = f"/api/datasets/{proposal.dataset_id}/reviews"
    ok(await proposal.author.post(path, json={"title": "Again", "source_ref": "fix"}), 201)
    ok(await proposal.author.post(f"{proposal.path}/close"))

    opened = ok(await proposal.author.get(path, params={"state": "open"}))["items"]
    every = ok(await proposal.author.get(path))["items"]

    assert [review["number"] for review in every] == [2, 1]
    assert [review["title"] for review in opened] == ["Again"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"title": "x", "source_ref": "main"}, 400, "validation_failed"),
        ({"title": "x", "source_ref": "nowhere"}, 404, "ref_not_found"),
        ({"title": " ", "source_ref": "fix"}, 400, "validation_failed"),
    ],
)
async def test_a_proposal_that_makes_no_sense_is_refused(
    datasets: DatasetsUnderTest, body: dict[str, str], status: int, code: str
) -> None:
    proposal = await proposed(datasets)

    response = await proposal.author.post(f"/api/datasets/{proposal.dataset_id}/reviews", json=body)

    assert refused(response) == (status, code)


async def expect(proposal: Proposal, **body: Any) -> None:
    ok(await proposal.author.post(f"/api/datasets/{proposal.dataset_id}/expectations", json=body), 201)


class TestExpectations:
    @pytest.mark.parametrize(
        ("change", "expectation", "row"),
        [
            ({"age": None}, {"rule": "not_null", "columns": ["age"]}, "1"),
            ({"age": 45}, {"rule": "unique", "columns": ["age"]}, "2"),
            ({"age": 200}, {"rule": "range", "columns": ["age"], "parameters": {"max": 120}}, "1"),
            ({"name": "ada"}, {"rule": "regex", "columns": ["name"], "parameters": {"pattern": "[A-Z].*"}}, "1"),
        ],
    )
    async def test_a_broken_one_stops_the_merge_and_names_rows(
        self, datasets: DatasetsUnderTest, change: dict[str, Any], expectation: dict[str, Any], row: str
    ) -> None:
        proposal = await proposed(datasets, approvals=0, **change)
        await expect(proposal, name="must hold", **expectation)

        refusal = await proposal.author.post(f"{proposal.path}/merge", json={})
        review = ok(await proposal.author.post(f"{proposal.path}/checks"))

        assert refused(refusal) == (409, "review_incomplete")
        assert refusal.json()["missing"] == ["the check 'must hold' fails"]
        assert [(check["passed"], check["sheet"]) for check in review["checks"]] == [(False, "data")]
        assert {"row_id": row} in review["checks"][0]["examples"]

    async def test_a_warning_is_shown_and_does_not_stop_the_merge(self, datasets: DatasetsUnderTest) -> None:
        proposal = await proposed(datasets, approvals=0, age=200)
        await expect(proposal, name="young", rule="range", columns=["age"], parameters={"max": 120}, severity="warning")

        review = ok(await proposal.author.post(f"{proposal.path}/checks"))
        merged = await proposal.author.post(f"{proposal.path}/merge", json={})

        assert [check["passed"] for check in review["checks"]] == [False]
        assert merged.status_code == 201

    async def test_the_number_of_rows_may_not_drift_too_far(self, datasets: DatasetsUnderTest) -> None:
        proposal = await proposed(datasets, approvals=0)
        await expect(proposal, name="stable", rule="row_count_drift", parameters={"max_percent": 20})
        ok(
            await commit_rows(proposal.author, proposal.dataset_id, [{"op": "delete", "key": {"id": 3}}], ref="fix"),
            201,
        )

        response = await proposal.author.post(f"{proposal.path}/merge", json={})

        assert refused(response) == (409, "review_incomplete")

    async def test_a_foreign_key_is_looked_up_in_another_dataset(self, datasets: DatasetsUnderTest) -> None:
        proposal = await proposed(datasets, approvals=0, age=37)
        other = await new_dataset(proposal.author, "Ages")
        await import_file(datasets, proposal.author, other, csv([("age",), (36,), (45,), (21,)]))
        parameters = {"dataset_id": other, "ref": "main", "column": "age"}
        await expect(proposal, name="known age", rule="foreign_key", columns=["age"], parameters=parameters)

        refusal = await proposal.author.post(f"{proposal.path}/merge", json={})
        main = ok(await proposal.author.get(f"/api/datasets/{proposal.dataset_id}/refs/main/checks"))

        assert refused(refusal) == (409, "review_incomplete")
        assert main["passed"] is True

    async def test_a_foreign_dataset_one_may_not_read_is_not_found(self, datasets: DatasetsUnderTest) -> None:
        proposal, stranger = await proposed(datasets), await datasets.analyst()
        other = await new_dataset(stranger, "Secret")
        parameters = {"dataset_id": other, "ref": "main", "column": "age"}
        body = {"name": "x", "rule": "foreign_key", "columns": ["age"], "parameters": parameters}

        response = await proposal.author.post(f"/api/datasets/{proposal.dataset_id}/expectations", json=body)

        assert refused(response) == (404, "dataset_not_found")

    async def test_bounds_that_do_not_fit_the_column_are_refused_when_they_are_given(
        self, datasets: DatasetsUnderTest
    ) -> None:
        proposal = await proposed(datasets, approvals=0, age=37)
        path = f"/api/datasets/{proposal.dataset_id}"
        body = {"name": "x", "rule": "range", "columns": ["age"], "parameters": {"max": "2026-99-99"}}

        expectation = await proposal.author.post(f"{path}/expectations", json=body)
        where = {"column": "age", "op": "gt", "value": "2026-99-99"}
        export = await proposal.author.post(f"{path}/refs/main/exports", json={"filter": where})

        assert refused(expectation) == (400, "invalid_expectation")
        assert "age" in expectation.json()["detail"]
        assert refused(export)[1] == "filter_refused"

    @pytest.mark.parametrize(
        "pattern", ["[A-Z][a-z]+", "(?i)ada|grace|linus", r"\p{L}+", "(?P<first>.)(?:.*)", r"\w{1,9}"]
    )
    async def test_a_pattern_that_the_engine_runs_is_taken_and_merges_go_on(
        self, datasets: DatasetsUnderTest, pattern: str
    ) -> None:
        proposal = await proposed(datasets, approvals=0, age=37)
        await expect(proposal, name="a name", rule="regex", columns=["name"], parameters={"pattern": pattern})

        assert (await proposal.author.post(f"{proposal.path}/merge", json={})).status_code == 201

    @pytest.mark.parametrize(
        "body",
        [
            {"rule": "range", "columns": ["age"]},
            {"rule": "range", "columns": ["age"], "parameters": {"min": 1, "max": "x"}},
            {"rule": "regex", "columns": ["name"], "parameters": {"pattern": "("}},
            # Python's `re` would take these; RE2, which runs them, does not.
            {"rule": "regex", "columns": ["name"], "parameters": {"pattern": "(?=A).*"}},
            {"rule": "regex", "columns": ["name"], "parameters": {"pattern": r"(a)\1"}},
            {"rule": "regex", "columns": ["name"], "parameters": {"pattern": "a{2000}"}},
            {"rule": "regex", "columns": ["name"], "parameters": {"pattern": "a)(b"}},
            {"rule": "unique"},
            {"rule": "row_count_drift", "parameters": {"max_percent": -1}},
            {"rule": "foreign_key", "columns": ["age"], "parameters": {"dataset_id": "x"}},
            {"rule": "not_null", "columns": ["age"], "parameters": {"extra": 1}},
        ],
    )
    async def test_one_that_cannot_be_checked_is_refused(
        self, datasets: DatasetsUnderTest, body: dict[str, Any]
    ) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)

        response = await client.post(f"/api/datasets/{dataset_id}/expectations", json={"name": "x", **body})

        assert refused(response) == (400, "invalid_expectation")

    async def test_they_are_listed_and_removed(self, datasets: DatasetsUnderTest) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)
        path = f"/api/datasets/{dataset_id}/expectations"
        body = {"name": "x", "rule": "unique", "columns": ["id"]}

        made = ok(await client.post(path, json=body), 201)["items"]
        taken = await client.post(path, json=body)
        ok(await client.delete(f"{path}/{made[0]['id']}"), 204)
        again = await client.delete(f"{path}/{made[0]['id']}")

        assert refused(taken) == (409, "expectation_exists")
        assert ok(await client.get(path))["items"] == []
        assert refused(again) == (404, "expectation_not_found")
