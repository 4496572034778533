"""Texts that try to break a page, and a pair of runs full of them."""

from __future__ import annotations

from dataclasses import replace

from harness.records.comparison import Comparison, PairedCase
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
)  # fmt: skip


def hostile_pair() -> tuple[Verdict, Comparison]:
    """Every hostile text as answer, prompt, id, tag, label and reason at once."""
    cases: list[PairedCase] = []
    kinds = ((False, True), (True, False), (False, False), (True, True))
    for place, text in enumerate(HOSTILE):
        for turn, (ours, theirs) in enumerate(kinds if place < 8 else kinds[:1]):
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
                for each, text in zip(made.regressions * 15, HOSTILE, strict=True)
            ),
            "rules": (
                rule(f"support.gold.{bad}$x$", "at_least", "fail", f"{bad} \ud800 \x00 ]]>",
                     candidate=0.2, estimate=0.2, ci_low=0.1, ci_high=0.3, limit=0.9),
                *made.rules,
            ),
        }
    )  # fmt: skip
    return made, compared
