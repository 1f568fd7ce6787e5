// Many cases at once: one request, a result for each.
import { batch, signal } from "@preact/signals";
import { forget, question, say, sayFault, Kbd } from "../ui";
import { bulk, cannedFor, remember, undo, WORDS, type Result } from "./acts";
import { deciding, extendAll, prefetch, settled } from "./loading";
import { choosing } from "./picker";
import * as S from "./state";
import { SNOOZES, until } from "./times";

const ASK_ABOVE = 20;
type Failure = { case_no: string; summary: string; why: string };
export const failures = signal<Failure[]>([]);

const rowsChosen = () => S.rows.value.filter((row) => S.chosen.value.has(row.id));

async function sure(n: number, what: string): Promise<boolean> {
  if (n <= ASK_ABOVE) return true;
  return (await question({ key: "bulk-sure", title: `确定${what} ${n} 件诉求？`, least: -1, send: what })) !== null;
}

/** Do it to every chosen case; those refused stay, marked, with the reason beside them. True once all are done. */
async function run(command: string, what: string, body: Record<string, unknown>, own?: (id: string) => Record<string, unknown>, leaves = true): Promise<boolean> {
  const rows = rowsChosen();
  if (rows.length === 0 || !(await sure(rows.length, what))) return false;
  const items = rows.map((row) => ({ id: row.id, version: row.version, ...(own ? { body: own(row.id) } : {}) }));
  const ids = rows.map((row) => row.id);
  for (const id of ids) deciding.add(id);
  if (leaves) S.leave(ids);
  try {
    const results = await bulk(command, items, body);
    told(results, what, command);
    return results.every((one) => one.ok);
  } catch (error) {
    S.hide(ids, false);
    S.choose(ids, true);
    sayFault(error);
    return false;
  } finally {
    for (const id of ids) { deciding.delete(id); S.dropDetail(id); }
    void prefetch();
  }
}

const LEAVES_LATER = new Set(["dispatch", "decline", "refer"]);

function told(results: Result[], what: string, command: string): void {
  const good = results.filter((one) => one.ok);
  for (const one of good) if (one.version) settled.set(one.id, one.version);
  const bad = results.filter((one) => !one.ok);
  const rows = new Map(S.rows.value.map((row) => [row.id, row]));
  batch(() => {
    S.hide(bad.map((one) => one.id), false);
    S.choose(bad.map((one) => one.id), true);
    S.choose(good.map((one) => one.id), false);
    failures.value = bad.map((one) => ({ case_no: rows.get(one.id)?.case_no ?? one.id, summary: rows.get(one.id)?.summary ?? "", why: REASONS[one.reason ?? ""] ?? one.error ?? "" }));
  });
  const undoable = LEAVES_LATER.has(command) && good.length > 0 && S.names.undo_s > 0;
  if (undoable) remember(good.map((one) => ({ id: one.id, version: one.version ?? 0 })));
  const words = `${what}：${good.length} 件成功${bad.length ? `，${bad.length} 件未成功` : ""}`;
  say(words, { bad: bad.length > 0, ...(undoable ? { act: { name: "撤销", work: undo }, seconds: S.names.undo_s } : {}) });
}

const REASONS: Record<string, string> = { outside: "不属本系统，请转 12345", conflict: "刚被他人处理", workflow: "当前状态不能这样办理", claimed: "他人正在处理", department: "没有推荐单位，请指定", case: "没有这件诉求", signed: "承办单位已签收" };

export function bulkDispatch(): void { void run("dispatch", "按推荐派遣", {}); }

export async function bulkTo(): Promise<void> {
  const id = await choosing(`将选中的 ${S.chosen.value.size} 件派遣至`, { ...S.names.departments, ...S.names.areas });
  if (id) await run("dispatch", `派遣至${S.office(id)}`, { department: id });
}

export async function bulkWords(command: "decline" | "refer" | "note"): Promise<void> {
  const got = await question({ key: `bulk-${command}`, title: `${WORDS[command]?.title}（${S.chosen.value.size} 件）`, canned: cannedFor(command) });
  if (!got) return;
  const done = await run(command, { decline: "不予立案", refer: "转 12345 热线", note: "添加备注" }[command], command === "note" ? { text: got.note } : { note: got.note }, undefined, command !== "note");
  if (done) forget(`bulk-${command}`);
}

export async function bulkSnooze(): Promise<void> {
  const got = await question({ key: "bulk-snooze", title: `暂缓 ${S.chosen.value.size} 件`, options: SNOOZES, picked: "何时再看", least: 0, words: "说明（可不填）", send: "暂缓" });
  if (got) await run("snooze", "暂缓", { until: until(got.reason, S.names.zone), note: got.note });
}

/** All join the one that came first. */
export async function bulkMerge(): Promise<void> {
  const rows = rowsChosen().sort((a, b) => (a.received_at < b.received_at ? -1 : 1));
  const [into, ...others] = rows;
  if (!into || others.length === 0) { say("请至少选中两件", { bad: true }); return; }
  S.choose([into.id], false);
  await run("merge", `并入 ${into.case_no}`, { other: into.id, note: "同一事项" });
}

export async function bulkLabel(problem: string): Promise<void> {
  const rows = rowsChosen();
  const byId = new Map(rows.map((row) => [row.id, row]));
  await run("labels", `标注${S.names.labels[problem]}`, {}, (id) => {
    const row = byId.get(id);
    return { labels: { kind: row?.kind, urgency: row?.urgency, campaigns: row?.campaigns, problems: [problem] } };
  }, false);
}

export function BulkBar() {
  const n = S.chosen.value.size;
  const all = S.more.value || S.shown.value.length > n;
  const total = S.more.value ? "" : ` ${S.shown.value.length} 件`;
  return (
    <div class="bulk" role="toolbar" aria-label="批量办理">
      <b>已选 {n} 件</b>
      {S.names.may_dispatch && <>
        <button class="main" onClick={bulkDispatch}>按推荐派遣<Kbd>e</Kbd></button><button onClick={() => void bulkTo()}>派遣至…<Kbd>d</Kbd></button>
        <button onClick={() => void bulkMerge()}>并案<Kbd>m</Kbd></button><button onClick={() => void bulkSnooze()}>暂缓<Kbd>h</Kbd></button>
        <button onClick={() => void bulkWords("decline")}>不予立案<Kbd>#</Kbd></button><button onClick={() => void bulkWords("refer")}>转 12345</button><button onClick={() => void bulkWords("note")}>备注<Kbd>i</Kbd></button>
      </>}
      {all && <button class="plain" onClick={() => void extendAll().then(() => S.choose(S.shown.value.map((row) => row.id), true), sayFault)}>选中符合筛选的全部{total}</button>}
      <button class="plain" onClick={() => { S.chosen.value = new Set(); }}>取消选择<Kbd>Esc</Kbd></button>
    </div>
  );
}

export const Failures = () => failures.value.length === 0 ? null : (
  <section class="failures" role="alert" aria-label="未成功的诉求">
    <h2>{failures.value.length} 件未成功</h2>
    <ul>{failures.value.map((one) => <li key={one.case_no}><b>{one.case_no}</b> {one.summary}<span class="unsure">　{one.why}</span></li>)}</ul>
    <button onClick={() => { failures.value = []; }}>知道了</button>
  </section>
);
