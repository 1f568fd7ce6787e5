// What each key does in the inbox.
import { help } from "../desk/help";
import type { Key } from "../keys";
import { sayFault } from "../ui";
import * as A from "./acts";
import { VIEWS } from "./list";
import { move, takeFresh, visit } from "./loading";
import * as S from "./state";
import type { Row, Verb } from "./types";

const act = (key: string, name: string, verb: Verb, work: (one: Row) => Promise<void>): Key => ({
  key, name, group: "办理", work: () => { const one = A.current(); if (one) void work(one); }, when: () => A.may(verb),
});

export const KEYS: Key[] = [
  { key: "j", name: "下一件", group: "浏览", work: () => move(1), repeats: true },
  { key: "k", name: "上一件", group: "浏览", work: () => move(-1), repeats: true },
  { key: "ArrowDown", shown: "↓", name: "下一件", group: "浏览", work: () => move(1), repeats: true },
  { key: "ArrowUp", shown: "↑", name: "上一件", group: "浏览", work: () => move(-1), repeats: true },
  { key: "/", name: "搜索", group: "浏览", work: () => document.getElementById("q")?.focus() },
  { key: "n", name: "载入新工单", group: "浏览", work: takeFresh },
  { key: "?", name: "键盘说明", group: "浏览", work: () => { help.value = true; } },
  ...VIEWS.map((view, n): Key => ({ key: String(n + 1), name: S.names.views[view] ?? "待回复文书", group: "视图", work: () => void visit(view).catch(sayFault) })),
  act("s", "签收", "sign", A.sign),
  act("e", "处置完毕", "handle", A.handle),
  act("r", "退单", "return", A.giveBack),
  act("f", "转办", "forward", A.forward),
  act("x", "申请延期", "extend", A.extend),
  act("h", "申请挂账", "suspend", A.suspend),
  { key: "v", name: "查看原文与联系方式", group: "办理", work: () => { const one = S.detail.value; if (one) void A.reveal(one); }, when: () => !!S.detail.value?.reveals },
];
