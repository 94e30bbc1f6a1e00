"""manage.py doctor: looks at a deployment from inside."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from productbackend.doctor.checks import all_checks
from productbackend.doctor.findings import BAD, WARN, Finding, look_at
from productbackend.doctor.site import Site


class Command(BaseCommand):
    help = (
        "Look at this deployment from inside, and say of each part that it is good, or what to do. The exit code is 1 "
        "where something is bad. check_stock and check_media look at the shop's books and files, which this does not."
    )
    requires_system_checks: list[str] = []  # they are among what it looks at

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--url", default="", help="where to reach the service, where SITE_URL leads nowhere from in here"
        )
        parser.add_argument("--mail-to", default="", metavar="ADDRESS", help="send one mail there too")
        parser.add_argument("--json", action="store_true", help="a list of findings, for machines")

    def handle(self, *args: Any, url: str, mail_to: str, **options: Any) -> None:
        found: list[Finding] = []
        for finding in look_at(all_checks(site=Site(url), mail_to=mail_to)):
            found.append(finding)
            if not options["json"]:
                self.stdout.write(str(finding))
                self.stdout.flush()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(finding) for finding in found], indent=1))
        bad, warned = (sum(finding.level == level for finding in found) for level in (BAD, WARN))
        if bad:
            raise CommandError(f"{bad} of {len(found)} findings are bad, {warned} are warnings.")
