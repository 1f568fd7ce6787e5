// What the pages' scripts are built from: elements, and questions to the hub.

const token = document.querySelector("[data-token]").dataset.token;

export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "class") node.className = value;
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const FAULTS = { // reason or status of a refusal → what the person reads
  403: "您没有此项操作权限，或页面已过期，请刷新后重试", 404: "没有找到这件诉求", 409: "案件刚被他人处理，已刷新",
  late: "已超过允许的时间", final: "已作最终认定", note: "请填写理由", department: "承办单位不在部门名录中", into: "不能并入该案件", of: "不能认定为反复出现",
  deadline: "期限无效", limit: "申请的时间无效", reason: "请选择原因", label: "标签不在目录中",
};

export async function ask(path, body) {
  const options = body ? { method: "POST", headers: { "Content-Type": "application/json", "X-Token": token }, body: JSON.stringify(body) } : {};
  const answer = await fetch(path, options);
  if (answer.status === 401) { location.assign("/login"); throw new Error("登录已过期"); }
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(FAULTS[told.reason] || FAULTS[answer.status] || `操作未完成，请稍后重试（${answer.status}）`);
  return told;
}
