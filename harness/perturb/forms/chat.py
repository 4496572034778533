"""`chat`: the short forms of chats."""

from __future__ import annotations

from harness.perturb.draw import Draw
from harness.perturb.question import Question

# Without digits, as a number must not come in, and without what is another word ("id", "ill", "c").
_SHORT = {
    "you": "u", "your": "ur", "are": "r", "please": "pls", "thanks": "thx", "because": "bc",
    "about": "abt", "people": "ppl", "really": "rly", "message": "msg", "information": "info",
    "with": "w/", "okay": "ok", "hello": "heyy", "know": "kno", "through": "thru", "though": "tho",
    "tomorrow": "tmrw", "and": "n", "what": "wat", "have": "hav", "i'm": "im", "i've": "ive",
    "yes": "yep", "delivery": "delivry", "something": "smth", "favorite": "fav",
    "favourite": "fav", "appointment": "appt", "account": "acct", "question": "qn",
}  # fmt: skip


class Chat:
    """Writes common English words as chats shorten them, and begins in lower case."""

    name = "chat"

    def perturb(self, question: Question, draw: Draw) -> str | None:
        """The question in short forms; None where it is not English or has none to shorten."""
        del draw
        if not question.english:
            return None
        changes = {word: _SHORT.get(word.lower, word.lower) for word in question.free}
        if not question.lowered & _SHORT.keys():
            return None
        return question.with_words(changes)
