// Views, search and the office's orders, the soonest due first.
import { useEffect, useRef, useState } from "preact/hooks";
import { left, tick } from "../clock";
import { Icon, Kbd, sayFault } from "../ui";
import { extend, go, takeFresh, visit } from "./loading";
import * as S from "./state";
import type { Row } from "./types";

const WAIT_MS = 250;
export const VIEWS = [...Object.keys(S.names.views), "documents"];

export function Views() {
  const name = (view: string): string => S.names.views[view] ?? "待回复文书";
  const count = (view: string): number => (view === "documents" ? S.waiting.value : S.counts.value[view] ?? 0);
  return (
    <aside class="views" aria-label="视图">
      <ul id="views">{VIEWS.map((view, n) => {
        const on = view === S.view.value && !S.q.value;
        return <li key={view}><button class={on ? "view on" : "view"} aria-current={on ? "page" : undefined} onClick={() => void visit(view).catch(sayFault)}>{name(view)}<Kbd>{n + 1}</Kbd><b>{count(view)}</b></button></li>;
      })}</ul>
    </aside>
  );
}

export const Clock = ({ row }: { row: Pick<Row, "status" | "due_at" | "case_status"> }) => {
  void tick.value;
  if (row.status === "handled") return <span class="clock">{S.names.statuses.handled}</span>;
  if (row.case_status === "suspended") return <span class="clock"><Icon name="moon" /> 挂账</span>;
  const now = left(row.due_at);
  return <span class={`clock ${now.level}`}><Icon name={now.sign} /> {now.text}</span>;
};

export const Chips = ({ row }: { row: Omit<Row, "photos"> }) => (
  <>
    {row.urgency !== "normal" && <span class="chip danger">{S.names.labels[row.urgency]}</span>}
    {row.wanted_at && <span class="chip danger">领导交办</span>}
    {row.reworks > 0 && <span class="chip danger">返工 {row.reworks} 次</span>}
    {row.refused && row.reworks === 0 && <span class="chip danger">退单未获同意</span>}
    {row.problems.map((one) => <span key={one} class={`chip p-${one}`}>{S.names.labels[one] ?? one}</span>)}
    {row.joint && <span class="chip">联合执法</span>}
    {!row.lead && <span class="chip">协办</span>}
  </>
);

/** On a narrow screen the detail is below the list. */
const reveal = (): void => { if (matchMedia("(max-width: 900px)").matches) document.getElementById("detail")?.scrollIntoView(); };

const Line = ({ row }: { row: Row }) => {
  const on = S.cursor.value === row.id;
  return (
    <li id={`row-${row.id}`} class={on ? "row order on" : "row order"} role="option" aria-selected={on} onClick={() => { go(row.id); reveal(); }}>
      <p class="words">{row.title ? `${row.title}　` : ""}{row.summary}</p>
      <p class="tags"><Chips row={row} />{row.items > 1 && <span class="voices"><Icon name="many" /> {row.items} 位市民</span>}<span>{S.names.areas[row.area] ?? "地点待定"}</span></p>
      <Clock row={row} />
    </li>
  );
};

function Search() {
  const [words, setWords] = useState("");
  const timer = useRef(0);
  const look = (value: string, wait: number): void => {
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => { if (value.trim() !== S.q.value) void visit(S.view.value === "documents" ? "sign" : S.view.value, value.trim()).catch(sayFault); }, wait);
  };
  const leave = (): void => document.getElementById("rows")?.focus();
  return (
    <form class="search" role="search" onSubmit={(event) => { event.preventDefault(); look(words, 0); leave(); }}>
      <input id="q" type="search" name="q" placeholder="搜索本单位工单：正文、编号、地址（/）" aria-label="搜索本单位工单" maxLength={100} autocomplete="off" value={words}
        onInput={(event) => { setWords(event.currentTarget.value); if (!event.isComposing) look(event.currentTarget.value, WAIT_MS); }}
        onCompositionEnd={(event) => look(event.currentTarget.value, WAIT_MS)}
        onKeyDown={(event) => { if (event.key === "Escape" && !event.isComposing) { setWords(""); look("", 0); leave(); } }} />
    </form>
  );
}

export function List() {
  const all = S.shown.value;
  const current = all[S.position.value];
  useEffect(() => { document.getElementById(`row-${S.cursor.value}`)?.scrollIntoView({ block: "nearest" }); }, [S.cursor.value]);
  return (
    <section class="list" aria-label="工单列表">
      <h1 class="hidden">{S.names.office} 收件箱</h1>
      <Search />
      {S.fresh.value.length > 0 && <button id="fresh" class="fresh" onClick={takeFresh}>有 {S.fresh.value.length} 件新工单，点击载入<Kbd>n</Kbd></button>}
      <div class="scroller">
        <ol id="rows" role="listbox" aria-label="工单" tabIndex={0} aria-activedescendant={current ? `row-${current.id}` : undefined}>{all.map((row) => <Line key={row.id} row={row} />)}</ol>
        {all.length === 0 && !S.loading.value && <p id="none" class="empty">{S.q.value ? "没有找到本单位的工单。" : "这个视图里没有工单。"}</p>}
        {S.more.value && <button class="more" onClick={() => void extend().catch(sayFault)}>载入更多</button>}
      </div>
    </section>
  );
}
