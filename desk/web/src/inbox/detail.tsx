// One order: the words with the evidence marked, what was asked and said, photos, and what the office may do.
import { useEffect, useRef } from "preact/hooks";
import { clockTime } from "../clock";
import { Kbd } from "../ui";
import * as A from "./acts";
import { Chips, Clock } from "./list";
import { Photos } from "./photos";
import { Revealed } from "./revealed";
import * as S from "./state";
import type { Asked, Detail as Order, Returned } from "./types";

/** The words, with what spoke for the labels marked; spans count code points. */
function Words({ one }: { one: Order }) {
  const points = Array.from(one.title ? `${one.title}\n${one.text}` : one.text);
  const out = [];
  let from = 0;
  for (const span of one.reasons.filter((it) => one.problems.includes(it.label)).sort((a, b) => a.start - b.start)) {
    if (span.start < from) continue;
    out.push(points.slice(from, span.start).join(""), <mark key={span.start} class={`p-${span.label}`}>{points.slice(span.start, span.end).join("")}</mark>);
    from = span.end;
  }
  out.push(points.slice(from).join(""));
  return <p class="text">{out}</p>;
}

const WHAT: Record<string, string> = { extension: "延期", suspension: "挂账" };
const ANSWERED: Record<string, string> = { open: "待答复", granted: "已同意", refused: "未同意", lapsed: "已失效" };
const JUDGED: Record<string, string> = { open: "待派遣员处理", refused: "未获同意", accepted: "已同意" };

const asked = (it: Asked): string => `${clockTime(it.asked_at)} 申请${WHAT[it.what] ?? it.what}${it.amount ? ` ${it.amount} 个${it.unit === "work_days" ? "工作日" : "小时"}` : ""}：${it.note}　${ANSWERED[it.state] ?? it.state}${it.answer ? `：${it.answer}` : ""}`;
const returned = (it: Returned): string => `${clockTime(it.at)} 退单（${S.names.reasons[it.reason] ?? it.reason}）${it.proposed ? `，建议转 ${S.office(it.proposed)}` : ""}：${it.note}　${JUDGED[it.state] ?? it.state}`;

/** Whether the citizens were told anything, and whether it reached them. */
function told(one: Order): string {
  const { sent = 0, pending = 0, dead = 0 } = one.told;
  if (!sent && !pending && !dead) return "尚未向市民反馈";
  return [sent && `已反馈市民 ${sent} 次`, pending && `${pending} 次待发送`, dead && `${dead} 次未能送达`].filter(Boolean).join("，");
}

function lines(one: Order): string[] {
  return [
    one.address ? `地点：${one.address}` : "",
    `属地：${S.names.areas[one.area] ?? "待定"}${one.point ? `　责任点位：${one.point}` : ""}`,
    one.wanted_at ? `领导交办，要求 ${clockTime(one.wanted_at)} 前办结` : "",
    one.items > 1 ? `${one.items} 位市民反映同一事项，已并案` : "",
    told(one),
    ...one.supervisions.filter((it) => it.state !== "skipped").map((it) => `${S.names.levels[it.level] ?? it.level}${it.number ? ` ${it.number}` : ""}　${clockTime(it.at)}${it.reply ? `　回复：${it.reply}` : ""}`),
    ...one.requests.map(asked),
    ...one.returns.map(returned),
  ].filter(Boolean);
}

function Acts({ one }: { one: Order }) {
  const may = (verb: Order["may"][number]): boolean => one.may.includes(verb);
  return (
    <div class="acts">
      {may("sign") && <button class="main" onClick={() => void A.sign(one)}>签收<Kbd>s</Kbd></button>}
      {may("handle") && <button class="main" onClick={() => void A.handle(one)}>处置完毕<Kbd>e</Kbd></button>}
      {may("return") && <button onClick={() => void A.giveBack(one)}>退单<Kbd>r</Kbd></button>}
      {may("return") && <button onClick={() => void A.forward(one)}>转办<Kbd>f</Kbd></button>}
      {may("extend") && <button onClick={() => void A.extend(one)}>申请延期<Kbd>x</Kbd></button>}
      {may("suspend") && <button onClick={() => void A.suspend(one)}>申请挂账<Kbd>h</Kbd></button>}
      {one.final && one.may.length > 0 && <p class="meta">派遣员已作最终认定，不能再退单。</p>}
    </div>
  );
}

export function Detail() {
  const one = S.detail.value;
  const pane = useRef<HTMLElement>(null);
  const id = one?.id ?? "";
  useEffect(() => { if (pane.current) pane.current.scrollTop = 0; S.revealed.value = null; }, [id]);
  if (!one) return <main class="detail" id="detail" tabIndex={0} aria-label="工单详情"><p class="empty">{S.cursor.value ? "正在载入…" : "请在列表中选择一件工单"}</p></main>;
  return (
    <main class="detail" id="detail" tabIndex={0} aria-label="工单详情" ref={pane} data-order={one.id}>
      <button class="back" onClick={() => document.getElementById("rows")?.scrollIntoView()}>返回列表</button>
      <section class="card">
        <p class="meta head">{one.case_no} · {S.names.statuses[one.status]} <Chips row={one} /><Clock row={one} /></p>
        <Words one={one} />
        <p class="meta">派遣 {clockTime(one.dispatched_at)}{one.signed_at && `　签收 ${clockTime(one.signed_at)}`}　办理期限 {clockTime(one.due_at)}{one.handled_at && `　办结 ${clockTime(one.handled_at)}`}</p>
        {lines(one).map((line) => <p key={line} class="meta">{line}</p>)}
        {S.revealed.value?.id === one.id && <Revealed {...S.revealed.value} />}
        <p class="meta links">{one.reveals && <button class="plain" onClick={() => void A.reveal(one)}>查看原文与联系方式<Kbd>v</Kbd></button>}<a href={`/inbox/orders/${one.id}`} target="_blank" rel="noopener">打印办理单</a></p>
      </section>
      <Photos one={one} />
      <section class="card"><h2>办理经过</h2><ol class="history">{one.history.map((it, n) => <li key={n}>{[clockTime(it.at), it.what, it.who, it.why].filter(Boolean).join("　")}</li>)}</ol></section>
      <Acts one={one} />
    </main>
  );
}
