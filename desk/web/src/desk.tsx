// The dispatch desk.
import { effect } from "@preact/signals";
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { ask } from "./api";
import { mountPoint } from "./boot";
import { SKEWED_MS, skew } from "./clock";
import "./desk.css";
import { loadCanned, reconnected, unsent } from "./desk/acts";
import { read, visit } from "./desk/address";
import { Failures } from "./desk/bulk";
import { Detail } from "./desk/detail";
import { Help, help } from "./desk/help";
import { KEYS } from "./desk/keymap";
import { List } from "./desk/list";
import { heard, signOff, people, resync, savedViews, setIdle } from "./desk/loading";
import { Picker } from "./desk/picker";
import { Side } from "./desk/side";
import { Splitting } from "./desk/split";
import * as S from "./desk/state";
import type { Detail as Case } from "./desk/types";
import { keysOn, setKeys } from "./keys";
import { link, listen } from "./live";
import { Again, Asking, Icon, sayFault, Toast } from "./ui";

const SAYS = { live: "实时", down: "连接中断，正在重连", connecting: "连接中" };
const HEARTBEAT_MS = 30_000;
const IDLE_MS = 120_000;
const LOOKED_MS = 400;

/** Whether the page is in touch with the hub, who else is, and what could not be sent yet. */
function Top() {
  const others = S.people.value.filter((one) => one.user !== S.names.user);
  const late = Math.abs(skew.value) > SKEWED_MS;
  return (
    <div class="status" role="status">
      <span id="live" class={link.value === "live" ? "live" : "live off"}>{SAYS[link.value]}</span>
      {unsent.value.length > 0 && <span class="chip danger">{unsent.value.length} 件未送出，恢复连接后自动提交</span>}
      {late && <span class="chip danger">本机时间与系统相差 {Math.round(Math.abs(skew.value) / 60000)} 分钟，时限按系统时间显示</span>}
      <span class="people" title={others.map((one) => one.name).join("、")}><Icon name="many" /> 在线 {others.length + 1} 人{others.slice(0, 4).map((one) => <span key={one.user} class={one.idle ? "person idle" : "person"}>{one.name}</span>)}</span>
      <button class="plain small" onClick={() => { help.value = true; }}>键盘说明<kbd aria-hidden="true">?</kbd></button>
    </div>
  );
}

function Desk() {
  useEffect(() => { void begin().catch(sayFault); }, []);
  return (
    <>
      <Top />
      <Failures />
      <div class="desk"><Side /><List /><Detail /></div>
      <Toast /><Asking /><Picker /><Splitting /><Help /><Again name={S.names.user} />
    </>
  );
}

/** ?case=… opens that case in the view that holds it; otherwise the address says where. */
async function begin(): Promise<void> {
  setKeys(KEYS);
  keysOn.value = S.names.keys;
  const wanted = new URLSearchParams(location.search).get("case") ?? "";
  const one = /^\d{1,18}$/.test(wanted) ? await ask<Case>(`/desk/api/cases/${wanted}`).catch(sayFault) : undefined;
  if (one) {
    const view = Object.entries(S.names.holds).find(([, held]) => held.includes(one.status))?.[0] ?? "waiting";
    S.keepDetails([one]);
    await visit({ view }, wanted);
  } else await visit(read(location.search));
  listen("/desk/events", "/desk/api/views", () => { void resync().then(reconnected, sayFault); }, (ids) => { void heard(ids).catch(sayFault); });
  void savedViews().catch(sayFault);
  void loadCanned().catch(sayFault);
  attend();
}

/** Say where this person is: when they turn to a case, and from time to time. */
function attend(): void {
  let timer = 0;
  effect(() => { void S.cursor.value; clearTimeout(timer); timer = window.setTimeout(() => void people(), LOOKED_MS); });
  setInterval(() => void people(), HEARTBEAT_MS);
  let rest = 0;
  const awake = (): void => { setIdle(false); clearTimeout(rest); rest = window.setTimeout(() => setIdle(true), IDLE_MS); };
  for (const event of ["keydown", "pointerdown", "pointermove"]) addEventListener(event, awake, { passive: true });
  document.addEventListener("visibilitychange", () => void people());
  addEventListener("beforeunload", (event) => { if (unsent.value.length) event.preventDefault(); });
  addEventListener("pagehide", () => signOff());
}

render(<Desk />, mountPoint);
