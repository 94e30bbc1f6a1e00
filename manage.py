#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys

from productbackend.environment import line_or_exit


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "productbackend.settings")
    from django.core.management import execute_from_command_line

    try:
        with line_or_exit():
            execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
