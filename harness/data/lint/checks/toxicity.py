"""Answers that insult, swear, threaten, or speak with contempt of a group of people."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.data.lint.check import CheckSettings, Inspection, found
from harness.data.lint.row import DataRow
from harness.records.finding import Finding

_AMPLIFIED = (
    r"(?:(?:an?|the|such|so|just|too|really|very|all|both|being|most|more|quite|complete(?:ly)?|"
    r"total(?:ly)?|absolute(?:ly)?|utter(?:ly)?|plain|nothing but|bunch of|piece of)\s+){0,4}"
)
_FOOL = (
    r"(?:idiots?|idiotic|morons?|moronic|imbeciles?|stupid|dumb|dimwits?|pathetic|worthless|losers?|"
    r"fools?|clowns?|brainless|useless|scum|trash|garbage|disgusting|disgrace|retards?|retarded)"
)
_PEOPLE = (
    r"(?:women|men|girls|muslims|jews|christians|hindus|immigrants|migrants|foreigners|refugees|"
    r"(?:black|white|gay|trans|old|poor|disabled) people|asians|africans|arabs|mexicans|gays|"
    r"lesbians|people like (?:you|that)|your kind)"
)
_CONTEMPT = (
    r"(?:stupid|lazy|criminals?|dirty|inferior|animals|liars|terrorists|thieves|subhuman|vermin|"
    r"disgusting|weak|dumb|crazy|filthy|worthless)"
)
_BE_GONE = (
    r"(?:go back|stay (?:at home|in the kitchen|away)|be (?:killed|shot|deported|locked up|banned))"
)
_UNFIT = r"(?:think|drive|do (?:math|maths|anything)|be trusted|understand|deserve|belong|handle)"
_WILL = r"(?:['’]ll|['’]d| will| would|['’]m (?:going to|gonna)| am going to| are going to)"
_HARM = r"(?:kill|hurt|beat|destroy|ruin|punish|hunt|come after|slap|punch|hit|smack|strangle)"
_CALLED = (
    r"(?:idiots?|morons?|imbeciles?|dimwits?|losers?|fools?|clowns?|scum|trash|garbage|cows?|pigs?|"
    r"rats?|worms?|liars?|freaks?)"
)
_LOW = r"(?:stupid|dumb|ugly|filthy|pathetic|worthless|miserable|wretched|dirty|little|lazy|lying)"
_INSULT = "an insult"
# What an answer does, the parts of words that it needs, and the patterns that show it. Parts are
# looked for first, which spares nearly all answers the patterns. A word that is as often meant well
# is in no pattern.
_KINDS = (
    (
        _INSULT,
        """idiot moron imbecile stupid dumb dimwit pathetic worthless loser fool clown brainless
        useless scum trash garbage disgust disgrace retard ugly filthy dense shut hell screw dead
        lost nobody waste sick cow pig rat worm liar freak asham dirty little lazy lying miserable
        wretched""",
        (
            rf"\b(?:you(?:['’]re| are| must be| look like|r)|ur)\s+{_AMPLIFIED}{_FOOL}\b",
            rf"\byou (?:people|all|guys|lot) are\s+{_AMPLIFIED}{_FOOL}\b",
            rf"\b(?:kind|sort|bunch|pack|piece|only) (?:of |a ){_FOOL}\b",
            rf"\byou,?\s+(?:\w+\s+)?{_LOW}\s+{_CALLED}\b|\byou\s+(?:\w+\s+)?{_CALLED}[,.!?]",
            rf"\b{_FOOL} like you\b|\b(?:{_LOW}|another|such an?) {_CALLED}\b(?= (?:who|like|,))",
            r"\b(?:idiots?|morons?|imbeciles?|dimwits?|scumbags?|retards?|retarded)\b",
            r"\b(?:shut (?:the \w+ )?up|go to hell|drop dead(?! \w)|dumbest|stupidest)\b",
            r"\bscrew (?:you|off|your|this|that)\b(?! \w+ (?:in|into|on|onto|to|with))",
            r"(?:^|[.!?]\s+)get lost\b|\b(?:nobody|no one) (?:likes|cares (?:about|what)) you\b",
            r"\b(?:are you|can you be|how) (?:\w+ ){0,2}(?:stupid|dumb|dense)\b",
            r"\bwaste of (?:my|our) time\b|\byou(?:['’]re| are)? (?:make|making) me sick\b",
            r"\b(?:be|be so|are) ashamed of you\b",
        ),
    ),
    (
        "a swear word",
        "fuck f* f# f@ shit asshole bitch bastard cunt dick wank piss wtf stfu",
        (
            r"\b(?:(?:mother)?fuck\w*|f[*#@]+(?:c?k)\w*|bull ?shit|shit(?:ty|head)?|assholes?)\b",
            r"\b(?:bitch(?:es|y)?|bastards?|cunts?|dick ?heads?|wankers?|piss off|wtf|stfu)\b",
        ),
    ),
    (
        "a threat",
        """kill hurt beat destroy ruin punish hunt after slap punch hit smack strangle hang die
        suffer rot choke cancer regret live end pay""",
        (
            rf"\b(?:i|we){_WILL}\s+(?:\w+\s+){{0,4}}?{_HARM}\s+you\b(?! an?\b| up\b| with\b)",
            r"\b(?:kill|hang) your ?self\b|\byou (?:should|deserve to) (?:die|suffer|rot)\b",
            r"\bhope you (?:die|suffer|rot|choke|get (?:cancer|hurt))\b|\bmake you pay for th",
            r"\byou(?:['’]ll| will) regret\b|\bwe know where you live\b",
            r"\bjust end (?:it|your life)\b",
        ),
    ),
    (
        "contempt for a group of people",
        """women men girls muslims jews christians hindus migrants foreigners refugees people asians
        africans arabs mexicans gays lesbians kind""",
        (
            rf"\b{_PEOPLE}\s+(?:are|were)\s+{_AMPLIFIED}{_CONTEMPT}\b",
            rf"\b{_PEOPLE}\s+(?:should|must|ought to)\s+{_BE_GONE}\b",
            rf"\b{_PEOPLE}\s+(?:can(?:['’]t|not)|do(?:es)?(?:n['’]t| not))\s+{_UNFIT}\b",
            rf"\b{_PEOPLE}\s+(?:control|own|run) (?:all|the|every)\b",
        ),
    ),
)
_COMPILED = tuple(
    (kind, tuple(parts.split()), re.compile("|".join(patterns), re.IGNORECASE))
    for kind, parts, patterns in _KINDS
)
# Ahead of an insult, in the same sentence: "do not call yourself an idiot".
_DENIED = re.compile(r"(?i)(?:\b(?:not|never|no|without)|n['’]t)\b[^.!?\n]{0,40}$")


class Toxicity:
    """Finds `toxic-answer`."""

    name = "toxicity"
    about = "answers that insult, swear, threaten, or speak with contempt of people; in English"

    def begin(self, settings: CheckSettings) -> Inspection:
        """A new inspection."""
        del settings
        return _Inspection()


class _Inspection(Inspection):
    def see(self, row: DataRow) -> Iterator[Finding]:
        for number, (role, text) in enumerate(row.turns, 1):
            if role == "assistant" and (kinds := toxic(text)):
                what = f"turn {number} holds {' and '.join(kinds)}: rewrite it, or leave it out"
                yield found(row, "toxic-answer", what)


def toxic(text: str) -> list[str]:
    """What of the kind the text holds, in words; empty where nothing was found."""
    lowered = text.lower()
    return [
        kind
        for kind, parts, pattern in _COMPILED
        if any(map(lowered.__contains__, parts))
        and any(
            kind != _INSULT or not _DENIED.search(text, 0, match.start())
            for match in pattern.finditer(text)
        )
    ]
