// What both pages are made of: icons, keys on buttons, the toast, and dialogs that ask for words.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { loggedInAgain, loggedOut, Refused } from "./api";
import { draft, forget, keep } from "./drafts";

const PATHS = { // 16 × 16, drawn by stroke
  ok: "M3 8.5l3 3 7-7", soon: "M8 4v4l3 2M8 1.5a6.5 6.5 0 100 13 6.5 6.5 0 000-13z", late: "M8 2l6.5 12h-13zM8 6.5v3.5M8 12v.5",
  lock: "M4 7.5h8v6H4zM5.5 7.5V5a2.5 2.5 0 015 0v2.5", tick: "M3 8.5l3 3 7-7", link: "M6 10l4-4M5 7L3 9a2.8 2.8 0 004 4l2-2M11 9l2-2a2.8 2.8 0 00-4-4L7 5",
  many: "M5 7a2 2 0 100-4 2 2 0 000 4zM1.5 13c0-2.5 1.5-4 3.5-4s3.5 1.5 3.5 4M11 7a2 2 0 100-4M10.5 9c2.5 0 4 1.5 4 4", moon: "M12.5 10A5.5 5.5 0 016 3.5a5.5 5.5 0 106.5 6.5z",
};
export type IconName = keyof typeof PATHS;

export const Icon = ({ name, label }: { name: IconName; label?: string }) => (
  <svg class="icon" viewBox="0 0 16 16" width="14" height="14" aria-hidden={label ? undefined : "true"} role={label ? "img" : undefined} aria-label={label}>
    <path d={PATHS[name]} fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" />
  </svg>
);

export const Kbd = ({ children }: { children: ComponentChildren }) => <kbd aria-hidden="true">{children}</kbd>;

type Told = { words: string; act?: { name: string; work: () => void } | undefined; bad: boolean; n: number };
const told = signal<Told | null>(null);
let timer = 0;
let count = 0;

/** Say something for some seconds; `act` is offered beside it, on the key z too. */
export function say(words: string, { act, seconds = 5, bad = false }: { act?: { name: string; work: () => void } | undefined; seconds?: number; bad?: boolean } = {}): void {
  told.value = { words, act, bad, n: ++count };
  clearTimeout(timer);
  timer = window.setTimeout(() => { told.value = null; }, seconds * 1000);
}

export const sayFault = (error: unknown): void => say(error instanceof Error ? error.message : String(error), { bad: true, seconds: 8 });

export function takeToast(): (() => void) | null {
  const work = told.value?.act?.work ?? null;
  if (work) told.value = null;
  return work;
}

export const Toast = () => {
  const now = told.value;
  return (
    <div id="toast" class={now?.bad ? "toast bad" : "toast"} role="status" aria-live="polite" hidden={!now}>
      {now && <span>{now.words}</span>}
      {now?.act && <button class="plain" onClick={() => { const work = takeToast(); work?.(); }}>{now.act.name}<Kbd>z</Kbd></button>}
    </div>
  );
};

export type Canned = { id: string; purpose: string; title: string; text: string };
export type Question = {
  key: string; title: string; options?: Record<string, string>; picked?: string; least?: number; send?: string; words?: string; hint?: string;
  canned?: Canned[]; extra?: { type: "datetime-local" | "number"; name: string; value: string };
};
export type Said = { note: string; reason: string; extra: string };
type Open = Question & { done: (said: Said | null) => void };
const open = signal<Open | null>(null);

/** Ask for words in a dialog; null when it was left. What was typed is kept until `forget(key)`. */
export function question(asked: Question): Promise<Said | null> {
  return new Promise((done) => { open.value = { ...asked, done }; });
}

export { forget };

export const Asking = () => (open.value ? <AskBox key={open.value.key} asked={open.value} /> : null);

function AskBox({ asked }: { asked: Open }) {
  const { key: draftKey, done, title, options = {}, picked = "原因", least = 1, send = "确定", words = "填写内容", hint, canned = [], extra } = asked;
  const box = useRef<HTMLDialogElement>(null);
  const codes = Object.entries(options);
  const [note, setNote] = useState(draft(draftKey));
  const [reason, setReason] = useState(codes[0]?.[0] ?? "");
  const [more, setMore] = useState(extra?.value ?? "");
  const [fault, setFault] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const answered = useRef(false);
  useLayoutEffect(() => {
    const node = box.current;
    if (node && !node.open) node.showModal();
    (field.current ?? node?.querySelector<HTMLElement>("select,input,button"))?.focus();
  }, []);

  function finish(said: Said | null): void {
    if (answered.current) return;
    answered.current = true;
    open.value = null;
    done(said);
  }

  function submit(event: Event): void {
    event.preventDefault();
    const trimmed = note.trim();
    if (trimmed.length < least) {
      setFault(least > 1 ? `请至少填写 ${least} 个字。` : "请填写内容。");
      field.current?.focus();
      return;
    }
    finish({ note: trimmed, reason, extra: more });
  }

  const type = (value: string): void => { setNote(value); keep(draftKey, value); };
  return (
    <dialog ref={box} class="ask" aria-labelledby="ask-title" onClose={() => finish(null)}>
      <form class="stack" onSubmit={submit}>
        <h2 id="ask-title">{title}</h2>
        {hint && <p class="hint">{hint}</p>}
        {codes.length > 0 && <label>{picked}<select name="reason" value={reason} onChange={(e) => setReason(e.currentTarget.value)}>{codes.map(([code, name]) => <option key={code} value={code}>{name}</option>)}</select></label>}
        {extra && <label>{extra.name}<input name="extra" type={extra.type} value={more} onInput={(e) => setMore(e.currentTarget.value)} /></label>}
        {canned.length > 0 && <label>常用语<select name="canned" value="" onChange={(e) => { const text = canned.find((one) => one.id === e.currentTarget.value)?.text; if (text) { type(note ? `${note}\n${text}` : text); field.current?.focus(); } }}><option value="">选择常用语填入</option>{canned.map((one) => <option key={one.id} value={one.id}>{one.title}</option>)}</select></label>}
        {least >= 0 && <label>{words}<textarea ref={field} name="note" rows={4} maxLength={1000} value={note} onInput={(e) => type(e.currentTarget.value)}
          onKeyDown={(e) => { if (e.key === "Enter" && (e.ctrlKey || e.metaKey) && !e.isComposing) submit(e); }} /></label>}
        {fault && <p class="error" role="alert">{fault}</p>}
        <div class="acts"><button type="button" onClick={() => finish(null)}>取消</button><button class="main">{send}</button></div>
      </form>
    </dialog>
  );
}

/** Over everything once the login has ended: the page and what was typed stay as they are beneath. */
export const Again = ({ name }: { name: string }) => (loggedOut.value ? <AgainBox name={name} /> : null);

function AgainBox({ name }: { name: string }) {
  const box = useRef<HTMLDialogElement>(null);
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  useLayoutEffect(() => { const node = box.current; if (node && !node.open) node.showModal(); }, []);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    setBusy(true);
    try {
      const answer = await fetch("/login/again", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ name, password, code }) });
      const got = await answer.json().catch(() => ({})) as { token?: string };
      if (answer.ok && got.token) loggedInAgain(got.token);
      else setFault("用户名或密码不正确，或连续失败后暂时锁定，请稍后再试。");
    } catch { setFault("连接中断，请稍后再试。"); }
    setBusy(false);
  }

  return (
    <dialog ref={box} class="ask" aria-labelledby="again-title" onCancel={(e) => e.preventDefault()}>
      <form class="stack" onSubmit={submit}>
        <h2 id="again-title">登录已过期，请重新登录</h2>
        <p class="hint">页面上已填写的内容不会丢失。</p>
        <label>用户名<input name="name" value={name} readOnly autocomplete="username" /></label>
        <label>密码<input name="password" type="password" autocomplete="current-password" value={password} required onInput={(e) => setPassword(e.currentTarget.value)} /></label>
        <label>动态验证码（已启用时填写）<input name="code" inputMode="numeric" autocomplete="one-time-code" value={code} onInput={(e) => setCode(e.currentTarget.value)} /></label>
        {fault && <p class="error" role="alert">{fault}</p>}
        <div class="acts"><a href="/login">换人登录</a><button class="main" disabled={busy}>继续</button></div>
      </form>
    </dialog>
  );
}

/** The last word of a refusal: whether the case moved under our hand. */
export const moved = (error: unknown): boolean => error instanceof Refused && error.status === 409;
