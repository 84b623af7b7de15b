"""Sheets that are counted by whole blocks, and sheets read side by side, are as they are element by element."""

import io
import os
import signal
import zipfile
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from versioned_tables.files import excel_extent
from versioned_tables.files.excel_child import read_workbook
from versioned_tables.files.excel_extent import Extent, Refused, extent_of
from versioned_tables.files.excel_workers import side_by_side
from versioned_tables.files.plain_sheets import NotPlain, PlainScan

HEAD = '<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
TEXTS = st.sampled_from(["a", ' t="e"', "1", "a = b", ":c &gt; x", "&lt;c r=&quot;ZZ9&quot;/&gt;", "r='A1'", "]]"])
COLUMNS = st.sampled_from(["A", "B", "C", "Z", "AA", "ABC"])
ATTRIBUTES = st.sampled_from(
    ["", ' s="1"', ' t="e"', ' s="2" t="str"', ' t="e" s="1"', " t='e'", ' t ="e"', ' cm="1"', '\nt="e"', ' t="n"']
)
INNER = st.builds(
    lambda text, form: form.format(text),
    TEXTS,
    st.sampled_from(
        [
            "",
            "<v>{}</v>",
            "<f>{}</f><v>1</v>",
            "<is><t>{}</t></is>",
            "<f/>",
            "<v />",
            "<x:v>{}</x:v>",
            "<!--{}--><v>1</v>",
        ]
    ),
)
BETWEEN = st.sampled_from(["", "", "", "<!-- <c r='A99'/> -->", "<?go <c?>", " \n"])


@st.composite
def cells(draw: st.DrawFn, row: int) -> str:
    """Cells that may tell where they are, or not, in any spelling."""
    found = []
    for _ in range(draw(st.integers(0, 4))):
        at = draw(
            st.sampled_from(["", f' r="{draw(COLUMNS)}{row}"', f' r="{draw(COLUMNS)}{draw(st.integers(1, 70))}"'])
        )
        inner = draw(INNER)
        found.append(f"<c{at}{draw(ATTRIBUTES)}>{inner}</c>" if inner else f"<c{at}{draw(ATTRIBUTES)}/>")
    return "".join(found)


@st.composite
def sheets(draw: st.DrawFn) -> bytes:
    """The XML of a sheet with rows that may tell their number, or not."""
    rows = []
    for row in range(1, draw(st.integers(0, 6)) + 1):
        at = draw(
            st.sampled_from(["", f' r="{row}"', f' r="{row * 7}" spans="1:3"', f' spans="1:3" r="{row}"', " r='5'"])
        )
        rows.append(f"<row{at}>{draw(cells(row))}</row>{draw(BETWEEN)}")
    tail = draw(st.sampled_from(["", '<mergeCells count="1"><mergeCell ref="A1:B2"/></mergeCells>', "<filterColumn/>"]))
    return f"{HEAD}<cols><col min='1'/></cols><sheetData>{''.join(rows)}</sheetData>{tail}</worksheet>".encode()


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
@given(sheets(), st.integers(1, 400))
def test_counting_by_blocks_agrees_with_counting_by_elements(sheet: bytes, block: int) -> None:
    exact = Extent()
    sheet = sheet.replace(b"<worksheet ", b'<worksheet xmlns:x="y" ')
    exact.scan(io.BytesIO(sheet), "a")
    scan = PlainScan()
    try:
        scan.feed(sheet[:200])
        for at in range(200, len(sheet), block):
            scan.feed(sheet[at : at + block])
        scan.feed(b"")
    except NotPlain:
        return
    plain = Extent()
    plain.take(scan)

    assert plain.notes() == exact.notes()
    assert bool(plain.values) == bool(exact.values)
    assert (plain.errors, plain.formulas, plain.merged) == (exact.errors, exact.formulas, exact.merged)
    assert plain.last_row >= exact.last_row
    assert plain.last_column >= exact.last_column


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="1" spans="1:2"><c r="A1" t="s"><v>0</v></c><c r="B1" s="1"><v>2</v></c></row>',
        '<row><c t="inlineStr"><is><t xml:space="preserve">a = \'b\'</t></is></c><c><v>1</v></c></row>',
        '<row r="1" x14ac:dyDescent="0.25"><c r="A1" s="3" t="e"><v>#N/A</v></c><c r="B1"><f>1+1</f><v>2</v></c></row>',
    ],
)
def test_sheets_of_spreadsheet_programs_are_plain(rows: str) -> None:
    scan = PlainScan()

    scan.feed(f"{HEAD}<sheetData>{rows}</sheetData></worksheet>".encode())
    scan.feed(b"")

    assert (scan.values, scan.last_row, scan.last_column) == (1, 0, 1)


def test_a_sheet_with_far_cells_is_measured_exactly_and_refused() -> None:
    far = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    sheet = f"{HEAD}<sheetData>{far}</sheetData></worksheet>".encode()

    with pytest.raises(Refused, match="2 values spread over 1048576 rows and 16384 columns"):
        extent_of(partial(io.BytesIO, sheet), "a")


def test_far_cells_without_values_do_not_count() -> None:
    far = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576" s="1"/></row>'
    sheet = f"{HEAD}<sheetData>{far}</sheetData></worksheet>".encode()

    assert extent_of(partial(io.BytesIO, sheet), "a").cells == 1


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**14), 10**14),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from(["", "0042", "#N/A", "a & <b>", "two\nlines", "1", " x ", "=1/0"]),
    st.datetimes(datetime(1905, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - cells have no time zone
    st.dates(date(1905, 1, 1), date(2100, 1, 1)),
    st.times(),
    st.timedeltas(timedelta(0), timedelta(days=40)),
)


@st.composite
def workbooks(draw: st.DrawFn) -> bytes:
    """A workbook of openpyxl with several sheets: one kind a column or any, hidden sheets, merged cells, 1904 dates."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    if draw(st.booleans()):
        book.epoch = datetime(1904, 1, 1)  # noqa: DTZ001 - as openpyxl has it
    for number in range(draw(st.integers(1, 4))):
        sheet = book.create_sheet(f"sheet {number}")
        sheet.sheet_state = draw(st.sampled_from(["visible", "hidden"])) if number else "visible"
        width = draw(st.integers(0, 4))
        for row in range(draw(st.integers(0, 8))):
            sheet.append([f"column {at}" if row == 0 else draw(VALUES) for at in range(width)])
        if draw(st.booleans()) and width > 1:
            sheet.merge_cells("A2:B3")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _read(path: Path, folder: Path, workers: int) -> tuple[object, list[pa.Table]]:
    """What a workbook is read as: the answer of the child, and the tables; or why it is refused."""
    try:
        answer = read_workbook(path, folder, [], header=None, workers=workers)
    except Refused as error:
        return str(error), []
    files = [folder / sheet["file"] for sheet in answer["sheets"] if sheet["columns"]]
    return answer, [pa.ipc.open_file(pa.BufferReader(file.read_bytes())).read_all() for file in files]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(workbooks())
def test_sheets_side_by_side_are_read_as_one_after_the_other(tmp_path: Path, book: bytes) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(book)
    together = _read(path, tmp_path, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(excel_extent.PlainScan, "feed", _never_plain)
        alone = _read(path, tmp_path, 1)

    assert together[0] == alone[0]
    assert all(one.equals(other) for one, other in zip(together[1], alone[1], strict=True))


def _never_plain(*_: object) -> None:
    raise NotPlain


def test_the_first_error_counts_and_answers_keep_their_order(tmp_path: Path) -> None:
    def fail(text: str) -> int:
        raise Refused(text)

    assert side_by_side([partial(pow, 2, at) for at in range(9)], tmp_path, most=2) == [2**at for at in range(9)]
    with pytest.raises(Refused, match="one"):
        side_by_side([partial(pow, 2, 2), partial(fail, "one"), partial(fail, "two")], tmp_path, most=2)


def test_a_task_whose_process_dies_runs_again_in_this_one(tmp_path: Path) -> None:
    here = os.getpid()

    def die_elsewhere() -> str:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return "done"

    assert side_by_side([die_elsewhere, lambda: "other"], tmp_path, most=2) == ["done", "other"]


def test_a_malformed_sheet_is_refused_with_its_name(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["a", time(1)])
    path, broken = tmp_path / "book.xlsx", tmp_path / "broken.xlsx"
    book.save(path)
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(broken, "w") as target:
        for entry in source.namelist():
            data = source.read(entry)
            target.writestr(entry, data.replace(b"</row>", b"</raw>") if "sheet1" in entry else data)

    with pytest.raises(Refused, match=r"Sheet 'Sheet' is malformed: mismatched tag"):
        read_workbook(broken, tmp_path, [], header=None)
