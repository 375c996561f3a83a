# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/dev/faults.md from the results of a run."""

from __future__ import annotations

import collections
import typing as t

from .cell_run import Verdict
from .database import ON_A_DATABASE
from .tables import CELLS, table

# \x3a is a colon: license scanners would take the line for the header of this file.
_HEAD = """<!--
Copyright (c) 2026, fonnte.whatsapp contributors
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier\x3a GPL-3.0-or-later
-->

# When something goes wrong

This page is written by `make faults`, which runs every case against the sandbox. `make test` runs a fixed sample of the cases
again, and CI all of them once a week; both fail if a cell is not as it is here.

{counts}

{cells} cells of the modules that write to the record are run once more, with the record in a PostgreSQL database, and have the same outcome.

In each case the tests also see that:

- an error is one sentence: what was being done, to which device, what came back, what to do;
- check mode of the next run writes nothing, and foresees what that run does;
- the run after that has nothing left to do, and the service holds all that is declared;
- no message is sent twice: at most one request leaves, and what is told of it is so;
- no device is made twice, no code is asked for twice, nothing is deleted or disconnected twice;
- no token and no secret part of a URL is in a result, a warning or an error;
- no other host is called: not by a redirect, a proxy variable or a `.netrc`.

How to read the tables:

- **done**: the run did all its work all the same.
- **later**: the run failed with its one sentence, and the next run completed the work.
- **unknown**: a message may be queued or not, since its reply was lost. The one sentence says so. It is never sent again.
- Where a cell has two words, the first is for a fault that happens once, the second for one that lasts through the run.
- **-**: this cannot happen to the call.
- "Applied" and "not applied" say whether the service had carried out the call when it went wrong.
"""

_SECTIONS = {
    "The way to the service": "The service is not reached at all.",
    "The machine": "What lies about on the machine, and must not change what is sent, nor to whom.",
    "The record": "The folder of the record, before the run or in its middle.",
    "After the request": "A step fails that comes after the answer of the service. It must not make completed work look "
    "like a failure.",
    "Others at work": "Somebody else changes the account while a call of ours is on its way, or runs the same task.",
}


def counts(verdicts: t.Mapping[tuple[str, str, str], t.Sequence[Verdict]]) -> str:
    """Return the counts in one sentence."""
    found = collections.Counter(verdict for all_of_it in verdicts.values() for verdict in all_of_it)
    total = sum(found.values())
    return (
        f"{total:,} cases were tried. In {found[Verdict.DONE]:,} of them the run did all its work all the same. "
        f"In {found[Verdict.LATER]:,} it failed with one clear sentence, and the next run completed the work. "
        f"In {found[Verdict.UNKNOWN]:,} the reply to a message was lost: the sentence says that it is unknown whether "
        "it is queued, and it was not sent again."
    )


def document(verdicts: t.Mapping[tuple[str, str, str], t.Sequence[Verdict]], texts: t.Mapping[t.Any, str]) -> str:
    """Return the whole page."""
    parts = [_HEAD.format(counts=counts(verdicts), cells=len(ON_A_DATABASE))]
    for section in dict.fromkeys(cell.section for cell in CELLS):
        about = f"{_SECTIONS[section]}\n\n" if section in _SECTIONS else ""
        parts.append(f"## {section}\n\n{about}{table(section, texts)}\n")
    return "\n".join(parts)
