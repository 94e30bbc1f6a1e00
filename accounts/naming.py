"""Validation of user names. Mixed scripts are rejected: their letters look alike."""

import unicodedata

from django.core.exceptions import ValidationError

from productbackend.text.comparison import is_mark, is_word_character

LENGTH_MAX = 150
HAN = {"HAN", "HIRAGANA", "KATAKANA"}
# Allowed besides a single script: the level "highly restrictive" of UTS 39.
ALLOWED_COMBINATIONS = ({"LATIN", *HAN}, {"LATIN", "HAN", "BOPOMOFO"}, {"LATIN", "HAN", "HANGUL"})
# The first word of a character's Unicode name is its script, with these exceptions.
SCRIPTS = {
    "CJK": "HAN",
    "IDEOGRAPHIC": "HAN",
    "ARABIC-INDIC": "ARABIC",
    "EXTENDED": "ARABIC",  # the other Arabic digits
    # Of any script: ASCII digits, modifiers, accents, and the long vowel of both kana.
    "DIGIT": "",
    "MODIFIER": "",
    "COMBINING": "",
    "KATAKANA-HIRAGANA": "",
}


def validate_username(name: str) -> None:
    """Raise ValidationError for characters that are not allowed, and for a mixture of scripts."""
    if len(name) > LENGTH_MAX:
        return  # the field rejects it for its length
    name = unicodedata.normalize("NFKC", name)
    if not name or is_mark(name[0]) or not all(each in ".+-_" or is_word_character(each) for each in name):
        raise ValidationError("Use only letters, digits and the characters . + - _", code="invalid")
    if name.isascii():
        return
    scripts = {_script(each) for each in name if each not in ".+-_"} - {""}
    if len(scripts) > 1 and not any(scripts <= each for each in ALLOWED_COMBINATIONS):
        raise ValidationError(
            "It mixes letters of several scripts, which look alike: use one script.", code="mixed_scripts"
        )


def _script(character: str) -> str:
    word = unicodedata.name(character, "UNKNOWN").split()[0]
    return SCRIPTS.get(word, word)
