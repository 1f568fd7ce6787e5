// Full-text search over the queue. The address carries it, so that it can be kept and shared.
import { useEffect, useRef, useState } from "preact/hooks";
import * as S from "./state";
import { visit } from "./address";

export const focusSearch = (): void => document.getElementById("q")?.focus();

export function Search() {
  const now = S.place.value.q ?? "";
  const [words, setWords] = useState(now);
  const composing = useRef(false);
  const timer = useRef(0);
  useEffect(() => { setWords(now); }, [now]);

  function look(value: string, wait: number): void {
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => { if (value.trim() !== (S.place.value.q ?? "")) void visit({ ...S.place.value, q: value.trim() }); }, wait);
  }

  return (
    <form class="search" role="search" onSubmit={(event) => { event.preventDefault(); look(words, 0); document.getElementById("rows")?.focus(); }}>
      <input id="q" type="search" name="q" placeholder="搜索正文、编号、地址（/）" aria-label="搜索正文、编号、地址" maxLength={200} autocomplete="off" value={words}
        onCompositionStart={() => { composing.current = true; }}
        onCompositionEnd={(event) => { composing.current = false; look(event.currentTarget.value, 250); }}
        onInput={(event) => { setWords(event.currentTarget.value); if (!composing.current) look(event.currentTarget.value, 250); }}
        onKeyDown={(event) => { if (event.key === "Escape" && !event.isComposing) { setWords(""); look("", 0); document.getElementById("rows")?.focus(); } }} />
    </form>
  );
}
