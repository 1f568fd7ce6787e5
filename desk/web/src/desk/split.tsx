// One message that holds several matters: words, labels and an office for each part.
import { signal } from "@preact/signals";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { draft, keep } from "../drafts";
import { decide } from "./acts";
import * as S from "./state";
import type { Detail } from "./types";

type Part = { words: string; problems: string[] };
const open = signal<Detail | null>(null);
export const split = (one: Detail): void => { open.value = one; };
export const Splitting = () => (open.value ? <Box one={open.value} /> : null);

const EMPTY: Part = { words: "", problems: [] };

function kept(key: string): Part[] {
  try { const got = JSON.parse(draft(key)) as Part[]; return Array.isArray(got) && got.length ? got : [EMPTY]; } catch { return [EMPTY]; }
}

function Box({ one }: { one: Detail }) {
  const key = `split:${one.id}`;
  const box = useRef<HTMLDialogElement>(null);
  const [parts, setParts] = useState<Part[]>(() => kept(key));
  const [fault, setFault] = useState("");
  useLayoutEffect(() => { box.current?.showModal(); box.current?.querySelector("textarea")?.focus(); }, []);
  const close = (): void => { open.value = null; };
  const set = (next: Part[]): void => { setParts(next); keep(key, JSON.stringify(next)); };
  const change = (n: number, part: Partial<Part>): void => set(parts.map((it, at) => (at === n ? { ...it, ...part } : it)));

  function submit(event: Event): void {
    event.preventDefault();
    if (parts.some((it) => it.words.trim().length < 2)) { setFault("请填写每一部分的内容。"); return; }
    const { kind, urgency } = S.editOf(one).labels;
    const body = { parts: parts.map((it) => ({ words: it.words.trim(), problems: it.problems, campaigns: [], kind, urgency })) };
    close();
    void decide(one, "split", body, { said: `已拆分出 ${parts.length} 件`, leaves: false, draft: key });
  }

  return (
    <dialog ref={box} class="ask wide" aria-labelledby="split-title" onClose={close}>
      <form class="stack" onSubmit={submit} onKeyDown={(e) => { if (e.key === "Enter" && (e.ctrlKey || e.metaKey) && !e.isComposing) submit(e); }}>
        <h2 id="split-title">拆分：每个另外的事项单独成案</h2>
        <p class="text quoted">{one.title ? `${one.title}\n` : ""}{one.text}</p>
        <p class="hint">本案保留原有事项；拆出的案件分别派遣、分别答复市民。</p>
        {parts.map((part, n) => (
          <fieldset key={n}><legend>第 {n + 1} 部分</legend>
            <label>内容<textarea rows={2} maxLength={1000} value={part.words} onInput={(e) => change(n, { words: e.currentTarget.value })} /></label>
            <div class="picks" role="group" aria-label="问题标签">{S.names.problems.map((label) => {
              const on = part.problems.includes(label);
              return <button type="button" key={label} class={on ? `pick on p-${label}` : "pick"} aria-pressed={on} onClick={() => change(n, { problems: on ? part.problems.filter((it) => it !== label) : [...part.problems, label] })}>{S.names.labels[label]}</button>;
            })}</div>
            {parts.length > 1 && <button type="button" class="plain" onClick={() => set(parts.filter((_, at) => at !== n))}>去掉这一部分</button>}
          </fieldset>))}
        {parts.length < 5 && <button type="button" class="plain" onClick={() => set([...parts, EMPTY])}>再加一部分</button>}
        {fault && <p class="error" role="alert">{fault}</p>}
        <div class="acts"><button type="button" onClick={close}>取消</button><button class="main">拆分</button></div>
      </form>
    </dialog>
  );
}
