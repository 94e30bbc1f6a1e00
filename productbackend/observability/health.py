"""Checks whether the database, the cache and the broker are reachable."""

from celery import current_app
from django.core.cache import cache
from django.db import DatabaseError, connection
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError


def check_components() -> dict[str, bool]:
    return {"database": is_database_reachable(), "cache": is_cache_reachable(), "broker": is_broker_reachable()}


def is_database_reachable() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def is_cache_reachable() -> bool:
    try:
        cache.set("health", 1, 10)
        return bool(cache.get("health") == 1)
    except (RedisError, OSError):
        return False


def is_broker_reachable() -> bool:
    try:
        with current_app.connection_for_write(connect_timeout=1) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=1)
    except (BrokerError, RedisError, OSError):
        return False
    return True
