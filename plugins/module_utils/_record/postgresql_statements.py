# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The statements of the record in PostgreSQL, and the reason for the form of each.

One row per name: the same keyed digests and encrypted strings as in files; null for a removed value. The row
``revision`` counts the writes. Each write updates it in its own transaction, so its row lock orders the commits:
whoever reads revision N also reads all that was written up to N. A sequence has no such order.
"""

from __future__ import annotations

TABLE = "fonnte_record"
COUNTER = "revision"

# For a database administrator: the error for a user who may create no table contains this statement.
CREATE = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (name text PRIMARY KEY, value bytea, revision bigint NOT NULL, "
    f"writer text NOT NULL); INSERT INTO {TABLE} VALUES ('{COUNTER}', NULL, 0, '') ON CONFLICT DO NOTHING;"
)
GRANT = f"GRANT SELECT, INSERT, UPDATE ON {TABLE} TO {{role}};"

# Two sessions that create the table at once: one waits for the other's transaction.
LOCK_CREATION = "SELECT pg_advisory_xact_lock(hashtext('fonnte.whatsapp'), 0);"

# Without a lock and without a change: whether the table exists, and the user's permissions.
INSPECT = (
    f"SELECT to_regclass('{TABLE}') IS NOT NULL, "
    "has_schema_privilege(current_schema(), 'CREATE'), "
    f"coalesce((SELECT bool_and(has_table_privilege(to_regclass('{TABLE}'), needed)) "
    "FROM unnest('{SELECT,INSERT,UPDATE}'::text[]) needed), false), current_user;"
)

MARK = f"SELECT revision FROM {TABLE} WHERE name = '{COUNTER}';"
READ = f"SELECT name, value, revision FROM {TABLE} WHERE name = ANY(%s::text[]);"
NAMES = f"SELECT name FROM {TABLE} WHERE value IS NOT NULL AND name <> '{COUNTER}' ORDER BY name;"

# A session's advisory locks are listed by the two halves of their key.
_OWN_LOCKS = (
    "SELECT count(DISTINCT (classid::bigint << 32) | objid::bigint) FROM pg_locks WHERE locktype = 'advisory' "
    "AND objsubid = 1 AND granted AND pid = pg_backend_pid() "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND ((classid::bigint << 32) | objid::bigint) = ANY(%s::bigint[])"
)

# All rows or none. The planned revision is the one that the run planned with (0: no row); a row with another one, a
# lock that was lost or another server process is a miss, and nothing is written. The locks of the rows are taken
# before that of the counter, so the others wait for the counter only while this statement commits.
PUT = (
    "WITH wanted AS MATERIALIZED (SELECT * FROM unnest(%s::text[], %s::bytea[], %s::bigint[]) "
    "AS given(name, value, planned)), "
    f"planned AS MATERIALIZED (SELECT stored.name FROM {TABLE} stored JOIN wanted USING (name) "
    "WHERE stored.revision = wanted.planned ORDER BY stored.name FOR UPDATE OF stored), "
    f"counter AS (UPDATE {TABLE} SET revision = revision + 1 WHERE name = '{COUNTER}' AND pg_backend_pid() = %s "
    "AND (SELECT count(*) FROM planned) = (SELECT count(*) FROM wanted WHERE planned <> 0) "
    f"AND NOT EXISTS (SELECT FROM {TABLE} stored JOIN wanted USING (name) WHERE wanted.planned = 0) "
    f"AND ({_OWN_LOCKS}) = %s RETURNING revision) "
    f"INSERT INTO {TABLE} (name, value, revision, writer) "
    "SELECT wanted.name, wanted.value, counter.revision, %s FROM wanted, counter "
    "ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value, revision = EXCLUDED.revision, writer = EXCLUDED.writer "
    "RETURNING revision;"
)

# In the order of the keys. Tried and never waited for: a wait inside the server could not be ended by this process.
TRY_LOCKS = (
    "SELECT place, pg_try_advisory_lock(key) FROM unnest(%s::bigint[]) WITH ORDINALITY AS wanted(key, place) "
    "ORDER BY place;"
)
UNLOCK = "SELECT pg_advisory_unlock(key) FROM unnest(%s::bigint[]) AS held(key);"

# Other users' hosts and times are visible to members of pg_read_all_stats alone; the name of a run is to all.
HOLDER = (
    "SELECT application_name, coalesce(client_hostname, host(client_addr)), "
    "extract(epoch FROM now() - backend_start)::bigint FROM pg_locks JOIN pg_stat_activity USING (pid) "
    "WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND pid <> pg_backend_pid() "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND ((classid::bigint << 32) | objid::bigint) = %s LIMIT 1;"
)


def lock_key(name: str) -> int:
    """Return the key of a name's advisory lock: 64 of its bits. Two names with one key wait for each other."""
    return int.from_bytes(bytes.fromhex(name[-32:])[:8], "big", signed=True)
