// The one truth of the page: which rows, which is under the cursor, what was decided and not yet confirmed.
import { batch, computed, signal } from "@preact/signals";
import { boot } from "../boot";
import { setZone } from "../clock";
import type { Boot, Claim, Detail, Labels, Person, Row, SavedView } from "./types";

export const names = boot<Boot>();
setZone(names.zone);

export const FILTERS = ["problem", "campaign", "area", "channel", "urgency", "department", "claimed", "q", "sort"] as const;
export type Filter = (typeof FILTERS)[number];
export type Place = { view: string } & Partial<Record<Filter, string>>;

export const place = signal<Place>({ view: "waiting" });
export const rows = signal<Row[]>([]);
export const more = signal(""); // cursor of the next page, if any
export const counts = signal<Record<string, number>>({});
export const fresh = signal<Row[]>([]);
export const cursor = signal("");
export const chosen = signal<ReadonlySet<string>>(new Set());
export const people = signal<Person[]>([]);
export const claims = signal<Record<string, Claim>>({});
export const saved = signal<SavedView[]>([]);
export const loading = signal(true);
/** Rows that were just decided here, or by others, and wait to disappear. */
export const handled = signal<ReadonlySet<string>>(new Set());
export const greyed = signal<ReadonlySet<string>>(new Set());
/** Rows that moved under somebody's hand and shall be noticed. */
export const flashed = signal<ReadonlySet<string>>(new Set());

export const shown = computed(() => rows.value.filter((row) => !handled.value.has(row.id)));
export const position = computed(() => shown.value.findIndex((row) => row.id === cursor.value));

/** Details by id; `seen` moves when one arrives. */
const cache = new Map<string, Detail>();
const seen = signal(0);
export const detailOf = (id: string): Detail | undefined => { void seen.value; return cache.get(id); };
/** Details the hub has newer ones of; the case under the cursor stays on the screen until they are here, so that no key falls into a gap. */
const stale = new Set<string>();
export const hasDetail = (id: string): boolean => cache.has(id) && !stale.has(id);
export const detail = computed(() => detailOf(cursor.value));

export function keepDetails(found: readonly Detail[]): void {
  for (const one of found) { cache.set(one.id, one); stale.delete(one.id); }
  if (cache.size > 600) for (const id of cache.keys()) { if (cache.size <= 400) break; if (id !== cursor.value) cache.delete(id); }
  seen.value++;
}

/** Details older or newer than these rows are asked for again. */
export function expire(found: readonly Row[]): void {
  for (const row of found) { const had = cache.get(row.id); if (had && had.version !== row.version) dropDetail(row.id); }
}

export function dropDetail(id: string): void {
  if (id === cursor.value) stale.add(id);
  else if (cache.delete(id)) seen.value++;
}

/** What a person changed on a case before deciding; `department` null follows the rules. */
export type Edit = { labels: Labels; department: string | null; planned: { department: string; why: string } | null; labelled: boolean };
export const edits = signal<ReadonlyMap<string, Edit>>(new Map());

export function labelsOf(one: Labels): Labels {
  return { kind: one.kind, urgency: one.urgency, problems: [...one.problems], campaigns: [...one.campaigns] };
}

export function editOf(one: Detail): Edit {
  return edits.value.get(one.id) ?? { labels: labelsOf(one), department: null, planned: null, labelled: false };
}

export function setEdit(id: string, edit: Edit | null): void {
  const next = new Map(edits.value);
  if (edit) next.set(id, edit);
  else next.delete(id);
  edits.value = next;
}

export const office = (id: string): string => names.departments[id] ?? names.areas[id] ?? id;

/** Where a decision on the case would go now: what was chosen, else what the rules say of the labels; "" while that is being asked. */
export function target(one: Detail): string {
  const edit = editOf(one);
  return edit.department ?? (edit.labelled ? edit.planned?.department ?? "" : one.suggested);
}

/** Nothing of this system's: the case is to be referred, not dispatched. */
export const isOutside = (one: Detail): boolean => target(one) === names.outside;

/** Offices a case may go to: all of the directory, and its own territory. */
export function offices(one: Pick<Detail, "area" | "suggested">): Record<string, string> {
  const all: Record<string, string> = { ...names.departments };
  delete all[names.outside];
  for (const id of [one.area, one.suggested]) { const name = names.areas[id]; if (name) all[id] = name; }
  return all;
}

export const WAITING = ["received", "filed"];
export const ENDED = ["closed", "declined", "referred", "merged"];
export const waits = (one: Pick<Row, "status"> | undefined): boolean => !!one && WAITING.includes(one.status);
export const actable = (one: Detail | undefined): boolean => names.may_dispatch && waits(one);

function changed(current: ReadonlySet<string>, ids: readonly string[], on: boolean): ReadonlySet<string> {
  const next = new Set(current);
  for (const id of ids) if (on) next.add(id); else next.delete(id);
  return next;
}
export const hide = (ids: readonly string[], on = true): void => { handled.value = changed(handled.value, ids, on); };
export const grey = (ids: readonly string[], on = true): void => { greyed.value = changed(greyed.value, ids, on); };
export function flash(id: string): void {
  flashed.value = changed(flashed.value, [id], true);
  setTimeout(() => { flashed.value = changed(flashed.value, [id], false); }, 2500);
}
export const choose = (ids: readonly string[], on: boolean): void => { chosen.value = changed(chosen.value, ids, on); };

/** Take the row away for good; the cursor goes to the one that takes its place. */
export function leave(ids: readonly string[]): void {
  const here = position.value;
  batch(() => {
    hide(ids);
    choose(ids, false);
    if (ids.includes(cursor.value)) cursor.value = shown.value[Math.min(here, shown.value.length - 1)]?.id ?? "";
  });
}
