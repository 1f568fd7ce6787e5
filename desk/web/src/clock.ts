// Time as the desk shows it: the hub's clock, not this machine's, in the city's zone.
import { signal } from "@preact/signals";

/** Milliseconds the hub's clock is ahead of this machine's. */
export const skew = signal(0);
/** Moves every 15 s so that what is left is drawn anew. */
export const tick = signal(0);
setInterval(() => { tick.value++; }, 15000);

export const setClock = (now: string): void => { skew.value = Date.parse(now) - Date.now(); };
export const hubNow = (): number => Date.now() + skew.value;
/** A machine whose clock is wrong by more than this is told so. */
export const SKEWED_MS = 120_000;

export type Left = { level: "green" | "amber" | "red" | "late"; text: string; sign: "ok" | "soon" | "late" };

/** How long is left until `due`: 绿 over 8 h, 黄 2–8 h, 红 under 2 h, filled red when late. */
export function left(due: string): Left {
  const minutes = Math.round((Date.parse(due) - hubNow()) / 60000);
  const size = Math.abs(minutes);
  const text = size < 60 ? `${size} 分钟` : size < 2880 ? `${Math.floor(size / 60)} 小时 ${size % 60} 分` : `${Math.floor(size / 1440)} 天`;
  if (minutes < 0) return { level: "late", text: `超期 ${text}`, sign: "late" };
  const level = minutes < 120 ? "red" : minutes < 480 ? "amber" : "green";
  return { level, text: `剩 ${text}`, sign: level === "green" ? "ok" : "soon" };
}

let format: Intl.DateTimeFormat;
let yearly: Intl.DateTimeFormat;

export function setZone(zone: string): void {
  format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });
  yearly = new Intl.DateTimeFormat("en", { timeZone: zone, year: "numeric" });
}
setZone("Asia/Shanghai");

/** As people write it; the year only where it is not this one. */
export function clockTime(iso: string): string {
  const at = new Date(iso);
  const got = Object.fromEntries(format.formatToParts(at).map((p) => [p.type, p.value]));
  const year = yearly.format(at);
  return `${year === yearly.format(new Date(hubNow())) ? "" : `${year}年`}${Number(got.month)}月${Number(got.day)}日 ${got.hour}:${got.minute}`;
}
