// What was typed and not yet accepted by the hub. Kept in this browser under the person's name, so that a reload, a closed tab or a restart loses nothing.
import { boot } from "./boot";

const ALL = "draft:";
const PREFIX = `${ALL}${boot<{ user?: string }>().user ?? ""}:`;
/** As long as a login may last; older words are of another shift. */
const KEPT_MS = 8 * 3_600_000;

type Kept = { words: string; at: number };

function read(name: string): Kept | null {
  try { return JSON.parse(localStorage.getItem(name) ?? "null") as Kept | null; } catch { return null; }
}

export const draft = (key: string): string => read(PREFIX + key)?.words ?? "";

export function keep(key: string, words: string): void {
  try {
    if (words) localStorage.setItem(PREFIX + key, JSON.stringify({ words, at: Date.now() } satisfies Kept));
    else localStorage.removeItem(PREFIX + key);
  } catch { /* a full or forbidden storage: the words stay in the field */ }
}

export const forget = (key: string): void => keep(key, "");

function drop(unwanted: (name: string) => boolean): void {
  try {
    for (const name of Object.keys(localStorage)) if (name.startsWith(ALL) && unwanted(name)) localStorage.removeItem(name);
  } catch { /* nothing was kept */ }
}

drop((name) => Date.now() - (read(name)?.at ?? 0) > KEPT_MS);
document.querySelector('form[action="/logout"]')?.addEventListener("submit", () => drop((name) => name.startsWith(PREFIX)));
