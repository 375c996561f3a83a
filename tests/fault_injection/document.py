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

# Outcomes of faults

`make faults` runs each fault against the sandbox and writes this page. `make test` runs a fixed sample of the cases,
and CI runs all of them weekly; both fail if an outcome differs from this page.

{counts}

{cells} cells of the modules that write to the record are also run with the record in a PostgreSQL database, and have the same outcome.

In each case the tests also check:

- An error is one sentence: the operation, the device, the problem and the action.
- Check mode of the next run writes nothing, and predicts that run.
- The run after that changes nothing, and the service matches the declaration.
- At most one request sends a message, and the result reports it correctly.
- No device is created twice, no code is requested twice, and nothing is deleted or disconnected twice.
- No result, warning or error contains a token or a secret part of a URL.
- No other host gets a request, even with a redirect, a proxy variable or a `.netrc`.

Outcomes in the tables:

- **done**: the run completed its work.
- **later**: the run failed with one error, and the next run completed the work.
- **unknown**: the response to a message was lost. The error reports that the message may be queued. It is never sent again.
- **queued**: the message is queued, and its state could not be read in time. The error reports both. It is never sent again.
- Two words: the first is for a fault that occurs once, the second for one that lasts through the run.
- **-**: the request cannot have this fault.
- "Applied" and "not applied": whether the service had carried out the request before the fault.
"""

_SECTIONS = {
    "The way to the service": "The service cannot be reached.",
    "The machine": "Files and variables of the machine, which must change neither the content nor the target of a request.",
    "The record": "The directory of the record is damaged before the run or during it.",
    "After the request": "A step after the response fails. Completed work must not be reported as a failure.",
    "Others at work": "Another user changes the account during a request, or runs the same task.",
}


def counts(verdicts: t.Mapping[tuple[str, str, str], t.Sequence[Verdict]]) -> str:
    """Return the counts in one sentence."""
    found = collections.Counter(verdict for all_of_it in verdicts.values() for verdict in all_of_it)
    total = sum(found.values())
    return (
        f"{total:,} cases were run. In {found[Verdict.DONE]:,} of them, the run completed its work despite the fault. "
        f"In {found[Verdict.LATER]:,}, it failed with one error, and the next run completed the work. "
        f"In {found[Verdict.UNKNOWN]:,}, the response to a message was lost: the error reports that it is unknown "
        "whether the message is queued, and it was not sent again. "
        f"In {found[Verdict.QUEUED]:,}, the message was queued and its state could not be read: the error reports both."
    )


def document(verdicts: t.Mapping[tuple[str, str, str], t.Sequence[Verdict]], texts: t.Mapping[t.Any, str]) -> str:
    """Return the whole page."""
    parts = [_HEAD.format(counts=counts(verdicts), cells=len(ON_A_DATABASE))]
    for section in dict.fromkeys(cell.section for cell in CELLS):
        about = f"{_SECTIONS[section]}\n\n" if section in _SECTIONS else ""
        parts.append(f"## {section}\n\n{about}{table(section, texts)}\n")
    return "\n".join(parts)
