// One case: its words with the evidence marked, labels, office, what it may be the same as, its history, and what to do.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { clockTime } from "../clock";
import { Icon, Kbd } from "../ui";
import { dispatch, pick, plain, toggle, relabel, withWords } from "./acts";
import { Beside } from "./beside";
import * as More from "./more";
import { area, channel, Chip, Clock, Sureness } from "./parts";
import { Results } from "./results";
import { Revealed } from "./revealed";
import { split } from "./split";
import * as S from "./state";
import type { Axis, Detail as Case } from "./types";

/** The case's words, with what spoke for the chosen labels marked. */
function Words({ one }: { one: Case }) {
  const { labels } = S.editOf(one);
  const wanted = new Set([...labels.problems, ...labels.campaigns]);
  const points = Array.from(one.title ? `${one.title}\n${one.text ?? ""}` : one.text ?? one.summary);
  const out = [];
  let from = 0;
  for (const span of one.reasons.filter((it) => wanted.has(it.label)).sort((a, b) => a.start - b.start)) {
    if (span.start < from) continue;
    out.push(points.slice(from, span.start).join(""), <mark key={span.start} class={`p-${span.label}`} title={`${S.names.labels[span.label]}的依据`}>{points.slice(span.start, span.end).join("")}</mark>);
    from = span.end;
  }
  out.push(points.slice(from).join(""));
  return <p class="text">{out}</p>;
}

function Toggles({ one, axis, keys }: { one: Case; axis: Axis; keys: (n: number) => string }) {
  const { labels } = S.editOf(one);
  if (!S.actable(one)) return <div class="picks">{labels[axis].length ? labels[axis].map((label) => <Chip key={label} label={label} />) : "无"}</div>;
  return (
    <div class="picks">{S.names[axis].map((label, n) => {
      const on = labels[axis].includes(label);
      return <button key={label} class={on ? `pick on p-${label}` : "pick"} aria-pressed={on} onClick={() => toggle(one, axis, label)}>{S.names.labels[label]}<Kbd>{keys(n)}</Kbd></button>;
    })}</div>
  );
}

function Kinds({ one }: { one: Case }) {
  const { labels, labelled } = S.editOf(one);
  if (!S.actable(one)) return <p class="meta">紧急程度 {S.names.labels[one.urgency]}　诉求类型 {S.names.labels[one.kind]}</p>;
  const choice = (name: "kind" | "urgency", title: string, options: string[]) => (
    <label>{title}<select name={name} value={labels[name]} onChange={(e) => relabel(one, { ...labels, [name]: e.currentTarget.value })}>{options.map((id) => <option key={id} value={id}>{S.names.labels[id]}</option>)}</select></label>
  );
  return <div class="inline kinds">{choice("kind", "诉求类型", S.names.kinds)}{choice("urgency", "紧急程度", S.names.urgencies)}{labelled && <span class="chip human">人工修改</span>}</div>;
}

function marks(one: Case): string[] {
  const levels: Record<string, string> = { unit: "包点位单位", department: "包路段小区部门", leader: "包区域领导" };
  return [
    one.wanted_at ? `领导交办，要求 ${clockTime(one.wanted_at)} 前办结` : "",
    one.joint ? "联合执法：各单位分别办理，全部办结后核查" : "",
    one.snoozed_until ? `暂缓至 ${clockTime(one.snoozed_until)}` : "",
    one.joined_to ? `已并入案件 ${one.joined_to}` : "",
    one.joined.length ? `已并入 ${one.joined.length} 件：${one.joined.map((it) => it.case_no).join("、")}` : "",
    one.split_from ? `由案件 ${one.split_from_no || one.split_from} 拆分` : "",
    one.splits?.length ? `已拆分出 ${one.splits.map((it) => it.case_no).join("、")}` : "",
    one.relapsed ? `反复出现：上次案件 ${one.relapsed}` : "",
    one.returns ? `已退单 ${one.returns} 次${one.final ? "，已作最终认定" : ""}` : "",
    one.reworks ? `返工 ${one.reworks} 次` : "",
    one.charges.map((it) => `${levels[it.level] ?? it.level}：${it.holder}`).join("　"),
    ...one.supervisions.filter((it) => it.state !== "skipped").map((it) => `${S.names.levels[it.level]}${it.number ? ` ${it.number}` : ""}，${clockTime(it.at)} 发至${S.office(it.addressee)}${it.reply ? `　回复：${it.reply}` : ""}`),
  ].filter(Boolean);
}

function where(one: Case): string {
  const said = one.address ? `地点：${one.address}　` : "";
  if (!one.area) return `${said}未能确定属地，可向市民询问具体位置`;
  return `${said}属地：${area(one.area)}（把握 ${Math.round(one.placed * 100)}%）　责任点位：${one.point || "待定"}`;
}

const OPEN_ORDERS = ["assigned", "signed"];

function Offices({ one }: { one: Case }) {
  if (!S.actable(one)) {
    return <><h2>承办单位</h2>{one.orders.length === 0 && "无"}{one.orders.map((it) => (
      <p key={it.id} class="meta head">{it.lead ? "主办" : "协办"}　{S.office(it.department)}　{S.names.orders[it.status]}{OPEN_ORDERS.includes(it.status) && `　办理期限 ${clockTime(it.due_at)}`}
        {S.names.may_supervise && OPEN_ORDERS.includes(it.status) && <button onClick={() => void More.supervise(it)}>发出督办文书</button>}</p>))}</>;
  }
  const edit = S.editOf(one);
  const now = S.target(one);
  const reason = edit.labelled ? edit.planned?.why ?? "正在按新标签推荐…" : one.why ?? S.names.rules[one.rule] ?? "没有规则适用，由默认单位负责";
  const suggested = edit.labelled ? edit.planned?.department ?? "" : one.suggested;
  const runners = (one.runners ?? []).filter((it) => it.department !== suggested).slice(0, 3);
  const shown = [suggested, ...runners.map((it) => it.department), ...(edit.department ? [edit.department] : [])].filter((id, n, all) => id && all.indexOf(id) === n);
  return (
    <>
      <h2>责任单位{edit.department && edit.department !== suggested && <span class="chip human">人工选择</span>}</h2>
      <div class="picks">
        {shown.map((id) => <button key={id} class={id === now ? "pick on" : "pick"} aria-pressed={id === now} onClick={() => pick(one, id)}>{S.office(id)}{id === suggested && "（推荐）"}{!one.proposed && id === runners[0]?.department && <Kbd>r</Kbd>}</button>)}
        <button class="pick" onClick={() => void More.choose(one)}>其他单位…<Kbd>d</Kbd></button>
      </div>
      <p class="meta">推荐依据：{reason}</p>
      {runners[0] && <p class="meta">次选 {S.office(runners[0].department)}：{runners[0].why}</p>}
      {one.proposed && <p class="meta">{S.office(one.proposed.by)}建议转 <button onClick={() => one.proposed && dispatch(one, one.proposed.department)}>{S.office(one.proposed.department)}<Kbd>r</Kbd></button>：{one.proposed.note}</p>}
    </>
  );
}

type Offer = [command: string, name: string, main?: boolean];
const MORE: Record<string, Offer[]> = { // status → commands
  handled: [["close", "核查通过并结案", true], ["rework", "核查不通过，退回返工"]], dispatched: [["recall", "收回改派"]],
  handling: [["suspend", "挂账"], ["recall", "收回改派"]], suspended: [["resume", "恢复处置", true]],
  closed: [["reopen", "重新办理"]], declined: [["reopen", "重新办理"]], referred: [["reopen", "重新办理"]], merged: [["unmerge", "取消并案"]],
};

export function offer(one: Case, command: string): void {
  if (command === "close") plain(one, "close", "已结案", { note: "核查通过" });
  else if (command === "resume") plain(one, "resume", "已恢复处置");
  else void withWords(one, command);
}

function Acts({ one }: { one: Case }) {
  if (!S.names.may_dispatch) return null;
  const note = <button onClick={() => void withWords(one, "note")}>备注<Kbd>i</Kbd></button>;
  if (!S.waits(one)) return <div class="acts">{(MORE[one.status] ?? []).map(([command, name, main]) => <button key={command} class={main ? "main" : ""} onClick={() => offer(one, command)}>{name}{main && <Kbd>e</Kbd>}</button>)}{note}</div>;
  const to = S.target(one);
  const held = S.claims.value[one.id];
  const mine = held?.user === S.names.user && held.kept;
  return (
    <div class="acts">
      <button class="main" onClick={() => dispatch(one)} disabled={!to && !S.editOf(one).labelled}>{S.isOutside(one) ? "转 12345 热线" : <>派遣至 {to ? S.office(to) : S.editOf(one).labelled ? "新标签的推荐单位" : "（请选择责任单位）"}</>}<Kbd>e</Kbd></button>
      {one.snoozed_until ? <button onClick={() => plain(one, "wake", "已恢复到待派遣")}>取消暂缓<Kbd>h</Kbd></button> : <button onClick={() => void More.snooze(one)}>暂缓<Kbd>h</Kbd></button>}
      <button onClick={() => void withWords(one, "ask")}>询问市民<Kbd>a</Kbd></button>
      <button onClick={() => void split(one)}>拆分<Kbd>s</Kbd></button>
      <button onClick={() => void withWords(one, "decline")}>不予立案<Kbd>#</Kbd></button>
      <button onClick={() => void withWords(one, "refer")}>转 12345<Kbd>t</Kbd></button>
      <button onClick={() => void More.claim(one)}>{mine ? "放弃认领" : "认领"}<Kbd>c</Kbd></button>
      {note}
    </div>
  );
}

function Held({ one }: { one: Case }) {
  const held = S.claims.value[one.id];
  if (!held || held.user === S.names.user) return null;
  return <p class="held banner" role="status"><Icon name="lock" /> {held.name} 正在处理这件诉求{S.names.may_supervise && <button onClick={() => void withWords(one, "break")}>解除认领</button>}</p>;
}

export function Detail() {
  const one = S.detail.value;
  const pane = useRef<HTMLElement>(null);
  const original = useSignal<{ id: string; said: More.Original } | null>(null);
  const id = one?.id ?? "";
  useEffect(() => { if (pane.current) pane.current.scrollTop = 0; original.value = null; }, [id]);
  if (!one) return <main class="detail" id="detail" tabIndex={0} aria-label="案件详情"><p class="empty">{S.cursor.value ? "正在载入…" : "请在列表中选择一件诉求"}</p></main>;
  return (
    <main class="detail" id="detail" tabIndex={0} aria-label="案件详情" ref={pane} data-case={one.id}>
      <button class="back" onClick={() => document.getElementById("rows")?.scrollIntoView()}>返回列表</button>
      <Held one={one} />
      <section class="card">
        <p class="meta head">{one.case_no} · {channel(one.channel)} · {area(one.area)} · {S.names.statuses[one.status]} <Clock row={one} /></p>
        <Words one={one} />
        <p class="meta">受理时间 {clockTime(one.received_at)}{one.due_at && `　办理期限 ${clockTime(one.due_at)}`}{one.closed_at && `　办结时间 ${clockTime(one.closed_at)}`}{one.items > 1 && `　${one.items} 位市民反映`}{!!one.media && `　照片 ${one.media} 张`}{one.gone_at && "　原帖已删除"}</p>
        <p class="meta">{where(one)}</p>
        {marks(one).map((line) => <p key={line} class="meta">{line}</p>)}
        {one.url && <p class="meta"><a href={/^https?:/.test(one.url) ? one.url : undefined} target="_blank" rel="noopener noreferrer">查看原帖</a></p>}
        {original.value?.id === one.id && <Revealed one={one} said={original.value.said} />}
        {S.names.may_dispatch && <button class="plain" onClick={() => void More.reveal(one).then((said) => { if (said && S.cursor.value === one.id) original.value = { id: one.id, said }; })}>查看原文与联系方式</button>}
      </section>
      <section class="card">
        <h2>问题标签（六乱）　{S.editOf(one).labelled ? null : <Sureness share={one.confidence} />}</h2>
        <Toggles one={one} axis="problems" keys={(n) => String(n + 1)} />
        <h2>十大提升行动</h2>
        <Toggles one={one} axis="campaigns" keys={(n) => `g${(n + 1) % 10}`} />
        <Kinds one={one} />
      </section>
      <section class="card"><Offices one={one} /></section>
      <Results one={one} />
      <Beside one={one} />
      {one.notes && one.notes.length > 0 && <section class="card"><h2>内部备注</h2><ul class="history">{one.notes.map((it, n) => <li key={n}>{clockTime(it.at)}　{it.who}　{it.text}</li>)}</ul></section>}
      <section class="card"><h2>办理经过</h2><ol class="history">{one.history.map((it, n) => <li key={n}>{[clockTime(it.at), it.what, it.who, it.why].filter(Boolean).join("　")}</li>)}</ol></section>
      <Acts one={one} />
    </main>
  );
}
