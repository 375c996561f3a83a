# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role fleet and its playbooks refuse invalid input before the first request, in one sentence without a secret."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.test_fleet_role import (
    COMMON,
    FILES,
    HOOK,
    SECRET,
    WARUNG,
    WHOLE,
    by_name,
    declare,
    kept,
    play,
    play_this,
    two_accounts,
)
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import CORES as PROGRAMS
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import USUAL_CORES, sample
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

Json = dict[str, Any]
# For tests whose result may depend on the core, and for all others.
ON_EACH_CORE = pytest.mark.parametrize("core", PROGRAMS.values(), ids=PROGRAMS)
ON_USUAL_CORES = pytest.mark.parametrize("core", [PROGRAMS[core] for core in USUAL_CORES], ids=USUAL_CORES)
NEWEST = PROGRAMS["newest"]
ROLE = [{"role": "fonnte.whatsapp.fleet"}]


def of_client(number: str, **more: Any) -> Json:
    return {"fleet_clients": [{"name": f"Toko {number[-1]}", "devices": [{"device": number, "name": "Toko"}], **more}]}


def inventory(folder: Path, **hosts: Json) -> list[str]:
    """Write an inventory with the group clients, and return the arguments that name it."""
    group = {"clients": {"hosts": {name: {"ansible_connection": "local", **said} for name, said in hosts.items()}}}
    (folder / "inventory.json").write_text(json.dumps(group), encoding="utf-8")
    return ["-i", str(folder / "inventory.json")]


def live(sandbox: Sandbox) -> dict[str, str]:
    """Return the environment of a run that could write to the account."""
    return {"FONNTE_API_ENDPOINT": sandbox.url, "FONNTE_ACCOUNT_TOKEN": sandbox.account_token}


@pytest.mark.weekly
@ON_USUAL_CORES
@pytest.mark.parametrize("written", sample(["{{ nobody | default(none) }}", None, ["x"]], 2), ids=json.dumps)
def test_null_account_token_of_client_is_refused(written: object, core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    two_accounts(sandbox, tmp_path)
    declare(tmp_path, "warung.yaml", {"fleet_clients": [{**WARUNG, "account_token": written}]})
    says = "warung.yaml: Warung: Option account_token: it is "
    code, output = play(core, sandbox, tmp_path, **FILES)
    assert code != 0 and says in output
    code, output = by_name("audit", core, tmp_path, "-e", "audit_files=clients", **live(sandbox))
    assert code != 0 and says in output
    assert sandbox.journal() == []


@pytest.mark.weekly
@ON_USUAL_CORES
@pytest.mark.parametrize("named", sample(["", ["clients", None], [""], [" "], [None], 5], 2), ids=json.dumps)
def test_empty_name_of_file_is_refused(named: object, core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    declare(tmp_path, "fleet.yml", COMMON)
    (tmp_path / "other.yml").write_text(json.dumps(of_client("081200000001")), encoding="utf-8")
    code, output = play(core, sandbox, tmp_path, fleet_files=named, fleet_base=str(tmp_path))
    assert (
        code != 0
        and "fleet_files has an empty name, or a value" in output
        and "check why the variable is empty" in output
    )
    for name in ("provision", "audit"):
        words = ["-e", json.dumps({f"{name}_files": named})]
        code, output = by_name(name, core, tmp_path, *words, **live(sandbox))
        assert code != 0 and f"{name}_files has an empty name, or a value that is not a name" in output
    assert sandbox.journal() == []


@pytest.mark.weekly
def test_empty_name_of_earlier_file_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    declare(tmp_path, "toko.yml", of_client("081200000001"))
    words = ["-e", "provision_offline=true", "-e", "provision_files=clients", "-e", "provision_earlier="]
    code, output = by_name("provision", NEWEST, tmp_path, *words)
    assert code != 0 and "provision_earlier has an empty name" in output


@pytest.mark.weekly
@ON_USUAL_CORES
def test_role_refuses_play_with_several_hosts(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    words = inventory(tmp_path, a=of_client("081200000001"), b=of_client("081200000002"))
    book: list[Json] = [{"hosts": "clients", "gather_facts": False, "roles": ROLE}]
    code, output = play_this(book, core, sandbox, tmp_path, *words)
    assert code != 0 and "This role works on all clients in one run" in output and sandbox.journal() == []
    # With serial, each host would be a separate run.
    code, output = play_this([{**book[0], "serial": 1}], core, sandbox, tmp_path, *words)
    assert code != 0 and "This role works on all clients in one run" in output and sandbox.journal() == []
    assert play_this(book, core, sandbox, tmp_path, *words, "--limit", "a")[0] == 0
    assert [number[-1] for number in sandbox.devices()] == ["1"]


@ON_EACH_CORE
def test_limit_selects_clients(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    words = inventory(tmp_path, a=of_client("081200000001"), b=of_client("081200000002"))
    chosen = [*words, "-e", "provision_hosts=clients", "--limit", "localhost,a"]
    code, output = by_name("provision", core, tmp_path, *chosen, **live(sandbox))
    assert code == 0 and [number[-1] for number in sandbox.devices()] == ["1"], output[-2000:]
    (tmp_path / "names").write_text("localhost\nb\n", encoding="utf-8")
    for named, limit in (("a", "localhost,b"), ("clients", f"localhost,@{tmp_path / 'names'}")):
        others = [*words, "-e", f"provision_hosts={named}", "--limit", limit]
        code, output = by_name("provision", core, tmp_path, *others, **live(sandbox))
        assert code != 0 and "selects none of the hosts whose clients must be read" in output
    assert len(sandbox.devices()) == 1


@pytest.mark.weekly
@ON_USUAL_CORES
def test_unused_variable_of_host_is_refused(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    words = inventory(tmp_path, a=of_client("081200000001"), b={**of_client("081200000002"), "fleet_defaults": WHOLE})
    words += ["-e", "provision_hosts=clients", "-e", "provision_offline=false", "--check"]
    code, output = by_name("provision", core, tmp_path, *words, **live(sandbox))
    assert code != 0 and "The variables of b have fleet_devices," in output and sandbox.journal() == []
    # A variable that the play has too is used.
    shared = ["-e", json.dumps({"fleet_defaults": WHOLE})]
    code, output = by_name("provision", core, tmp_path, *words, *shared, **live(sandbox))
    assert code == 0 and "2 devices are declared. Expected result of a run: 2 created" in output


@pytest.mark.weekly
@ON_USUAL_CORES
def test_role_runs_twice_in_one_playbook(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    """The second run does not report the variables that the first one has set as misspelled. Each sets its fact."""
    book = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "roles": ROLE,
            "post_tasks": [{"ansible.builtin.assert": {"that": f"fleet_summary.created == {created}"}}],
        }
        for created in (["081200000001"], [])
    ]
    safe = {"fleet_tokens_dest": str(tmp_path / "tokens"), "fleet_tokens_password": SECRET}
    code, output = play_this(book, core, sandbox, tmp_path, **of_client("081200000001"), **safe)
    assert code == 0 and "1 device is declared. 0 created, 0 updated, 0 disconnected, 1 unchanged." in output


@ON_EACH_CORE
def test_check_mode_keyword_of_play_gives_prediction(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    book: list[Json] = [{"hosts": "localhost", "gather_facts": False, "check_mode": True, "roles": ROLE}]
    given = tmp_path / "given"
    command = ["sh", "-c", f'cat >> "{given}"']
    said = {**of_client("081200000001"), "fleet_tokens_command": command, "fleet_tokens_of": "all"}
    code, output = play_this(book, core, sandbox, tmp_path, **said)
    assert code == 0 and "1 device is declared. Expected result of a run: 1 created" in output, output[-2000:]
    assert sandbox.writes() == [] and not given.exists()
    code, output = play_this([{**book[0], "check_mode": False}], core, sandbox, tmp_path, "--check", **said)
    assert code == 0 and "1 device is declared. 1 created" in output and given.exists()


MISSPELT = [
    ("provision", "provision_offlin=true", "There is no variable provision_offlin; provision_offline may be meant"),
    ("provision", '{"provision_offline": null}', "provision_offline is neither true nor false"),
    ("audit", "audit_fail_no=x", "There is no variable audit_fail_no; audit_fail_on may be meant"),
    ("provision", "fleet_onyl=081200000001", "There is no variable fleet_onyl; fleet_only may be meant, so rename"),
    ("provision", "provision_quickly=1", "There is no variable provision_quickly, so rename or remove it."),
    ("audit", '{"audit_hosts": 5}', "audit_hosts has an empty name, or a value that is not a name"),
    ("provision", "provision_offline=trueish", "provision_offline is neither true nor false"),
    ("provision", "fleet_max_creates=0", "There is no variable fleet_max_creates; fleet_max_create may be meant"),
    ("provision", '{"provision_hosts": null}', "provision_hosts has an empty name, or a value that is not a name"),
]


@pytest.mark.parametrize(("name", "word", "says"), sample(MISSPELT, 2))
def test_misspelled_variable_or_value_is_refused(
    name: str, word: str, says: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    declare(tmp_path, "toko.yml", of_client("081200000001"))
    code, output = by_name(name, NEWEST, tmp_path, "-e", f"{name}_files=clients", "-e", word, **live(sandbox))
    assert code != 0 and says in output and sandbox.journal() == []


@pytest.mark.weekly
@ON_USUAL_CORES
def test_unrelated_variables_with_same_prefix_are_accepted(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    """A user may register a variable, or have a variable in the inventory, whose name begins like those of the role."""
    mine = {"fleet_region": "x", "fleet_files_of_last_week": "x", "provision_vlan": 1, "audit_log_path": "x"}
    inventory = tmp_path / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"localhost": None}, "vars": mine}}), encoding="utf-8")
    declare(tmp_path, "toko.yml", of_client("081200000001"))
    for name in ("provision", "audit"):
        words = ["-i", str(inventory), "-e", f"{name}_files=clients"]
        code, output = by_name(name, core, tmp_path, *words, **live(sandbox))
        assert code == 0, output[-2000:]


@pytest.mark.weekly
@pytest.mark.parametrize("word", sample(["yes", "1", "True", "on"], 2))
def test_boolean_variable_accepts_other_spellings(word: str, sandbox: Sandbox, tmp_path: Path) -> None:
    declare(tmp_path, "toko.yml", of_client("081200000001"))
    words = ["-e", "provision_files=clients", "-e", f"provision_offline={word}"]
    code, output = by_name("provision", NEWEST, tmp_path, *words, **live(sandbox))
    assert code == 0 and "No problems." in output and sandbox.journal() == []


@pytest.mark.weekly
@ON_USUAL_CORES
@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"fleet_hosts": ["clients", 5]}, "fleet_hosts has an empty name, or a value that is not a name"),
        ({"fleet_tokens_command": "cat -"}, "fleet_tokens_command is not a list of strings"),
    ],
    ids=["hosts", "command"],
)
def test_wrong_type_of_list_variable_is_refused(
    said: Json, says: str, core: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    words = inventory(tmp_path, a=of_client("081200000001"))
    code, output = play(core, sandbox, tmp_path, *words, **said)
    assert code != 0 and says in output and sandbox.journal() == []


# A value that cannot be decrypted: the run has no vault password.
LOCKED = "!vault |\n          $ANSIBLE_VAULT;1.1;AES256\n          6162\n"


@pytest.mark.weekly
@ON_EACH_CORE
@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            f'webhook: "https://h.example.com/{SECRET}/{{{{ missing_thing }}}}?key={SECRET}"',
            "(no variable: missing_thing)",
        ),
        pytest.param(f"webhook: {LOCKED}", "toko.yml", marks=pytest.mark.weekly),
    ],
    ids=["undefined", "locked"],
)
def test_failed_template_is_reported_without_its_line(
    line: str, says: str, core: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    declare(tmp_path, "fleet.yml", COMMON)
    declare(tmp_path, "toko.yml", f'fleet_devices:\n  - device: "081200000001"\n    name: Toko\n    {line}\n')
    code, output = play(core, sandbox, tmp_path, fleet_files="clients")
    message = output.rpartition("Summary")[2]
    assert code != 0 and says in message and ("cannot be evaluated" in message or "cannot be read" in message), message
    assert "undefined because" not in output and sandbox.journal() == []


@ON_EACH_CORE
def test_failed_template_of_host_is_reported_without_its_line(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    hook = f"https://h.example.com/{SECRET}/{{{{ missing_thing }}}}?key={SECRET}"
    words = inventory(tmp_path, a=of_client("081200000001"), b=of_client("081200000002", defaults={"webhook": hook}))
    words += ["-e", "provision_hosts=clients"]
    code, output = by_name("provision", core, tmp_path, *words, **live(sandbox))
    assert code != 0 and "The declaration of b has a template" in output and sandbox.journal() == []
    # Variables of a play that no argument specification has validated, as for the audit.
    (tmp_path / "common.yml").write_text(json.dumps(COMMON), encoding="utf-8")
    own = json.dumps({"fleet_devices": [{"device": "081200000001", "webhook": hook}]})
    (tmp_path / "own.json").write_text(own, encoding="utf-8")
    words = ["-e", "audit_files=common.yml", "-e", "@own.json"]
    code, output = by_name("audit", core, tmp_path, *words, **live(sandbox))
    assert code != 0 and "The declaration of the play has a template" in output


@pytest.mark.weekly
@ON_USUAL_CORES
@pytest.mark.parametrize("option", sample(["autoread", "state", "handle_write_only", "handle_unknown"], 2))
def test_url_as_value_of_wrong_option_is_not_repeated(
    option: str, core: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    wrong = {"device": "081200000001", "name": "Toko", option: HOOK}
    code, output = play(core, sandbox, tmp_path, fleet_devices=[wrong])
    assert code != 0 and f"Option {option}: it is" in output and sandbox.journal() == []


@pytest.mark.weekly
def test_existing_directory_for_tokens_keeps_its_mode(sandbox: Sandbox, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    tokens.chmod(0o1777)
    safe = {"fleet_tokens_dest": str(tokens), "fleet_tokens_password": SECRET}
    assert play(NEWEST, sandbox, tmp_path, **of_client("081200000001"), **safe)[0] == 0
    assert tokens.stat().st_mode & 0o7777 == 0o1777
    assert list(kept(NEWEST, tokens / "toko-1.yml", SECRET)) == ["081200000001"]
    new = {**safe, "fleet_tokens_dest": str(tmp_path / "new")}
    assert play(NEWEST, sandbox, tmp_path, **of_client("081200000001"), **new)[0] == 0
    assert (tmp_path / "new").stat().st_mode & 0o7777 == 0o700


@pytest.mark.weekly
@ON_USUAL_CORES
def test_path_for_tokens_that_cannot_be_written_is_refused(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    """Otherwise, the devices would be created, and their tokens would be missing from the files."""
    (tmp_path / "tokens").write_text("a file in the way")
    safe = {"fleet_tokens_dest": str(tmp_path / "tokens"), "fleet_tokens_password": SECRET}
    code, output = play(core, sandbox, tmp_path, **of_client("081200000001"), **safe)
    assert code != 0 and "The tokens of devices cannot be written to" in output
    assert sandbox.journal() == [] and (tmp_path / "tokens").read_text() == "a file in the way"


def put(kind: str, path: Path, elsewhere: Path) -> None:
    """Create an object that another user can put where a file will be written."""
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "foreign file":
        path.touch()
        os.chown(path, 65534, -1)
    elif kind == "open directory":
        path.parent.chmod(0o777)
    else:
        path.symlink_to(elsewhere if kind == "link" else elsewhere / "none")


# Only root can change the owner of a file; the other kinds are the same for every user.
KINDS = ["link", "pipe", "dangling link", "open directory", *(["foreign file"] if os.geteuid() == 0 else [])]


@pytest.mark.weekly
@ON_USUAL_CORES
@pytest.mark.parametrize("kind", sample(KINDS, 2))
def test_unsafe_file_for_tokens_is_refused(core: Path, sandbox: Sandbox, tmp_path: Path, kind: str) -> None:
    tokens, elsewhere = tmp_path / "tokens", tmp_path / "elsewhere"
    tokens.mkdir()
    elsewhere.mkdir()
    put(kind, tokens / "toko-1.yml", elsewhere)
    safe = {"fleet_tokens_dest": str(tokens), "fleet_tokens_password": SECRET}
    code, output = play(core, sandbox, tmp_path, **of_client("081200000001"), **safe)
    assert code != 0 and "The tokens of devices cannot be kept in" in output, output[-3000:]
    assert sandbox.journal() == [] and os.listdir(elsewhere) == []


@pytest.mark.weekly
@ON_USUAL_CORES
def test_file_of_tokens_that_is_not_encrypted_is_refused(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    planted = json.dumps({"fonnte_device_tokens": {"081200000001": "planted"}})
    (tokens / "toko-1.yml").write_text(planted, encoding="utf-8")
    safe = {"fleet_tokens_dest": str(tokens), "fleet_tokens_password": SECRET}
    code, output = play(core, sandbox, tmp_path, **of_client("081200000001"), **safe)
    assert code != 0 and "toko-1.yml: it is not encrypted with ansible-vault" in output
    assert sandbox.journal() == [] and "planted" not in output
    assert (tokens / "toko-1.yml").read_text(encoding="utf-8") == planted


@pytest.mark.weekly
@ON_USUAL_CORES
def test_symbolic_link_with_slash_as_directory_for_tokens_is_refused(
    core: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "tokens").symlink_to(tmp_path / "elsewhere")
    safe = {"fleet_tokens_dest": f"{tmp_path}/tokens/", "fleet_tokens_password": SECRET}
    code, output = play(core, sandbox, tmp_path, **of_client("081200000001"), **safe)
    assert code != 0 and "The tokens of devices cannot be written to" in output
    assert sandbox.journal() == [] and os.listdir(tmp_path / "elsewhere") == []


@pytest.mark.weekly
@ON_USUAL_CORES
@pytest.mark.parametrize("kind", sample(["dangling link", "open directory", "link", "pipe"], 2))
def test_report_to_unsafe_path_is_not_written(core: Path, tmp_path: Path, kind: str) -> None:
    reports, elsewhere = tmp_path / "reports", tmp_path / "elsewhere"
    reports.mkdir()
    elsewhere.mkdir()
    put(kind, reports / "change.md", elsewhere)
    declare(tmp_path, "warung.yml", {"fleet_clients": [WARUNG]})
    words = [
        "-e",
        "provision_offline=true",
        "-e",
        "provision_files=clients",
        "-e",
        f"provision_report={reports}/change.md",
    ]
    code, output = by_name("provision", core, tmp_path, *words)
    assert code != 0 and "The report cannot be written to" in output, output[-3000:]
    assert os.listdir(elsewhere) == [] and not (reports / "change.md").is_file()


@pytest.mark.weekly
@ON_USUAL_CORES
def test_client_with_reserved_name_is_refused(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    declared = {"fleet_clients": [{"name": "Account", "devices": [{"device": "081200000001", "name": "Toko"}]}]}
    code, output = play(core, sandbox, tmp_path, **declared)
    assert (
        code != 0
        and "has the name that is reserved for devices of no client; rename it" in output
        and sandbox.journal() == []
    )


@pytest.mark.weekly
@ON_USUAL_CORES
def test_token_of_number_with_plus_is_exported_to_its_client(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    declared = {"fleet_clients": [{"name": "Toko", "devices": [{"device": "+62 812-0000-0001", "name": "Toko"}]}]}
    safe = {"fleet_tokens_dest": str(tmp_path / "tokens"), "fleet_tokens_password": SECRET}
    assert play(core, sandbox, tmp_path, **declared, **safe)[0] == 0
    assert os.listdir(tmp_path / "tokens") == ["toko.yml"]


@pytest.mark.weekly
def test_max_clear_counts_webhooks_of_devices_named_by_token(sandbox: Sandbox, tmp_path: Path) -> None:
    two_accounts(sandbox, tmp_path)
    assert play(NEWEST, sandbox, tmp_path, **FILES)[0] == 0
    tokens = {number: device["token"] for number, device in sandbox.devices().items()}
    by_token = [{"device_token": tokens[number]} for number in sorted(tokens)]
    declare(tmp_path, "toko-bunga.yml", {"fleet_clients": [{"name": "Bunga", "devices": by_token[:2]}]})
    declare(tmp_path, "warung.yaml", {"fleet_clients": [{**WARUNG, "defaults": {}, "devices": by_token[2:]}]})
    declare(tmp_path, "fleet.yml", {"fleet_defaults": WHOLE})
    sandbox.clear_journal()
    code, output = play(NEWEST, sandbox, tmp_path, **FILES, fleet_max_clear=2)
    assert code != 0 and "would clear webhooks of 3 devices in 2 accounts, and fleet_max_clear is 2" in output
    assert sandbox.writes() == [] and "changed=0" in output
    two_tokens = json.dumps([token for token in tokens.values() if token in output])
    assert two_tokens == "[]"


@pytest.mark.weekly
def test_max_create_counts_client_with_token_of_the_run(sandbox: Sandbox, tmp_path: Path) -> None:
    clients = [
        {"name": f"Toko {number}", "devices": [{"device": f"08120000000{number}", "name": "Toko"}], **more}
        for number, more in ((1, {}), (2, {"account_token": sandbox.account_token}))
    ]
    code, output = play(NEWEST, sandbox, tmp_path, fleet_clients=clients, fleet_max_create=1)
    assert code != 0 and "the run would create 2 devices" in output and sandbox.writes() == []
