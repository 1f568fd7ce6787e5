"""The tree of territories: a way up from everywhere, and one owner for each place."""

import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from hub.city import City
from router.departments import Directory, load_directory
from router.lines import Lines
from router.territory import Claim, check_places
from store.config import validate
from store.errors import ConfigError

BASE = """
default = "office"
out_of_scope = "office"
supervisor = "board"
[[department]]
id = "office"
name = "城管办"
[[department]]
id = "board"
name = "督查室"
[[department]]
id = "street"
name = "街道"
[[area]]
id = "north"
name = "北街道"
within = "street"
[[area]]
id = "south"
name = "南街道"
within = "street"
[[community]]
id = "hill"
name = "山社区"
within = "north"
covers = ["山路"]
[[community]]
id = "lake"
name = "湖社区"
within = "south"
"""

GRID = """
[[grid]]
id = "hill_1"
name = "山一网格"
within = "hill"
covers = ["山路"]
"""

PLACES = (Claim("山路", "north", 2), Claim("湖路", "south", 3), Claim("大街", "", 4))


def directory(text: str) -> Directory:
    return validate(tomllib.loads(text), Directory, "departments.toml", Lines(text))


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n")


def refused(text: str, says: str, line: int, claims: Sequence[Claim] = PLACES) -> None:
    with pytest.raises(ConfigError) as caught:
        check_places(directory(text), claims, Lines(text))
    assert str(caught.value).startswith(f"config: departments.toml: line {line}: ")
    assert says in str(caught.value)
    assert ";" in str(caught.value)


def test_the_way_up_goes_from_the_grid_to_the_city() -> None:
    found = directory(BASE + GRID)
    check_places(found, PLACES, Lines())
    assert found.chain("hill_1") == ("hill", "north", "board")
    assert found.chain("north") == ("board",)
    assert found.chain("office") == ("board",)
    assert found.chain("board") == ()
    assert found.names["hill_1"] == "山一网格"
    assert [found.duty_of(o) for o in ("hill_1", "lake", "north", "office")] == [
        "street", "street", "street", "office",
    ]  # fmt: skip
    with pytest.raises(KeyError):
        found.chain("nobody")


def test_a_superior_that_is_named_goes_before() -> None:
    text = BASE.replace('within = "north"', 'within = "north"\nsuperior = "south"')
    text = text.replace('name = "南街道"', 'name = "南街道"\nsuperior = "office"')
    assert directory(text).chain("hill") == ("south", "office", "board")


def test_without_a_supervisor_the_default_is_above() -> None:
    found = directory(BASE.replace('supervisor = "board"\n', ""))
    assert found.chain("hill") == ("north", "office")
    with pytest.raises(ConfigError, match="king is not a department of this file"):
        directory(BASE.replace('supervisor = "board"', 'supervisor = "king"'))


def test_every_way_of_the_city_ends_at_its_supervisor(city: City) -> None:
    found = city.directory
    ends = {found.chain(office)[-1] for office in found.names if office != found.top}
    assert ends == {"supervision_office"}
    assert len(found.community) == 17
    assert found.chain("linye_community") == ("minzhu", "supervision_office")


@pytest.mark.parametrize(
    ("old", "new", "says", "entry"),
    [
        ('name = "城管办"', 'name = "城管办"\nsuperior = "king"', "superior: king is no office", "office"),
        ('name = "城管办"', 'name = "城管办"\nsuperior = "street"', "street → office is a circle", "office"),
        ('name = "城管办"', 'name = "城管办"\nsuperior = "office"', "office → office is a circle", "office"),
        ('within = "north"', 'within = "east"', "within: east is not one of [[area]]", "hill"),
        ('within = "north"', 'within = "street"', "within: street is not one of [[area]]", "hill"),
        ('id = "lake"', 'id = "north"', "the id north is used twice", "north"),
        ('within = "south"', 'within = "south"\ncovers = ["山路"]', "gazetteer.csv has 山路 in north", "lake"),
        ('within = "south"', 'within = "south"\ncovers = ["月路"]', "月路 is not in gazetteer.csv", "lake"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_line_and_office(old: str, new: str, says: str, entry: str) -> None:
    text = BASE.replace(old, new)
    if entry == "office":  # closes the circle where the mistake makes one
        text = text.replace('name = "街道"', 'name = "街道"\nsuperior = "office"')
    at = text.rindex(f'id = "{entry}"')
    refused(text, says, text[:at].count("\n"))


def test_two_communities_may_not_cover_one_place() -> None:
    text = BASE.replace('["山路"]', '["大街"]') + 'covers = ["大街"]\n'
    refused(text, "大街 is covered by hill too", line_of(text, 'id = "lake"'))


def test_a_grid_may_not_cover_what_another_community_or_grid_has() -> None:
    twin = GRID.replace("hill_1", "hill_2")
    text = BASE + GRID + twin
    refused(text, "山路 is covered by hill_1 too", line_of(text, 'id = "hill_2"'))
    text = BASE.replace('["山路"]', '["大街"]')
    text += GRID.replace('"hill"', '"lake"').replace("山路", "大街")
    refused(text, "大街 is covered by hill too", line_of(text, 'id = "hill_1"'))


def test_one_name_in_two_territories_is_refused() -> None:
    claims = (*PLACES, Claim("大街", "south", 5), Claim("大街", "north", 9))
    with pytest.raises(
        ConfigError,
        match=r"gazetteer.csv: line 9: 大街 is in north here and in south on line 5; keep",
    ):
        check_places(directory(BASE), claims, Lines())  # fmt: skip


def test_the_file_is_read_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "departments.toml"
    path.write_text(BASE.replace('within = "north"', 'within = "east"'), encoding="utf-8")
    with pytest.raises(ConfigError, match="line 22: community hill: within: east"):
        load_directory(path)
