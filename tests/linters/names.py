# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.linters.names``: names in plugins are the terms of the field, and files and packages stay small.

The first names of this code were a private metaphor. A name in ``REPLACED`` must not be defined again.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# The name to use instead. Names that are also ordinary words of the field (put, mark, act) are not listed.
REPLACED = dict(
    pair.split(">")
    for pair in [
        "House>RunContext",
        "house>context",
        "Sight>Observation",
        "sight>observation",
        "Parcel>UpdatePayload",
        "parcel>payload",
        "Writer>Executor",
        "Turn>EntryRun",
        "Orders>FleetOptions",
        "Member>FleetEntry",
        "Board>FleetState",
        "Errand>RecordRequest",
        "errand>request",
        "Job>RecordPlan",
        "Hold>LockSet",
        "Meaning>RefusalKind",
        "Unanswered>ResponseLost",
        "Unreadable>UnexpectedResponse",
        "Garbled>MalformedResponse",
        "Busy>RateLimited",
        "Brake>SafetyLimit",
        "BrakeError>SafetyLimitError",
        "RecordHeld>RecordLocked",
        "Listing>DeviceList",
        "FonnteApi>FonnteClient",
        "Reply>ApiResponse",
        "Answer>HttpResponse",
        "Late>DeadlineExceeded",
        "Tries>RetryBudget",
        "Gate>RateLimitGate",
        "KeptListing>DeviceListCache",
        "Keep>ProcessCache",
        "Standing>EntryStatus",
        "NumberNote>NumberRecord",
        "SealedFile>EncryptedFile",
        "FolderHealth>StorageCheck",
        "Taken>AdoptionResult",
        "Found>ListedDevice",
        "Filled>ValidatedRow",
        "Wrong>CellError",
        "Examination>Diagnosis",
        "Bench>TestDevice",
        "Round>Trial",
        "Caller>JournalingClient",
        "Errand>RecordRequest",
        "View>RecordInventory",
        "Intake>EventReceiver",
        "Window>DedupWindow",
        "Subject>AuditedDevice",
        "Seen>AuditInput",
        "Words>Messages",
        "Unread>Unresolved",
        "Part>Section",
        "Report>ModuleResult",
        "Task>ModuleInput",
        "Where>ReadSource",
        "Queued>SendResult",
        "TextError>YamlEditError",
        "look>observe",
        "foresee>preview",
        "foreseen>predicted",
        "look_ahead>make_preview",
        "carry_out>apply",
        "stand_still>noop_plan",
        "identify>resolve_device",
        "open_house>build_context",
        "harmless>non_secret_urls",
        "doing>error_context",
        "passing>transient",
        "patience>retry_after",
        "key_of>canonical",
        "dialled>to_international",
        "bare_name>strip_stamp",
        "speaks_of>covers",
        "proves>matches",
        "at_stake>significant",
        "cut>truncate",
        "bare_host>origin",
        "write_whole>write_atomic",
        "remove_left>remove_stale_temp_files",
        "stranger>audit_undeclared",
        "strangers>undeclared_devices",
        "take_stock>add_undeclared",
        "take_in>import_sheet",
        "examine>diagnose",
        "put_back>restore",
        "look_around>scan",
        "left_over>orphaned",
        "earlier_backup>read_existing",
        "remembered>known_settings",
        "weighed>apply_stamp",
        "lessons>stamp_updates",
        "teaches>updates_record",
        "begun_creation>creation_pending",
        "had_device>existed_before",
        "moved_to>renumbered_to",
        "rival>conflicting_number",
        "certain>confirmed_values",
        "missing_is_fine>allow_missing",
        "manages>managed_options",
        "expect_earlier>created_by_earlier_task",
        "person>operator",
        "house_of>context",
        "kind_asked_for>match_path",
        "half_full>above_high_water",
        "hide>mask_secrets",
        "fleet_told>summarize",
        "told>reported",
        "heal>reconcile",
        "vouch>attest",
        "brake>limit",
        "brakes>limits",
        "house_rules>options",
        "seal>encrypt",
        "unseal>decrypt",
        "errands>requests",
    ]
)
MAX_LINES, MAX_FILES = 400, 15
# Not counted: the documentation of plugins.
DOCUMENTATION = {"DOCUMENTATION", "EXAMPLES", "RETURN"}
# One file for each module.
NO_LIMIT = {*(f"plugins/{name}" for name in ("modules", "action")), "plugins/module_utils/_modules"}
DOCUMENTS = {f"plugins/{name}" for name in ("modules", "doc_fragments")}


def defined_names(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the name and line of each class, function, parameter, attribute and variable that a file defines."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            yield node.id if isinstance(node, ast.Name) else node.attr, node.lineno


def problems(path: Path, source: str) -> Iterator[str]:
    """Yield a sentence for each replaced name."""
    for name, line in defined_names(ast.parse(source)):
        if name.lstrip("_") in REPLACED:
            yield f"{path}:{line}: {name} is a replaced name; use {REPLACED[name.lstrip('_')]}"


def code_lines(source: str) -> int:
    """Return the lines of a file without the documentation in it."""
    documented = (
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and DOCUMENTATION & {ast.unparse(target) for target in node.targets}
    )
    return source.count("\n") - sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in documented)


def size_problems(sources: dict[Path, str]) -> Iterator[str]:
    """Yield a sentence for each file and each package that is too large."""
    for path, source in sources.items():
        if str(path.parent) not in DOCUMENTS and code_lines(source) > MAX_LINES:
            yield f"{path}: {code_lines(source)} lines; {MAX_LINES} are the most"
    for folder, size in Counter(path.parent for path in sources).items():
        if size > MAX_FILES and str(folder) not in NO_LIMIT:
            yield f"{folder}: {size} files; {MAX_FILES} are the most"


def main() -> int:
    """Print each problem; return the exit code."""
    files = sorted(file for folder in ("plugins", "extensions/eda/plugins") for file in (ROOT / folder).rglob("*.py"))
    sources = {file.relative_to(ROOT): file.read_text(encoding="utf-8") for file in files}
    found = [line for path, source in sources.items() for line in problems(path, source)]
    # An extension must be one file, since ansible-rulebook loads it as one.
    found += size_problems({path: source for path, source in sources.items() if path.parts[0] == "plugins"})
    print("\n".join(found) or f"{len(files)} files have the terms of the field")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
