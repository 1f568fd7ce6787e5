// What the page asks the hub for: the queue, details ahead of the cursor, who is here, and what changed.
import { batch } from "@preact/signals";
import { ask } from "../api";
import { token } from "../boot";
import { setClock } from "../clock";
import { sayFault } from "../ui";
import * as S from "./state";
import type { Around, Claim, Detail, Person, Row, SavedView, Similar } from "./types";

const PAGE = 200;
const AHEAD = 24;
const BATCH = 50;
const NEAR_END = 60;

type Page = { rows: Row[]; next: string; counts: Record<string, number>; now: string };

export function searchOf(place: S.Place): string {
  const params = new URLSearchParams({ view: place.view });
  for (const one of S.FILTERS) { const value = place[one]; if (value) params.set(one, value); }
  return params.toString();
}

/** Versions the hub has answered for what was decided here: an answer under way meanwhile may be older. */
export const settled = new Map<string, number>();
const isNew = (row: Row): boolean => row.version >= (settled.get(row.id) ?? 0);

const EMPTY_PAGES = 30;

/** A page of the place. The hub may answer with an empty one that leads on, when it had to read far. */
async function page(after: string): Promise<Page> {
  let got: Page;
  let tries = 0;
  do {
    got = await ask<Page>(`/desk/api/queue?${searchOf(S.place.value)}&limit=${PAGE}${after ? `&after=${encodeURIComponent(after)}` : ""}`);
    got.rows = got.rows.filter(isNew);
    after = got.next;
  } while (got.rows.length === 0 && got.next && ++tries < EMPTY_PAGES);
  return got;
}

let turn = 0;
let keeping = "";

/** Show this place from its beginning; `keepId` stays under the cursor when it is there. */
export async function enter(place: S.Place, keepId = ""): Promise<void> {
  const mine = ++turn;
  keeping = keepId;
  batch(() => {
    S.place.value = place;
    S.loading.value = true;
  });
  const got = await page("");
  if (mine !== turn) return;
  setClock(got.now);
  S.expire(got.rows);
  batch(() => {
    S.rows.value = got.rows;
    S.more.value = got.next;
    S.counts.value = got.counts;
    S.fresh.value = [];
    S.handled.value = new Set([...S.handled.value].filter((id) => deciding.has(id)));
    S.greyed.value = new Set();
    S.chosen.value = new Set();
    S.loading.value = false;
    S.cursor.value = got.rows.some((row) => row.id === keepId) ? keepId : keepId || got.rows[0]?.id || "";
  });
  await prefetch();
}

let paging: Promise<void> | null = null;

/** The next page, when the cursor or the eye nears the end of what is here. */
export function extend(index: number): Promise<void> {
  if (!S.more.value || index < S.rows.value.length - NEAR_END) return Promise.resolve();
  paging ??= (async () => {
    const mine = turn;
    const got = await page(S.more.value);
    if (mine !== turn) return;
    const known = new Set(S.rows.value.map((row) => row.id));
    S.expire(got.rows);
    batch(() => {
      S.rows.value = [...S.rows.value, ...got.rows.filter((row) => !known.has(row.id))];
      S.more.value = got.next;
    });
  })().catch(sayFault).finally(() => { paging = null; });
  return paging;
}

/** Every row of the filter, for a choice of all of them. */
export async function extendAll(limit = 2000): Promise<void> {
  while (S.more.value && S.rows.value.length < limit) await extend(S.rows.value.length);
}

const asked = new Set<string>();

async function fetchDetails(ids: string[]): Promise<void> {
  for (const id of ids) asked.add(id);
  try {
    const { cases } = await ask<{ cases: Detail[] }>(`/desk/api/cases?ids=${ids.join(",")}`);
    S.keepDetails(cases);
  } finally {
    for (const id of ids) asked.delete(id);
  }
}

/** Have the details of the cursor's row and of those after it before they are wanted. */
export async function prefetch(): Promise<void> {
  const from = Math.max(0, S.position.value);
  const wanted = S.shown.value.slice(from, from + AHEAD).map((row) => row.id);
  const before = S.shown.value[from - 1]?.id;
  if (before) wanted.push(before);
  if (S.cursor.value && !wanted.includes(S.cursor.value)) wanted.unshift(S.cursor.value);
  const missing = wanted.filter((id) => !S.hasDetail(id) && !asked.has(id));
  const urgent = missing.includes(S.cursor.value) || missing.length >= AHEAD / 2;
  if (urgent) await fetchDetails(missing.slice(0, BATCH)).catch(sayFault);
}

/** The newest state of one case. */
export async function refresh(id: string): Promise<Detail | undefined> {
  await fetchDetails([id]);
  return S.detailOf(id);
}

/** After a gap of any kind: everything that is on the screen, anew. New rows stay behind the bar. A place that is being entered is entered again. */
export async function resync(): Promise<void> {
  if (S.loading.value) return enter(S.place.value, keeping);
  const mine = ++turn;
  const wanted = Math.max(S.rows.value.length, 1);
  const got: Row[] = [];
  let next = "";
  let last: Page;
  do {
    last = await page(next);
    if (mine !== turn) return;
    got.push(...last.rows);
    next = last.next;
  } while (next && got.length < wanted);
  setClock(last.now);
  adopt(got, next, last.counts);
  void people();
}

/** Bring what was heard into the list without moving it under the hand. */
function adopt(got: Row[], next: string, counts: Record<string, number>): void {
  const now = new Map(got.map((row) => [row.id, row]));
  const known = new Set(S.rows.value.map((row) => row.id));
  const first = S.rows.value.length === 0;
  const gone = S.rows.value.filter((row) => !now.has(row.id)).map((row) => row.id);
  batch(() => {
    S.counts.value = counts;
    S.more.value = next;
    for (const row of got) if (known.has(row.id)) replace(row);
    if (first) { S.rows.value = got; S.cursor.value ||= got[0]?.id ?? ""; } else S.fresh.value = got.filter((row) => !known.has(row.id) && !S.handled.value.has(row.id));
    S.hide(got.map((row) => row.id).filter((id) => S.handled.value.has(id) && !deciding.has(id)), false);
  });
  away(gone.filter((id) => !S.handled.value.has(id)));
  void prefetch();
}

/** Ids whose decision is on its way: the hub's older word on them must not bring them back. */
export const deciding = new Set<string>();

function replace(row: Row): void {
  const old = S.rows.value.find((one) => one.id === row.id);
  if (!old || old.version === row.version) { if (old) S.rows.value = S.rows.value.map((one) => (one.id === row.id ? row : one)); return; }
  S.rows.value = S.rows.value.map((one) => (one.id === row.id ? row : one));
  S.dropDetail(row.id);
  S.flash(row.id);
}

/** Rows others have dealt with turn grey, then go; the one under the cursor stays until the cursor moves. */
function away(ids: string[]): void {
  if (ids.length === 0) return;
  S.grey(ids);
  for (const id of ids) S.dropDetail(id);
  if (ids.includes(S.cursor.value)) void refresh(S.cursor.value).catch(sayFault);
  setTimeout(() => sweep(), 2500);
}

export function sweep(): void {
  const ready = [...S.greyed.value].filter((id) => id !== S.cursor.value);
  if (ready.length === 0) return;
  batch(() => {
    S.rows.value = S.rows.value.filter((row) => !ready.includes(row.id));
    S.grey(ready, false);
    S.choose(ready, false);
  });
}

/** Something changed at the hub. Named cases are asked for alone; after a gap everything is. */
export async function heard(ids: string[] | null): Promise<void> {
  if (ids === null || ids.length > BATCH) return resync();
  if (ids.length === 0) return lookAround();
  const got = await ask<Page>(`/desk/api/queue?${searchOf(S.place.value)}&limit=${BATCH}&ids=${ids.join(",")}`);
  setClock(got.now);
  got.rows = got.rows.filter(isNew);
  const now = new Map(got.rows.map((row) => [row.id, row]));
  const known = new Map(S.rows.value.map((row) => [row.id, row]));
  const gone = ids.filter((id) => known.has(id) && !now.has(id) && !S.handled.value.has(id));
  batch(() => {
    S.counts.value = got.counts;
    for (const row of got.rows) {
      if (known.has(row.id)) { replace(row); if (!deciding.has(row.id)) S.hide([row.id], false); } else if (!S.place.value.q && !S.fresh.value.some((one) => one.id === row.id)) S.fresh.value = [...S.fresh.value, row];
    }
    S.fresh.value = S.fresh.value.filter((row) => !ids.includes(row.id) || now.has(row.id));
  });
  if (S.rows.value.length === 0 && S.fresh.value.length) takeFresh();
  away(gone);
  if (ids.includes(S.cursor.value) && !S.hasDetail(S.cursor.value)) await refresh(S.cursor.value);
}

/** Let the new rows in. They stand at the top, the newest matter first; a reload puts them in order. */
export function takeFresh(): void {
  batch(() => {
    const known = new Set(S.rows.value.map((row) => row.id));
    S.rows.value = [...S.fresh.value.filter((row) => !known.has(row.id)), ...S.rows.value];
    S.fresh.value = [];
    S.cursor.value ||= S.rows.value[0]?.id ?? "";
  });
  void prefetch();
}

type Here = { people: Person[]; claims: Record<string, Claim> };
let idle = false;
export const setIdle = (now: boolean): void => { if (idle !== now) { idle = now; void people(); } };

/** Say which case is open here, renew its lease, and hear who else is at work. */
export async function people(): Promise<void> {
  const body = { case_id: S.cursor.value && document.visibilityState === "visible" ? S.cursor.value : null, idle };
  const told = await ask<Here>("/desk/api/presence", body).catch(() => null);
  if (!told) return;
  batch(() => {
    S.people.value = told.people;
    S.claims.value = told.claims;
  });
}

const AROUND_MS = 1000;
let looking = 0;

/** Somebody came, went or claimed: ask who, once for many such calls. */
async function lookAround(): Promise<void> {
  if (looking) return;
  looking = window.setTimeout(() => {
    looking = 0;
    ask<Here>("/desk/api/presence").then((told) => batch(() => { S.people.value = told.people; S.claims.value = told.claims; }), () => undefined);
  }, AROUND_MS);
}

/** The page goes: give the lease back at once instead of in 90 s. */
export function signOff(): void {
  void fetch("/desk/api/presence", { method: "POST", keepalive: true, headers: { "Content-Type": "application/json", "X-Token": token() }, body: JSON.stringify({ case_id: null, idle: true }) }).catch(() => undefined);
}

const beside = new Map<string, Promise<Similar[]>>();
export function similarTo(id: string): Promise<Similar[]> {
  let found = beside.get(id);
  if (!found) {
    found = ask<{ similar: Similar[] }>(`/desk/api/cases/${id}/similar`).then((told) => told.similar);
    found.catch(() => beside.delete(id));
    beside.set(id, found);
    if (beside.size > 200) beside.clear();
  }
  return found;
}

export const aroundOf = (id: string): Promise<Around> => ask<Around>(`/desk/api/cases/${id}/around`);

export async function savedViews(): Promise<void> {
  S.saved.value = (await ask<{ views: SavedView[] }>("/desk/api/views")).views;
}
