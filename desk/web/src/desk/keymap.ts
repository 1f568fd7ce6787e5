// Every key of the desk, as the table that `?` shows.
import { onNext, type Key } from "../keys";
import { say, takeToast } from "../ui";
import { canUndo, dispatch, plain, toggle, undo, withWords } from "./acts";
import { bulkDispatch, bulkLabel, bulkMerge, bulkSnooze, bulkTo, bulkWords } from "./bulk";
import { offer } from "./detail";
import { takeFresh } from "./loading";
import { grow, move } from "./list";
import * as More from "./more";
import { focusSearch } from "./search";
import { split } from "./split";
import * as S from "./state";
import { help } from "./help";
import type { Detail } from "./types";

const many = (): boolean => S.chosen.value.size > 0 && S.names.may_dispatch;

/** The case under the cursor once it waits for a decision here. */
function waiting(work: (one: Detail) => void): () => void {
  return () => { const one = S.detail.value; if (one && S.actable(one)) work(one); };
}

function onOne(work: (one: Detail) => void): () => void {
  return () => { const one = S.detail.value; if (one && S.names.may_dispatch) work(one); };
}

/** Key e: dispatch what waits, close what was handled, resume what stands. */
function accept(stay: boolean): void {
  const one = S.detail.value;
  if (!one || !S.names.may_dispatch) return;
  if (S.waits(one)) dispatch(one, S.target(one), !stay);
  else if (one.status === "handled") offer(one, "close");
  else if (one.status === "suspended") offer(one, "resume");
}

function campaign(): void {
  say("按 1–9、0 选择十大提升行动", { seconds: 3 });
  onNext((key) => {
    const one = S.detail.value;
    const label = /^\d$/.test(key) ? S.names.campaigns[(Number(key) + 9) % 10] : undefined;
    if (label && one && S.actable(one)) toggle(one, "campaigns", label);
    return label !== undefined;
  });
}

export const KEYS: Key[] = [
  { key: "j", name: "下一件", group: "移动", repeats: true, work: () => move(1) },
  { key: "k", name: "上一件", group: "移动", repeats: true, work: () => move(-1) },
  { key: "ArrowDown", shown: "↓", name: "下一件", group: "移动", repeats: true, work: () => move(1) },
  { key: "ArrowUp", shown: "↑", name: "上一件", group: "移动", repeats: true, work: () => move(-1) },
  { key: "n", name: "载入新诉求", group: "移动", work: takeFresh, when: () => S.fresh.value.length > 0 },
  { key: "/", name: "搜索", group: "移动", work: focusSearch },
  { key: "e", name: "按所示单位派遣；待核查的结案", group: "办理", work: () => (many() ? bulkDispatch() : accept(false)) },
  { key: "E", name: "派遣并停留在本件", group: "办理", work: () => accept(true) },
  { key: "r", name: "派遣至次选单位", group: "办理", work: waiting(More.runnerUp) },
  { key: "d", name: "选择责任单位（拼音首字母）", group: "办理", work: () => (many() ? void bulkTo() : waiting((one) => void More.choose(one))()) },
  ...S.names.problems.map((label, n): Key => ({ key: String(n + 1), name: S.names.labels[label] ?? label, group: "标签", work: () => (many() ? void bulkLabel(label) : waiting((one) => toggle(one, "problems", label))()) })),
  { key: "g", shown: "g 1–0", name: "十大提升行动标签", group: "标签", work: campaign },
  { key: "m", name: "并入第一件相似诉求", group: "办理", work: () => (many() ? void bulkMerge() : onOne((one) => void More.mergeFirst(one))()) },
  { key: "h", name: "暂缓；再按取消", group: "办理", work: () => (many() ? void bulkSnooze() : waiting((one) => (one.snoozed_until ? plain(one, "wake", "已恢复到待派遣") : void More.snooze(one)))()) },
  { key: "s", name: "拆分为多件", group: "办理", work: waiting(split) },
  { key: "a", name: "询问市民", group: "办理", work: waiting((one) => void withWords(one, "ask")) },
  { key: "#", name: "不予立案", group: "办理", work: () => (many() ? void bulkWords("decline") : waiting((one) => void withWords(one, "decline"))()) },
  { key: "t", name: "转 12345 热线", group: "办理", work: () => (many() ? void bulkWords("refer") : waiting((one) => void withWords(one, "refer"))()) },
  { key: "i", name: "内部备注", group: "办理", work: () => (many() ? void bulkWords("note") : onOne((one) => void withWords(one, "note"))()) },
  { key: "c", name: "认领；再按放弃", group: "办理", work: onOne((one) => void More.claim(one)) },
  { key: "z", name: "撤销刚才的办理", group: "办理", when: canUndo, work: () => { takeToast(); void undo(); } },
  { key: "x", name: "选中或取消选中", group: "选择", work: () => { const id = S.cursor.value; if (id) S.choose([id], !S.chosen.value.has(id)); } },
  { key: "J", name: "向下扩展选择", group: "选择", repeats: true, work: () => grow(1) },
  { key: "K", name: "向上扩展选择", group: "选择", repeats: true, work: () => grow(-1) },
  { key: "Escape", shown: "Esc", name: "取消选择", group: "选择", when: () => S.chosen.value.size > 0, work: () => { S.chosen.value = new Set(); } },
  { key: "?", name: "键盘说明", group: "其他", work: () => { help.value = true; } },
];
