"""Names in every script: each product is found by its own name, and invisible characters are ignored."""

import random
import unicodedata
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from rest_framework.test import APIClient

from products.models import Category, Product
from products.search import query
from tests import factories
from tests.products.search import searching

# InnoDB's index sees committed rows only.
pytestmark = pytest.mark.django_db(transaction=True)

# The code points of the letters and marks of each script.
SCRIPTS = {
    "latin": (0x41, 0x17F), "latin extended": (0x180, 0x24F), "ipa": (0x250, 0x2AF), "greek": (0x370, 0x3FF),
    "cyrillic": (0x400, 0x52F), "armenian": (0x531, 0x587), "hebrew": (0x591, 0x5F4), "arabic": (0x610, 0x6FF),
    "syriac": (0x710, 0x74F), "thaana": (0x780, 0x7B1), "nko": (0x7C0, 0x7FF), "samaritan": (0x800, 0x82D),
    "mandaic": (0x840, 0x85B), "arabic extended": (0x8A0, 0x8FF), "devanagari": (0x900, 0x97F),
    "bengali": (0x980, 0x9FF), "gurmukhi": (0xA01, 0xA76), "gujarati": (0xA81, 0xAFF), "oriya": (0xB01, 0xB77),
    "tamil": (0xB82, 0xBFA), "telugu": (0xC00, 0xC7F), "kannada": (0xC80, 0xCF3), "malayalam": (0xD00, 0xD7F),
    "sinhala": (0xD81, 0xDF3), "thai": (0xE01, 0xE59), "lao": (0xE81, 0xEDF), "tibetan": (0xF00, 0xFBC),
    "myanmar": (0x1000, 0x109F), "georgian": (0x10A0, 0x10FF), "jamo": (0x1100, 0x11FF), "ethiopic": (0x1200, 0x137C),
    "cherokee": (0x13A0, 0x13FD), "canadian": (0x1401, 0x167F), "ogham": (0x1681, 0x169A), "runic": (0x16A0, 0x16F8),
    "tagalog": (0x1700, 0x171F), "khmer": (0x1780, 0x17E9), "mongolian": (0x1820, 0x18AA), "limbu": (0x1900, 0x194F),
    "tai le": (0x1950, 0x1974), "new tai lue": (0x1980, 0x19DA), "buginese": (0x1A00, 0x1A1B),
    "tai tham": (0x1A20, 0x1A99), "balinese": (0x1B00, 0x1B59), "sundanese": (0x1B80, 0x1BBF),
    "batak": (0x1BC0, 0x1BF3), "lepcha": (0x1C00, 0x1C4F), "ol chiki": (0x1C50, 0x1C7D),
    "glagolitic": (0x2C00, 0x2C5F), "coptic": (0x2C80, 0x2CF3),
    "tifinagh": (0x2D30, 0x2D7F), "kana": (0x3041, 0x30FF), "bopomofo": (0x3105, 0x312F), "han": (0x4E00, 0x9FFF),
    "yi": (0xA000, 0xA48C), "lisu": (0xA4D0, 0xA4FD), "vai": (0xA500, 0xA62B), "cyrillic b": (0xA640, 0xA69F),
    "syloti nagri": (0xA800, 0xA82C), "saurashtra": (0xA880, 0xA8D9), "javanese": (0xA980, 0xA9D9),
    "cham": (0xAA00, 0xAA59), "meetei": (0xABC0, 0xABF9), "hangul": (0xAC00, 0xD7A3), "halfwidth": (0xFF21, 0xFFDC),
    "gothic": (0x10330, 0x1034A), "deseret": (0x10400, 0x1044F), "brahmi": (0x11000, 0x1106F),
    "adlam": (0x1E900, 0x1E959),
    "mathematical": (0x1D400, 0x1D7FF), "rare han": (0x20000, 0x2A6DF),
}  # fmt: skip
INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff\u200e\u202b\ufe0f\U000e0101"


def names_of(script: str, rng: random.Random) -> list[str]:
    """A name of two words and one of the maximum length."""
    first, last = SCRIPTS[script]
    letters = [chr(code) for code in range(first, last + 1) if unicodedata.category(chr(code))[0] in "LMN"]
    bases = [each for each in letters if each.isalpha()]
    word = lambda size: rng.choice(bases) + "".join(rng.choices(letters, k=size - 1))  # noqa: E731
    return [f"{word(5)} {word(7)}", " ".join(word(size) for size in (1, 30, *[rng.randint(1, 9)] * 40))[:200].strip()]


def found(api: APIClient, text: str) -> list[int]:
    return [row["id"] for row in searching.rows(api, text, limit=100)]


def finds(text: str, pk: int) -> bool:
    """Asks up to three times: while InnoDB moves new words from memory to the disk, MySQL misses them for some
    milliseconds (ADR 12).
    """
    return any(query.matching(Product.objects.filter(pk=pk), text).exists() for _ in range(3))


def test_each_product_is_found_by_its_own_name() -> None:
    rng = random.Random(14)
    rows = [Product(name=name, quantity=1, price=1) for script in SCRIPTS for name in names_of(script, rng)]
    for index, row in enumerate(rows):
        row.slug, row.sku = f"s{index}", f"S{index}"
        row.derive()
    Product.objects.bulk_create(rows)
    for pk, name in Product.objects.values_list("pk", "name"):
        assert finds(name, pk), ascii(name)
        middle = len(name) // 2 + 2
        if len(name) < 50:  # with an invisible character within it, and in upper case
            for text in (name[:middle] + rng.choice(INVISIBLE) + name[middle:], name.upper()):
                assert finds(text, pk), ascii(text)


def test_all_words_count_up_to_a_documented_limit(api: APIClient) -> None:
    words = [f"w{number}" for number in range(40)]
    product = factories.product(" ".join(words))
    assert found(api, product.name) == [product.pk]
    assert found(api, f"{product.name} other") == []
    assert found(api, "x" * query.TEXT_MAX) == []
    response = api.get("/products/", {"search": "x" * (query.TEXT_MAX + 1)})
    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert (error["field"], error["code"]) == ("search", "max_length")
    assert str(query.TEXT_MAX) in error["detail"]


@pytest.mark.parametrize("has_fts5", [True, False])
def test_all_of_a_long_name_in_a_script_without_spaces_counts(
    api: APIClient, has_fts5: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_fts5:
        monkeypatch.setattr("products.search.query.sqlite_has_fts5", lambda: False)
    product = factories.product("".join(chr(0x4E00 + number) for number in range(200)))
    assert found(api, product.name) == [product.pk]
    assert found(api, product.name[:-1] + "東") == []


@pytest.mark.parametrize(
    "other", ["La\u00admps", "Lamps\u200b", "\ufeffLamps", "Lam\u2060ps", "LAMPS\u200e", "Lamps\ufe0f"]
)
def test_siblings_names_are_unique_without_invisible_characters(staff: APIClient, other: str) -> None:
    factories.category("Lamps")
    response = staff.post("/categories/", {"name": other}, format="json")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "name")
    assert Category.objects.count() == 1


def test_an_invisible_name_is_refused(staff: APIClient) -> None:
    for path, rest in (("/categories/", {}), ("/products/", {"quantity": 1})):
        for name in ("\u200b", "\u3164", "\u00ad\u2060"):
            response = staff.post(path, {"name": name, **rest}, format="json")
            assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "name"), ascii(name)


def make_outdated() -> None:
    """Set the columns to what version 1.0 wrote."""
    Product.objects.filter(name="ガラス").update(name_key="ガラス", search_text=" qqカラス ")
    Product.objects.filter(name="Äpfel").update(name_key="äpfel", search_text=" qqapfel ")


def test_outdated_columns_work_and_are_rebuilt(api: APIClient, capsys: Any) -> None:
    glass, apples = factories.product("ガラス"), factories.product("Äpfel")
    changed = glass.updated_at
    make_outdated()
    assert found(api, "äpfel") == [apples.pk]
    assert [row["id"] for row in api.get("/products/?name=ÄPFEL").json()["results"]] == [apples.pk]
    assert len(api.get("/products/?name_contains=pfel").json()["results"]) == 1
    call_command("rebuild_search")
    assert "2 of them were updated" in capsys.readouterr().out
    call_command("rebuild_search")
    assert "0 of them were updated" in capsys.readouterr().out
    assert found(api, "ガラス") == [glass.pk]
    stored = Product.objects.get(pk=glass.pk)
    assert (stored.name_key, stored.search_text, stored.updated_at) == ("ガラス", glass.search_text, changed)


def test_the_migration_rebuilds_outdated_columns(api: APIClient) -> None:
    glass, apples = factories.product("ガラス"), factories.product("Äpfel")
    make_outdated()
    import_module("products.migrations.0005_names_in_every_script").refresh(apps, connection.schema_editor())
    assert found(api, "ガラス") == [glass.pk]
    assert [row["id"] for row in api.get("/products/").json()["results"]] == [apples.pk, glass.pk]


def test_siblings_with_equal_names_are_reported_and_not_changed(api: APIClient) -> None:
    first, second = factories.category("Lamps"), factories.category("Chairs")
    Category.objects.filter(pk=second.pk).update(
        name="La\u00admps", name_key="la\u00admps", sibling_key="0:la\u00admps"
    )
    with pytest.raises(Exception, match=f"Ids: {second.pk}$"):
        call_command("rebuild_search")
    second.refresh_from_db()
    assert (second.name_key, second.sibling_key) == ("lamps", "0:la\u00admps")
    assert [row["id"] for row in api.get("/categories/").json()["results"]] == [first.pk, second.pk]


def test_slugs_and_skus_keep_marks_and_accept_given_values(staff: APIClient) -> None:
    derived = {}
    for name in ("काला", "कालू", "केले", "น้ำ", "ខ្មែរ", "தமிழ்", "ভাষা", "Crème brûlée", "soft\u00adener", "Łódź!"):
        product = staff.post("/products/", {"name": name, "quantity": 1}, format="json").json()
        category = staff.post("/categories/", {"name": name}, format="json").json()
        assert category["slug"] == product["slug"]
        derived[name] = (product["slug"], product["sku"])
    assert derived["काला"] == ("काला", "काला")
    assert derived["कालू"] == ("कालू", "कालू")
    assert derived["ខ្មែរ"] == ("ខ្មែរ", "ខ្មែរ")
    assert derived["Crème brûlée"] == ("crème-brûlée", "CRÈME-BRÛLÉE")
    assert derived["soft\u00adener"] == ("softener", "SOFTENER")
    assert derived["Łódź!"] == ("łódź", "ŁÓDŹ")
    assert len(set(derived.values())) == len(derived)
    for index, slug in enumerate(("हिन्दी-किताब", "ไม้เอก", "cafe\u0301", "தமிழ்_1")):
        response = staff.post("/products/", {"name": "x", "quantity": 1, "slug": slug, "sku": slug}, format="json")
        assert response.status_code == 201, response.content
        assert response.json()["slug"] == unicodedata.normalize("NFC", slug)
        response = staff.post("/categories/", {"name": f"c{index}", "slug": slug}, format="json")
        assert response.status_code == 201, response.content
    for slug in ("\u0301a", "a b", "a/b", "a\u200bb", "a\u3164", "a.b", "a\ufe0f"):
        response = staff.post("/products/", {"name": "x", "quantity": 1, "slug": slug}, format="json")
        assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "slug"), ascii(slug)
