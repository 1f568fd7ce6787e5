// The dispatch queue: one store of rows, drawn from it; keys act on the selected row.
// Text from citizens only ever becomes textContent.

import { ask, el } from "./base.js";
import { forget, question } from "./question.js";

const root = document.getElementById("desk");
const names = JSON.parse(root.dataset.names);
const state = { view: "waiting", problem: "", rows: [], counts: {}, id: "", open: null, labels: null, fresh: null, skew: 0, turn: 0 };

const at = (id) => document.getElementById(id);

function toast(text, act, seconds = 5) {
  const box = at("toast");
  box.replaceChildren(text, act ? el("button", { class: "plain", onclick: () => { box.hidden = true; act.work(); } }, act.name, el("kbd", {}, "z")) : "");
  box.hidden = false;
  toast.act = act;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { box.hidden = true; toast.act = null; }, seconds * 1000);
}

function left(due) {
  const minutes = Math.round((Date.parse(due) - Date.now() - state.skew) / 60000);
  const size = Math.abs(minutes);
  const text = size < 60 ? `${size} 分钟` : size < 2880 ? `${Math.floor(size / 60)} 小时 ${size % 60} 分` : `${Math.floor(size / 1440)} 天`;
  const level = minutes < 0 ? "late" : minutes < 120 ? "red" : minutes < 480 ? "amber" : "green";
  return { level, text: minutes < 0 ? `超期 ${text}` : `剩 ${text}` };
}

const parts = { timeZone: names.zone, month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false };
const year = (at) => new Intl.DateTimeFormat("en", { timeZone: names.zone, year: "numeric" }).format(at);

function clockTime(iso) { // the year only where it is not this one
  const at = new Date(iso);
  const got = Object.fromEntries(new Intl.DateTimeFormat("en-GB", parts).formatToParts(at).map((p) => [p.type, p.value]));
  return `${year(at) === year(new Date()) ? "" : `${year(at)}年`}${Number(got.month)}月${Number(got.day)}日 ${got.hour}:${got.minute}`;
}
const channel = (id) => names.channels[id] || id;
const why = (rule) => names.rules[rule] || "没有规则适用，由默认单位负责";

function chips(row) {
  return row.problems.map((p) => el("span", { class: `chip p-${p}` }, names.labels[p] || p));
}

function drawRow(row) {
  const ended = ["closed", "declined", "referred", "merged"].includes(row.status);
  const clock = ended ? { level: "", text: names.statuses[row.status] } : row.due_at ? left(row.due_at) : null;
  return el("li", {
    role: "option", id: `row-${row.id}`, "aria-selected": String(row.id === state.id),
    class: row.id === state.id ? "row on" : "row", onclick: () => select(row.id).then(reveals, (error) => toast(error.message)),
  },
  el("p", { class: "words" },
    row.urgency !== "normal" ? el("span", { class: "chip danger" }, names.labels[row.urgency]) : null, row.summary),
  el("p", { class: "tags" }, ...chips(row), el("span", {}, names.areas[row.area] || "地点待定"), el("span", {}, channel(row.channel)),
    row.decision === "desk" ? el("span", { class: "unsure" }, `识别把握 ${Math.round(row.confidence * 100)}%`) : null,
    row.department ? el("span", {}, names.departments[row.department] || names.areas[row.department] || row.department) : null),
  clock ? el("span", { class: `clock ${clock.level}` }, clock.text) : null);
}

function drawViews() {
  at("views").replaceChildren(...Object.entries(names.views).map(([view, name]) => el("li", {},
    el("button", { class: view === state.view ? "view on" : "view", "aria-pressed": String(view === state.view), onclick: () => go(view, state.problem) },
      name, el("b", {}, String(state.counts[view] ?? ""))))));
  at("problems").replaceChildren(...names.problems.map((p) => el("li", {},
    el("button", { class: p === state.problem ? "view on" : "view", "aria-pressed": String(p === state.problem), onclick: () => go(state.view, p === state.problem ? "" : p) }, names.labels[p]))));
}

function drawRows() {
  at("rows").replaceChildren(...state.rows.map(drawRow));
  at("rows").setAttribute("aria-activedescendant", at(`row-${state.id}`) ? `row-${state.id}` : "");
  at("none").hidden = state.rows.length > 0;
  const known = new Set(state.rows.map((row) => row.id));
  const more = state.fresh ? state.fresh.filter((row) => !known.has(row.id)).length : 0;
  at("fresh").hidden = more === 0;
  at("fresh").textContent = `有 ${more} 件新诉求，点击载入（n）`;
}

function marked(text, reasons) {
  const spans = reasons.filter((r) => state.labels.problems.includes(r.label) || state.labels.campaigns.includes(r.label))
    .sort((a, b) => a.start - b.start);
  const points = Array.from(text);
  const out = [];
  let from = 0;
  for (const span of spans) {
    if (span.start < from) continue;
    out.push(points.slice(from, span.start).join(""), el("mark", { class: `p-${span.label}`, title: names.labels[span.label] }, points.slice(span.start, span.end).join("")));
    from = span.end;
  }
  out.push(points.slice(from).join(""));
  return out;
}

function where(one) {
  const said = one.address ? `地点：${one.address}　` : "";
  if (!one.area) return `${said}未能确定属地，请向市民询问具体位置`;
  return `${said}属地：${names.areas[one.area]}（把握 ${Math.round(one.placed * 100)}%）　责任点位：${one.point || "待定"}`;
}

function marks(one) {
  const levels = { unit: "包点位单位", department: "包路段小区部门", leader: "包区域领导" };
  const lines = [
    one.wanted_at ? `领导交办，要求 ${clockTime(one.wanted_at)} 前办结` : "",
    one.joint ? "联合执法：各单位分别办理，全部办结后核查" : "",
    one.joined_to ? `已并入案件 ${one.joined_to}` : "",
    one.joined.length ? `已并入 ${one.joined.length} 件：${one.joined.map((o) => o.case_no).join("、")}` : "",
    one.relapsed ? `反复出现：上次案件 ${one.relapsed}` : "",
    one.returns ? `已退单 ${one.returns} 次${one.final ? "，已作最终认定" : ""}` : "",
    one.reworks ? `返工 ${one.reworks} 次` : "",
    one.charges.map((c) => `${levels[c.level]}：${c.holder}`).join("　"),
    ...one.supervisions.filter((s) => s.state !== "skipped").map((s) => `${names.levels[s.level]}${s.number ? ` ${s.number}` : ""}，${clockTime(s.at)} 发至${names.departments[s.addressee] || names.areas[s.addressee] || s.addressee}${s.reply ? `　回复：${s.reply}` : ""}`),
  ];
  return lines.filter(Boolean).map((text) => el("p", { class: "meta" }, text));
}

function toggles(axis, keys) {
  if (!actable()) return state.labels[axis].length ? state.labels[axis].map((label) => el("span", { class: `chip p-${label}` }, names.labels[label] || label)) : ["无"];
  return names[axis].map((label, n) => el("button", {
    class: state.labels[axis].includes(label) ? `pick on p-${label}` : "pick",
    "aria-pressed": String(state.labels[axis].includes(label)), onclick: () => toggle(axis, label),
  }, names.labels[label], keys ? el("kbd", {}, String(n + 1)) : null));
}

const actable = () => names.may_dispatch && state.open && ["received", "filed"].includes(state.open.status);

function drawDetail() {
  const one = state.open;
  if (!one) { at("detail").replaceChildren(el("p", { class: "empty" }, "请在列表中选择一件诉求")); return; }
  const body = one.title ? `${one.title}\n${one.text}` : one.text;
  at("detail").replaceChildren(
    el("button", { class: "back", onclick: () => at("rows").scrollIntoView() }, "返回列表"),
    el("section", { class: "card" },
      el("p", { class: "meta" }, `${one.case_no} · ${channel(one.channel)} · ${names.areas[one.area] || "地点待定"} · ${names.statuses[one.status]}`),
      el("p", { class: "meta" }, `受理时间 ${clockTime(one.received_at)}${one.due_at ? `　办理期限 ${clockTime(one.due_at)}` : ""}${one.closed_at ? `　办结时间 ${clockTime(one.closed_at)}` : ""}`),
      el("p", { class: "text" }, ...marked(body, one.reasons)),
      el("p", { class: "meta" }, where(one)),
      ...marks(one),
      el("p", { class: "meta" }, `紧急程度 ${names.labels[one.urgency]}　诉求类型 ${names.labels[one.kind]}${one.media ? `　照片 ${one.media} 张` : ""}${one.gone_at ? "　原帖已删除" : ""}`),
      one.url ? el("p", { class: "meta" }, el("a", { href: one.url, target: "_blank", rel: "noopener noreferrer" }, "查看原帖")) : null,
      el("div", { id: "original" }),
      names.may_dispatch ? el("button", { class: "plain", onclick: reveal }, "查看原文与联系方式") : null),
    el("section", { class: "card" },
      el("h2", {}, `问题标签（六乱）　识别把握 ${Math.round(one.confidence * 100)}%`), el("div", { class: "picks" }, ...toggles("problems", true)),
      el("h2", {}, "十大提升行动"), el("div", { class: "picks" }, ...toggles("campaigns", false))),
    el("section", { class: "card" }, ...offices(one)),
    el("section", { class: "card", id: "similar", hidden: true }),
    el("section", { class: "card" }, el("h2", {}, "办理经过"),
      el("ol", { class: "history" }, ...one.history.map((e) => el("li", {}, [clockTime(e.at), e.what, e.who, e.why].filter(Boolean).join("　"))))),
    acts());
  drawSimilar();
}

function offices(one) { // to choose from while it waits, afterwards those that have it
  const office = (id) => names.departments[id] || names.areas[id] || id;
  if (!actable()) {
    return [el("h2", {}, "承办单位"), ...one.orders.map((o) => el("p", { class: "meta head" },
      `${o.lead ? "主办" : "协办"}　${office(o.department)}　${names.orders[o.status]}${["assigned", "signed"].includes(o.status) ? `　办理期限 ${clockTime(o.due_at)}` : ""}`,
      names.may_supervise && ["assigned", "signed"].includes(o.status) ? el("button", { onclick: () => supervise(o, office(o.department)) }, "发出督办文书") : null)), one.orders.length ? null : "无"].filter(Boolean);
  }
  return [el("h2", {}, `责任单位（推荐 ${office(one.suggested)}：${why(one.rule)}）`),
    el("div", { class: "picks" }, ...Object.entries(withTerritory(one)).map(([id, name]) => el("button", {
      class: id === state.department ? "pick on" : "pick", "aria-pressed": String(id === state.department),
      onclick: () => { state.department = id; drawDetail(); },
    }, name, id === one.suggested ? "（推荐）" : "")))];
}

async function supervise(order, office) {
  const levels = Object.fromEntries(names.documents.map((level) => [level, names.levels[level]]));
  const said = await question(`supervise:${order.id}`, `向${office}发出督办文书`, { options: levels, least: 0, send: "发出", picked: "文书种类" });
  if (!said) return;
  try {
    const { number } = await ask(`/desk/api/orders/${order.id}/supervise`, { level: said.reason });
    toast(`已发出 ${number}`);
    await select(state.id);
  } catch (error) { toast(error.message); }
}

function withTerritory(one) {
  const all = { ...names.departments };
  delete all.out_of_scope;
  for (const id of [one.area, one.suggested]) if (names.areas[id]) all[id] = names.areas[id];
  return all;
}

function acts() {
  if (actable()) {
    const office = names.departments[state.department] || names.areas[state.department] || "（请选择责任单位）";
    return el("div", { class: "acts" },
      el("button", { class: "main", onclick: dispatch, disabled: !withTerritory(state.open)[state.department] }, `派遣至 ${office}`, el("kbd", {}, "e")),
      el("button", { onclick: () => give("decline", "不予立案的理由") }, "不予立案", el("kbd", {}, "#")),
      el("button", { onclick: () => give("refer", "转 12345 热线的说明") }, "转 12345 热线"));
  }
  const offered = names.may_dispatch ? MORE[state.open.status] || [] : [];
  return el("div", { class: "acts" }, ...offered.map(([command, name, question, main]) => el("button", { class: main ? "main" : "", onclick: () => give(command, question) }, name)));
}

const MORE = { // status → command, its name, what is asked first
  handled: [["close", "核查通过并结案", "", true], ["rework", "核查不通过，退回返工", "核查不通过：仍存在的问题"]],
  dispatched: [["recall", "收回改派", "收回改派的理由"]],
  handling: [["suspend", "挂账", "挂账：暂不能解决的原因"], ["recall", "收回改派", "收回改派的理由"]],
  suspended: [["resume", "恢复处置", "", true]],
  closed: [["reopen", "重新办理", "重新办理"]],
  declined: [["reopen", "重新办理", "重新办理"]],
  referred: [["reopen", "重新办理", "重新办理"]],
  merged: [["unmerge", "取消并案", "取消并案的理由"]],
};

async function give(command, title, more = {}) {
  const one = state.open;
  const key = `${command}:${one.id}`;
  const options = command === "reopen" ? names.reopens : {};
  const said = title ? await question(key, title, { options }) : { note: command === "close" ? "核查通过" : "" };
  if (!said) return;
  const body = { version: one.version, ...said, ...more };
  if (!body.reason) delete body.reason;
  act(async () => {
    const done = await ask(`/desk/api/cases/${one.id}/${command}`, body);
    forget(key);
    return done;
  }, UNDOABLE.has(command), SAID[command]);
}

const UNDOABLE = new Set(["close", "decline", "refer"]);
const SAID = { close: "已结案", decline: "已不予立案", refer: "已转 12345 热线" };

function toggle(axis, label) {
  const had = state.labels[axis];
  state.labels[axis] = had.includes(label) ? had.filter((one) => one !== label) : [...had, label];
  drawDetail();
}

async function load(keep) {
  const told = await ask(`/desk/api/queue?view=${state.view}&problem=${state.problem}`);
  state.skew = Date.parse(told.now) - Date.now();
  state.counts = told.counts;
  if (keep) {
    const now = new Map(told.rows.map((row) => [row.id, row]));
    state.rows = state.rows.filter((row) => now.has(row.id)).map((row) => now.get(row.id));
    state.fresh = told.rows;
    if (state.rows.length === 0) state.rows = told.rows;
  } else {
    state.rows = told.rows;
    state.fresh = null;
  }
  drawViews();
  drawRows();
}

async function go(view, problem) {
  Object.assign(state, { view, problem, id: "", open: null });
  await load(false);
  if (state.rows[0]) await select(state.rows[0].id);
  else drawDetail();
}

async function select(id) {
  const turn = ++state.turn; // a late answer to an earlier look must not undo what was chosen since
  state.id = id;
  drawRows();
  at(`row-${id}`)?.scrollIntoView({ block: "nearest" });
  const one = await ask(`/desk/api/cases/${id}`);
  if (state.turn === turn) show(one);
}

function show(one) {
  state.open = one;
  state.labels = { kind: one.kind, urgency: one.urgency, problems: [...one.problems], campaigns: [...one.campaigns] };
  state.department = one.suggested;
  state.similar = null;
  drawDetail();
  at("detail").scrollTop = 0;
  similar(one.id).catch(() => {});
}

async function similar(id) {
  const told = await ask(`/desk/api/cases/${id}/similar`);
  if (state.open?.id === id) { state.similar = told.similar; drawSimilar(); }
}

function drawSimilar() {
  const box = at("similar");
  if (!box || !state.similar?.length) return;
  box.hidden = false;
  box.replaceChildren(el("h2", {}, `疑似同一诉求 ${state.similar.length} 件`), el("ul", { class: "similar" }, ...state.similar.map((one) => el("li", {},
    el("p", { class: "words" }, one.summary),
    el("p", { class: "tags" }, el("b", {}, one.relapse ? "反复出现" : `可能性 ${Math.round(one.score * 100)}%`), el("span", {}, one.case_no), el("span", {}, names.statuses[one.status]),
      ...one.reasons.map((r) => el("span", { class: r.against ? "unsure" : "" }, r.text))),
    sameness(one)))));
}

function sameness(one) {
  if (!names.may_dispatch) return null;
  if (one.relapse && one.status === "closed") return el("button", { onclick: () => give("relapse", "", { other: Number(one.id), note: "反复出现" }) }, "认定为反复出现");
  if (!["received", "filed", "dispatched"].includes(state.open.status) || ["closed", "declined", "referred", "merged"].includes(one.status)) return null;
  return el("button", { onclick: () => give("merge", "", { other: Number(one.id), note: "同一事项" }) }, "并入此案");
}

const reveals = () => { if (matchMedia("(max-width: 900px)").matches) at("detail").scrollIntoView(); };

function move(step) {
  const here = state.rows.findIndex((row) => row.id === state.id);
  const row = state.rows[Math.min(state.rows.length - 1, Math.max(0, here + step))];
  if (row) select(row.id);
}

async function act(work, undoable, said = "已处理") {
  const here = state.rows.findIndex((row) => row.id === state.id);
  const gone = state.rows[here];
  const { id, case_no: number } = state.open;
  try {
    const { version } = await work();
    if (undoable && names.undo_s) toast(`${number} ${said}`, { name: "撤销", work: () => undo(id, version) }, names.undo_s);
    state.rows = state.rows.filter((row) => row !== gone);
    state.open = null;
    const next = state.rows[Math.min(here, state.rows.length - 1)];
    if (next) await select(next.id);
    else { state.id = ""; drawDetail(); }
  } catch (error) {
    toast(error.message);
    if (state.id) await select(state.id).catch(() => {});
  }
  await load(true);
}

async function undo(id, version) {
  try {
    await ask(`/desk/api/cases/${id}/undo`, { version });
    await load(false);
    await select(id);
  } catch (error) { toast(error.message); }
}

function dispatch() {
  const { open, labels, department } = state;
  const kind = ["complaint", "request", "inquiry"].includes(labels.kind) ? labels.kind : "request";
  act(() => ask(`/desk/api/cases/${open.id}/dispatch`, { version: open.version, department, labels: { ...labels, kind } }), true, `已派遣至${withTerritory(open)[department]}`);
}

async function pictures(id) {
  const { media } = await ask(`/desk/api/cases/${id}/media`);
  return el("div", { class: "thumbs" }, ...media.map((one, n) => {
    const src = `/desk/api/cases/${id}/media/${n}`;
    return one.content_type.startsWith("image/") ? el("a", { href: src, target: "_blank", rel: "noopener" }, el("img", { src, alt: `照片 ${n + 1}` })) : el("a", { href: src }, `附件 ${n + 1}`);
  }));
}

async function reveal() {
  const { id } = state.open;
  const said = await question(`reveal:${id}`, "查看原文与联系方式的理由（将记录备查）", { least: 4, send: "查看" });
  if (!said) return;
  try {
    const told = await ask(`/desk/api/cases/${id}/reveal`, { note: said.note });
    forget(`reveal:${id}`);
    if (state.open?.id !== id) return;
    at("original").replaceChildren(el("p", { class: "text sealed" }, `${told.title ? `${told.title}\n` : ""}${told.text}`),
      el("p", { class: "meta" }, `联系人 ${told.name || "—"}　电话 ${told.phone || "—"}　邮箱 ${told.email || "—"}`), await pictures(id));
  } catch (error) { toast(error.message); }
}

const KEYS = {
  j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1),
  e: () => actable() && withTerritory(state.open)[state.department] && dispatch(),
  "#": () => actable() && give("decline", "不予立案的理由"),
  n: () => !at("fresh").hidden && load(false),
  z: () => { if (toast.act) { at("toast").hidden = true; toast.act.work(); toast.act = null; } },
};
names.problems.forEach((p, n) => { KEYS[String(n + 1)] = () => actable() && toggle("problems", p); });

document.addEventListener("keydown", (event) => {
  const typing = event.isComposing || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  const work = document.querySelector("dialog[open]") ? null : KEYS[event.key];
  if (typing || !work || (event.repeat && !/^(j|k|Arrow)/.test(event.key))) return;
  event.preventDefault();
  work();
});
at("fresh").addEventListener("click", () => load(false));
setInterval(drawRows, 30000);

function listen() {
  const live = (on, text) => { at("live").textContent = text; at("live").className = on ? "live" : "live off"; };
  const source = new EventSource("/desk/events");
  source.addEventListener("hello", () => { live(true, "已连接"); load(true).catch((error) => toast(error.message)); });
  source.addEventListener("changed", () => load(true).catch((error) => toast(error.message)));
  source.onerror = () => live(false, "连接中断，正在重连");
}

async function begin() { // ?case=… opens that case in the view that holds it
  const wanted = new URLSearchParams(location.search).get("case") || "";
  const one = /^\d{1,18}$/.test(wanted) ? await ask(`/desk/api/cases/${wanted}`).catch((error) => toast(error.message)) : null;
  if (!one) return go("waiting", "");
  [state.view] = Object.entries(names.holds).find(([view, held]) => view !== "unsure" && held.includes(one.status));
  state.id = wanted;
  await load(false);
  at(`row-${wanted}`)?.scrollIntoView({ block: "nearest" });
  show(one);
}

begin().then(listen, (error) => toast(error.message));
