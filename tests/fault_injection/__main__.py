# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.fault_injection FILE [NAME]``: run every case, and write the page of the documents.

With a name, such as ``fonnte_device``, only the cases of this module are run; the others keep their outcomes.

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
from .tables import CELLS, Cell, read, text_of

Verdicts = dict[tuple[str, str, str], list[Verdict]]


def main(page: Path, module: str = "") -> int:
    """Return the exit code: 1 if a case fails; then no page is written."""
    chosen = [cell for cell in CELLS if not module or f"fonnte_{cell.scene.module}" == module]
    if not chosen:
        print(f"No scene of tests/fault_injection/scenarios.py is of {module}.", file=sys.stderr)
        return 1
    kept = read(page.read_text(encoding="utf-8")) if module else {}
    verdicts: Verdicts = {cell.key: _verdicts(kept[cell.key]) for cell in CELLS if cell.key in kept}
    broken = 0
    with Sandbox() as sandbox, Sandbox() as elsewhere:
        stage = Stage(sandbox, elsewhere)
        for cell in chosen:
            try:
                verdicts[cell.key] = cell.play(stage)
            except AssertionError as fault:
                broken += 1
                print(f"{' / '.join(cell.key)}: {fault}", file=sys.stderr)
        print(counts(verdicts))
        try:
            with start_server(find_installations()[0]) as server:
                broken += _run_on_a_database(server, sandbox, elsewhere, verdicts, chosen)
        except NoServerError as exc:
            print(f"With the record in a database, no cell was tried, since no PostgreSQL server can be started: {exc}")
    if broken:
        print(f"{broken} cells do not hold; {page.name} is left as it was.", file=sys.stderr)
        return 1
    untried = [" / ".join(cell.key) for cell in CELLS if cell.key not in verdicts]
    if untried:
        print(f"{page.name} is left as it was. Run all cases: it lacks {', '.join(untried[:5])}.", file=sys.stderr)
        return 1
    page.write_text(document(verdicts, {key: text_of(found) for key, found in verdicts.items()}), encoding="utf-8")
    return 0


def _verdicts(text: str) -> list[Verdict]:
    return [Verdict(word) for word in text.split(", ")]


def _run_on_a_database(
    server: Server, sandbox: Sandbox, elsewhere: Sandbox, with_files: Verdicts, chosen: list[Cell]
) -> int:
    """Return the number of cells that fail, or whose outcome differs from that with a record in files."""
    stage = Stage(sandbox, elsewhere, emptied_database(server))
    found: Verdicts = {}
    broken = 0
    cells = [cell for cell in ON_A_DATABASE if cell in chosen]
    for cell in cells:
        try:
            found[cell.key] = cell.play(stage)
            expected = with_files.get(cell.key, found[cell.key])
            assert found[cell.key] == expected, f"{text_of(found[cell.key])}, and with files {text_of(expected)}"
        except AssertionError as fault:
            broken += 1
            print(f"{' / '.join(cell.key)}, with the record in a database: {fault}", file=sys.stderr)
    if cells:
        print(f"With the record in a database, {len(cells)} cells, {broken} of which do not hold: {counts(found)}")
    return broken


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
