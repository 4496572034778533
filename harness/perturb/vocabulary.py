"""Words that perturbations know: those they may lower, those they must not touch or make."""

from __future__ import annotations


def words_of(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


# Words that begin a sentence with a capital and are nobody's name.
COMMON = words_of(
    """
    a about after all also am an and any are as ask at be because been before but by can could did
    do does doing don't each every everything explain few find first for forget from get give going
    good got had has have having hello help her here hey hi his how i i'd i'll i'm i've if ignore in
    is it it's its just last let list look looking make may me might more most must my need note now
    of on once one only or other our out over please put recommend say send should show since so
    some such suggest talk tell than thank thanks that that's the their them then there these they
    this those through to too under until up us use very want was we we'd we're were what what's
    when where where's which while who who's whose why will with would write yes yesterday you your
    you're
    """
)

NEGATIONS = words_of(
    """
    no not never none nothing nobody nowhere neither nor without cannot except unless only but
    hardly barely rather instead against fewer less least more most
    """
)

UNITS = words_of(
    """
    second seconds minute minutes hour hours day days week weeks month months quarter quarters year
    years am pm kg g mg lb lbs oz ml cl l liter liters litre litres gallon gallons m cm mm km meter
    meters metre metres inch inches foot feet yard yards mile miles gram grams kilogram kilograms
    pound pounds ounce ounces percent degree degrees dollar dollars cent cents euro euros usd eur
    gbp mb gb tb mbit gbit watt watts volt volts mmol mcg iu one two three four five six seven eight
    nine ten eleven twelve twenty thirty forty fifty hundred thousand million billion dozen half
    double twice first second third monday tuesday wednesday thursday friday saturday sunday january
    february march april may june july august september october november december
    """
)

# Words of questions about a text's own form: in another form they are another question.
ABOUT_FORM = words_of(
    """
    spell spells spelled spelt spelling typo typos misspelled capitals capitalize capitalise
    capitalized uppercase lowercase punctuation comma commas apostrophe letter letters vowel vowels
    translate translated translation rewrite rephrase paraphrase repeat verbatim emoji emojis
    sentence sentences grammar proofread palindrome rhyme rhymes anagram syllable syllables
    character characters word words encode decode base64 json
    """
)

# What a slip of the finger may turn another word into; a variant must not say something else.
REAL_WORDS = words_of(
    """
    angel angle attain back bets boots bots boy brad brake bread break broad brought county country
    casual causal coast coats cost could count course corner corse crate dairy desert dessert diary
    diner dinner dive ear ears easy eats fiend fiends finer flies files form from goal gaol halves
    hare heard head hose house infer later latter lair lain lien line lies lose loose lover mail
    male mane marital martial modern nicer nigh night over pace pat past pest pets places pint pubic
    quiet quite reed rite rose saint salve satin scared sacred shit silver sliver slot sole spot
    stain stall state stop stray stir super supper taste thee then there three tires tried tries
    trail trial trough though through tow tried two unclear nuclear united untied vale waits waist
    wasit whose width whole wired weird words sword
    """
)


def is_word(text: str) -> bool:
    """Whether a slip of that spelling would be read as another word."""
    return text in COMMON or text in NEGATIONS or text in REAL_WORDS or text in UNITS
