"""Limits and defaults of columns."""

QUANTITY_MAX = POSITION_MAX = 2_147_483_647
DESCRIPTION_MAX = 20_000  # characters; the column holds more, which the admin may write
STANDARD_TAX_CLASS = "standard"  # of a product or a delivery method that names none
SUGGESTION_KEY_LENGTH = 64
