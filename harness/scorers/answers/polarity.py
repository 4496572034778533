"""Whether an answer to a yes-or-no question says yes or no."""

from __future__ import annotations

import re
from itertools import islice

from harness.scorers.answers import vocabulary as voc
from harness.scorers.answers.words import cleaned, read

_YES = voc.listed(
    "yes yeah yep yup yea aye sure certainly absolutely definitely indeed correct affirmative "
    "exactly true ja jawohl oui sí si sim tak evet да sì"
)
_NO = voc.listed("no nope nah never false incorrect nein non não nee nej nie hayır нет not")
_YES_PHRASE = re.compile(
    r"^\W*(?:of course|no (?:problem|worries|trouble|doubt|issue)|not a problem|by all means"
    r"|go ahead|feel free|"
    r"with pleasure|please do|that(?:'s| is) (?:right|correct|fine|true)|you(?:'re"
    r"| are) (?:right|correct)|"
    r"happy to|we(?:'d| would) be (?:happy|glad)|why not|ok(?:ay)?\b|all right|alright|natürlich"
    r"|bien sûr|"
    r"claro|por supuesto|certo|是的?|对|可以|はい|ええ|हाँ|हां|نعم|네)",
    re.IGNORECASE,
)
_NO_PHRASE = re.compile(
    r"^\W*(?:(?:i'm |i am )?afraid not|(?:unfortunately|sadly|regrettably),? (?:not|no)\b"
    r"|not (?:at all|really|yet|"
    r"currently|anymore)|by no means|absolutely not|definitely not|certainly not|of course not|"
    r"(?:leider|malheureusement|lamentablemente|infelizmente|purtroppo|helaas) "
    r"(?:nicht|pas|no|não|non|niet)\b|"
    r"on the contrary|that(?:'s| is) (?:not|wrong|incorrect|false)"
    r"|不|没有|いいえ|いえ|नहीं|لا|아니)",
    re.IGNORECASE,
)
_UNSURE = re.compile(
    r"\b(?:it depends|that depends|depends on|yes and no|not (?:sure|certain)|(?:do not"
    r"|don't) know|"
    r"may or may not|hard to say|sometimes|in some cases|cannot say|can't say)\b",
    re.IGNORECASE,
)
_AUXILIARY = (
    r"(?:is|are|was|were|do|does|did|can|could|may|might|must|should|will|would|has|have|had|shall)"
)
_DENIES = re.compile(
    rf"\b{_AUXILIARY}(?:\s?not|n't)\b|\bcannot\b|\bcan't\b|\bwon't\b|\bno longer\b|\bnever\b"
    r"|\b(?:is|are) (?:\w+ly )?(?:un\w+|im(?:possible|permissible)|forbidden|prohibited|banned"
    r"|excluded"
    r"|closed)\b"
    r"|\bthere (?:is|are) no\b|\b(?:we|they|you|it|i) (?:have|has|offer|accept|allow|need|keep"
    r"|sell)s? no\b|\bno \w+ (?:is|are) "
    r"(?:needed|required|allowed|accepted|possible|available|necessary)\b|\bunable to\b|\bwithout\b"
    r"|\b(?:ist|sind|kann|können|darf|dürfen) (?:\w+ ){0,2}(?:nicht|kein)\w*",
    re.IGNORECASE,
)
_GRANTS = re.compile(
    r"\b(?:you|we) (?:can|may|could|do|are|will|have|offer|accept)\b"
    r"|\b(?:can|may) be \w+ed\b"
    r"|\b(?:welcome|allowed|permitted|possible|available|included"
    r"|accepted|free to)\b",
    re.IGNORECASE,
)
_SHORT = re.compile(
    rf"^\W*(?:it|they|he|she|that|this|there|i)\s{_AUXILIARY}\b(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_SENTENCE = re.compile(r"[^.!?\n。！？]+[.!?\n。！？]?")
_FINAL = re.compile(r"\b(?:answer|verdict)\s?(?:is|:)\s*(yes|no)\b", re.IGNORECASE)
_CLOSING = re.compile(r"[,;:–—-]\s*(yes|yep|no|nope)\W*$", re.IGNORECASE)  # `Sorry, no.`
_SENTENCES = 3  # that are looked at: manners may come first
_MOST = 0.6  # of the question's words, for a sentence that says it again
_ASIDE = frozenset(voc.listed("you i we my me your our us can could may will would should please"))
# A yes that is denied at once (`Yes, you cannot`), not of something else.
_DENIED_AT_ONCE = re.compile(
    rf"\W*(?:you|it|we|they|that)\s(?:{_AUXILIARY}(?:\s?not|n't)|cannot)\b", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def polarity(text: str, question: str = "") -> tuple[str, str]:
    """`yes`, `no` or nothing where it cannot be told, and the words that decided.

    The first sentence that says either decides: by its first word where that is a particle, else
    by what it grants or denies. Repeating the question without a denial grants it.
    """
    clean = cleaned(text).strip()
    final = _FINAL.search(clean)
    if final:
        return final[1].lower(), final.group()
    asked = {word.form for word in read(cleaned(question))} - voc.FUNCTION - _ASIDE
    for match in islice(_SENTENCE.finditer(clean), _SENTENCES):
        said, words = _of_sentence(match.group(), asked)
        if words:
            return said, words
    return "", ""


def _of_sentence(sentence: str, asked: set[str]) -> tuple[str, str]:
    unsure = _UNSURE.search(sentence)
    if unsure:
        return "", unsure.group()
    for pattern, said in ((_YES_PHRASE, "yes"), (_NO_PHRASE, "no")):
        phrase = pattern.match(sentence)
        if phrase:
            return said, phrase.group().strip()
    word = _WORD.search(sentence)
    opening = word.group().casefold() if word else ""
    closing = _CLOSING.search(sentence)
    denied = _DENIES.search(sentence)
    if denied and {each.form for each in read(denied.group().split()[-1])} & asked:
        denied = None  # `closed` denies nothing where the question is whether it is closed
    if word and opening in _YES:
        if denied and _DENIED_AT_ONCE.match(sentence, word.end()):
            return "", f"{opening} … {denied.group()}"
        return "yes", opening
    if opening in _NO:
        return "no", opening
    if closing:
        return ("no" if closing[1].lower().startswith("no") else "yes"), closing[1]
    if denied:
        return "no", denied.group()
    granted = _GRANTS.search(sentence)
    if granted:
        return "yes", granted.group()
    return ("yes", sentence.strip()) if _repeats(sentence, asked) else ("", "")


def _repeats(sentence: str, asked: set[str]) -> bool:
    """Whether a statement is short for the question, or says most of it again."""
    if sentence.rstrip().endswith("?"):
        return False
    short = _SHORT.match(sentence)
    said = {word.form for word in read(short["rest"] if short else sentence)} - voc.FUNCTION
    if short and (not said or said & asked or short["rest"].startswith(",")):
        return True
    return len(asked) > 1 and len(said & asked) >= _MOST * len(asked)
