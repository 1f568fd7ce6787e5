// What the inbox asks the hub for: pages of orders, one order, documents to answer.
import { batch } from "@preact/signals";
import { ask, Refused } from "../api";
import { setClock } from "../clock";
import { sayFault } from "../ui";
import * as S from "./state";
import type { Detail, Letter, Page, Row } from "./types";

let asked = 0; // answers to older questions are dropped

const path = (after = ""): string => `/inbox/api/orders?${new URLSearchParams({ view: S.q.value ? "" : S.view.value, q: S.q.value, after }).toString()}`;

/** As many rows as are shown already, so that a refresh takes nothing away. */
async function pages(least: number): Promise<Page> {
  let page = await ask<Page>(path());
  const rows = [...page.rows];
  while (page.next && rows.length < least) {
    page = await ask<Page>(path(page.next));
    rows.push(...page.rows);
  }
  return { ...page, rows };
}

function told(page: Page): void {
  setClock(page.now);
  S.counts.value = page.counts;
  S.waiting.value = page.documents;
}

/** Go to a view, or to what a search finds. */
export async function visit(view: string, words = "", wanted = ""): Promise<void> {
  batch(() => { S.view.value = view; S.q.value = words; S.fresh.value = []; S.loading.value = true; });
  const mine = ++asked;
  if (view === "documents") return documents();
  const page = await pages(0);
  if (mine !== asked) return;
  batch(() => {
    told(page);
    S.rows.value = page.rows;
    S.more.value = page.next;
    S.loading.value = false;
    S.cursor.value = wanted || page.rows[0]?.id || "";
  });
  await open(S.cursor.value);
}

async function documents(): Promise<void> {
  const { documents: letters } = await ask<{ documents: Letter[] }>("/inbox/api/documents");
  batch(() => { S.letters.value = letters; S.waiting.value = letters.length; S.loading.value = false; S.cursor.value = ""; S.detail.value = null; });
}

export async function extend(): Promise<void> {
  const mine = asked;
  const page = await ask<Page>(path(S.more.value));
  if (mine !== asked) return;
  batch(() => { told(page); S.rows.value = [...S.rows.value, ...page.rows.filter((row) => !S.rows.value.some((one) => one.id === row.id))]; S.more.value = page.next; });
}

/** Something changed: rows in sight change or go, what is new waits behind a bar. Nothing jumps under the hand. `done` is out of sight no more. */
export async function refresh(done = ""): Promise<void> {
  if (S.view.value === "documents") return documents();
  const mine = ++asked;
  const page = await pages(S.rows.value.length);
  if (mine !== asked) return;
  const now = new Map(page.rows.map((row) => [row.id, row]));
  batch(() => {
    told(page);
    const kept = S.rows.value.flatMap((row) => now.get(row.id) ?? []);
    const known = new Set(kept.map((row) => row.id));
    const end = page.rows.findIndex((row) => row.id === kept[kept.length - 1]?.id);
    const at = S.position.value;
    if (done) S.mark(done, false);
    S.rows.value = [...kept, ...page.rows.slice(end + 1).filter((row) => !known.has(row.id))]; // below all others nothing jumps
    S.fresh.value = page.rows.slice(0, Math.max(end, 0)).filter((row) => !known.has(row.id));
    S.more.value = page.next;
    S.loading.value = false;
    if (S.position.value < 0) S.cursor.value = S.shown.value[Math.min(Math.max(at, 0), S.shown.value.length - 1)]?.id ?? "";
  });
  await open(S.cursor.value);
}

export function takeFresh(): void {
  const due = (row: Row): number => Date.parse(row.due_at);
  S.rows.value = [...S.rows.value, ...S.fresh.value].sort((a, b) => due(a) - due(b));
  S.fresh.value = [];
}

const details = new Map<string, Detail>(); // seen or fetched ahead; asked for again when their case has moved
const AHEAD = 2;

async function fetched(id: string): Promise<Detail> {
  const found = await ask<Detail>(`/inbox/api/orders/${id}`);
  details.set(id, found);
  return found;
}

/** The order under the cursor with all there is to know; gone when it is not this office's any more. */
export async function open(id: string): Promise<void> {
  if (!id) { S.detail.value = null; return; }
  try {
    const found = await fetched(id);
    if (S.cursor.value === id) S.detail.value = found;
  } catch (error) {
    details.delete(id);
    if (error instanceof Refused && S.cursor.value === id) S.detail.value = null;
    if (!(error instanceof Refused)) sayFault(error);
  }
  ahead();
}

/** What comes next under the cursor is here before the key. */
function ahead(): void {
  const at = S.position.value;
  for (const row of S.shown.value.slice(at + 1, at + 1 + AHEAD)) if (!held(row.id)) fetched(row.id).catch(() => undefined);
}

function held(id: string): Detail | undefined {
  const found = details.get(id);
  return found && S.rows.value.find((row) => row.id === id)?.version === found.version ? found : undefined;
}

export function go(id: string): void {
  const found = held(id);
  batch(() => {
    S.cursor.value = id;
    if (S.detail.value?.id !== id || found) S.detail.value = found ?? null;
  });
  if (found) ahead();
  else void open(id);
}

export function move(step: number): void {
  const row = S.shown.value[Math.min(S.shown.value.length - 1, Math.max(0, S.position.value + step))];
  if (row) go(row.id);
}
