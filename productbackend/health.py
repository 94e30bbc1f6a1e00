"""Whether what the service stands on answers: the database, the cache, the broker."""

from celery import current_app
from django.core.cache import cache
from django.db import DatabaseError, connection
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError


def parts() -> dict[str, bool]:
    return {"database": database_answers(), "cache": cache_answers(), "broker": broker_answers()}


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def cache_answers() -> bool:
    try:
        cache.set("health", "ok", 10)
        return cache.get("health") == "ok"
    except (RedisError, OSError):
        return False


def broker_answers() -> bool:
    try:
        with current_app.connection_for_write(connect_timeout=1) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=1)
    except (BrokerError, OSError):
        return False
    return True
