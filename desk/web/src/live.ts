// News from the hub by server-sent events. After a gap of any kind everything is asked for again.
import { signal } from "@preact/signals";
import { ask } from "./api";

export type Link = "live" | "down" | "connecting";
export const link = signal<Link>("connecting");

/** A stream that says nothing for this long is taken for dead: the hub pings every 15 s. */
const SILENT_MS = 40_000;
const RETRY_MS = 2_000;

/** Calls `resync` after each (re)connection and `changed` at each event with the cases it names (null: any), until the page goes. */
export function listen(path: string, probe: string, resync: () => void, changed: (ids: string[] | null) => void): void {
  let source: EventSource | null = null;
  let heard = Date.now();

  const down = (): void => { if (link.value !== "down") link.value = "down"; };

  function open(): void {
    source?.close();
    const made = new EventSource(path);
    source = made;
    heard = Date.now();
    made.addEventListener("hello", () => { heard = Date.now(); link.value = "live"; resync(); });
    made.addEventListener("ping", () => { heard = Date.now(); });
    made.addEventListener("changed", (event) => { heard = Date.now(); changed(named(event.data as string)); });
    made.onerror = () => {
      down();
      if (made.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      made.close();
      // Refused for good, perhaps an ended login: a plain question finds out and asks for it.
      setTimeout(() => { ask(probe).then(open, () => setTimeout(open, RETRY_MS)); }, RETRY_MS);
    };
  }

  open();
  setInterval(() => { if (Date.now() - heard > SILENT_MS) { down(); open(); } }, 5000);
  addEventListener("online", open);
  addEventListener("offline", down);
}

function named(data: string): string[] | null {
  try { return (JSON.parse(data) as { cases?: string[] | null }).cases ?? null; } catch { return null; }
}
