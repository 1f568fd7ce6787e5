// What a person does with cases. The screen moves on at once; the hub's refusal puts the case back with its reason.
import { batch, signal } from "@preact/signals";
import { ask, Refused, Unreachable } from "../api";
import { link } from "../live";
import { forget, question, say, sayFault, type Canned } from "../ui";
import { deciding, people, prefetch, refresh, resync, settled } from "./loading";
import * as S from "./state";
import type { Axis, Detail, Labels } from "./types";

type Body = Record<string, unknown>;
type Done = { version: number; department?: string };
type Decision = { id: string; version: number; case_no: string; command: string; body: Body; said: string; leaves: boolean; index: number; draft?: string };

/** Decisions the hub could not be reached with; they go once it can be. */
export const unsent = signal<readonly Decision[]>([]);
const running = new Map<string, Promise<void>>();
type Undo = { ids: { id: string; version: number }[]; until: number };
let last: Undo | null = null;

const UNDOABLE = new Set(["dispatch", "close", "decline", "refer", "split", "ask"]);

/** Send a decision off. The row leaves the list at once when the case leaves the view by it. */
export function decide(one: Detail, command: string, body: Body, { said, leaves = true, draft }: { said: string; leaves?: boolean; draft?: string }): Promise<void> {
  const decision: Decision = { id: one.id, version: one.version, case_no: one.case_no, command, body, said, leaves, index: S.position.value, ...(draft ? { draft } : {}) };
  deciding.add(one.id);
  if (leaves) {
    S.leave([one.id]);
    void prefetch();
  }
  const before = running.get(one.id);
  const work = before ? before.then(() => send(decision)) : send(decision);
  running.set(one.id, work);
  void work.finally(() => { if (running.get(one.id) === work) running.delete(one.id); });
  return work;
}

const RETRY_MS = 2000;

async function send(one: Decision): Promise<void> {
  if (await arrives(one)) return;
  unsent.value = [...unsent.value, one];
  later();
}

/** A single request may fail while the stream of news stands: then nothing else would say when to try again. */
const later = (): void => { setTimeout(reconnected, RETRY_MS); };

/** `id@version` → the version an own command made of it: the next decision on the case need not wait until it is read anew. */
const became = new Map<string, number>();

function newest(id: string, version: number): number {
  const next = became.get(`${id}@${version}`);
  return next === undefined || next === version ? version : newest(id, next);
}

/** Whether the hub could be reached; what it answered is dealt with. */
async function arrives(one: Decision): Promise<boolean> {
  const version = newest(one.id, one.version);
  try {
    const done = await ask<Done>(`/desk/api/cases/${one.id}/${one.command}`, { ...one.body, version });
    became.set(`${one.id}@${version}`, done.version);
    accepted(one, done);
  } catch (error) {
    if (error instanceof Unreachable) return false;
    await refused(one, error);
  }
  return true;
}

function accepted(one: Decision, done: Done): void {
  settled.set(one.id, done.version);
  deciding.delete(one.id);
  if (one.draft) forget(one.draft);
  S.setEdit(one.id, null);
  if (one.leaves) S.dropDetail(one.id);
  const where = done.department ? ` ${S.office(done.department)}` : "";
  const undoable = UNDOABLE.has(one.command) && S.names.undo_s > 0;
  if (undoable) last = { ids: [{ id: one.id, version: done.version }], until: Date.now() + S.names.undo_s * 1000 };
  say(`${one.case_no} ${one.said}${one.said.endsWith("至") ? where : ""}`, undoable ? { act: { name: "撤销", work: undo }, seconds: S.names.undo_s } : {});
  if (!one.leaves) void refresh(one.id).catch(sayFault);
}

/** The case comes back where it was, in its newest state. */
async function refused(one: Decision, error: unknown): Promise<void> {
  deciding.delete(one.id);
  S.dropDetail(one.id);
  const now = await refresh(one.id).catch(() => undefined);
  const who = error instanceof Refused && error.status === 409 ? now?.history.at(-1) : undefined;
  const mine = error instanceof Refused && error.status === 409 && who?.who === S.names.display;
  batch(() => {
    if (now && one.leaves && S.waits(now)) {
      S.hide([one.id], false);
      S.cursor.value = one.id;
      S.flash(one.id);
    }
  });
  if (mine && now && !S.waits(now)) return; // the first sending had arrived; only its answer was lost
  if (error instanceof Refused && error.reason === "claimed") {
    await people();
    say(`${one.case_no} 未能提交：${S.claims.value[one.id]?.name ?? "他人"} 正在处理`, { bad: true, seconds: 10 });
    return;
  }
  const words = who ? `${one.case_no} 未能提交：${who.who} 已${who.what}` : `${one.case_no} 未能提交：${error instanceof Error ? error.message : ""}`;
  say(words, { bad: true, seconds: 10 });
}

let resending = false;

/** The hub answers again: what could not be sent goes now, in its order, and is counted until it has arrived. */
export async function resend(): Promise<void> {
  if (resending) return;
  resending = true;
  while (unsent.value.length) {
    const one = unsent.value[0] as Decision;
    if (!await arrives(one)) { later(); break; }
    unsent.value = unsent.value.filter((it) => it !== one);
  }
  resending = false;
}

export async function undo(): Promise<void> {
  await Promise.all(running.values());
  const taken = last;
  last = null;
  if (!taken) return;
  if (Date.now() > taken.until) { say("已超过可撤销的时间，请使用“收回改派”。", { bad: true }); return; }
  try {
    if (taken.ids.length === 1) {
      const [one] = taken.ids as [{ id: string; version: number }];
      await ask(`/desk/api/cases/${one.id}/undo`, { version: one.version });
    } else {
      const failed = (await bulk("undo", taken.ids, {})).filter((one) => !one.ok);
      if (failed.length) say(`${failed.length} 件未能撤销`, { bad: true });
    }
    const ids = taken.ids.map((one) => one.id);
    for (const id of ids) S.dropDetail(id);
    batch(() => {
      S.hide(ids, false);
      if (ids.length === 1 && S.rows.value.some((row) => row.id === ids[0])) S.cursor.value = ids[0] ?? "";
    });
    await resync();
    await refresh(S.cursor.value);
    say("已撤销");
  } catch (error) { sayFault(error); }
}

export const remember = (ids: Undo["ids"]): void => { last = { ids, until: Date.now() + S.names.undo_s * 1000 }; };
/** Whether z has something to take back still. */
export const canUndo = (): boolean => running.size > 0 || (last !== null && Date.now() <= last.until);

const DISPATCHED_AS = new Set(["complaint", "request", "inquiry"]);

function said(one: Detail): Labels {
  const { labels } = S.editOf(one);
  return { ...labels, kind: DISPATCHED_AS.has(labels.kind) ? labels.kind : "request" };
}

/** Key e: to the office that is shown. Bound to this case when the key is pressed. */
export function dispatch(one: Detail, department = S.target(one), leaves = true): void {
  if (department === S.names.outside) { referOutside(one, leaves); return; }
  const asked = S.editOf(one).labelled && !department;
  if (!department && !asked) { say("请先选择责任单位（d）", { bad: true }); return; }
  void decide(one, "dispatch", { department, labels: said(one) }, { said: department ? `已派遣至${S.office(department)}` : "已派遣至", leaves });
}

const OUTSIDE = "该事项不属于本系统受理范围，建议拨打12345热线反映。";

/** The suggestion is that no office of ours is meant: one key refers, with the standing words. */
function referOutside(one: Detail, leaves: boolean): void {
  void decide(one, "refer", { note: cannedFor("refer")[0]?.text ?? OUTSIDE }, { said: "已转 12345 热线", leaves });
}

export function toggle(one: Detail, axis: Axis, label: string): void {
  const edit = S.editOf(one);
  const had = edit.labels[axis];
  const labels = { ...edit.labels, [axis]: had.includes(label) ? had.filter((it) => it !== label) : [...had, label] };
  relabel(one, labels);
}

export function relabel(one: Detail, labels: Labels): void {
  const edit = S.editOf(one);
  const same = JSON.stringify(labels) === JSON.stringify(S.labelsOf(one));
  S.setEdit(one.id, { ...edit, labels, labelled: !same, planned: null });
  if (!same) void plan(one, labels);
}

/** Where the rules send the case under these labels, so that the button can say it. */
async function plan(one: Detail, labels: Labels): Promise<void> {
  const planned = await ask<{ department: string; why: string }>(`/desk/api/cases/${one.id}/plan`, { labels }).catch(() => null);
  const edit = S.edits.value.get(one.id);
  if (planned && edit && edit.labels === labels) S.setEdit(one.id, { ...edit, planned });
}

export function pick(one: Detail, department: string): void {
  S.setEdit(one.id, { ...S.editOf(one), department });
}

export const cannedTexts = signal<Canned[]>([]);
export const loadCanned = async (): Promise<void> => { cannedTexts.value = (await ask<{ canned: Canned[] }>("/desk/api/canned")).canned; };
export const cannedFor = (purpose: string): Canned[] => cannedTexts.value.filter((one) => one.purpose === purpose);

/** What is asked before a command, and what is said after it. */
export const WORDS: Record<string, { title: string; said: string; leaves: boolean; hint?: string }> = {
  decline: { title: "不予立案的理由（将答复市民）", said: "已不予立案", leaves: true },
  refer: { title: "转 12345 热线的说明（将答复市民）", said: "已转 12345 热线", leaves: true },
  ask: { title: "请市民补充什么", said: "已向市民询问", leaves: true, hint: "将通过市民留言的原渠道发送，收到回复前暂缓。" },
  note: { title: "内部备注", said: "已添加备注", leaves: false, hint: "仅调度台可见，不会发给市民或承办单位。" },
  rework: { title: "核查不通过：仍存在的问题", said: "已退回返工", leaves: true },
  recall: { title: "收回改派的理由", said: "已收回", leaves: true },
  suspend: { title: "挂账：暂不能解决的原因", said: "已挂账", leaves: true },
  reopen: { title: "重新办理", said: "已重新办理", leaves: true },
  unmerge: { title: "取消并案的理由", said: "已取消并案", leaves: true },
  break: { title: "解除他人认领的理由（将记录备查）", said: "已解除认领", leaves: false },
};

/** Ask for words, then do it. */
export async function withWords(one: Detail, command: string): Promise<void> {
  const asked = WORDS[command];
  if (!asked) return;
  const key = `${command}:${one.id}`;
  const got = await question({ key, title: asked.title, ...(asked.hint ? { hint: asked.hint } : {}), options: command === "reopen" ? S.names.reopens : {}, canned: cannedFor(command) });
  if (!got) return;
  const body: Body = command === "ask" || command === "note" ? { text: got.note } : { note: got.note };
  if (got.reason) body.reason = got.reason;
  await decide(S.detailOf(one.id) ?? one, command, body, { said: asked.said, leaves: asked.leaves, draft: key });
}

export const plain = (one: Detail, command: string, words: string, body: Body = {}, leaves = true): void => { void decide(one, command, body, { said: words, leaves }); };

export type Result = { id: string; ok: boolean; version?: number; error?: string; reason?: string };
export async function bulk(command: string, items: { id: string; version: number; body?: Body }[], body: Body): Promise<Result[]> {
  return (await ask<{ results: Result[] }>("/desk/api/bulk", { command, items, body })).results;
}

/** The hub can be reached, as far as the stream of news tells. */
export function reconnected(): void {
  if (link.value === "live" && unsent.value.length) void resend();
}
