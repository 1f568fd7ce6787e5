// Small things both the list and the detail show.
import { left, tick } from "../clock";
import { Icon } from "../ui";
import { ENDED, names } from "./state";
import type { Row } from "./types";

export const Chip = ({ label }: { label: string }) => <span class={`chip p-${label}`}>{names.labels[label] ?? label}</span>;
export const channel = (id: string): string => names.channels[id] ?? id;
export const area = (id: string): string => names.areas[id] ?? "地点待定";
export const percent = (share: number): string => `${Math.round(share * 100)}%`;

/** Confidence in words, a bar and a number. */
export const sureness = (share: number): { word: string; level: string } =>
  share >= 0.85 ? { word: "高", level: "high" } : share >= 0.6 ? { word: "中", level: "middle" } : { word: "低", level: "low" };

export const Sureness = ({ share }: { share: number }) => {
  const { word, level } = sureness(share);
  return <span class={`sure ${level}`}><meter class="bar" min={0} max={1} value={share} aria-hidden="true" />识别把握{word} {percent(share)}</span>;
};

/** The working-hours clock of a row: text, icon and color. */
export const Clock = ({ row }: { row: Pick<Row, "status" | "due_at" | "stage_due_at" | "snoozed_until"> }) => {
  void tick.value;
  if (ENDED.includes(row.status)) return <span class="clock">{names.statuses[row.status]}</span>;
  const due = ["received", "filed"].includes(row.status) ? row.stage_due_at ?? row.due_at : row.due_at ?? row.stage_due_at;
  if (!due) return null;
  const now = left(due);
  return <span class={`clock ${now.level}`}><Icon name={now.sign} /> {now.text}</span>;
};

/** The words of a search, marked in a text. */
export function Marked({ text, words }: { text: string; words: string }) {
  const wanted = words.split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return <>{text}</>;
  const escaped = wanted.map((one) => one.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const pieces = text.split(new RegExp(`(${escaped.join("|")})`, "gi"));
  return <>{pieces.map((piece, n) => (n % 2 ? <mark key={n} class="found">{piece}</mark> : piece))}</>;
}
