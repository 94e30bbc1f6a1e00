"""All checks, in the order of the output."""

from functools import partial

from productbackend.doctor import clock, configuration, database, interpreter, mail, redis, storage, work
from productbackend.doctor import site as web
from productbackend.doctor.findings import REGISTERED, Check
from productbackend.doctor.site import Site

DATABASE, REDIS, SITE = "the database", "Redis", "the site"


def all_checks(*, site: Site, mail_to: str = "") -> list[Check]:
    checks = [
        Check("settings", configuration.system_checks),
        Check("python", interpreter.unicode),
        Check("database", database.version),
        Check("database writes", database.writable, DATABASE),
        Check("replica", database.replica_state, DATABASE),
        Check("group", database.group_state, DATABASE),
        Check("isolation", database.isolation, DATABASE),
        Check("sql mode", database.sql_mode, DATABASE),
        Check("character set", database.character_set, DATABASE),
        Check("time zones", database.time_zones, DATABASE),
        Check("migrations", database.migrations, DATABASE),
        Check("cache", redis.writable),
        Check("queue", redis.queue),
        Check("eviction", redis.eviction, REDIS),
        Check("persistence", redis.persistence, REDIS),
        Check("workers", work.workers, REDIS),
        Check("beat", work.beat, REDIS),
        Check("waiting", work.waiting, DATABASE),
        *REGISTERED,
        Check("storage", storage.writable),
        Check("disk", storage.disk),
        Check("site", partial(web.ready, site)),
        Check("links", partial(web.links, site), SITE),
        Check("metrics", partial(web.metrics, site), SITE),
        Check("static files", partial(web.static_files, site), SITE),
        Check("renditions", partial(storage.served, site), SITE),
        Check("originals", partial(storage.originals, site), SITE),
        Check("mail server", mail.server),
        Check("mail sender", mail.sender),
        Check("database clock", clock.database, DATABASE),
        Check("redis clock", clock.redis, REDIS),
        Check("site clock", partial(clock.site, site), SITE),
    ]
    return [*checks, Check("mail", partial(mail.sent, mail_to))] if mail_to else checks
