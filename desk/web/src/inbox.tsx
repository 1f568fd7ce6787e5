// The departments' inbox.
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { mountPoint } from "./boot";
import { SKEWED_MS, skew } from "./clock";
import "./desk.css";
import { Help, help } from "./desk/help";
import { Picker } from "./desk/picker";
import "./inbox.css";
import { Detail } from "./inbox/detail";
import { KEYS } from "./inbox/keymap";
import { Letters } from "./inbox/letters";
import { List, Views } from "./inbox/list";
import { refresh, visit } from "./inbox/loading";
import * as S from "./inbox/state";
import { keysOn, setKeys } from "./keys";
import { link, listen } from "./live";
import { Again, Asking, sayFault, Toast } from "./ui";

const SAYS = { live: "实时", down: "连接中断，正在重连", connecting: "连接中" };

const Top = () => (
  <div class="status" role="status">
    <span id="live" class={link.value === "live" ? "live" : "live off"}>{SAYS[link.value]}</span>
    <b>{S.names.office}</b>
    {Math.abs(skew.value) > SKEWED_MS && <span class="chip danger">本机时间与系统相差 {Math.round(Math.abs(skew.value) / 60000)} 分钟，时限按系统时间显示</span>}
    <span class="grow" />
    <button class="plain small" onClick={() => { help.value = true; }}>键盘说明<kbd aria-hidden="true">?</kbd></button>
  </div>
);

function Inbox() {
  useEffect(() => { void begin().catch(sayFault); }, []);
  const letters = S.view.value === "documents" && !S.q.value;
  return (
    <>
      <Top />
      <div class={letters ? "desk inbox only" : "desk inbox"}><Views />{letters ? <Letters /> : <><List /><Detail /></>}</div>
      <Toast /><Asking /><Picker /><Help /><Again name={S.names.user} />
    </>
  );
}

/** ?order=… opens that order; otherwise what waits for a signature, or what is in hand. */
async function begin(): Promise<void> {
  setKeys(KEYS);
  keysOn.value = S.names.keys ?? true;
  const wanted = new URLSearchParams(location.search).get("order") ?? "";
  await visit("sign", "", /^\d{1,18}$/.test(wanted) ? wanted : "");
  if (!wanted && S.rows.value.length === 0) {
    const next = S.counts.value.doing ? "doing" : S.waiting.value ? "documents" : "";
    if (next) await visit(next);
  }
  const again = (): void => { void refresh().catch(sayFault); };
  listen("/inbox/events", "/inbox/api/orders?view=sign", again, again);
}

render(<Inbox />, mountPoint);
