// What the server put into the page: names of everything, who is logged in, and the login's token.

export type Names = Record<string, string>;

const root = document.getElementById("app");
if (!root) throw new Error("the page has no #app");

export const mountPoint: HTMLElement = root;

/** Parsed once; each page declares the shape of what its template gives. */
export function boot<T>(): T {
  return JSON.parse(mountPoint.dataset.boot ?? "{}") as T;
}

let held = mountPoint.dataset.token ?? "";
export const token = (): string => held;
export const renewToken = (next: string): void => { held = next; };
