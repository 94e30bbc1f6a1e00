"""Free TCP ports."""

import socket


def free_port(host: str = "127.0.0.1") -> int:
    """A port on which nobody listens. Another process may take it before the caller does."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
