"""The city's own map: a GeoJSON file whose features are areas."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from store.config import read_text
from store.errors import ConfigError

SHAPES = frozenset({"Polygon", "MultiPolygon"})


def read_map(path: Path, areas: Mapping[str, str]) -> dict[str, Any]:
    """The features as charts take them, each named as its area is; ConfigError names file, feature and cure."""
    try:
        told = msgspec.json.decode(read_text(path))
        features = told["features"]
        made = [_feature(n, one, areas, path) for n, one in enumerate(features, 1)]
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        msg = f"config: {path.name}: no GeoJSON FeatureCollection ({error}); export it again"
        raise ConfigError(msg) from error
    return {"type": "FeatureCollection", "features": made}


def _feature(
    n: int, one: Mapping[str, Any], areas: Mapping[str, str], path: Path
) -> dict[str, Any]:
    area = str(one.get("id", "") or (one.get("properties") or {}).get("id", ""))
    if area not in areas:
        msg = f"config: {path.name}: feature {n}: id {area or '(none)'} is no area of departments.toml; correct it"
        raise ConfigError(msg)
    if one["geometry"]["type"] not in SHAPES:
        msg = f"config: {path.name}: feature {n}: a {one['geometry']['type']}; give a Polygon or MultiPolygon"
        raise ConfigError(msg)
    shape = {"type": one["geometry"]["type"], "coordinates": one["geometry"]["coordinates"]}
    return {"type": "Feature", "properties": {"name": areas[area]}, "geometry": shape}
