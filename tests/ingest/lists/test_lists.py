"""Files to items: golden exports, headers anywhere, and everything that is no list."""

import csv
import io
import json
import random
import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ingest.connectors.lists import ListConfig, Lists
from ingest.connectors.lists.headers import ANY, SYNONYMS, plain
from ingest.connectors.lists.report import harmless
from ingest.connectors.lists.rows import Reading
from ingest.protocol import Parsed, Payload
from store.errors import RejectedError

GOLDEN = Path(__file__).parent.parent / "golden" / "lists"
FILES = ("hotline.csv", "page.xls", "urban.xlsx", "urban97.xls")
FIELDS = ("channel_id", "title", "text", "author", "posted_at")
HEADER = ["工单编号", "受理时间", "诉求内容", "联系电话"]
LINE = ["G1", "2026-11-24 08:00", "路灯不亮", "13800138000"]


def lists(**config: object) -> Lists:
    return Lists("hotline", ListConfig.model_validate(config))


def parse(body: bytes, **config: object) -> Parsed:
    return lists(**config).parse(Payload(body))


def read(body: bytes, **config: object) -> Reading:
    return lists(**config).read(Payload(body))


def text(*rows: list[str], delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


def book(*rows: list[object], merges: tuple[str, ...] = ()) -> bytes:
    made = openpyxl.Workbook()
    sheet = made.active
    for row in rows:
        sheet.append(row)
    for cells in merges:
        sheet.merge_cells(cells)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


@pytest.mark.parametrize("name", FILES)
def test_golden(name: str) -> None:
    path = GOLDEN / name
    expected = json.loads(path.with_suffix(".expected.json").read_text(encoding="utf-8"))
    parsed = parse(path.read_bytes())
    found = [{f: i.model_dump(mode="json")[f] for f in FIELDS} for i in parsed.items]
    assert found == expected["items"]
    assert [f.source_key for f in parsed.failures] == expected["failures"]
    assert parse(path.read_bytes()) == parsed


def test_hotline_keeps_person_place_and_rows_apart() -> None:
    reading = read((GOLDEN / "hotline.csv").read_bytes())
    first, second = reading.rows[0].item, reading.rows[1]
    assert (first.contact.name, first.contact.phone) == ("王某某", "13800138000")
    assert first.place.address == "东城区解放路12号"
    assert (first.channel_id, second.item.channel_id) == ("202611240001", "202611240002")
    assert second.facts == {"source": "微信", "dept": "环卫处", "confidential": "true"}
    assert [(b.problem.row, b.problem.column) for b in reading.bad] == [
        (5, "工单编号"), (6, "受理时间"), (9, "诉求内容（必填）"),
    ]  # fmt: skip
    assert (reading.skipped, reading.table.encoding, reading.table.header.last) == (4, "gb18030", 1)


def test_failure_names_sheet_row_column_and_cure_but_no_words() -> None:
    failure = parse((GOLDEN / "urban97.xls").read_bytes()).failures[0]
    assert failure.error == (
        "ingest: hotline: sheet 工单, row 5, column 上报时间: this is no time; write it like 2026-11-24 08:05"
    )
    assert json.loads(failure.content)["问题描述"] == "乱倒垃圾"


def test_urban_management_has_two_header_rows_points_and_merged_streets() -> None:
    reading = read((GOLDEN / "urban.xlsx").read_bytes())
    places = [row.item.place for row in reading.rows]
    assert [(p.lat, p.lon, p.address) for p in places] == [
        (43.37, 128.23, "城北街道"), (43.38, 128.24, "城北街道"),
    ]  # fmt: skip
    assert reading.table.sheet.name == "案件明细"
    assert reading.rows[0].facts["done_at"] == "2026-11-25T00:00:00+08:00"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "｜", "|"])
def test_any_encoding_and_delimiter(encoding: str, delimiter: str) -> None:
    body = text(HEADER, LINE, ["G2", "", "井盖，丢了；快\n修", ""], delimiter=delimiter)
    items = parse(body.encode(encoding)).items
    assert [i.text for i in items] == ["路灯不亮", "井盖，丢了；快\n修"]


def test_utf8_with_one_broken_byte_loses_one_row() -> None:
    body = text(HEADER, LINE, ["G2", "", "井盖丢了", ""], ["G3", "", "树倒了", ""]).encode()
    parsed = parse(body.replace("盖".encode(), b"\xe7\x9b", 1))
    assert [i.channel_id for i in parsed.items] == ["G1", "G3"]
    assert "UTF-8" in parsed.failures[0].error


def test_quote_that_is_never_closed_does_not_swallow_the_file_silently() -> None:
    rows = "".join(f"G{n},,路灯{n}不亮很久了没有人管,\n" for n in range(20_000))
    parsed = parse(f'{",".join(HEADER)}\nG,,"坏了,\n{rows}'.encode())
    assert len(parsed.items) > 10_000
    assert parsed.failures


def test_unquoted_delimiters_are_not_guessed() -> None:
    parsed = parse(f"{','.join(HEADER)}\nG1,2026-11-24,灯坏了,快修,13800138000\n".encode())
    assert not parsed.items
    assert "more cells" in parsed.failures[0].error


def test_formula_errors_and_kinds_of_cells_in_a_workbook() -> None:
    when = datetime(2026, 11, 24, 8, 5)
    body = book(
        HEADER,
        [202611240001, when, "路灯不亮", 13800138000],
        ["G2", when.date(), "井盖丢了", "#N/A"],
        ["G3", when, "#N/A", ""],
    )
    reading = read(body)
    assert [row.item.channel_id for row in reading.rows] == ["202611240001", "G2"]
    assert reading.rows[0].item.contact.phone == "13800138000"
    assert reading.rows[0].item.posted_at.isoformat() == "2026-11-24T08:05:00+08:00"
    assert reading.rows[1].item.posted_at.isoformat() == "2026-11-24T00:00:00+08:00"
    assert reading.bad[0].problem.row == 4


def test_dates_since_1904() -> None:
    made = openpyxl.Workbook()
    made.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    made.active.append(HEADER)
    made.active.append(["G1", datetime(2026, 11, 24, 8, 5), "路灯不亮", ""])
    out = io.BytesIO()
    made.save(out)
    assert parse(out.getvalue()).items[0].posted_at.isoformat() == "2026-11-24T08:05:00+08:00"


def test_merged_content_is_not_spread() -> None:
    body = book(HEADER, LINE, ["G2", "2026-11-24", None, ""], merges=("C2:C3",))
    parsed = parse(body)
    assert [i.channel_id for i in parsed.items] == ["G1"]
    assert "there are no words" in parsed.failures[0].error


def test_header_again_is_skipped_and_what_resembles_it_is_not() -> None:
    header = [*HEADER[:3], "是否公开", "备注"]
    rows = [["G1", "", "路灯不亮", "公开", "注"], header, ["G2", "", "树倒了", "否", "备注"]]
    reading = read(text(header, *rows).encode())
    assert [row.item.channel_id for row in reading.rows] == ["G1", "G2"]
    assert reading.skipped == 1


def test_foot_is_skipped_and_a_complaint_about_sums_is_not() -> None:
    foot = [["合 计", "2", "", ""], ["", "制表人：某某", "", ""], ["总计", "", "共两件", ""]]
    reading = read(text(HEADER, LINE, ["", "", "合计收费单有误", "13800138001"], *foot).encode())
    assert [row.item.text for row in reading.rows] == ["路灯不亮", "合计收费单有误"]
    assert (reading.skipped, len(reading.bad)) == (3, 0)


def test_last_row_of_an_id_counts() -> None:
    reading = read(text(HEADER, LINE, ["G2", "", "树", ""], ["G1", "", "路灯修好了", ""]).encode())
    assert [(r.item.channel_id, r.item.text) for r in reading.rows] == [
        ("G2", "树"), ("G1", "路灯修好了"),
    ]  # fmt: skip
    assert reading.repeated == 1


def test_rows_without_a_number_are_known_by_their_words() -> None:
    header = ["诉求内容", "受理时间", "联系电话"]
    first = parse(text(header, ["路灯 不亮", "2026-11-24", "13800138000"]).encode()).items[0]
    again = parse(text(header, ["路灯不亮 ", "2026/11/24", "13800138000"]).encode()).items[0]
    other = parse(text(header, ["路灯不亮", "2026/11/24", "13800138001"]).encode()).items[0]
    assert first.channel_id == again.channel_id != other.channel_id


def test_staff_are_not_citizens() -> None:
    header = [
        ["编号", "内容", "诉求人", "", "经办人", ""],
        ["", "", "姓名", "电话", "姓名", "电话"],
    ]
    item = parse(
        text(*header, ["1", "路灯不亮", "王某", "13800138000", "李某", "13900139000"]).encode()
    ).items[0]
    assert (item.contact.name, item.contact.phone) == ("王某", "13800138000")


@pytest.mark.parametrize(
    ("word", "private"), [("否", True), ("不公开", True), ("是", False), ("公开", False)]
)
def test_not_public_is_confidential(word: str, private: object) -> None:
    row = read(text([*HEADER, "是否公开"], [*LINE, word]).encode()).rows[0]
    assert ("confidential" in row.facts) is private


def test_shortened_phone_is_a_warning_only() -> None:
    reading = read(text(HEADER, ["G1", "", "路灯不亮", "1.38E+10"]).encode())
    assert reading.rows[0].item.contact.phone == ""
    assert reading.warnings[0].column == "联系电话"


def test_many_phones_are_cut_between_phones() -> None:
    phones = "13800138000/13800138001/13800138002"
    item = parse(text(HEADER, ["G1", "", "路灯不亮", phones]).encode()).items[0]
    assert item.contact.phone == "13800138000/13800138001"


def test_too_long_a_text_is_a_bad_row() -> None:
    parsed = parse(text(HEADER, ["G1", "", "灯" * 10_001, ""], LINE).encode())
    assert len(parsed.items) == 1
    assert "10000" in parsed.failures[0].error


def test_own_columns_replace_the_synonyms() -> None:
    body = text(["号", "诉求内容", "实际内容"], ["1", "系统填写", "路灯不亮"]).encode()
    config = {"columns": {"external_id": "号", "content": ["实际内容"]}}
    reading = read(body, **config)
    assert reading.rows[0].item.text == "路灯不亮"
    assert [c.name for c in reading.table.header.columns] == ["external_id", "", "content"]
    with pytest.raises(RejectedError, match=r"columns\.phone"):
        read(text(HEADER[:3], LINE[:3]).encode(), columns={"phone": "电话"})


@pytest.mark.parametrize("wanted", ["案件明细", 2, "2"])
def test_sheet_by_name_or_number(wanted: object) -> None:
    body = (GOLDEN / "urban.xlsx").read_bytes()
    assert read(body, sheet=wanted).table.sheet.name == "案件明细"
    with pytest.raises(RejectedError, match="sheet"):
        read(body, sheet="没有")


@pytest.mark.parametrize(
    "config", [{"timezone": "Mars/Base"}, {"columns": {"content_": "x"}}, {"folders": "x"}, {"interval_s": 0}]
)  # fmt: skip
def test_wrong_settings_are_refused(config: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ListConfig.model_validate(config)


def test_no_synonym_means_two_things() -> None:
    every = [word for words in SYNONYMS.values() for word in words]
    assert len(every) == len(set(every)) == len(ANY)
    assert [word for word in every if plain(word) != word] == []


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_header_is_found_anywhere_in_any_order(data: st.DataObject) -> None:
    names = data.draw(st.permutations([*HEADER, "所属区县", "承办单位", "领导批示", "序号"]))
    decorated = {
        n: data.draw(st.sampled_from([f"{n}*", f" {n}：", f"{n}（必填）", n])) for n in names
    }
    titles = data.draw(
        st.lists(
            st.sampled_from([["某市12345工单表"], [], ["导出时间：2026-11-24 08:00", "共120件"]]),
            max_size=15,
        )
    )
    row = dict(zip(HEADER, LINE, strict=True)) | {
        "所属区县": "东城区",
        "承办单位": "城管局",
        "领导批示": "x",
    }
    body = text(*titles, [decorated[n] for n in names], [row.get(n, "1") for n in names])
    reading = read(body.encode())
    item = reading.rows[0].item
    assert (item.channel_id, item.text, item.contact.phone) == ("G1", "路灯不亮", "13800138000")
    assert item.place.address == "东城区"
    assert reading.rows[0].number == len(titles) + 2
    assert {c.header for c in reading.table.header.columns if not c.name} == {
        decorated["领导批示"].strip(), decorated["序号"].strip(),
    }  # fmt: skip


def test_preview_masks_and_is_json() -> None:
    preview = lists().preview(Payload((GOLDEN / "hotline.csv").read_bytes()))
    shown = json.dumps(preview.as_dict(), ensure_ascii=False)
    assert "13800138" not in shown
    assert "王某某" not in shown
    assert (preview.good, preview.bad, preview.skipped, preview.header_row) == (3, 3, 4, 2)
    assert next(c.canonical for c in preview.columns if c.header == "来电人") == "citizen"
    other = lists().preview(Payload(text([*HEADER, "领导批示"], [*LINE, "电13800138000"]).encode()))
    assert (other.columns[-1].label, other.columns[-1].samples) == ("未识别", ["电***********"])


def zipped(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name.replace("__", "/"), content)
    return out.getvalue()


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\x00\xff\xfe", b"<html><p>closed</p>", b"[1,2", b"{}" * 50, b"null", b"PK\x03\x04",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 5000, b"\xff" * 5000, random.Random(1).randbytes(9000),
        "只有一列\n内容\n".encode(), b"<table>" * 5000, b'"' * 100_000, zipped(a=b"1"),
        zipped(**{"xl/workbook.xml": b"<x/>"}), zipped(**{"content.xml": b"<x/>"}),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
    ],
)  # fmt: skip
def test_what_is_no_list_is_rejected(body: bytes) -> None:
    with pytest.raises(RejectedError, match=r"^ingest: hotline: "):
        parse(body)


def test_limits() -> None:
    for body in (b"," * 50_000_001, ",".join([*HEADER, *["x"] * 100_000]).encode()):
        with pytest.raises(RejectedError) as caught:
            parse(body)
        assert caught.value.reason == "oversize"
    bomb = zipped(**{"xl/workbook.xml": b"<x/>", "xl/a.xml": b"\0" * 1000})
    bomb = bomb.replace((1000).to_bytes(4, "little"), (600_000_000).to_bytes(4, "little"))
    with pytest.raises(RejectedError) as caught:
        parse(bomb)
    assert caught.value.reason == "oversize"


def test_too_many_rows() -> None:
    with pytest.raises(RejectedError) as caught:
        parse((text(HEADER, LINE) + "x\n" * 200_000).encode())
    assert caught.value.reason == "oversize"


ODS = """<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
<office:body><office:spreadsheet><table:table table:name="工单">{}</table:table></office:spreadsheet></office:body>
</office:document-content>"""


def ods(*rows: list[str], more: str = "") -> bytes:
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    lines = ["".join(map(cell.format, row)) for row in rows]
    body = "".join(f"<table:table-row>{line}</table:table-row>" for line in lines)
    parts = {
        "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
        "content.xml": ODS.format(body + more).encode(),
        "META-INF/manifest.xml": b"<manifest/>",
    }
    return zipped(**parts)


def test_ods() -> None:
    assert read(ods(HEADER, LINE)).table.kind == "ods"
    assert [item.text for item in parse(ods(HEADER, LINE)).items] == ["路灯不亮"]


def test_row_repeated_without_end_is_refused() -> None:
    more = (
        '<table:table-row table:number-rows-repeated="2000000"><table:table-cell '
        'office:value-type="string"><text:p>x</text:p></table:table-cell></table:table-row>'
    )
    with pytest.raises(RejectedError) as caught:
        parse(ods(HEADER, LINE, more=more))
    assert caught.value.reason == "oversize"


@pytest.mark.parametrize(
    "unit", ["<table><tr><td>", "<div>", "<div <>", "<<b>div>", "<td <div>", "<a ", "<svg>", "<tr>x", "<!--"]
)  # fmt: skip
def test_hostile_pages_end_in_linear_time(unit: str) -> None:
    """Nesting this deep takes a parser hours; the test's own end is the proof."""
    with pytest.raises(RejectedError):
        parse(f"<table><tr><td>{unit * 300_000}".encode())


def test_tags_inside_cells_do_not_split_words() -> None:
    cells = "".join(f"<td><b>{word[:1]}</b><span>{word[1:]}</span></td>" for word in HEADER)
    line = "<td>G1</td><td>2026-11-24</td><td><font>路</font>灯<br/><i>不亮</i></td><td></td>"
    items = parse(f"<table><tr>{cells}</tr><tr>{line}</tr></table>".encode()).items
    assert [item.text for item in items] == ["路灯\n不亮"]


def test_cell_at_the_far_corner_ends_the_reader_and_not_the_hub() -> None:
    made = openpyxl.Workbook()
    for row in (HEADER, LINE):
        made.active.append(row)
    made.active["XFD1048576"] = "x"
    out = io.BytesIO()
    made.save(out)
    with pytest.raises(RejectedError) as caught:
        parse(out.getvalue())
    assert caught.value.reason == "oversize"


def test_password_is_named() -> None:
    body = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")
    with pytest.raises(RejectedError) as caught:
        parse(body)
    assert caught.value.reason == "password"


def test_one_line_of_five_megabytes() -> None:
    parsed = parse(",".join(HEADER).encode() + b"\nG1,," + "灯".encode() * 1_700_000 + b",\n")
    assert not parsed.items
    assert parsed.failures


def mutate(whole: bytes, pick: random.Random, *, moves: bool) -> bytes:
    body = bytearray(whole)
    for _ in range(pick.randint(1, 12)):
        at, size = pick.randrange(len(body) - 8), pick.randint(1, 8)
        body[at : at + size] = pick.randbytes(
            pick.choice([size, pick.randint(0, 8)]) if moves else size
        )
    return bytes(body[: pick.choice([len(body), len(body), pick.randrange(len(body))])])


@pytest.mark.parametrize(("name", "times"), [("hotline.csv", 2000), ("page.xls", 2000), ("urban.xlsx", 60), ("urban97.xls", 25)])  # fmt: skip
def test_mutated_files_raise_nothing_else(name: str, times: int) -> None:
    pick, whole = random.Random(7), (GOLDEN / name).read_bytes()
    refused = 0
    for _ in range(times):
        try:
            parsed = parse(mutate(whole, pick, moves=name != "urban97.xls"))
        except RejectedError:
            refused += 1
        else:
            assert all(item.text for item in parsed.items)
    assert 0 < refused < times


LEADS = ("", " ", "\u3000", "\u200b", "\xa0 ", "\ufeff", "\n", "\t")
PREFIXES = [*(lead + sign for lead in LEADS for sign in "=+-@＝＋－＠"), "\t", "\r", "\n"]


@pytest.mark.parametrize("prefix", PREFIXES, ids=map(ascii, PREFIXES))
def test_no_cell_of_a_report_is_a_formula(prefix: str) -> None:
    safe = harmless(f"{prefix}HYPERLINK(1)")
    assert safe == f"'{prefix}HYPERLINK(1)"
    assert harmless("第3行") == "第3行"
