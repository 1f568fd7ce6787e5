// The commands that need something else first: snooze, merge, runner-up, pick, supervise, reveal.
import { ask } from "../api";
import { forget, question, say, sayFault } from "../ui";
import { decide, dispatch, pick, plain } from "./acts";
import { people, refresh, similarTo } from "./loading";
import { choosing } from "./picker";
import * as S from "./state";
import { SNOOZES, until } from "./times";
import type { Detail, Order, Similar } from "./types";

export async function snooze(one: Detail): Promise<void> {
  const key = `snooze:${one.id}`;
  const got = await question({ key, title: "暂缓：何时再看", options: SNOOZES, picked: "何时再看", least: 0, words: "说明（可不填）", send: "暂缓", hint: "办理时限照常计算。" });
  if (got) await decide(one, "snooze", { until: until(got.reason, S.names.zone), note: got.note }, { said: `已暂缓至${SNOOZES[got.reason]}`, draft: key });
}

export async function choose(one: Detail): Promise<void> {
  const runners = (one.runners ?? []).map((it) => it.department);
  const id = await choosing("责任单位", S.offices(one), [...new Set([one.suggested, ...runners])]);
  if (id) pick(one, id);
}

/** The office that who returned the case names, else the next best, at once. */
export function runnerUp(one: Detail): void {
  if (one.proposed && one.proposed.department !== S.target(one)) { dispatch(one, one.proposed.department); return; }
  const next = (one.runners ?? []).find((it) => it.department !== S.target(one));
  if (next) dispatch(one, next.department);
  else say("没有次选单位，请按 d 选择", { bad: true });
}

const JOINABLE = ["received", "filed", "dispatched"];
export const mergeable = (one: Detail, other: { status: string }): boolean => JOINABLE.includes(one.status) && !S.ENDED.includes(other.status);
export const relapsed = (other: Similar): boolean => other.relapse && other.status === "closed";

export const merge = (one: Detail, other: { id: string; case_no: string }): void => plain(one, "merge", `已并入 ${other.case_no}`, { other: other.id, note: "同一事项" });
export const relapse = (one: Detail, other: { id: string; case_no: string }): void => plain(one, "relapse", `已认定为 ${other.case_no} 反复出现`, { other: other.id, note: "反复出现" }, false);

export async function mergeFirst(one: Detail): Promise<void> {
  const found = await similarTo(one.id).catch(() => []);
  const first = found.find((it) => mergeable(one, it));
  if (first) merge(one, first);
  else say("没有可并入的相似诉求", { bad: true });
}

export async function supervise(order: Order): Promise<void> {
  const levels = Object.fromEntries(S.names.documents.map((level) => [level, S.names.levels[level] ?? level]));
  const got = await question({ key: `supervise:${order.id}`, title: `向${S.office(order.department)}发出督办文书`, options: levels, picked: "文书种类", least: -1, send: "发出" });
  if (!got) return;
  try {
    const { number } = await ask<{ number: string }>(`/desk/api/orders/${order.id}/supervise`, { level: got.reason });
    say(`已发出 ${number}`);
    await refresh(S.cursor.value);
  } catch (error) { sayFault(error); }
}

export async function claim(one: Detail): Promise<void> {
  const held = S.claims.value[one.id];
  const mine = held?.user === S.names.user && held.kept;
  try {
    await ask(`/desk/api/cases/${one.id}/${mine ? "release" : "claim"}`, {});
    say(mine ? "已放弃认领" : "已认领");
    await people();
  } catch (error) { sayFault(error); }
}

export type Original = { title?: string; text: string; name?: string; phone?: string; email?: string };
export async function reveal(one: Detail): Promise<Original | null> {
  const key = `reveal:${one.id}`;
  const got = await question({ key, title: "查看原文与联系方式的理由（将记录备查）", least: 4, send: "查看" });
  if (!got) return null;
  try {
    const told = await ask<Original>(`/desk/api/cases/${one.id}/reveal`, { note: got.note });
    forget(key);
    return told;
  } catch (error) { sayFault(error); return null; }
}
