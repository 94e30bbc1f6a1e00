#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys
from importlib import import_module

from productbackend.environment import exit_on_bad_setting


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "productbackend.settings")
    from django.core.management import execute_from_command_line

    try:
        with exit_on_bad_setting():
            # Django keeps an error of the settings to itself, and some commands then fail for what follows from it.
            import_module(os.environ["DJANGO_SETTINGS_MODULE"])
            execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
