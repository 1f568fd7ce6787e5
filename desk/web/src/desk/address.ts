// The address of the page is the state of the filters: it can be kept, sent and gone back to.
import { Unreachable } from "../api";
import { sayFault } from "../ui";
import { enter, searchOf } from "./loading";
import * as S from "./state";

export function read(search: string): S.Place {
  const params = new URLSearchParams(search);
  const view = params.get("view") ?? "";
  const place: S.Place = { view: view in S.names.views ? view : "waiting" };
  for (const one of S.FILTERS) { const value = params.get(one); if (value) place[one] = value; }
  return place;
}

/** Go to a place and keep it in the address. */
export async function visit(place: S.Place, keepId = ""): Promise<void> {
  const clean: S.Place = { view: place.view };
  for (const one of S.FILTERS) { const value = place[one]; if (value) clean[one] = value; }
  const now = `?${searchOf(clean)}`;
  const before = S.place.value;
  const typing = (clean.q ?? "") !== (before.q ?? "") && !!before.q; // one entry of the history for a whole search
  if (now !== location.search) history[typing ? "replaceState" : "pushState"](null, "", now);
  await enter(clean, keepId).catch(failed);
}

/** A place that could not be reached is entered once the link is back; a refused one is not. */
function failed(error: unknown): void {
  sayFault(error);
  if (!(error instanceof Unreachable)) S.loading.value = false;
}

export function setFilter(name: S.Filter, value: string): void {
  void visit({ ...S.place.value, [name]: S.place.value[name] === value ? "" : value });
}

addEventListener("popstate", () => { void enter(read(location.search)).catch(failed); });
