// What each key does, and the switch that turns single keys off.
import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { ask } from "../api";
import { keyMap, keysOn } from "../keys";
import { sayFault } from "../ui";

export const help = signal(false);
export const Help = () => (help.value ? <Box /> : null);

function Box() {
  const box = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => { box.current?.showModal(); }, []);
  const close = (): void => { help.value = false; };
  const groups = [...new Set(keyMap().map((one) => one.group))];
  const set = (on: boolean): void => {
    keysOn.value = on;
    const form = new FormData();
    if (on) form.set("keys", "on");
    ask("/account/keys", form).catch(sayFault);
  };
  return (
    <dialog ref={box} class="ask wide" aria-labelledby="help-title" onClose={close}>
      <h2 id="help-title" tabIndex={-1} autofocus>键盘说明</h2>
      <div class="keymap">{groups.map((group) => (
        <section key={group}><h3>{group}</h3><dl>{keyMap().filter((one) => one.group === group).map((one) => <div key={one.key}><dt><kbd>{one.shown ?? one.key}</kbd></dt><dd>{one.name}</dd></div>)}</dl></section>))}</div>
      <label class="tiny"><input type="checkbox" checked={keysOn.value} onChange={(e) => set(e.currentTarget.checked)} />使用单键操作（输入文字和使用输入法时自动停用）</label>
      <div class="acts"><button class="main" onClick={close}>关闭</button></div>
    </dialog>
  );
}
