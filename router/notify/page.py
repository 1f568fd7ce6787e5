"""The page behind a one-time link: one form without a script, nothing of the citizen but what the office got."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from string import Template

from router.workflow import VERB_NAMES, Verb

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
}

_FRAME = Template(
    "<!doctype html><html lang='zh-CN'><head><meta charset='utf-8'>"
    "<meta name='viewport' content='width=device-width'><title>$title</title></head>"
    "<body><h1>$title</h1>$body</body></html>"
)
_FORM = Template(
    "<form method='post' action='$action'><fieldset><legend>办理</legend>$choices"
    "<p><label>办理结果或退单原因<br>"
    "<textarea name='note' rows='5' cols='40' maxlength='1000'></textarea></label></p>"
    "<p><button>提交</button></p></fieldset></form>"
)
_CHOICE = Template(
    "<p><label><input type='radio' name='verb' value='$value' required> $name</label></p>"
)


def show(title: str, facts: Sequence[tuple[str, str]], text: str, form: str = "") -> str:
    """The order and the form."""
    rows = "".join(f"<p>{escape(label)}：{escape(value)}</p>" for label, value in facts)
    words = escape(text).replace("\n", "<br>")
    return _framed(title, f"{rows}<blockquote>{words}</blockquote>{form}")


def say(title: str, sentence: str, link: str = "") -> str:
    """One sentence, and a link to go on when there is one."""
    more = f"<p><a href='{escape(link)}'>继续办理</a></p>" if link else ""
    return _framed(title, f"<p>{escape(sentence)}</p>{more}")


def form(action: str, verbs: Sequence[tuple[str, Verb]]) -> str:
    """The choices that the case's status allows."""
    if not verbs:
        return "<p>此工单目前无需操作。</p>"
    choices = "".join(_CHOICE.substitute(value=word, name=VERB_NAMES[verb]) for word, verb in verbs)
    return _FORM.substitute(action=escape(action), choices=choices)


def _framed(title: str, body: str) -> str:
    return _FRAME.substitute(title=escape(title), body=body)
