"""The page behind a one-time link: one form without a script, nothing of the citizen but what the office got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from string import Template

from router.workflow import VERB_NAMES, Verb

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
}

_FRAME = Template(
    "<!doctype html><html lang='zh-CN'><head><meta charset='utf-8'>"
    "<meta name='viewport' content='width=device-width'><title>$title</title>"
    '<link rel="stylesheet" href="/static/style.css"></head>'
    "<body><main class='card narrow large'><h1>$title</h1>$body</main></body></html>"
)
_FORM = Template(
    "<form method='post' action='$action' class='stack'><fieldset><legend>办理方式</legend>$choices</fieldset>"
    "$more<label>办理结果、退单或申请理由（仅签收可不填）"
    "<textarea name='note' rows='5' maxlength='1000'></textarea></label>"
    "<button class='main'>提交</button></form>"
)
_CHOICE = Template(
    "<label class='choice'><input type='radio' name='verb' value='$value' required> $name</label>"
)


_REASONS = Template("<label>退单原因（退单时选择）<select name='reason'>$options</select></label>")
_OPTION = Template("<option value='$value'>$name</option>")
_DAYS = (
    "<label>延期工作日数（申请延期时填写）"
    "<input type='number' name='amount' min='1' max='60' step='1' value='1'></label>"
)


def show(title: str, facts: Sequence[tuple[str, str]], text: str, form: str = "") -> str:
    """The order and the form."""
    rows = "".join(
        f"<p class='meta'>{escape(label)}：{escape(value)}</p>" for label, value in facts
    )
    words = escape(text).replace("\n", "<br>")
    return _framed(title, f"{rows}<p class='text'>{words}</p>{form}")


def say(title: str, sentence: str, link: str = "") -> str:
    """One sentence, and a link to go on when there is one."""
    more = f"<p><a href='{escape(link)}'>继续办理</a></p>" if link else ""
    return _framed(title, f"<p>{escape(sentence)}</p>{more}")


def form(action: str, verbs: Sequence[tuple[str, Verb]], reasons: Mapping[str, str]) -> str:
    """The choices that the order's status allows, with the city's reasons to return it."""
    if not verbs:
        return "<p>此工单目前无需操作。</p>"
    choices = "".join(_CHOICE.substitute(value=word, name=VERB_NAMES[verb]) for word, verb in verbs)
    offered = {verb for _, verb in verbs}
    more = ""
    if Verb.RETURN_ORDER in offered:
        options = "".join(
            _OPTION.substitute(value=escape(code), name=escape(name))
            for code, name in reasons.items()
        )
        more += _REASONS.substitute(options=options)
    if Verb.ASK_EXTENSION in offered:
        more += _DAYS
    return _FORM.substitute(action=escape(action), choices=choices, more=more)


def _framed(title: str, body: str) -> str:
    return _FRAME.substitute(title=escape(title), body=body)
