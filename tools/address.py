# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the public address of the repository into galaxy.yml, and into the links of the README."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.paths import ROOT

# The fields of galaxy.yml that follow from the address of a repository.
FIELDS = {
    "repository": "%s",
    "documentation": "%s/blob/main/README.md",
    "homepage": "%s",
    "issues": "%s/issues",
}
USAGE = 'name the address of the repository: make address URL="https://github.com/OWNER/REPOSITORY"'
LINK = re.compile(r"\]\((?!https?://|#)([^)\s]+)\)")


def write_address(arguments: Sequence[str]) -> None:
    """Write the address, or end the program with the usage."""
    if len(arguments) != 1 or not re.fullmatch(r"https://[^\s/]+(/[^\s/]+)+", arguments[0].rstrip("/")):
        raise SystemExit(USAGE)
    url = arguments[0].rstrip("/")
    for name, change in (("galaxy.yml", with_fields), ("README.md", with_full_links)):
        path = ROOT / name
        path.write_text(change(path.read_text(encoding="utf-8"), url), encoding="utf-8")
    print("galaxy.yml and README.md have the address. Check the change, and commit it.")


def with_fields(galaxy: str, url: str) -> str:
    """Return galaxy.yml with the fields set."""
    kept = [line for line in galaxy.splitlines() if not re.match(r"(%s):" % "|".join(FIELDS), line)]
    at = kept.index("build_ignore:")
    lines = ["%s: %s" % (field, form % url) for field, form in FIELDS.items()]
    return "\n".join(kept[:at] + lines + kept[at:]) + "\n"


def with_full_links(readme: str, url: str) -> str:
    """Return the README with full addresses instead of paths in the repository."""
    return LINK.sub(lambda found: "](%s/blob/main/%s)" % (url, found.group(1)), readme)
