"""`manage.py doctor`: checks a deployment from inside."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from productbackend.doctor.checks import all_checks
from productbackend.doctor.findings import BAD, WARN, Finding, run_checks
from productbackend.doctor.site import Site


class Command(BaseCommand):
    help = (
        "Check this deployment from inside, and report for each part that it is good, or what to do. The exit code is "
        "1 if something is bad. It does not check stock and files: use check_stock and check_media."
    )
    requires_system_checks: list[str] = []  # the check `settings` runs them

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--url", default="", help="the URL of the service, if SITE_URL is unreachable from this host"
        )
        parser.add_argument("--mail-to", default="", metavar="ADDRESS", help="also send a mail to this address")
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, url: str, mail_to: str, **options: Any) -> None:
        found: list[Finding] = []
        for finding in run_checks(all_checks(site=Site(url), mail_to=mail_to)):
            found.append(finding)
            if not options["json"]:
                self.stdout.write(str(finding))
                self.stdout.flush()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(finding) for finding in found], indent=1))
        bad, warned = (sum(finding.level == level for finding in found) for level in (BAD, WARN))
        if bad:
            raise CommandError(f"{bad} of {len(found)} findings are bad, {warned} are warnings.")
