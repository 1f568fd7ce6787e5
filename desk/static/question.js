// Asks for words before a command. What was typed is kept until the command has succeeded.

const drafts = new Map();

export const forget = (key) => drafts.delete(key);

export function question(key, title, { options = {}, least = 1, send = "确定", picked = "原因" } = {}) {
  const box = document.createElement("dialog");
  box.className = "ask";
  box.innerHTML = `<form method="dialog" class="stack"><h2></h2>
    <label class="picked"><span></span><select name="reason"></select></label>
    <label class="said"><span></span><textarea name="note" rows="4" maxlength="1000"></textarea></label>
    <p class="error" role="alert" hidden></p>
    <div class="acts"><button type="button">取消</button><button class="main"></button></div></form>`;
  const [form, heading, select, words, text, fault] = ["form", "h2", "select", ".said span", "textarea", ".error"].map((one) => box.querySelector(one));
  const [cancel, go] = box.querySelectorAll("button");
  const codes = Object.entries(options);
  const draft = drafts.get(key) || { reason: codes[0]?.[0] || "", note: "" };
  heading.id = "ask-title";
  box.setAttribute("aria-labelledby", heading.id);
  heading.textContent = title;
  words.textContent = codes.length ? "说明" : "填写内容";
  go.textContent = send;
  select.append(...codes.map(([code, name]) => new Option(name, code)));
  select.value = draft.reason;
  text.value = draft.note;
  box.querySelector(".picked span").textContent = picked;
  box.querySelector(".said").hidden = least === 0;
  box.querySelector(".picked").hidden = codes.length === 0;
  return new Promise((done) => {
    let answer = null;
    form.addEventListener("input", () => drafts.set(key, { reason: select.value, note: text.value }));
    cancel.addEventListener("click", () => box.close());
    form.addEventListener("submit", (event) => {
      const note = text.value.trim();
      if (note.length < least) {
        event.preventDefault();
        fault.textContent = least > 1 ? `请至少填写 ${least} 个字。` : "请填写内容。";
        fault.hidden = false;
        text.focus();
        return;
      }
      answer = { reason: select.value, note };
    });
    box.addEventListener("close", () => { box.remove(); done(answer); });
    document.body.append(box);
    box.showModal();
    (codes.length ? select : text).focus();
  });
}
