// The city as tiles, one hexagon an area, or the city's own GeoJSON where it has one; a click opens the area's number.
import { DIM, HEAT, INK, chart, registerMap, tip } from "./chart";
import type { Data, Row, Tile } from "./data";

const SIDE = 1;
const WIDE = Math.sqrt(3) * SIDE;

/** Draw the map. */
export function tiles(data: Data): void {
  if (document.getElementById("chart-map") === null) return;
  const drawn = data.map ?? geojson(data.tiles, data.board.areas);
  registerMap("city", drawn as Parameters<typeof registerMap>[1]);
  const areas = new Map(data.board.areas.map((one) => [one.id, one]));
  const most = Math.max(1, ...data.board.areas.map((one) => one.total.n));
  const values = [...areas.values()].map((one) => ({ name: one.name, value: one.total.n, link: one.total.link }));
  const made = chart("chart-map", {
    tooltip: { ...tip, formatter: (point: { name: string; value: number }) => `${point.name} ${point.value || 0} 件` },
    visualMap: { min: 0, max: most, orient: "horizontal", left: "center", bottom: 0, text: [`多 ${most}`, "少 0"], inRange: { color: HEAT }, textStyle: { color: DIM }, itemHeight: 120, itemWidth: 12 },
    series: [{
      type: "map", map: "city", nameProperty: "name", data: values, selectedMode: false, roam: false, aspectScale: 1, left: 8, right: 8, top: 8, bottom: 36,
      itemStyle: { borderColor: "#fff", borderWidth: 1.5, areaColor: HEAT[0] }, label: { show: true, color: INK, fontSize: 12, formatter: (point: { name: string }) => short(point.name) }, emphasis: { label: { color: INK }, itemStyle: { areaColor: "#fbe3a6" } },
    }],
  } as never);
  made?.on("click", (event) => {
    const link = (event.data as { link?: string } | undefined)?.link;
    if (link) location.assign(link);
  });
}

/** Hexagons as GeoJSON; odd rows stand half a tile to the right. Areas without a tile are left out. */
function geojson(placed: Tile[], rows: Row[]): object {
  const names = new Map(rows.map((one) => [one.id, one.name]));
  return {
    type: "FeatureCollection",
    features: placed.map((tile) => ({
      type: "Feature",
      properties: { name: names.get(tile.area) ?? tile.name ?? tile.area },
      geometry: { type: "Polygon", coordinates: [hexagon((tile.column + (tile.row % 2) / 2) * WIDE, -tile.row * 1.5 * SIDE)] },
    })),
  };
}

/** A name that fits its tile. */
const short = (name: string) => name.replace(/(街道|镇|乡)$/, "");

function hexagon(x: number, y: number): [number, number][] {
  return [...Array(7).keys()].map((n) => {
    const angle = (Math.PI / 3) * n + Math.PI / 6;
    return [x + SIDE * 0.96 * Math.cos(angle), y + SIDE * 0.96 * Math.sin(angle)];
  });
}
