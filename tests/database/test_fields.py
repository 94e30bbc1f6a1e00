"""Model fields of our own."""

import json

from productbackend.database.fields import TextMapField


def test_a_map_of_text_is_stored_in_its_order() -> None:
    field = TextMapField()
    options = {"Size": "M", "Colour": "赤", "A": "x:y"}
    stored = field.get_prep_value(options)
    assert stored == json.dumps(options, ensure_ascii=False)
    assert list(field.from_db_value(stored, None, None)) == ["Size", "Colour", "A"]
    assert field.to_python(stored) == options


def test_an_empty_map_is_null() -> None:
    field = TextMapField()
    assert field.get_prep_value({}) is None
    assert field.from_db_value(None, None, None) == field.to_python(None) == field.to_python("") == {}
