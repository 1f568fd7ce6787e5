// Daily lines of problems or campaigns; the chosen one with what was expected, and the days of its burst shaded.
import { COLORS, DIM, INK, chart, tip } from "./chart";
import type { Data, Line, Rise, Span } from "./data";

const GROUPS = { problem: "六乱", campaign: "十大提升行动" } as const;
type Group = keyof typeof GROUPS;

/** Draw the lines and the buttons that choose among them. */
export function lines(data: Data): void {
  const place = document.getElementById("chart-lines");
  if (place === null) return;
  let group: Group = "problem";
  let chosen = loudest(data, group);
  const made = chart("chart-lines", {});
  const draw = () => made?.setOption(option(data, group, chosen) as never, true);
  made?.on("legendselectchanged", () => undefined);
  made?.on("click", (event) => { chosen = String(event.seriesName ?? ""); draw(); });
  const bar = document.createElement("div");
  bar.className = "picks";
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "折线");
  place.before(bar);
  const fill = () => {
    bar.replaceChildren(
      ...(Object.keys(GROUPS) as Group[]).map((one) => button(GROUPS[one], one === group, () => { group = one; chosen = loudest(data, one); fill(); draw(); })),
      select(data, group, chosen, (name) => { chosen = name; draw(); }),
    );
  };
  fill();
  draw();
}

/** The line with a burst, or else the longest. */
function loudest(data: Data, group: Group): string {
  const own = data.board.lines.filter((one) => one.group === group);
  const rising = data.board.bursts.map((rise) => own.find((one) => one.id === rise.label)).find((one) => one !== undefined);
  return (rising ?? [...own].sort((a, b) => b.total.n - a.total.n)[0])?.name ?? "";
}

function button(words: string, on: boolean, work: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = on ? "pick on" : "pick";
  made.setAttribute("aria-pressed", String(on));
  made.textContent = words;
  made.addEventListener("click", work);
  return made;
}

function select(data: Data, group: Group, chosen: string, work: (name: string) => void): HTMLLabelElement {
  const label = document.createElement("label");
  const made = document.createElement("select");
  for (const line of data.board.lines.filter((one) => one.group === group)) made.add(new Option(line.name, line.name, false, line.name === chosen));
  made.addEventListener("change", () => work(made.value));
  label.append("预期区间 ", made);
  return label;
}

function option(data: Data, group: Group, chosen: string): object {
  const own = data.board.lines.filter((one) => one.group === group);
  const main = own.find((one) => one.name === chosen);
  return {
    color: COLORS,
    grid: { left: 44, right: 16, top: 64, bottom: 28 },
    legend: { top: 0, textStyle: { color: INK }, data: own.map((one) => one.name) },
    tooltip: { ...tip, trigger: "axis", formatter: (points: Point[]) => says(points, main) },
    xAxis: { type: "category", data: data.board.days, axisLabel: { formatter: (day: string) => day.slice(5), color: DIM } },
    yAxis: { type: "value", minInterval: 1, axisLabel: { color: DIM } },
    series: [
      ...own.map((one) => ({
        name: one.name, type: "line", data: one.days, showSymbol: false, symbolSize: 6,
        lineStyle: { width: one.name === chosen ? 3 : 1.4, opacity: one.name === chosen ? 1 : 0.55 },
        ...(one.name === chosen ? { markArea: shaded(data.board.bursts, one), markLine: marked(data.spans, data.board.days) } : {}),
      })),
      ...(main ? band(main) : []),
    ],
  };
}

type Point = { seriesName: string; value: number | null; axisValue: string; dataIndex: number };

/** A day in words: each line's count, and what was expected of the chosen one. */
function says(points: Point[], main: Line | undefined): string {
  const day = points[0];
  if (day === undefined) return "";
  const rows = points.filter((one) => !one.seriesName.startsWith(" ")).map((one) => `${one.seriesName} ${one.value ?? "—"}`);
  const expected = main?.expected[day.dataIndex];
  if (main && expected != null) rows.push(`${main.name}预期 ${expected.toFixed(1)}（${main.lower[day.dataIndex]?.toFixed(1)}–${main.upper[day.dataIndex]?.toFixed(1)}）`);
  return [day.axisValue, ...rows].join("\n");
}

/** The expected band of the chosen line: its lower edge, unseen, and the width above it. Names begin with a space: no legend. */
function band(line: Line): object[] {
  const plain = { type: "line", stack: " band", symbol: "none", silent: true, lineStyle: { opacity: 0 }, tooltip: { show: false } };
  const width = line.upper.map((high, n) => (high === null ? null : high - (line.lower[n] ?? 0)));
  return [
    { ...plain, name: " lower", data: line.lower },
    { ...plain, name: " width", data: width, areaStyle: { color: DIM, opacity: 0.16 } },
    { type: "line", name: " expected", data: line.expected, symbol: "none", silent: true, lineStyle: { type: "dashed", width: 1, color: DIM } },
  ];
}

/** The days of this line's bursts. */
function shaded(bursts: Rise[], line: Line): object {
  const own = bursts.filter((one) => one.label === line.id);
  return { silent: true, itemStyle: { color: "#b3261e", opacity: 0.1 }, label: { color: "#b3261e" }, data: own.map((one) => [{ name: "突增", xAxis: one.start }, { xAxis: one.end }]) };
}

/** Begin and end of campaigns within the days shown. */
function marked(spans: Span[], days: string[]): object {
  const inside = (day: string) => days.includes(day);
  const ends = spans.flatMap((one) => [{ name: `${one.name}开始`, xAxis: one.start }, { name: `${one.name}结束`, xAxis: one.end }]).filter((one) => inside(one.xAxis));
  return { silent: true, symbol: "none", label: { formatter: "{b}", color: INK }, lineStyle: { color: INK, type: "dotted" }, data: ends };
}
