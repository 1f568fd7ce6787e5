"""A city's own map: named by its areas, or a clear refusal."""

import json
from pathlib import Path
from typing import Any

import pytest

from router.trends.maps import read_map
from store.errors import ConfigError

SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
AREAS = {"bohai": "渤海街道"}


def write(folder: Path, *features: Any) -> Path:
    path = folder / "map.json"
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8"
    )
    return path


def test_features_are_named_as_their_areas(tmp_path: Path) -> None:
    path = write(tmp_path, {"id": "bohai", "properties": {"secret": "x"}, "geometry": SQUARE})
    (feature,) = read_map(path, AREAS)["features"]
    assert feature["properties"] == {"name": "渤海街道"}
    assert feature["geometry"] == SQUARE


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("nonsense", "no GeoJSON"),
        ("{}", "no GeoJSON"),
        ('{"features": [{"id": "x", "geometry": {}}]}', "feature 1: id x is no area"),
        ('{"features": [{"id": "bohai", "geometry": {"type": "Point", "coordinates": []}}]}', "give a Polygon"),
        ('{"features": [{"id": "bohai"}]}', "no GeoJSON"),
    ],
)  # fmt: skip
def test_what_is_no_map_is_refused(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "map.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=f"config: map.json: .*{words}"):
        read_map(path, AREAS)
