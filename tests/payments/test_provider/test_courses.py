"""The table of courses: cards, cents, and its copy in the documentation."""

import re

import pytest
from django.conf import settings

from payments.test_provider import courses
from payments.test_provider.courses import COURSES

pytestmark = pytest.mark.embedded


def test_each_course_has_its_own_code_and_card() -> None:
    assert len({course.code for course in COURSES}) == len({course.card for course in COURSES}) == len(COURSES)
    assert set(courses.AFTERWARDS) <= set(courses.BY_CODE)


@pytest.mark.parametrize(
    ("cents", "code"), [(1_001, "fails"), (1, "fails"), (509, "chargeback_reversal"), (1_990, "pays"), (10_000, "pays")]
)
def test_the_cents_of_an_amount_choose(cents: int, code: str) -> None:
    assert courses.of_amount(cents).code == code


@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.code)
def test_a_card_chooses_however_it_is_spaced(course: courses.Course) -> None:
    digits = course.card.replace(" ", "")
    assert (
        courses.of_card(course.card)
        == courses.of_card(digits)
        == courses.of_card(f" {digits[:8]}-{digits[8:]} ")
        == course
    )


def test_a_real_card_chooses_nothing() -> None:
    assert courses.of_card("4242 4242 4242 4242") is None


def test_the_documentation_has_the_same_table() -> None:
    page = (settings.BASE_DIR / "docs" / "howto" / "payments.md").read_text()
    rows = re.findall(r"^ *\| `(\w+)` \| `([0-9 ]+)` \| (?:`\.([0-9]{2})`|others) \| (.+) \|$", page, re.MULTILINE)
    assert rows == [
        (course.code, course.card, f"{course.number:02}" if course.number else "", course.text) for course in COURSES
    ]
