// What was typed and not yet accepted by the hub. Kept with the tab, so that a reload or a restart loses nothing.

const PREFIX = "draft:";

export function draft(key: string): string {
  try { return sessionStorage.getItem(PREFIX + key) ?? ""; } catch { return ""; }
}

export function keep(key: string, words: string): void {
  try {
    if (words) sessionStorage.setItem(PREFIX + key, words);
    else sessionStorage.removeItem(PREFIX + key);
  } catch { /* a full or forbidden storage: the words stay in the field */ }
}

export const forget = (key: string): void => keep(key, "");

/** At logout another person may sit down here. */
export function forgetAll(): void {
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
  } catch { /* nothing was kept */ }
}

document.querySelector('form[action="/logout"]')?.addEventListener("submit", forgetAll);
