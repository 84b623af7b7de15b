"""Text that is not UTF-8: what the whole file proves is taken, windows-1252 else, and the report says which."""

from pathlib import Path

import pytest

from tests.builders.tables import column, imported, rows_of, store
from versioned_tables.errors import EncodingRefused
from versioned_tables.files.options import ImportOptions
from versioned_tables.storage.table_store import TableStore

WESTERN = (
    ["Núñez"],
    ["Lefèvre"],
    ["Århus"],
    ["Núñez", "Lefèvre", "Århus"],
    ["Müller", "Groß", "Jäger"],
    ["José Ñandú", "François", "Zoë", "Björn", "Renée"],
    ["São Paulo", "Conceição", "João", "Brandão"],
    ["Sørensen", "Ærø", "Åse", "Bjørk"],
    ["Mäkinen", "Järvinen", "Hämäläinen", "Pöyry"],
    ["5 €", "7 €"],
    ["“quoted”", "it’s"],
    ["25°", "30°", "½ l"],
)
PROVEN = {
    "cp1250": ["Łukasz Żółć", "Święty Źrebię", "Grażyna Wójcik", "Zbigniew Kamiński", "Śniadecki"],
    "cp1251": ["Иванов Иван", "Петров Пётр", "Сидорова Анна", "Москва"],
    "koi8-r": ["Иванов Иван", "Петров Пётр", "Сидорова Анна", "Москва"],
    "cp866": ["Иванов Иван", "Петров Пётр", "Сидорова Анна", "Москва"],
    "cp932": ["田中太郎", "鈴木一郎", "東京都", "こんにちは世界"],
    "gb18030": ["北京市", "上海市", "张伟", "王芳", "中华人民共和国"],
    "big5": ["台北市", "高雄市", "陳小明", "中華民國"],
    "euc_kr": ["서울특별시", "부산광역시", "김철수"],
    "cp1253": ["Αθήνα", "Θεσσαλονίκη", "Γεώργιος Παπαδόπουλος"],
    "cp1255": ["ירושלים", "תל אביב", "משה כהן"],
    "cp1256": ["القاهرة", "محمد علي", "بيروت"],
    "utf-16-le": ["名前", "田中", "東京"],
    "utf-16-be": ["名前", "田中", "東京"],
    "utf-16": ["Núñez", "Иванов"],
}


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


def people(names: list[str]) -> str:
    return "id,name\n" + "".join(f"{number},{name}\n" for number, name in enumerate(names, 1))


@pytest.mark.parametrize("names", WESTERN, ids=lambda names: names[0])
def test_a_few_western_cells_are_windows_1252_and_the_report_says_so(tables: TableStore, names: list[str]) -> None:
    found = imported(tables, people(names).encode("cp1252"))

    assert column(rows_of(tables, found.tables["data"]), "name") == names
    assert found.report.encoding == "cp1252"
    note = found.report.tables[0].notes[0]
    assert "windows-1252" in note
    assert f'"{names[0]}"' in note


@pytest.mark.parametrize("encoding", list(PROVEN))
def test_text_that_proves_its_encoding_is_read_as_it(tables: TableStore, encoding: str) -> None:
    found = imported(tables, people(PROVEN[encoding]).encode(encoding))

    assert column(rows_of(tables, found.tables["data"]), "name") == PROVEN[encoding]


def test_the_note_shows_samples_and_alternatives(tables: TableStore) -> None:
    note = imported(tables, people(["Núñez"]).encode("cp1252")).report.tables[0].notes[0]

    assert '"Núñez". Also possible: cp1250 "Núńez"' in note


def test_evidence_comes_from_all_of_the_file(tables: TableStore) -> None:
    plain = "".join(f"{number},plain\n" for number in range(100_000))
    data = (people(["x"]) + plain).encode() + "".join(f"9,{name}\n" for name in PROVEN["cp1251"]).encode("cp1251")

    found = imported(tables, data)

    assert column(rows_of(tables, found.tables["data"]), "name")[-4:] == PROVEN["cp1251"]


def test_bytes_that_windows_1252_leaves_undefined_are_refused_with_the_line_and_the_choices(tables: TableStore) -> None:
    with pytest.raises(EncodingRefused, match=r"file\.csv: Line 3 is not UTF-8.*name the encoding") as refused:
        imported(tables, b"id,name\n1,one\n2,M\x81ller\n")

    assert refused.value.facts["line"] == 3


def test_a_declared_encoding_stands_above_every_guess(tables: TableStore) -> None:
    data = people(["Núñez"]).encode("cp1250", "replace") + "2,Łódź\n".encode("cp1250")

    found = imported(tables, data, ImportOptions(encoding="cp1250"))

    assert column(rows_of(tables, found.tables["data"]), "name")[1] == "Łódź"


@pytest.mark.parametrize("broken", [b"\xe9", b"\xff", b"\xc3"])
def test_few_broken_bytes_in_utf_8_are_an_error_with_the_place(tables: TableStore, broken: bytes) -> None:
    data = people(["Núñez", "Łódź", "東京"]).encode() + b"4,caf" + broken + b"\n"

    with pytest.raises(EncodingRefused, match=r"Row 4, column 2: byte 0x.. at place 4 of the field is not UTF-8"):
        imported(tables, data)
