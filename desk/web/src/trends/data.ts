// What the page brings along for its charts.
export type Cell = { n: number; link: string; heat: number };
export type Days = (number | null)[];
export type Line = { id: string; name: string; group: "problem" | "campaign"; total: Cell; days: number[]; expected: Days; lower: Days; upper: Days };
export type Row = { id: string; name: string; total: Cell; share: number };
export type Rise = { label: string; area: string; name: string; start: string; end: string; observed: number };
export type Span = { name: string; start: string; end: string };
export type Tile = { area: string; name: string; row: number; column: number };
export type Data = {
  board: { days: string[]; lines: Line[]; bursts: Rise[]; areas: Row[]; channels: Row[] };
  spans: Span[];
  tiles: Tile[];
  map: object | null;
};

/** The data of the page; null when it has none. */
export function read(): Data | null {
  const text = document.getElementById("trends")?.dataset.trends;
  return text ? (JSON.parse(text) as Data) : null;
}
