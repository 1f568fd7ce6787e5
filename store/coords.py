"""Coordinates of the three datums in use in China, all turned into WGS-84.

Phones and Chinese maps give GCJ-02, Baidu BD-09, GPS and Open311 WGS-84; in a city the shift is about
500 m, so a pair without its datum is worth little. GCJ-02 has no published formula: this is the one
every open implementation agrees on (eviltransform, prcoords). Its inverse is found by iteration, to
better than a centimeter. Outside China GCJ-02 is WGS-84.
"""

from __future__ import annotations

from math import asin, atan2, cos, hypot, pi, radians, sin, sqrt

from store.model import CoordType

_AXIS = 6378245.0
"""Semi-major axis of the Krasovsky 1940 ellipsoid, meters."""

_ECCENTRICITY2 = 0.00669342162296594323
_BAIDU = pi * 3000.0 / 180.0
_EARTH_M = 6_371_008.8
_ROUNDS = 8
_LAT, _LON = (0.8293, 55.8271), (72.004, 137.8347)

Point = tuple[float, float]
"""(latitude, longitude) in degrees."""


def to_wgs84(lat: float, lon: float, datum: CoordType) -> Point:
    """The pair in WGS-84."""
    if datum is CoordType.BD09:
        lat, lon = _bd_to_gcj(lat, lon)
    if datum is CoordType.WGS84:
        return lat, lon
    return _invert(lat, lon)


def from_wgs84(lat: float, lon: float, datum: CoordType) -> Point:
    """The WGS-84 pair in another datum."""
    if datum is CoordType.WGS84:
        return lat, lon
    lat, lon = _wgs_to_gcj(lat, lon)
    return _gcj_to_bd(lat, lon) if datum is CoordType.BD09 else (lat, lon)


def meters(a: Point, b: Point) -> float:
    """Great-circle distance of two WGS-84 points (haversine formula), meters."""
    lat_a, lat_b = radians(a[0]), radians(b[0])
    across = sin((lat_b - lat_a) / 2) ** 2
    across += cos(lat_a) * cos(lat_b) * sin(radians(b[1] - a[1]) / 2) ** 2
    return 2 * _EARTH_M * asin(sqrt(across))


def _in_china(lat: float, lon: float) -> bool:
    return _LAT[0] <= lat < _LAT[1] and _LON[0] <= lon < _LON[1]


def _wgs_to_gcj(lat: float, lon: float) -> Point:
    if not _in_china(lat, lon):
        return lat, lon
    x, y = lon - 105.0, lat - 35.0
    ripple = (20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + ripple
    north += (20 * sin(y * pi) + 40 * sin(y / 3 * pi)) * 2 / 3
    north += (160 * sin(y / 12 * pi) + 320 * sin(y / 30 * pi)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + ripple
    east += (20 * sin(x * pi) + 40 * sin(x / 3 * pi)) * 2 / 3
    east += (150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3
    phi = radians(lat)
    magic = 1 - _ECCENTRICITY2 * sin(phi) ** 2
    meridian = _AXIS * (1 - _ECCENTRICITY2) / (magic * sqrt(magic))
    parallel = _AXIS / sqrt(magic) * cos(phi)
    return lat + north * 180 / (meridian * pi), lon + east * 180 / (parallel * pi)


def _invert(lat: float, lon: float) -> Point:
    guess = lat, lon
    for _ in range(_ROUNDS):
        there = _wgs_to_gcj(*guess)
        guess = guess[0] + lat - there[0], guess[1] + lon - there[1]
    return guess


def _gcj_to_bd(lat: float, lon: float) -> Point:
    length = hypot(lon, lat) + 0.00002 * sin(lat * _BAIDU)
    angle = atan2(lat, lon) + 0.000003 * cos(lon * _BAIDU)
    return length * sin(angle) + 0.006, length * cos(angle) + 0.0065


def _bd_to_gcj(lat: float, lon: float) -> Point:
    y, x = lat - 0.006, lon - 0.0065
    length = hypot(x, y) - 0.00002 * sin(y * _BAIDU)
    angle = atan2(y, x) - 0.000003 * cos(x * _BAIDU)
    return length * sin(angle), length * cos(angle)
