// Single keys. Silent while somebody types, while an input method composes, and under a dialog.
import { signal } from "@preact/signals";

export type Key = { key: string; shown?: string; name: string; group: string; work: () => void; when?: () => boolean; repeats?: boolean };

/** People may turn single keys off (WCAG 2.1.4). */
export const keysOn = signal(true);

let table: Key[] = [];
/** A prefix such as g waits for its second key here. */
let follow: ((key: string) => boolean) | null = null;

export const keyMap = (): readonly Key[] => table;
export const setKeys = (keys: Key[]): void => { table = keys; };
export const onNext = (work: ((key: string) => boolean) | null): void => { follow = work; };

/** A field keeps the focus for a moment after its dialog has closed: what a fast hand presses then is a command. */
function typing(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement;
  return event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey
    || (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && !target.closest("dialog:not([open])")) || target.isContentEditable;
}

/** Enter and space belong to the button or link that has the focus. */
function belongs(event: KeyboardEvent): boolean {
  return (event.key === "Enter" || event.key === " ") && /^(BUTTON|A|SUMMARY)$/.test((event.target as HTMLElement).tagName);
}

document.addEventListener("keydown", (event) => {
  if (typing(event) || belongs(event) || document.querySelector("dialog[open]")) return;
  if (follow) {
    const work = follow;
    follow = null;
    if (work(event.key)) event.preventDefault();
    return;
  }
  const found = table.find((one) => one.key === event.key);
  if (!found || (!keysOn.value && !found.key.startsWith("Arrow")) || (event.repeat && !found.repeats) || (found.when && !found.when())) return;
  event.preventDefault();
  found.work();
});
