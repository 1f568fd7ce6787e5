"""Coordinates: against two independent implementations, and back again."""

import eviltransform
import prcoords
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.coords import from_wgs84, meters, to_wgs84
from store.model import CoordType

CHINA = st.tuples(st.floats(18.5, 53.0), st.floats(74.0, 134.5))


def test_published_example() -> None:
    shanghai = (31.230416, 121.473701)
    assert from_wgs84(*shanghai, CoordType.GCJ02) == pytest.approx(
        (31.2284737, 121.4782241), abs=1e-6
    )
    assert from_wgs84(*shanghai, CoordType.BD09) == pytest.approx(
        (31.2343266, 121.4847825), abs=1e-6
    )


@given(CHINA)
def test_same_as_independent_implementations(point: tuple[float, float]) -> None:
    lat, lon = point
    ours = from_wgs84(lat, lon, CoordType.GCJ02)
    assert meters(ours, eviltransform.wgs2gcj(lat, lon)) < 0.05
    assert meters(ours, tuple(prcoords.wgs_gcj((lat, lon), check_china=False))) < 0.05


@given(CHINA, st.sampled_from(list(CoordType)))
def test_there_and_back_is_the_same_place(point: tuple[float, float], datum: CoordType) -> None:
    away = from_wgs84(*point, datum)
    assert meters(to_wgs84(*away, datum), point) < (2.0 if datum is CoordType.BD09 else 0.01)


def test_outside_china_nothing_is_shifted() -> None:
    assert to_wgs84(52.37, 4.89, CoordType.GCJ02) == (52.37, 4.89)


def test_distance_of_a_degree_of_latitude() -> None:
    assert meters((43.0, 128.0), (44.0, 128.0)) == pytest.approx(111_195, abs=1)
