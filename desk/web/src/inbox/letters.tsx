// Documents of supervision that wait for this office's answer.
import { useState } from "preact/hooks";
import { clockTime } from "../clock";
import { draft, forget, keep } from "../drafts";
import { reply } from "./acts";
import * as S from "./state";
import type { Letter } from "./types";

function Paper({ one }: { one: Letter }) {
  const key = `reply:${one.id}`;
  const [words, setWords] = useState(draft(key));
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (await reply(one, words)) forget(key);
  }
  return (
    <section class="card">
      <p class="meta head"><span>案件 {one.case_no}</span>{one.reply_by && <time class="due" dateTime={one.reply_by}>请于 {clockTime(one.reply_by)} 前回复</time>}</p>
      <article class="paper"><h3>{one.title}</h3>{one.lines.map(([text, style], n) => <p key={n} class={style}>{text}</p>)}</article>
      <form class="stack" onSubmit={(event) => void submit(event)}>
        <label>回复<textarea name="note" required maxLength={2000} rows={3} value={words} onInput={(event) => { setWords(event.currentTarget.value); keep(key, event.currentTarget.value); }} /></label>
        <button class="main">提交回复</button>
      </form>
    </section>
  );
}

export const Letters = () => (
  <main class="detail letters" id="detail" tabIndex={0} aria-label="待回复文书">
    <h1>待回复督办文书 {S.letters.value.length} 件</h1>
    {S.letters.value.length === 0 && <p class="empty">没有待回复的文书。</p>}
    {S.letters.value.map((one) => <Paper key={one.id} one={one} />)}
  </main>
);
