"""Word classes that the reading of answers goes by, each word as `words.read` gives it."""

from __future__ import annotations


def listed(text: str) -> tuple[str, ...]:
    """The words of a text."""
    return tuple(text.split())


ARTICLES = frozenset({"a", "an", "the"})

_ONES = listed(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_TENS = listed("twenty thirty forty fifty sixty seventy eighty ninety")
CARDINALS = {word: value for value, word in enumerate(_ONES)} | {
    word: 10 * value for value, word in enumerate(_TENS, 2)
}
SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_IRREGULAR = dict(
    zip(
        listed("first second third fifth eighth ninth twelfth"), (1, 2, 3, 5, 8, 9, 12), strict=True
    )
)
ORDINALS = (
    {f"{word}th": value for word, value in CARDINALS.items() if value}
    | {f"{word[:-1]}ieth": 10 * value for value, word in enumerate(_TENS, 2)}
    | {"hundredth": 100, "thousandth": 1000}
    | _IRREGULAR
)
# Beside these, `one` is a pronoun and no number.
BEFORE_PRONOUN = frozenset(listed("no any every which this that another each the some only"))
AFTER_PRONOUN = frozenset(listed("of who that which another can should may must would day"))

# Letters that no decomposition takes apart.
LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)

# What French and Italian put before an apostrophe for a word of its own.
ELIDED = frozenset(
    listed(
        "l d j qu n m t s c jusqu lorsqu puisqu quoiqu un dell all nell sull dall coll quell bell"
    )
)

CURRENCIES = frozenset("$€£¥₹₩₱₽฿₺₫₴₦")
# Units after a number, each with its ways of writing.
_UNITS = """
inch: inches | foot: ft feet | yard: yd yds yards | mile: mi miles
mm: millimetre millimetres millimeter millimeters
cm: centimetre centimetres centimeter centimeters
metre: m metres meter meters | km: kms kilometre kilometres kilometer kilometers
gram: g gr grams gramme grammes | mg: milligram milligrams milligramme milligrammes
kg: kgs kilo kilos kilogram kilograms kilogramme kilogrammes | lb: lbs | ounce: oz ounces
litre: l litres liter liters | ml: millilitre millilitres milliliter milliliters
second: sec secs seconds | minute: min mins minutes | hour: h hr hrs hours | day: days
week: wk wks weeks | month: months | year: yr yrs years | mph: | kmh: kph kmph | mbps: mbp
kb: kilobyte kilobytes | mb: megabyte megabytes | gb: gigabyte gigabytes | tb: terabyte terabytes
kw: kilowatt kilowatts | degree: ° degrees | %: percent pct | cent: c cents
$: usd dollar dollars | €: eur euro euros | £: gbp | ¥: jpy yen | ₹: inr rs rupee rupees
"""
UNITS: dict[str, str] = {}
for _entry in _UNITS.replace("\n", "|").split("|"):
    _unit, _colon, _others = _entry.partition(":")
    if _colon:
        UNITS |= dict.fromkeys((_unit.strip(), *_others.split()), _unit.strip())

_ABBREVIATIONS = {
    "united state": "US USA",
    "united kingdom": "UK",
    "united nation": "UN",
    "european union": "EU",
    "mount": "Mt",
    "saint": "St",
    "avenue": "Ave",
    "versus": "vs",
}
ABBREVIATIONS = {
    short: tuple(whole.split())
    for whole, shorts in _ABBREVIATIONS.items()
    for short in shorts.split()
}

# Words before a fact that place it and do not change it.
LEADING = frozenset(
    listed(
        "in at on by from to into of for as during around about approximately roughly circa "
        "usually typically generally mostly mainly since with within near loosely directly also "
        "just"
    )
)
TITLES = frozenset(
    listed(
        "mr mrs ms miss dr prof professor sir dame lord lady saint st president king queen prince "
        "princess emperor empress pope general captain colonel admiral senator governor prime "
        "minister judge justice rev reverend coach chef"
    )
)
SUFFIXES = frozenset(listed("jr sr esq obe mbe cbe phd md"))
# Words of a question that asks for a place.
PLACES = frozenset(
    listed(
        "where place city town village country county state location venue setting district region "
        "birthplace capital airport site"
    )
)
# Between the words of a phrase, these part it; in a phrase, those give its words an order.
PARALLEL = frozenset(listed("and or but not no nor"))
ORDERED = frozenset(
    listed("to from until till than before after over under between not no without")
)
# Words that carry no fact of their own.
FUNCTION = frozenset(
    listed(
        "a an the of in at on by from to into for as and or with is are was were be been that "
        "which "
        "who its it his her their they he she this these those has have had do does did not"
    )
)
