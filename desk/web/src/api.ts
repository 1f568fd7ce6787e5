// Questions to the hub. A lost connection or an ended login is a state of the page, never the loss of what was typed.
import { signal } from "@preact/signals";
import { renewToken, token } from "./boot";

export class Refused extends Error {
  constructor(readonly status: number, readonly reason: string, readonly said: string) { super(FAULTS[reason] ?? FAULTS[String(status)] ?? `操作未完成，请稍后重试（${status}）`); }
}

/** The hub could not be reached: nothing is known of what became of the question. */
export class Unreachable extends Error {
  constructor() { super("连接中断，未能提交；填写的内容已保留"); }
}

const FAULTS: Record<string, string> = { // reason or status of a refusal → what the person reads
  403: "您没有此项操作权限", 404: "没有找到这件诉求", 409: "案件刚被他人处理，已刷新", 413: "文件过大", 429: "操作过于频繁，请稍后再试", 503: "系统繁忙，请稍后再试",
  late: "已超过允许的时间", final: "已作最终认定", note: "请填写内容", department: "承办单位不在部门名录中", into: "不能并入该案件", of: "不能认定为反复出现",
  deadline: "期限无效", limit: "申请的时间无效、过长或次数已用完", reason: "请选择原因", label: "标签不在目录中", asked: "申请已提交，请等待答复", proposed: "请在部门名录中选择其他单位", order: "本单位没有这件工单，或已被收回",
  photo_size: "照片超过 10 MB，请重新拍摄或压缩", photo_pixels: "照片像素过大，请重新拍摄", photo_format: "只能上传 JPEG、PNG、WebP 或 GIF 照片", photo_count: "每件工单最多 6 张照片，请先删除", erased: "该诉求内容已删除", signed: "承办单位已签收，不能并案",
  outside: "按此标签不属本系统，请转 12345（t）或选择单位（d）", channel: "该渠道不能回复市民", until: "时间无效", view: "没有这个视图", words: "请填写内容",
};

/** True while somebody must log in again; `again` continues what waited. */
export const loggedOut = signal(false);
let waiting: (() => void)[] = [];

export function loggedInAgain(fresh: string): void {
  renewToken(fresh);
  loggedOut.value = false;
  const ready = waiting;
  waiting = [];
  for (const go of ready) go();
}

const login = (): Promise<void> => new Promise((go) => { waiting.push(go); loggedOut.value = true; });

async function once(path: string, body: unknown, method: string): Promise<Response> {
  const form = body instanceof FormData;
  const headers: Record<string, string> = {};
  if (method !== "GET") headers["X-Token"] = token();
  if (body !== undefined && !form) headers["Content-Type"] = "application/json";
  try {
    return await fetch(path, { method, headers, body: body === undefined ? null : form ? body : JSON.stringify(body) });
  } catch {
    throw new Unreachable();
  }
}

/** Ask; after an ended login, again once the person has logged in. Throws Refused or Unreachable. */
export async function ask<T>(path: string, body?: unknown, method = body === undefined ? "GET" : "POST"): Promise<T> {
  let answer = await once(path, body, method);
  while (answer.status === 401) {
    await login();
    answer = await once(path, body, method);
  }
  const told = await answer.json().catch(() => ({})) as { reason?: string; error?: string };
  if (!answer.ok) throw new Refused(answer.status, told.reason ?? "", told.error ?? "");
  return told as T;
}
