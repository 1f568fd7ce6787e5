// Views with counts, filters, and the views people keep.
import { useState } from "preact/hooks";
import { ask } from "../api";
import { sayFault } from "../ui";
import { read, setFilter, visit } from "./address";
import { savedViews, searchOf } from "./loading";
import * as S from "./state";
import type { SavedView } from "./types";

const many = (n: number | undefined): string => (n === undefined ? "" : n > 9999 ? "1万+" : String(n));

function Views() {
  const here = S.place.value;
  return (
    <ul id="views">
      {Object.entries(S.names.views).map(([view, name]) => (
        <li key={view}><button class={view === here.view ? "view on" : "view"} aria-pressed={view === here.view} onClick={() => void visit({ ...here, view })}>{name}<b>{many(S.counts.value[view])}</b></button></li>
      ))}
    </ul>
  );
}

function Choices({ title, filter, options }: { title: string; filter: S.Filter; options: Record<string, string> }) {
  const now = S.place.value[filter] ?? "";
  const entries = Object.entries(options);
  const [open, setOpen] = useState((entries.length <= 6 && filter === "problem") || now !== "");
  return (
    <details class="filter" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{title}{now && <b class="set">{options[now] ?? now}</b>}</summary>
      <ul>{entries.map(([id, name]) => <li key={id}><button class={id === now ? "view on" : "view"} aria-pressed={id === now} onClick={() => setFilter(filter, id)}>{name}</button></li>)}</ul>
    </details>
  );
}

const named = (ids: string[]): Record<string, string> => Object.fromEntries(ids.map((id) => [id, S.names.labels[id] ?? id]));
const SORTS = { due: "最急在前", oldest: "最早在前", newest: "最新在前", teach: "最值得学习在前" };

async function change(work: Promise<unknown>): Promise<void> {
  try { await work; await savedViews(); } catch (error) { sayFault(error); }
}

function Saved() {
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const here = searchOf(S.place.value);
  const save = (event: Event): void => {
    event.preventDefault();
    if (!name.trim()) return;
    void change(ask("/desk/api/views", { name: name.trim(), query: here, shared })).then(() => { setNaming(false); setName(""); });
  };
  return (
    <section class="saved" aria-label="我的视图">
      <h2>我的视图</h2>
      <ul>{S.saved.value.map((one: SavedView) => (
        <li key={one.id} class="kept"><button class={one.query === here ? "view on" : "view"} onClick={() => void visit(read(one.query))}>{one.name}{one.shared && <small>共享</small>}</button>
          {one.mine && <button class="plain small" aria-label={`删除视图 ${one.name}`} onClick={() => void change(ask(`/desk/api/views/${one.id}`, undefined, "DELETE"))}>删除</button>}</li>
      ))}</ul>
      {naming ? (
        <form class="naming" onSubmit={save}>
          <input aria-label="视图名称" placeholder="视图名称" maxLength={40} value={name} required onInput={(e) => setName(e.currentTarget.value)} />
          <label class="tiny"><input type="checkbox" checked={shared} onChange={(e) => setShared(e.currentTarget.checked)} />全调度台共享</label>
          <div class="acts"><button type="button" onClick={() => setNaming(false)}>取消</button><button class="main">保存</button></div>
        </form>
      ) : <button class="plain" onClick={() => setNaming(true)}>保存当前视图</button>}
    </section>
  );
}

export function Side() {
  const wide = !matchMedia("(max-width: 900px)").matches;
  const set = S.FILTERS.filter((one) => S.place.value[one]);
  return (
    <aside class="views" aria-label="视图与筛选">
      <Views />
      <details class="narrowing" open={wide}>
        <summary>筛选与排序{set.length > 0 && <b class="set">{set.length} 项</b>}</summary>
        {set.length > 0 && <button class="plain" onClick={() => void visit({ view: S.place.value.view })}>清除筛选（{set.length}）</button>}
        <Choices title="六乱" filter="problem" options={named(S.names.problems)} />
        <Choices title="十大提升行动" filter="campaign" options={named(S.names.campaigns)} />
        <Choices title="区域" filter="area" options={S.names.areas} />
        <Choices title="来源" filter="channel" options={S.names.channels} />
        <Choices title="紧急程度" filter="urgency" options={named(S.names.urgencies)} />
        <Choices title="承办单位" filter="department" options={S.names.departments} />
        <Choices title="排序" filter="sort" options={SORTS} />
        <Saved />
      </details>
    </aside>
  );
}
