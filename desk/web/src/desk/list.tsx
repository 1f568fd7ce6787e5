// The queue: rows of one height, drawn only where they can be seen.
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon, Kbd } from "../ui";
import { BulkBar } from "./bulk";
import { extend, prefetch, sweep, takeFresh } from "./loading";
import { area, channel, Chip, Clock, Marked, percent } from "./parts";
import { Search } from "./search";
import * as S from "./state";
import type { Row } from "./types";

const HIGH = 60;
const HIGH_PHONE = 110;
const SPARE = 8;
const height = (): number => (matchMedia("(max-width: 900px)").matches ? HIGH_PHONE : HIGH);

/** Put the cursor on a row; its detail is here already or on its way. */
export function go(id: string): void {
  S.cursor.value = id;
  sweep();
  void extend(S.position.value);
  void prefetch();
}

export function move(step: number): void {
  const row = S.shown.value[Math.min(S.shown.value.length - 1, Math.max(0, S.position.value + step))];
  if (row) go(row.id);
}

/** x chooses the row under the cursor; with Shift the choice grows in that direction. */
export function grow(step: number): void {
  S.choose([S.cursor.value], true);
  move(step);
  S.choose([S.cursor.value], true);
}

function Line({ row, n, high }: { row: Row; n: number; high: number }) {
  const id = row.id;
  const on = useComputed(() => S.cursor.value === id);
  const ticked = S.chosen.value.has(id);
  const held = S.claims.value[id];
  const other = held && held.user !== S.names.user ? held : null;
  const style = { top: `${n * high}px`, height: `${high}px` };
  const kind = ["row", on.value && "on", ticked && "ticked", S.greyed.value.has(id) && "gone", S.flashed.value.has(id) && "flash"].filter(Boolean).join(" ");
  return (
    <li id={`row-${id}`} class={kind} style={style} role="option" aria-selected={ticked || on.value} aria-setsize={S.shown.value.length} aria-posinset={n + 1}
      onClick={(event) => { if (event.shiftKey || event.ctrlKey || event.metaKey) S.choose([id], !ticked); else { go(id); reveal(); } }}>
      <span class="box" aria-hidden="true" onClick={(event) => { event.stopPropagation(); S.choose([id], !ticked); }}>{ticked && <Icon name="tick" />}</span>
      <p class="words">{row.urgency !== "normal" && <span class="chip danger">{S.names.labels[row.urgency]}</span>}<Marked text={row.summary} words={S.place.value.q ?? ""} /></p>
      <p class="tags">
        {row.problems.map((one) => <Chip key={one} label={one} />)}
        {row.items > 1 && <span class="voices"><Icon name="many" /> {row.items} 位市民</span>}
        <span>{area(row.area)}</span><span>{channel(row.channel)}</span>
        {row.decision === "desk" && S.waits(row) && <span class="unsure">把握 {percent(row.confidence)}</span>}
        {row.returns > 0 && <span class="unsure">退单 {row.returns} 次</span>}
        {row.department && <span>{S.office(row.department)}</span>}
        {other && <span class="held"><Icon name="lock" /> {other.name}</span>}
        {S.greyed.value.has(id) && <span>已由他人处理</span>}
      </p>
      <Clock row={row} />
    </li>
  );
}

/** On a narrow screen the detail is below the list. */
function reveal(): void {
  if (matchMedia("(max-width: 900px)").matches) document.getElementById("detail")?.scrollIntoView();
}

export function List() {
  const scroller = useRef<HTMLDivElement>(null);
  const top = useSignal(0);
  const seen = useSignal(800);
  const high = height();
  useEffect(() => {
    const node = scroller.current;
    if (!node) return;
    const measure = (): void => { seen.value = node.clientHeight || 800; };
    measure();
    addEventListener("resize", measure);
    return () => removeEventListener("resize", measure);
  }, []);
  useSignalEffect(() => { // keep the cursor's row in sight
    const node = scroller.current;
    const at = S.position.value;
    if (!node || at < 0) return;
    const above = at * high;
    if (above < node.scrollTop) node.scrollTop = above;
    else if (above + high > node.scrollTop + node.clientHeight) node.scrollTop = above + high - node.clientHeight;
  });
  const all = S.shown.value;
  const from = Math.max(0, Math.floor(top.value / high) - SPARE);
  const to = Math.min(all.length, Math.ceil((top.value + seen.value) / high) + SPARE);
  const at = S.position.value;
  const drawn = all.slice(from, to).map((row, n) => ({ row, n: from + n }));
  const current = all[at];
  if (current && (at < from || at >= to)) drawn.push({ row: current, n: at });
  const news = S.fresh.value.length;
  return (
    <section class="list" aria-label="诉求列表">
      <h1 class="hidden">调度台</h1>
      <Search />
      {S.chosen.value.size > 0 && <BulkBar />}
      {news > 0 && <button id="fresh" class="fresh" onClick={takeFresh}>有 {news} 件新诉求，点击载入<Kbd>n</Kbd></button>}
      <div class="scroller" ref={scroller} onScroll={(event) => { top.value = event.currentTarget.scrollTop; void extend(Math.ceil((top.value + seen.value) / high)); }}>
        <ol id="rows" role="listbox" aria-label="诉求" aria-multiselectable="true" aria-busy={S.loading.value} tabIndex={0} aria-activedescendant={current ? `row-${current.id}` : undefined} style={{ height: `${all.length * high}px` }}>
          {drawn.map(({ row, n }) => <Line key={row.id} row={row} n={n} high={high} />)}
        </ol>
        {all.length === 0 && !S.loading.value && <p id="none" class="empty">{S.place.value.q ? "没有找到符合条件的诉求。" : "这个视图里没有诉求。"}</p>}
        {S.loading.value && <p class="empty" role="status">正在载入…</p>}
      </div>
    </section>
  );
}
