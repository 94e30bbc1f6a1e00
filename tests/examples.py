"""How many random examples a test takes: all in `make test-services`, a quarter of them in `make test`."""

import os


def examples(number: int) -> int:
    return number if "HYPOTHESIS_PROFILE" in os.environ else number // 4
