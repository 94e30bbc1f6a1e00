"""The fields of slugs and of options."""

import pytest
from rest_framework.exceptions import ValidationError

from products.families.fields import CombinationsField, FormOptionsField, OptionsField, SlugField


def test_options_are_text_by_axis() -> None:
    assert OptionsField().run_validation({"Size": " M "}) == {"Size": "M"}
    assert FormOptionsField().run_validation('{"Size": "M"}') == {"Size": "M"}
    assert FormOptionsField().run_validation("") == {}
    assert CombinationsField().run_validation({"Size": ["S", " M"]}) == {"Size": ["S", "M"]}


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "[]", "1", '{"Size": 1}', '{"Size": null}'])
def test_other_text_in_a_form_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        FormOptionsField().run_validation(text)


@pytest.mark.parametrize("slug", ["a b", "a/b", "\u0301a", "x" * 221])
def test_a_slug_has_no_other_characters(slug: str) -> None:
    with pytest.raises(ValidationError):
        SlugField(max_length=220, example="boot").run_validation(slug)
