"""How trends are shown here (``configs/trends.toml``): the map's tiles, and spans of time worth a line."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from pydantic import Field, model_validator

from router.trends.bursts import BurstSettings
from store.config import Strict


class Tile(Strict):
    """An area's place on the map of tiles (hexagons); odd rows stand half a tile to the right."""

    area: str
    row: int = Field(ge=0, le=30)
    column: int = Field(ge=0, le=30)


class Span(Strict):
    """A campaign or season that charts mark: from ``start`` to ``end``."""

    name: str = Field(min_length=1, max_length=20)
    start: date
    end: date

    @model_validator(mode="after")
    def _forward(self) -> Span:
        if self.end < self.start:
            msg = f"span {self.name}: end is before start; exchange them"
            raise ValueError(msg)
        return self


class TrendSettings(Strict):
    """``configs/trends.toml``. ``geojson``: a map beside it whose features have the areas' ``id``; none: tiles."""

    geojson: str = ""
    tile: tuple[Tile, ...] = ()
    span: tuple[Span, ...] = ()
    bursts: BurstSettings = BurstSettings()

    @model_validator(mode="after")
    def _apart(self) -> TrendSettings:
        places = [(tile.row, tile.column) for tile in self.tile]
        areas = [tile.area for tile in self.tile]
        if len(set(places)) < len(places) or len(set(areas)) < len(areas):
            msg = "tile: two have the same place, or an area has two; move or remove one"
            raise ValueError(msg)
        return self

    def strangers(self, known: Collection[str]) -> list[str]:
        """Areas of tiles that nobody knows."""
        return sorted({tile.area for tile in self.tile} - set(known))
