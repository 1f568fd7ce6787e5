// What an office does with an order: shown at once, taken back with a word when the hub refuses.
import { ask } from "../api";
import { choosing } from "../desk/picker";
import { clockTime, hubNow } from "../clock";
import { forget } from "../drafts";
import { question, say, sayFault } from "../ui";
import { go, open, refresh } from "./loading";
import * as S from "./state";
import type { Detail, Letter, Original, Photo, Row, Stage, Verb } from "./types";

type Said = Partial<Record<"note" | "reason" | "proposed", string>> & { amount?: number };
/** An act needs the row alone: it must not wait for the rest. */
type One = Pick<Row, "id" | "version" | "case_no" | "due_at" | "may">;

/** What leaves the view at once; what was only asked for stays. */
const LEAVES: readonly Verb[] = ["sign", "handle", "return", "forward"];

async function send(one: One, verb: Verb, words: string, body: Said = {}): Promise<void> {
  const { id } = one;
  const draft = `${verb}:${id}`;
  if (LEAVES.includes(verb)) {
    const next = S.shown.value[S.position.value + 1] ?? S.shown.value[S.position.value - 1];
    S.mark(id, true);
    if (S.cursor.value === id) { if (next) go(next.id); else { S.cursor.value = ""; S.detail.value = null; } }
  }
  try {
    await ask(`/inbox/api/orders/${id}/${verb}`, { version: one.version, ...body });
    forget(draft);
    say(words);
  } catch (error) {
    sayFault(error);
    S.mark(id, false);
    go(id);
  }
  try { await refresh(id); } catch (error) { sayFault(error); }
  S.mark(id, false); // also where a newer question has overtaken this one
  const first = S.shown.value[0];
  if (!S.cursor.value && first) go(first.id);
}

export const current = (): Row | undefined => S.shown.value[S.position.value];
export const may = (verb: Verb): boolean => !!current()?.may.includes(verb === "forward" ? "return" : verb);

export const sign = (one: One): Promise<void> => send(one, "sign", `已签收 ${one.case_no}`);

export async function giveBack(one: One): Promise<void> {
  const got = await question({ key: `return:${one.id}`, title: "退单", options: S.names.reasons, picked: "退单原因", words: "退单说明", send: "退单" });
  if (got) await send(one, "return", "已退单，由派遣员重新派遣", { note: got.note, reason: got.reason });
}

/** 转办: name the office that should have it; the desk decides. */
export async function forward(one: One): Promise<void> {
  const { [S.names.scope]: _own, ...others } = S.names.offices;
  const proposed = await choosing("建议转办单位", others);
  if (!proposed) return;
  const got = await question({
    key: `forward:${one.id}`, title: `建议转办至${S.office(proposed)}`, options: S.names.reasons, picked: "转办原因", words: "转办说明", send: "提交派遣员", hint: "按退单计，由派遣员确认后转派。",
  });
  if (got) await send(one, "forward", `已建议转 ${S.office(proposed)}`, { note: got.note, reason: got.reason, proposed });
}

export async function extend(one: One): Promise<void> {
  const most = S.names.longest.unit === "work_days" ? `，最多 ${S.names.longest.amount} 个工作日` : "";
  const got = await question({
    key: `extend:${one.id}`, title: `申请延期${most}`, words: "延期理由", send: "申请延期", extra: { type: "number", name: "延期工作日数", value: "1" }, hint: `现办理期限 ${clockTime(one.due_at)}`,
  });
  if (got) await send(one, "extend", "已申请延期，等待派遣员答复", { note: got.note, amount: Number(got.extra) || 0 });
}

export async function suspend(one: One): Promise<void> {
  const got = await question({ key: `suspend:${one.id}`, title: "申请挂账", words: "暂不能解决的原因", send: "申请挂账" });
  if (got) await send(one, "suspend", "已申请挂账，等待派遣员答复", { note: got.note });
}

export async function handle(one: One): Promise<void> {
  const photos = S.detail.value?.id === one.id ? S.detail.value.photos : [];
  const count = (stage: Stage): number => photos.filter((photo) => photo.stage === stage).length;
  const got = await question({ key: `handle:${one.id}`, title: "处置完毕", words: "处置结果", send: "处置完毕", hint: `已附处置前照片 ${count("before")} 张、处置后照片 ${count("after")} 张` });
  if (got) await send(one, "handle", `已办结 ${one.case_no}，等待核查`, { note: got.note });
}

/** Contact and original words, for a reason that is kept on record. */
export async function reveal(one: Detail): Promise<void> {
  const key = `reveal:${one.id}`;
  const got = await question({ key, title: "查看原文与联系方式", words: "查看事由", least: 4, send: "查看", hint: "查看人、时间和事由将记录在案，内容显示一分钟。" });
  if (!got) return;
  try {
    const said = await ask<Original>(`/inbox/api/orders/${one.id}/reveal`, { note: got.note });
    forget(key);
    if (S.cursor.value === one.id) S.revealed.value = { id: one.id, said, at: new Date(hubNow()).toISOString() };
  } catch (error) { sayFault(error); }
}

/** One after the other: the hub decodes few at a time. */
export async function addPhotos(one: Detail, stage: Stage, files: readonly File[]): Promise<void> {
  for (const file of files) {
    const form = new FormData();
    form.append("stage", stage);
    form.append("photo", file);
    try {
      const { photos } = await ask<{ photos: Photo[] }>(`/inbox/api/orders/${one.id}/photos`, form);
      if (S.detail.value?.id === one.id) S.detail.value = { ...S.detail.value, photos };
    } catch (error) { sayFault(error); return; }
  }
}

export async function dropPhoto(one: Detail, n: number): Promise<void> {
  try { await ask(`/inbox/api/orders/${one.id}/photos/${n}`, undefined, "DELETE"); } catch (error) { sayFault(error); }
  await open(one.id);
}

export async function reply(letter: Letter, note: string): Promise<boolean> {
  try {
    await ask(`/inbox/api/documents/${letter.id}/reply`, { note });
    say("已回复");
    await refresh();
    return true;
  } catch (error) { sayFault(error); return false; }
}
