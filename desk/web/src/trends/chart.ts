// The one door to ECharts: only the parts that are used, drawn as SVG, with tips as plain text (no HTML from data).
import { BarChart, LineChart, MapChart } from "echarts/charts";
import { AriaComponent, GeoComponent, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent, VisualMapComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import type { EChartsOption, EChartsType } from "echarts/types/dist/shared";

echarts.use([
  AriaComponent, BarChart, GeoComponent, GridComponent, LegendComponent, LineChart, MapChart, MarkAreaComponent, MarkLineComponent, SVGRenderer,
  TooltipComponent, VisualMapComponent,
]);

export const INK = "#1b2738";
export const DIM = "#556273";
export const HEAT = ["#f4f6fa", "#fdeadb", "#fbd3b0", "#f5b27d", "#e98a52", "#d65f38", "#b3261e"];
/** Colours of the six problems, as the desk's chips have them, then of the campaigns. */
export const COLORS = ["#a06a00", "#7a4fc0", "#c2501f", "#0f7b8a", "#b03a7c", "#3f8a45", "#1f5fbf", "#8a5300", "#5b6b7f", "#00796b", "#ad1457", "#6d4c41", "#3949ab", "#558b2f", "#d84315", "#00838f"];

export const tip = { renderMode: "richText" as const, confine: true };
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

/** A chart in the element of that id, which follows the page's width; null when the page has no such place. */
export function chart(id: string, option: EChartsOption): EChartsType | null {
  const place = document.getElementById(id);
  if (place === null) return null;
  const made = echarts.init(place, null, { renderer: "svg" });
  made.setOption({ animation: !calm, animationDuration: 200, textStyle: { fontFamily: "inherit" }, ...option });
  new ResizeObserver(() => made.resize()).observe(place);
  return made as unknown as EChartsType;
}

export const registerMap = echarts.registerMap;
