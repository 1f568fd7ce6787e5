// The one truth of the inbox: which orders, which is under the cursor, what was sent and is not confirmed yet.
import { computed, signal } from "@preact/signals";
import { boot } from "../boot";
import { setZone } from "../clock";
import type { Boot, Detail, Letter, Original, Row } from "./types";

export const names = boot<Boot>();
setZone(names.zone);

/** A view's name, `documents`, or nothing while a search looks through everything of the office. */
export const view = signal("sign");
export const q = signal("");
export const rows = signal<Row[]>([]);
export const more = signal(""); // cursor of the next page, if any
export const counts = signal<Record<string, number>>({});
export const letters = signal<Letter[]>([]);
export const waiting = signal(0); // documents to answer
export const cursor = signal("");
export const loading = signal(true);
export const fresh = signal<Row[]>([]); // came in while somebody works on the list
export const sent = signal<ReadonlySet<string>>(new Set()); // orders just acted on, out of sight until the hub answers
export const detail = signal<Detail | null>(null);
export const revealed = signal<{ id: string; said: Original; at: string } | null>(null);

export const shown = computed(() => rows.value.filter((row) => !sent.value.has(row.id)));
export const position = computed(() => shown.value.findIndex((row) => row.id === cursor.value));

export const office = (id: string): string => names.areas[id] ?? names.offices[id] ?? id;

/** The sent ones, with or without one. */
export function mark(id: string, on: boolean): void {
  const next = new Set(sent.value);
  if (on) next.add(id);
  else next.delete(id);
  sent.value = next;
}
