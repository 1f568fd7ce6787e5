// The office picker: type a name, pinyin initials, whole pinyin or a number.
import { signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { boot, type Names } from "../boot";

const initials = boot<{ initials?: Names }>().initials ?? {};

type Asked = { title: string; options: Record<string, string>; first: string[]; done: (id: string | null) => void };
const asked = signal<Asked | null>(null);

/** Let the person choose one; `first` stand on top. Null when they left. */
export function choosing(title: string, options: Record<string, string>, first: string[] = []): Promise<string | null> {
  return new Promise((done) => { asked.value = { title, options, first, done }; });
}

/** Whether an option answers to what was typed: its name, its pinyin from any syllable on, or its initials. */
export function answers(id: string, name: string, typed: string): boolean {
  if (!typed) return true;
  const words = typed.toLowerCase();
  return name.toLowerCase().includes(words) || (initials[id] ?? "").split(" ").some((one) => one.startsWith(words) || (one.length < 12 && one.includes(words)));
}

export const Picker = () => (asked.value ? <Box {...asked.value} /> : null);

function Box({ title, options, first, done }: Asked) {
  const box = useRef<HTMLDialogElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  useLayoutEffect(() => { box.current?.showModal(); input.current?.focus(); }, []);
  const ids = [...first.filter((id) => id in options), ...Object.keys(options).filter((id) => !first.includes(id))];
  const number = /^\d+$/.test(typed) ? Number(typed) : 0;
  const found = number ? ids.filter((_, n) => n + 1 === number) : ids.filter((id) => answers(id, options[id] ?? "", typed.trim()));
  const finish = (id: string | null): void => { asked.value = null; done(id); };
  const here = Math.min(at, found.length - 1);

  function key(event: KeyboardEvent): void {
    if (event.isComposing || event.keyCode === 229) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); setAt(Math.max(0, Math.min(found.length - 1, here + step))); }
    if (event.key === "Enter") { event.preventDefault(); const id = found[here]; if (id) finish(id); }
  }

  useEffect(() => { document.getElementById(`pick-${found[here]}`)?.scrollIntoView({ block: "nearest" }); });
  return (
    <dialog ref={box} class="ask picker" aria-labelledby="picker-title" onClose={() => finish(null)}>
      <h2 id="picker-title">{title}</h2>
      <input ref={input} class="typed" role="combobox" aria-expanded="true" aria-controls="picker-list" aria-activedescendant={found[here] ? `pick-${found[here]}` : undefined} aria-label="输入名称、拼音首字母或序号"
        placeholder="名称、拼音首字母或序号" autocomplete="off" value={typed} onInput={(e) => { setTyped(e.currentTarget.value); setAt(0); }} onKeyDown={key} />
      <ul id="picker-list" role="listbox" aria-label={title} class="options">
        {found.map((id, n) => <li key={id} id={`pick-${id}`} role="option" aria-selected={n === here} class={n === here ? "option on" : "option"} onClick={() => finish(id)}>
          <span class="n">{ids.indexOf(id) + 1}</span>{options[id]}{first.includes(id) && <small>推荐</small>}</li>)}
        {found.length === 0 && <li class="empty" role="option" aria-selected="false" aria-disabled="true">没有符合的单位</li>}
      </ul>
      <div class="acts"><button type="button" onClick={() => finish(null)}>取消</button></div>
    </dialog>
  );
}
