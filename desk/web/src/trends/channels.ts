// Where messages came from.
import { DIM, INK, chart, tip } from "./chart";
import type { Data } from "./data";

/** Draw the bars; a click opens the channel's number. */
export function channels(data: Data): void {
  const rows = [...data.board.channels].reverse();
  const made = chart("chart-channels", {
    grid: { left: 8, right: 56, top: 8, bottom: 8, containLabel: true },
    tooltip: { ...tip, formatter: (point: { name: string; value: number }) => `${point.name} ${point.value} 件` },
    xAxis: { type: "value", show: false },
    yAxis: { type: "category", data: rows.map((one) => one.name), axisLabel: { color: INK }, axisTick: { show: false }, axisLine: { lineStyle: { color: DIM } } },
    series: [{ type: "bar", barMaxWidth: 26, color: "#1f5fbf", data: rows.map((one) => ({ value: one.total.n, link: one.total.link })), label: { show: true, position: "right", color: INK, formatter: (point: { dataIndex: number; value: number }) => `${point.value}（${((rows[point.dataIndex]?.share ?? 0) * 100).toFixed(1)}%）` } }],
  } as never);
  made?.on("click", (event) => {
    const link = (event.data as { link?: string } | undefined)?.link;
    if (link) location.assign(link);
  });
}
