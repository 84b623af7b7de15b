"""What is taken from a zip, what is listed as refused, and what refuses the whole."""

import io
import stat
import struct
import zipfile
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.workspaces.notes.domain.notes import MAX_BODY
from dataforge.contexts.workspaces.notes.domain.paths import note_path_mistake, path_key
from dataforge.contexts.workspaces.zips import domain
from dataforge.contexts.workspaces.zips.domain import (
    Change,
    ImportMode,
    ZipContents,
    ZipRefused,
    contents_of,
    file_name_of,
    open_zip,
    plan_changes,
    read_notes,
)


def zipped(files: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return sink.getvalue()


def of_entry(entry: zipfile.ZipInfo, content: bytes = b"text") -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr(entry, content)
    return sink.getvalue()


def taken(data: bytes, folder: str = "") -> tuple[dict[str, str], ZipContents]:
    with open_zip(io.BytesIO(data), len(data)) as archive:
        contents = contents_of(archive, folder)
        return {note.path: body for note, body in read_notes(archive, contents)}, contents


def refused(data: bytes) -> str:
    with pytest.raises(ZipRefused) as error:
        taken(data)
    return error.value.detail


def test_notes_are_taken_byte_for_byte_and_other_files_are_skipped_or_passed_over() -> None:
    text = "---\ntags: [a]\n---\r\nSee [[Other note|that]] and ![[picture.png]].\n"
    notes, contents = taken(
        zipped(
            {
                "Daily/2026-11-30.md": text.encode(),
                "Caf\u0065\u0301.MD": b"",
                "picture.png": b"\x89PNG",
                "canvas.canvas": b"{}",
                ".obsidian/app.json": b"{}",
                ".obsidian/notes.md": b"x",
                ".trash/old.md": b"x",
                "__MACOSX/._a.md": b"x",
                "Daily/.DS_Store": b"x",
                ".draft.md": b"x",
                "empty/": b"",
            }
        )
    )

    assert notes == {"Daily/2026-11-30.md": text, "Café.MD": "", ".draft.md": "x"}
    assert (contents.skipped, contents.refused, contents.ignored) == (["picture.png", "canvas.canvas"], [], 5)


def test_notes_come_below_a_folder() -> None:
    assert set(taken(zipped({"a/b.md": b"x"}), "Imported/from here")[0]) == {"Imported/from here/a/b.md"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../a.md", "leads out"),
        ("a/../../b.md", "leads out"),
        ("a\\..\\..\\b.md", "leads out"),
        ("a/..", "leads out"),
        ("/etc/a.md", "absolute"),
        ("\\\\server\\share\\a.md", "absolute"),
        ("C:\\a.md", "absolute"),
        ("c:a.md", "absolute"),
        ("C:/a.md", "absolute"),
        ("../picture.png", "leads out"),
    ],
)
def test_a_path_that_leads_elsewhere_refuses_the_whole(name: str, reason: str) -> None:
    assert reason in refused(zipped({"good.md": b"x", name: b"x"}))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_refuse_the_whole(kind: int) -> None:
    entry = zipfile.ZipInfo("a.md")
    entry.external_attr = (kind | 0o777) << 16

    assert "link or a device" in refused(of_entry(entry, b"/etc/passwd"))


def test_encrypted_files_refuse_the_whole() -> None:
    data = bytearray(zipped({"a.md": b"text"}))
    directory = data.rindex(b"PK\x01\x02")
    data[6] |= 1
    data[directory + 8] |= 1

    assert "is encrypted" in refused(bytes(data))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_ways_of_packing_refuse_the_whole(method: int) -> None:
    assert "deflate" in refused(zipped({"a.md": b"text"}, method=method))


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip at all" * 100, b"PK\x05\x06" + b"\xff" * 18, b"PK\x03\x04" * 9])
def test_what_is_no_zip_is_refused(data: bytes) -> None:
    assert refused(data)


def test_a_zip_that_is_cut_off_is_refused() -> None:
    data = zipped({"a.md": b"text" * 100})

    assert refused(data[:-5])
    assert refused(data[10:])


def test_more_than_is_taken_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "MAX_UNPACKED_BYTES", 1_000)

    assert "unpacked" in refused(zipped({"a.md": b"x" * 600, "b.md": b"x" * 600}))


def test_a_bomb_is_known_by_its_ratio() -> None:
    notes = {f"{number}.md": b"a" * MAX_BODY for number in range(20)}

    assert "unpacked" in refused(zipped(notes))


def test_files_that_share_their_bytes_are_refused() -> None:
    data = zipped({"a.md": b"x" * 100, "b.md": b"y" * 100}, method=zipfile.ZIP_STORED)
    second = data.rindex(b"PK\x01\x02")
    # The second file is said to begin where the first one does.
    shared = data[: second + 42] + struct.pack("<I", 0) + data[second + 46 :]

    assert "inside of another" in refused(shared)


def test_too_many_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "MAX_ENTRIES", 3)

    assert "at most 3 files" in refused(zipped({f"{number}.txt": b"" for number in range(4)}))


def test_a_list_of_files_without_end_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "MAX_DIRECTORY_BYTES", 100)

    assert "list of files" in refused(zipped({f"{number}.md": b"" for number in range(4)}))


def test_the_wide_form_which_could_say_other_numbers_is_refused() -> None:
    data = zipped({"a.md": b"x"})
    end = data.rindex(b"PK\x05\x06")
    wide = data[:end] + b"PK\x06\x07" + bytes(16) + data[end:]

    assert "list of files" in refused(wide)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("latin.md", "caf\xe9".encode("latin-1"), "UTF-8"),
        ("utf16.md", "text".encode("utf-16"), "UTF-8"),
        ("zero.md", b"a\0b", "U+0000"),
        ("a?.md", b"x", "must not contain"),
        ("a\\b.md", b"x", "must not contain"),
        ("con.md", b"x", "Windows"),
        ("x" * 600 + ".md", b"x", "characters"),
        ("/".join("a" * 30) + ".md", b"x", "folders"),
        ("a.md/b.md", b"x", "folder that ends"),
        ("large.md", b"x" * (MAX_BODY + 1), "bytes"),
    ],
)
def test_a_note_that_can_be_none_is_listed_and_the_others_are_taken(name: str, content: bytes, reason: str) -> None:
    notes, contents = taken(zipped({"good.md": b"x", name: content}))

    assert set(notes) == {"good.md"}
    [(_, wrong)] = contents.refused
    assert reason in wrong


def test_names_that_differ_in_capitals_or_composition_only_are_all_refused() -> None:
    files = {"Note.md": b"1", "note.MD": b"2", "e\u0301.md": b"3", "\u00e9.md": b"4", "NOTE.md": b"5", "good.md": b"6"}

    notes, contents = taken(zipped(files))

    assert set(notes) == {"good.md"}
    assert len(contents.refused) == 5
    assert {wrong for _, wrong in contents.refused} == {
        "is in the zip more than once; names differ in more than capitals"
    }


@pytest.mark.parametrize(("raw", "known"), [("über.md".encode(), "über.md"), (b"\xfcber.md", None)])
def test_names_are_utf8_whether_they_say_so_or_not(raw: bytes, known: str | None) -> None:
    placeholder = b"X" * (len(raw) - 3) + b".md"
    data = zipped({placeholder.decode(): b"x", "good.md": b"x"}).replace(placeholder, raw)

    notes, contents = taken(data)

    assert set(notes) == {"good.md", *([known] if known else [])}
    assert len(contents.refused) == (known is None)


def test_a_note_whose_bytes_are_damaged_is_listed() -> None:
    data = zipped({"a.md": b"some text", "good.md": b"x"}, method=zipfile.ZIP_STORED).replace(
        b"some text", b"same text"
    )

    notes, contents = taken(data)

    assert (set(notes), contents.refused) == ({"good.md"}, [("a.md", "is damaged")])


names = st.text(st.sampled_from("aB./\\:\u00e9 e\u0301-"), min_size=1, max_size=12)


@given(files=st.dictionaries(names.map(lambda name: name + ".md"), st.binary(max_size=20), max_size=6))
def test_whatever_a_zip_has_only_good_notes_come_out_of_it(files: dict[str, bytes]) -> None:
    try:
        notes, _ = taken(zipped(files))
    except ZipRefused:
        return
    assert all(note_path_mistake(path) is None for path in notes)
    assert len({path_key(path) for path in notes}) == len(notes)


def test_a_file_without_a_name_refuses_the_whole() -> None:
    # What is behind a U+0000 is not read.
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2):
        data = zipped({"a.md": b"text"}, method=method).replace(b"a.md", b"\0.md")

        assert "no name" in refused(data)


@given(places=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8))
def test_whatever_becomes_of_the_bytes_of_a_zip_it_is_refused_or_read(places: list[tuple[int, int]]) -> None:
    data = bytearray(zipped({"a.md": b"text", "folder/b.md": b"more " * 50}))
    for place, value in places:
        data[place % len(data)] = value

    try:
        taken(bytes(data))
    except ZipRefused:
        return


@given(data=st.binary(max_size=200), cut=st.integers(0, 200))
def test_whatever_is_not_a_zip_is_refused_or_read(data: bytes, cut: int) -> None:
    whole = zipped({"a.md": b"text"})
    for given_bytes in (data, whole[:cut] + data + whole[cut:], data + whole, whole[: cut % len(whole)] + data):
        try:
            taken(given_bytes)
        except ZipRefused:
            continue


def test_a_plan_says_what_becomes_of_each_path() -> None:
    contents = ZipContents(skipped=["p.png"], refused=[("bad.md", "is no text in UTF-8")], ignored=2)
    there = {"Same.md": "1", "other.md": "2", "left.md": "3", "bad.md": "4", ".trash/old.md": "5"}
    texts = {"same.md": "1", "other.md": "x", "new.md": "5"}

    merged = plan_changes(texts, contents, there, ImportMode.MERGE)
    replaced = plan_changes(texts, contents, there, ImportMode.REPLACE)

    assert {(item.path, item.change) for item in merged.changes} == {
        ("Same.md", Change.UNCHANGED),
        ("other.md", Change.CHANGED),
        ("new.md", Change.CREATED),
        ("bad.md", Change.REFUSED),
        ("p.png", Change.SKIPPED),
    }
    assert {item.path for item in replaced.changes if item.change is Change.TRASHED} == {"left.md"}
    assert merged.counts == {
        "created": 1,
        "changed": 1,
        "unchanged": 1,
        "trashed": 0,
        "refused": 1,
        "skipped": 1,
        "ignored": 2,
    }
    assert merged.described()["paths"]["refused"] == [{"path": "bad.md", "reason": "is no text in UTF-8"}]


def test_a_plan_shows_the_first_paths_and_counts_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "MAX_LISTED", 2)

    plan = plan_changes({f"{n}.md": "1" for n in range(5)}, ZipContents(), {}, ImportMode.MERGE)

    assert (plan.counts["created"], len(plan.described()["paths"]["created"])) == (5, 2)


@pytest.mark.parametrize(
    ("vault", "folder", "name"),
    [
        ("Handbook", "", "Handbook.zip"),
        ("Handbook", "a/Ärzte", "Arzte.zip"),
        ('"x\r\n', "", "x.zip"),
        ("日本", "", "notes.zip"),
    ],
)
def test_an_export_has_a_name_that_a_header_can_say(vault: str, folder: str, name: str) -> None:
    assert file_name_of(vault, folder) == name
