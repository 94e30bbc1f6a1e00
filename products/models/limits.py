"""Limits and defaults of columns."""

QUANTITY_MAX = POSITION_MAX = 2_147_483_647
DESCRIPTION_MAX = 20_000  # characters; the column holds more, which the admin may write
STANDARD_TAX_CLASS = "standard"  # of a product or a delivery method that names none
SUGGESTION_KEY_LENGTH = 64
AXES_MAX, AXIS_MAX, OPTION_MAX = 3, 50, 100  # axes of a family; characters of an axis, and of a value
AXIS_KEY_LENGTH = 3 * AXIS_MAX  # casefolding can triple a text
VARIANTS_MAX = 250  # members of a family
