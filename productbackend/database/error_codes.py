"""The numbers of MySQL's and MariaDB's errors that are not a fault of the statement, by their kind."""

# Too many connections, server shutdown, connection killed, refused or lost, server offline: it left its group.
LOST = {1040, 1053, 1927, 2002, 2003, 2005, 2006, 2013, 2026, 2055, 3032, 3169, 4031}
# Lock wait timeout, deadlock.
LOCKED = {1205, 1213}
# A read was interrupted by its time limit, on MariaDB and on MySQL; see read_limit.py.
TOO_SLOW = {1969, 3024}
# Interrupted by KILL QUERY, or by a server that stops.
INTERRUPTED = {1317}
# The server is reachable but refuses writes: its disk is full, or it is read-only, as a secondary of a group is.
NO_WRITES = {1021, 1114, 1290, 1792, 1836}
# A group of servers changes its primary: it did not accept a commit, or may not have; or the new primary did not apply
# in time what the former one had committed.
PRIMARY_CHANGES = {3100, 3101, 3796, 3797, 3798, 3799}

UNAVAILABLE = LOST | LOCKED | TOO_SLOW | INTERRUPTED | NO_WRITES | PRIMARY_CHANGES
