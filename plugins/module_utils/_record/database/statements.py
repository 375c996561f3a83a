# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The statements of the record in PostgreSQL, with the reason for the form of each.

There is one row per name, with the same keyed digests and encrypted strings as in files; null for a removed value. The
row ``revision`` counts the writes. Each write updates it in its own transaction, so its row lock orders the commits: a
session that reads revision N also reads everything that was written up to N. A sequence has no such order.
"""

from __future__ import annotations

TABLE = "fonnte_record"
COUNTER = "revision"

# For a database administrator: the error for a user who may not create a table contains these statements.
CREATE = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (name text PRIMARY KEY, value bytea, revision bigint NOT NULL, "
    f"open boolean NOT NULL, writer text NOT NULL); "
    f"INSERT INTO {TABLE} VALUES ('{COUNTER}', NULL, 0, false, '') ON CONFLICT DO NOTHING;"
)
GRANT = f"GRANT SELECT, INSERT, UPDATE ON {TABLE} TO"

# If two sessions create the table at once, one waits for the transaction of the other.
LOCK_CREATION = "SELECT pg_advisory_xact_lock(hashtext('fonnte.whatsapp'), 0);"

# Returns without a lock and without a change whether the table exists, and the permissions of the user.
INSPECT = (
    f"SELECT to_regclass('{TABLE}') IS NOT NULL, coalesce(has_schema_privilege(current_schema(), 'CREATE'), false), "
    f"coalesce((SELECT bool_and(has_table_privilege(to_regclass('{TABLE}'), needed)) "
    "FROM unnest('{SELECT,INSERT,UPDATE}'::text[]) needed), false), quote_ident(current_user);"
)

MARK = f"SELECT revision FROM {TABLE} WHERE name = '{COUNTER}';"
READ = f"SELECT name, value, revision, open FROM {TABLE} WHERE name = ANY(%s::text[]);"
REVISIONS = f"SELECT name, revision, open FROM {TABLE} WHERE name = ANY(%s::text[]);"
NAMES = f"SELECT name FROM {TABLE} WHERE value IS NOT NULL AND name <> '{COUNTER}' ORDER BY name COLLATE \"C\";"

ANY = f"SELECT 1 FROM {TABLE} WHERE value IS NOT NULL LIMIT 1;"

# The system view lists the key of a session's advisory lock in two halves.
_KEY = "((classid::bigint << 32) | objid::bigint)"
_ADVISORY = (
    "locktype = 'advisory' AND objsubid = 1 AND granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_OWN_LOCKS = (
    f"SELECT count(DISTINCT {_KEY}) FROM pg_locks WHERE {_ADVISORY} AND pid = pg_backend_pid() "
    f"AND {_KEY} = ANY(%s::bigint[])"
)
OWN_LOCKS = f"SELECT pg_backend_pid(), ({_OWN_LOCKS});"

# All rows or none. The planned revision is that of the string that the plan was created from (0: no row). If a row has
# another revision, if a lock is lost, or in another server process, nothing is written and no row is returned. The rows
# are locked before the counter, so other sessions wait for the counter only while this statement commits.
PUT = (
    "WITH wanted AS MATERIALIZED (SELECT * FROM unnest(%s::text[], %s::bytea[], %s::bigint[], %s::boolean[]) "
    "AS given(name, value, planned, open)), "
    f"planned AS MATERIALIZED (SELECT stored.name FROM {TABLE} stored JOIN wanted USING (name) "
    "WHERE stored.revision = wanted.planned ORDER BY stored.name FOR UPDATE OF stored), "
    f"counter AS (UPDATE {TABLE} SET revision = revision + 1 WHERE name = '{COUNTER}' AND pg_backend_pid() = %s "
    "AND (SELECT count(*) FROM planned) = (SELECT count(*) FROM wanted WHERE planned <> 0) "
    f"AND NOT EXISTS (SELECT FROM {TABLE} stored JOIN wanted USING (name) WHERE wanted.planned = 0) "
    f"AND ({_OWN_LOCKS}) = %s RETURNING revision) "
    f"INSERT INTO {TABLE} (name, value, revision, open, writer) "
    "SELECT wanted.name, wanted.value, counter.revision, wanted.open, %s FROM wanted, counter "
    "ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value, revision = EXCLUDED.revision, open = EXCLUDED.open, "
    "writer = EXCLUDED.writer RETURNING revision;"
)

# In the order of the keys. The server does not wait for a lock, because this process could not end that wait.
TRY_LOCKS = (
    "SELECT pg_try_advisory_lock(key) FROM unnest(%s::bigint[]) WITH ORDINALITY AS wanted(key, place) ORDER BY place;"
)
UNLOCK = "SELECT pg_advisory_unlock(key) FROM unnest(%s::bigint[]) AS held(key);"

# Hosts and times of other users are visible only to members of pg_read_all_stats; the name of a run is visible to all.
HOLDER = (
    "SELECT application_name, coalesce(client_hostname, host(client_addr)), "
    "extract(epoch FROM clock_timestamp() - backend_start)::bigint FROM pg_locks JOIN pg_stat_activity USING (pid) "
    f"WHERE {_ADVISORY} AND pid <> pg_backend_pid() AND {_KEY} = %s LIMIT 1;"
)


def lock_key(name: str) -> int:
    """Return the key of a name's advisory lock: 64 of its bits. Two names with the same key wait for each other."""
    return int.from_bytes(bytes.fromhex(name[-32:])[:8], "big", signed=True)
