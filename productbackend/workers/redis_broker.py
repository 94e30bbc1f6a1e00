"""Celery's Redis broker, which treats a server that refuses commands as unreachable.

A server that is full, is a replica, cannot write to its disk or requires a password responds with an error, which
ends kombu's consumer and with it the worker. Here it is a lost connection: the worker waits and reconnects.
"""

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis
from redis.exceptions import RedisError

PROBE = "productbackend:takes-writes"
PROBE_TTL = 10  # seconds


class ProbingChannel(redis.Channel):
    """Opens only if the server accepts writes: otherwise a worker would connect, fail and reconnect in a loop."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        try:
            self.client.set(PROBE, 1, ex=PROBE_TTL)
        except RedisError:
            self.close()
            raise


class SentinelChannel(ProbingChannel, redis.SentinelChannel):
    pass


class Transport(redis.Transport):
    Channel = ProbingChannel
    connection_errors = (*redis.Transport.connection_errors, RedisError)


class SentinelTransport(redis.SentinelTransport):
    Channel = SentinelChannel
    connection_errors = (*redis.SentinelTransport.connection_errors, RedisError)


TRANSPORT_ALIASES["redis"] = "productbackend.workers.redis_broker:Transport"
TRANSPORT_ALIASES["sentinel"] = "productbackend.workers.redis_broker:SentinelTransport"
