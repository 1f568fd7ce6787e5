// The address of the page is the state of the filters: it can be kept, sent and gone back to.
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
  try { await enter(clean, keepId); } catch (error) { sayFault(error); S.loading.value = false; }
}

export function setFilter(name: S.Filter, value: string): void {
  void visit({ ...S.place.value, [name]: S.place.value[name] === value ? "" : value });
}

addEventListener("popstate", () => { void enter(read(location.search)).catch(sayFault); });
