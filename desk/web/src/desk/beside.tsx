// Beside the case: what may be the same matter, the same citizen's other words, and what happened nearby.
import { useEffect, useState } from "preact/hooks";
import { clockTime } from "../clock";
import { Kbd } from "../ui";
import { aroundOf, similarTo } from "./loading";
import { merge, mergeable, relapse, relapsed } from "./more";
import { area, channel, percent } from "./parts";
import * as S from "./state";
import type { Around, Detail, Near, Similar } from "./types";

/** Wait this long on a case before asking what is around it: a fast hand passes by. */
const REST_MS = 150;

function Same({ one, found }: { one: Detail; found: Similar[] }) {
  const first = found.find((it) => mergeable(one, it));
  return (
    <ul class="similar">{found.map((it) => (
      <li key={it.id}>
        <p class="words">{it.summary}</p>
        <p class="tags"><b>{it.relapse ? "反复出现" : `可能性 ${percent(it.score)}`}</b><span>{it.case_no}</span><span>{S.names.statuses[it.status]}</span><span>{clockTime(it.received_at)}</span>
          {it.reasons.map((reason) => <span key={reason.text} class={reason.against ? "unsure" : ""}>{reason.text}</span>)}</p>
        {S.names.may_dispatch && relapsed(it) && <button onClick={() => relapse(one, it)}>认定为反复出现</button>}
        {S.names.may_dispatch && mergeable(one, it) && <button onClick={() => merge(one, it)}>并入此案{it === first && <Kbd>m</Kbd>}</button>}
      </li>))}</ul>
  );
}

const Others = ({ found, none }: { found: Near[]; none: string }) => found.length === 0 ? <p class="meta">{none}</p> : (
  <ul class="similar">{found.map((it) => (
    <li key={it.id}><p class="words">{it.summary}</p>
      <p class="tags"><a href={`/desk?case=${it.id}`}>{it.case_no}</a><span>{S.names.statuses[it.status]}</span><span>{area(it.area)}</span><span>{channel(it.channel)}</span><span>{clockTime(it.received_at)}</span>{it.distance_m != null && <span>相距 {it.distance_m} 米</span>}</p></li>))}</ul>
);

type Tab = "same" | "citizen" | "nearby";

export function Beside({ one }: { one: Detail }) {
  const [tab, setTab] = useState<Tab>("same");
  const [same, setSame] = useState<{ id: string; found: Similar[] } | null>(null);
  const [around, setAround] = useState<{ id: string; found: Around } | null>(null);
  const { id } = one;
  useEffect(() => {
    let live = true;
    const timer = setTimeout(() => {
      similarTo(id).then((found) => { if (live) setSame({ id, found }); }, () => undefined);
      aroundOf(id).then((found) => { if (live) setAround({ id, found }); }, () => undefined);
    }, REST_MS);
    return () => { live = false; clearTimeout(timer); };
  }, [id]);
  const likely = same?.id === id ? same.found : [];
  const near = around?.id === id ? around.found : null;
  const tabs: [Tab, string, number][] = [["same", "疑似同一诉求", likely.length], ["citizen", "同一市民", near?.citizen.length ?? 0], ["nearby", "附近诉求", near?.nearby.length ?? 0]];
  return (
    <section class="card" id="similar">
      <div class="tabs" role="tablist" aria-label="相关诉求">{tabs.map(([key, name, n]) => <button key={key} id={`tab-${key}`} role="tab" aria-selected={tab === key} aria-controls="beside" class={tab === key ? "tab on" : "tab"} onClick={() => setTab(key)}>{name} {n} 件</button>)}</div>
      <div id="beside" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {tab === "same" && (likely.length ? <Same one={one} found={likely} /> : <p class="meta">没有疑似同一诉求的案件。</p>)}
        {tab === "citizen" && <Others found={near?.citizen ?? []} none="没有这位市民的其他诉求。" />}
        {tab === "nearby" && <Others found={near?.nearby ?? []} none="近 90 天附近没有其他诉求。" />}
      </div>
    </section>
  );
}
