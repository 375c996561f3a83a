# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.fault_injection FILE``: run every case, and write the page of the documents.

The cells of ``ON_A_DATABASE`` are run again with the record in a PostgreSQL database, and must have the same outcome.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ..postgresql import NoServerError, Server, find_installations, start_server
from ..sandbox.driver import Sandbox
from .cell_run import Stage, Verdict
from .database import ON_A_DATABASE, emptied_database
from .document import counts, document
from .tables import CELLS, text_of

Verdicts = dict[tuple[str, str, str], list[Verdict]]


def main(page: Path) -> int:
    """Return the exit code: 1 if a case fails; then no page is written."""
    verdicts: Verdicts = {}
    broken = 0
    with Sandbox() as sandbox, Sandbox() as elsewhere:
        stage = Stage(sandbox, elsewhere)
        for cell in CELLS:
            try:
                verdicts[cell.key] = cell.play(stage)
            except AssertionError as fault:
                broken += 1
                print(f"{' / '.join(cell.key)}: {fault}", file=sys.stderr)
        print(counts(verdicts))
        try:
            with start_server(find_installations()[0]) as server:
                broken += _run_on_a_database(server, sandbox, elsewhere, verdicts)
        except NoServerError as exc:
            print(f"With the record in a database, no cell was tried, since no PostgreSQL server can be started: {exc}")
    if broken:
        print(f"{broken} cells do not hold; {page.name} is left as it was.", file=sys.stderr)
        return 1
    page.write_text(document(verdicts, {key: text_of(found) for key, found in verdicts.items()}), encoding="utf-8")
    return 0


def _run_on_a_database(server: Server, sandbox: Sandbox, elsewhere: Sandbox, with_files: Verdicts) -> int:
    """Return the number of cells that fail, or whose outcome differs from that with a record in files."""
    stage = Stage(sandbox, elsewhere, emptied_database(server))
    found: Verdicts = {}
    broken = 0
    for cell in ON_A_DATABASE:
        try:
            found[cell.key] = cell.play(stage)
            expected = with_files.get(cell.key, found[cell.key])
            assert found[cell.key] == expected, f"{text_of(found[cell.key])}, and with files {text_of(expected)}"
        except AssertionError as fault:
            broken += 1
            print(f"{' / '.join(cell.key)}, with the record in a database: {fault}", file=sys.stderr)
    print(f"With the record in a database, {len(ON_A_DATABASE)} cells, {broken} of which do not hold: {counts(found)}")
    return broken


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
