# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.fault_injection FILE``: play every case, and write the page of the documents."""

from __future__ import annotations

import sys
from pathlib import Path

from ..sandbox.driver import Sandbox
from .cell_run import Stage, Verdict
from .document import counts, document
from .tables import CELLS, text_of


def main(page: Path) -> int:
    """Return the exit code: 1 if a case does not hold, and then nothing is written."""
    verdicts: dict[tuple[str, str, str], list[Verdict]] = {}
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
    if broken:
        print(f"{broken} cells do not hold; {page.name} is left as it was.", file=sys.stderr)
        return 1
    page.write_text(document(verdicts, {key: text_of(found) for key, found in verdicts.items()}), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
