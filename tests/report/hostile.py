"""Texts that try to break a page, and a pair of runs full of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle

from harness.records.comparison import ComparisonRecord, PairedCase
from harness.records.suite import Message
from harness.records.verdict import Verdict
from tests.report.fixtures import (
    SECTIONS,
    attempt,
    change_of,
    comparison,
    rows,
    rule,
    score,
    verdict,
)

HOSTILE = (
    "<script>window.pwned=1;alert(1)</script>",
    "</pre></div></details></main><script>window.pwned=2</script>",
    "<img src=x onerror=window.pwned=3>",
    "<svg onload=window.pwned=4><animate onbegin=window.pwned=4 attributeName=x dur=1s>",
    "<a href=\"javascript:window.pwned=5\">click</a> javascript:alert(1)",
    "<iframe srcdoc='<script>parent.pwned=6</script>'></iframe>",
    "<style>*{display:none!important}</style><link rel=stylesheet href=//evil.test/x.css>",
    "<meta http-equiv=refresh content='0;url=https://evil.test/'>",
    "<base href=https://evil.test/><form action=//evil.test><button autofocus>",
    "{{ 7*7 }} {% for x in y %} ${7*7} #{7*7} <%= 7*7 %> {{ config.__class__ }}",
    "\u202egnp.exe\u202c and \u2066isolated\u2069 \u200bzero\u200bwidth \u061c\ufeff",
    "A" * 1_000_000,
    "lone surrogates \ud800 and \udfff in the middle",
    "NUL \x00 bell \x07 escape \x1b[31mred\x1b[0m delete \x7f c1 \x85 \x9b",
    "]]> <![CDATA[ <!-- --> <!-- <script> ?>",
    "``` \n```` \n``````\n~~~\n@everyone #1 https://evil.test www.evil.test <b>bold</b>",
    "| a | b |\n|---|---|\n# heading\n- list\n> quote\n[x](https://evil.test) ![i](//evil.test/p)",
    "data:text/html,<script>window.pwned=7</script>",
    "\"'><script>window.pwned=8</script>",
    "' onmouseover='window.pwned=9' x='\" onfocus=\"window.pwned=9\" autofocus tabindex=1",
    "&lt;script&gt; &amp; &#x3c;script&#x3e; &NotEqualTilde;",
    "line\u2028separator\u2029paragraph\x0bvertical\x0cform",
    "word" * 4000,
    "\U000e0041\U000e0042 tags, \ufffe \uffff noncharacters, \U0001f468\u200d\U0001f469",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.pwned=10>",
    "<noscript><p title=\"</noscript><img src=x onerror=window.pwned=11>\">",
    "$\\frac{1}{2}$ $$ \\unsafe{} \\href{javascript:window.pwned=12}{x}",
    "\r\nSet-Cookie: x\r\rlone\rreturns\r\n",
    "Z̸͑͗̈́̅͂͆̏a̷̛̖͎̭͈͓̎̏l̷g̸o " * 20,
    "\u202e" * 4 + "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd",
    "</script><script>window.pwned=13</script>",
    "</style><style>body{visibility:hidden}</style>",
    "</noscript><script>window.pwned=14</script><noscript>",
    "</title><script>window.pwned=15</script>",
    "</textarea></select></option><script>window.pwned=16</script>",
    "</template></svg></math><img src=x onerror=window.pwned=17>",
    "</summary></details></section><h1>PROMOTE</h1>",
    '<details class="case" data-case="1;1;1;"><summary>forged</summary></details>',
    '" id="case-forged" data-case=";;1;" class="verdict',
    "<!--><script>window.pwned=18</script>--> <!--[if IE]> <script>window.pwned=18</script>",
    "<![CDATA[<script>window.pwned=19</script>]]>",
    "<scr<script>ipt>window.pwned=20</scr</script>ipt>",
    "<svg/onload=window.pwned=21> <SVG ONLOAD=window.pwned=21>",
    "<svg><script href=data:,window.pwned=22 /></svg>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload=window.pwned=23>#x'/></svg>",
    "<body onload=window.pwned=24> <marquee onstart=window.pwned=24>",
    "<details open ontoggle=window.pwned=25> <video><source onerror=window.pwned=25>",
    "<input autofocus onfocus=window.pwned=26> <select autofocus onfocus=window.pwned=26>",
    "<object data=javascript:window.pwned=27><embed src=javascript:window.pwned=27>",
    "<a href=data:text/html;base64,PHNjcmlwdD5wd25lZD0xPC9zY3JpcHQ+>x</a>",
    "<a href='java\tscript:window.pwned=28'>x</a> vbscript:msgbox(1) JaVaScRiPt:alert(1)",
    "<link rel=preload href=//evil.test/a as=script> <link rel=dns-prefetch href=//evil.test>",
    "<img srcset=//evil.test/a.png> <picture><source srcset=//evil.test/b></picture>",
    "@import url(//evil.test/x.css); background:url(//evil.test/y); expression(alert(1))",
    "<div style=position:fixed;inset:0;background:red>covers all</div>",
    "<plaintext><xmp><listing> <pre>\n\n</pre>",
    "&#60;script&#62;window.pwned=29&#60;/script&#62; &#0; &#xD800; &amp;lt; &lt",
    "\x1b]8;;https://evil.test\x07link\x1b]8;;\x07 \x1b[2J\x1b[H \x9b31m",
    "\x00" * 500,
    "%3Cscript%3Ewindow.pwned=30%3C/script%3E \\u003cscript\\u003e \\x3cscript\\x3e",
    "\uff1cscript\uff1ewindow.pwned=31\uff1c/script\uff1e \u02bascript\u02ba \u2028",
    "\u0430\u0440\u0440\u04cf\u0435.com is not apple.com; \u2024 \u2215 \u2044 \u29f8",
    "e" + "\u0301" * 3_000,
    "\U0001f3f4\U000e0067\U000e0062\U000e007f \U0001f469\U0001f3fd\u200d\U0001f4bb " * 60,
    "\u0627\u0644\u0633\u0644\u0627\u0645 " * 300 + "<script>window.pwned=32</script>",
    "\u200d\u200c" * 2_000,
    "\ufdfd\ua9c5\U00012031" * 200,
    "\n" * 300 + "after many lines",
    "\t" * 300 + "after many tabs" + "\u00a0" * 300 + "no-break",
    " " * 2_000,
    "\"}]}'); window.pwned=33; //",
    "constructor __proto__ toString hasOwnProperty [object Object] undefined null NaN",
    "../../../etc/passwd %00 file:///etc/passwd C:\\Windows",
    "::error file=x,line=1::forged ##[error]forged ::set-output name=x::y",
    "=cmd|' /C calc'!A0 +1 -1 @SUM(1)",
    "#outcome=fixed&find=<script>window.pwned=34</script>",
)  # fmt: skip


def hostile_pair(copies: int = 1) -> tuple[Verdict, ComparisonRecord]:
    """Every hostile text as answer, prompt, id, tag, label and reason at once."""
    cases: list[PairedCase] = []
    kinds = ((False, True), (True, False), (False, False), (True, True))
    for place, text in enumerate(HOSTILE * copies):
        for turn, (ours, theirs) in enumerate(kinds if place % len(HOSTILE) < 8 else kinds[:1]):
            section = SECTIONS[turn][0]
            case = f"{place}-{turn} {text[:300]}"
            a = attempt(section, case, text)
            b = attempt(section, case, f"baseline: {text}")
            cases.append(
                PairedCase(
                    suite="support", section=section, case=case, repeat=0, group=text[:90],
                    critical=place % 3 == 0, tags=(text[:80], "ok"),
                    # Built without validation: a lone surrogate is refused at the disk edge.
                    messages=(Message.model_construct(role="user", content=text),),
                    candidate_attempt=a, baseline_attempt=b,
                    candidate_score=score(a, ours, critical=False, label=text[:99], reason=text),
                    baseline_score=score(b, theirs, critical=False, label=text[:99], reason=text),
                    change=change_of(ours, theirs), expect={"answers": [text[:200]]},
                )
            )  # fmt: skip
    plain = comparison(rows(8))
    compared = replace(plain, cases=tuple(cases), problems=HOSTILE[:4])
    made = verdict("BLOCK", plain)
    bad = HOSTILE[0]
    made = made.model_copy(
        update={
            "candidate": f"good{bad}\ud800",
            "problems": HOSTILE[:4],
            "new_critical_failures": tuple(
                c.path for c in cases if c.critical and c.change == "new_failure"
            ),
            "regressions": tuple(
                each.model_copy(update={"metric": f"support.{text}"})
                for each, text in zip(cycle(made.regressions), HOSTILE, strict=False)
            ),
            "rules": (
                rule(f"support.gold.{bad}$x$", "at_least", "fail", f"{bad} \ud800 \x00 ]]>",
                     candidate=0.2, estimate=0.2, ci_low=0.1, ci_high=0.3, limit=0.9),
                *made.rules,
            ),
        }
    )  # fmt: skip
    return made, compared
