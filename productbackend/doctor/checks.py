"""Every check, in the order in which it is shown."""

from functools import partial

from productbackend.doctor import clock, configuration, database, mail, redis, storage, work
from productbackend.doctor import site as web
from productbackend.doctor.findings import Check
from productbackend.doctor.site import Site


def all_checks(*, site: Site, mail_to: str = "") -> list[Check]:
    checks = [
        Check("debug", configuration.debug),
        Check("keys", configuration.secrets),
        Check("allowed hosts", configuration.hosts),
        Check("site url", configuration.site_url),
        Check("proxies", configuration.proxies),
        Check("django", configuration.django),
        Check("database", database.version),
        Check("database writes", database.writable, "database"),
        Check("isolation", database.isolation, "database"),
        Check("sql mode", database.sql_mode, "database"),
        Check("character set", database.character_set, "database"),
        Check("time zones", database.time_zones, "database"),
        Check("migrations", database.migrations, "database"),
        Check("cache", redis.stored),
        Check("queue", redis.queue),
        Check("eviction", redis.eviction, "redis"),
        Check("persistence", redis.persistence, "redis"),
        Check("workers", work.workers, "redis"),
        Check("waiting", work.waiting, "database"),
        Check("storage", storage.written),
        Check("disk", storage.disk),
        Check("site", partial(web.answers, site)),
        Check("links", partial(web.links, site), "site"),
        Check("static files", partial(web.static_files, site), "site"),
        Check("renditions", partial(storage.served, site), "site"),
        Check("originals", partial(storage.originals, site), "site"),
        Check("mail server", mail.server),
        Check("mail sender", mail.sender),
        Check("database clock", clock.database, "database"),
        Check("redis clock", clock.redis, "redis"),
        Check("site clock", partial(clock.site, site), "site"),
    ]
    return [*checks, Check("mail", partial(mail.sent, mail_to))] if mail_to else checks
