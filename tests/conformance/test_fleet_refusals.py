# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role fleet and its playbooks refuse before anything is called: in one sentence, and without a secret."""

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
# For what differs between cores, and for all else.
ON_EACH_CORE = pytest.mark.parametrize("core", PROGRAMS.values(), ids=PROGRAMS)
ON_USUAL_CORES = pytest.mark.parametrize("core", [PROGRAMS[core] for core in USUAL_CORES], ids=USUAL_CORES)
NEWEST = PROGRAMS["newest"]
ROLE = [{"role": "fonnte.whatsapp.fleet"}]


def of_client(number: str, **more: Any) -> Json:
    return {"fleet_clients": [{"name": f"Toko {number[-1]}", "devices": [{"device": number, "name": "Toko"}], **more}]}


def inventory(folder: Path, **hosts: Json) -> list[str]:
    """An inventory with the group clients: the words that name it."""
    group = {"clients": {"hosts": {name: {"ansible_connection": "local", **said} for name, said in hosts.items()}}}
    (folder / "inventory.json").write_text(json.dumps(group), encoding="utf-8")
    return ["-i", str(folder / "inventory.json")]


def live(sandbox: Sandbox) -> dict[str, str]:
    """The environment of a run that could write."""
    return {"FONNTE_API_ENDPOINT": sandbox.url, "FONNTE_ACCOUNT_TOKEN": sandbox.account_token}


@ON_USUAL_CORES
@pytest.mark.parametrize("written", sample(["{{ nobody | default(none) }}", None, ["x"]], 2), ids=json.dumps)
def test_a_client_whose_token_is_null_is_in_no_account(
    written: object, core: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    two_accounts(sandbox, tmp_path)
    declare(tmp_path, "warung.yaml", {"fleet_clients": [{**WARUNG, "account_token": written}]})
    says = "warung.yaml: Warung: Option account_token: it is "
    code, output = play(core, sandbox, tmp_path, **FILES)
    assert code != 0 and says in output
    code, output = by_name("audit", core, tmp_path, "-e", "audit_files=clients", **live(sandbox))
    assert code != 0 and says in output
    assert sandbox.journal() == []


@ON_USUAL_CORES
@pytest.mark.parametrize("named", sample(["", ["clients", None], [""], [" "], [None], 5], 2), ids=json.dumps)
def test_a_file_without_a_name_is_not_all_files(named: object, core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    declare(tmp_path, "fleet.yml", COMMON)
    (tmp_path / "other.yml").write_text(json.dumps(of_client("081200000001")), encoding="utf-8")
    code, output = play(core, sandbox, tmp_path, fleet_files=named, fleet_base=str(tmp_path))
    assert (
        code != 0
        and "fleet_files has an empty name, or something" in output
        and "see why the variable is empty" in output
    )
    for name in ("provision", "audit"):
        words = ["-e", json.dumps({f"{name}_files": named})]
        code, output = by_name(name, core, tmp_path, *words, **live(sandbox))
        assert code != 0 and f"{name}_files has an empty name, or something that is no name" in output
    assert sandbox.journal() == []


def test_an_earlier_file_without_a_name(sandbox: Sandbox, tmp_path: Path) -> None:
    declare(tmp_path, "toko.yml", of_client("081200000001"))
    words = ["-e", "provision_offline=true", "-e", "provision_files=clients", "-e", "provision_earlier="]
    code, output = by_name("provision", NEWEST, tmp_path, *words)
    assert code != 0 and "fleet_earlier has an empty name" in output


@ON_USUAL_CORES
def test_the_role_is_one_run(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    words = inventory(tmp_path, a=of_client("081200000001"), b=of_client("081200000002"))
    book: list[Json] = [{"hosts": "clients", "gather_facts": False, "roles": ROLE}]
    code, output = play_this(book, core, sandbox, tmp_path, *words)
    assert code != 0 and "This role works on all clients in one run" in output and sandbox.journal() == []
    # One after another is not one run.
    code, output = play_this([{**book[0], "serial": 1}], core, sandbox, tmp_path, *words)
    assert code != 0 and "This role works on all clients in one run" in output and sandbox.journal() == []
    assert play_this(book, core, sandbox, tmp_path, *words, "--limit", "a")[0] == 0
    assert [number[-1] for number in sandbox.devices()] == ["1"]


@ON_EACH_CORE
def test_a_limit_chooses_clients(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    words = inventory(tmp_path, a=of_client("081200000001"), b=of_client("081200000002"))
    chosen = [*words, "-e", "provision_hosts=clients", "--limit", "localhost,a"]
    code, output = by_name("provision", core, tmp_path, *chosen, **live(sandbox))
    assert code == 0 and [number[-1] for number in sandbox.devices()] == ["1"], output[-2000:]
    (tmp_path / "names").write_text("localhost\nb\n", encoding="utf-8")
    for named, limit in (("a", "localhost,b"), ("clients", f"localhost,@{tmp_path / 'names'}")):
        others = [*words, "-e", f"provision_hosts={named}", "--limit", limit]
        code, output = by_name("provision", core, tmp_path, *others, **live(sandbox))
        assert code != 0 and "chooses none of the hosts whose clients are to be read" in output
    assert len(sandbox.devices()) == 1


@ON_USUAL_CORES
def test_what_a_host_has_and_nobody_reads(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    words = inventory(tmp_path, a=of_client("081200000001"), b={**of_client("081200000002"), "fleet_defaults": WHOLE})
    words += ["-e", "provision_hosts=clients", "-e", "provision_offline=false", "--check"]
    code, output = by_name("provision", core, tmp_path, *words, **live(sandbox))
    assert code != 0 and "In the variables of b is fleet_devices," in output and sandbox.journal() == []
    # What is of the play too is read as such.
    shared = ["-e", json.dumps({"fleet_defaults": WHOLE})]
    code, output = by_name("provision", core, tmp_path, *words, *shared, **live(sandbox))
    assert code == 0 and "2 devices are declared. A run would come to this: 2 created" in output


@ON_USUAL_CORES
def test_the_role_twice_in_a_run(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    """What the first one has set is not taken for a mistake by the second one."""
    book: list[Json] = [{"hosts": "localhost", "gather_facts": False, "roles": ROLE}]
    safe = {"fleet_tokens_dest": str(tmp_path / "tokens"), "fleet_tokens_password": SECRET}
    code, output = play_this([*book, *book], core, sandbox, tmp_path, **of_client("081200000001"), **safe)
    assert code == 0 and "1 device is declared. 0 created, 0 updated, 0 disconnected, 1 unchanged." in output


@ON_EACH_CORE
def test_check_mode_of_a_play_is_told_as_such(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    book: list[Json] = [{"hosts": "localhost", "gather_facts": False, "check_mode": True, "roles": ROLE}]
    given = tmp_path / "given"
    command = ["sh", "-c", f'cat >> "{given}"']
    said = {**of_client("081200000001"), "fleet_tokens_command": command, "fleet_tokens_of": "all"}
    code, output = play_this(book, core, sandbox, tmp_path, **said)
    assert code == 0 and "1 device is declared. A run would come to this: 1 created" in output, output[-2000:]
    assert sandbox.writes() == [] and not given.exists()
    code, output = play_this([{**book[0], "check_mode": False}], core, sandbox, tmp_path, "--check", **said)
    assert code == 0 and "1 device is declared. 1 created" in output and given.exists()


MISSPELT = [
    ("provision", "provision_offlin=true", "There is no variable provision_offlin; provision_offline may be meant"),
    ("provision", '{"provision_offline": null}', "provision_offline is neither true nor false"),
    ("audit", "audit_fail_no=x", "There is no variable audit_fail_no; audit_fail_on may be meant"),
    ("audit", '{"audit_hosts": 5}', "audit_hosts has an empty name, or something that is no name"),
    ("provision", "provision_offline=ture", "provision_offline is neither true nor false"),
    ("provision", "fleet_max_creates=0", "There is no variable fleet_max_creates; fleet_max_create may be meant"),
    ("provision", '{"provision_hosts": null}', "provision_hosts has an empty name, or something that is no name"),
]


@pytest.mark.parametrize(("name", "word", "says"), sample(MISSPELT, 4))
def test_a_switch_that_is_misspelt(name: str, word: str, says: str, sandbox: Sandbox, tmp_path: Path) -> None:
    declare(tmp_path, "toko.yml", of_client("081200000001"))
    code, output = by_name(name, NEWEST, tmp_path, "-e", f"{name}_files=clients", "-e", word, **live(sandbox))
    assert code != 0 and says in output and sandbox.journal() == []


@ON_USUAL_CORES
def test_variables_of_others_are_left_alone(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    """Whoever registers what begins like a variable of the role, or has a group variable like that."""
    mine = {"fleet_region": "x", "fleet_files_of_last_week": "x", "provision_vlan": 1, "audit_log_path": "x"}
    declare(tmp_path, "toko.yml", of_client("081200000001"))
    for name in ("provision", "audit"):
        words = ["-e", f"{name}_files=clients", "-e", json.dumps(mine)]
        code, output = by_name(name, core, tmp_path, *words, **live(sandbox))
        assert code == 0, output[-2000:]


@pytest.mark.parametrize("word", sample(["yes", "1", "True", "on"], 2))
def test_a_switch_in_other_words(word: str, sandbox: Sandbox, tmp_path: Path) -> None:
    declare(tmp_path, "toko.yml", of_client("081200000001"))
    words = ["-e", "provision_files=clients", "-e", f"provision_offline={word}"]
    code, output = by_name("provision", NEWEST, tmp_path, *words, **live(sandbox))
    assert code == 0 and "Nothing is wrong with them." in output and sandbox.journal() == []


@ON_USUAL_CORES
@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"fleet_hosts": ["clients", 5]}, "fleet_hosts has an empty name, or something that is no name"),
        ({"fleet_tokens_command": "cat -"}, "fleet_tokens_command is not a list of texts"),
    ],
    ids=["hosts", "command"],
)
def test_a_text_where_a_list_belongs(said: Json, says: str, core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    words = inventory(tmp_path, a=of_client("081200000001"))
    code, output = play(core, sandbox, tmp_path, *words, **said)
    assert code != 0 and says in output and sandbox.journal() == []


# What cannot be decrypted: no password opens it, and there is none.
LOCKED = "!vault |\n          $ANSIBLE_VAULT;1.1;AES256\n          6162\n"


@ON_EACH_CORE
@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            f'webhook: "https://h.example.com/{SECRET}/{{{{ missing_thing }}}}?key={SECRET}"',
            "(no variable: missing_thing)",
        ),
        (f"webhook: {LOCKED}", "toko.yml"),
    ],
    ids=["undefined", "locked"],
)
def test_what_cannot_be_filled_in_is_named_without_its_line(
    line: str, says: str, core: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    declare(tmp_path, "fleet.yml", COMMON)
    declare(tmp_path, "toko.yml", f'fleet_devices:\n  - device: "081200000001"\n    name: Toko\n    {line}\n')
    code, output = play(core, sandbox, tmp_path, fleet_files="clients")
    message = output.rpartition("Summary")[2]
    assert code != 0 and says in message and ("cannot be filled in" in message or "cannot be read" in message), message
    assert "undefined because" not in output and sandbox.journal() == []


@ON_EACH_CORE
def test_a_template_of_a_host_is_named_without_its_line(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    hook = f"https://h.example.com/{SECRET}/{{{{ missing_thing }}}}?key={SECRET}"
    words = inventory(tmp_path, a=of_client("081200000001"), b=of_client("081200000002", defaults={"webhook": hook}))
    words += ["-e", "provision_hosts=clients"]
    code, output = by_name("provision", core, tmp_path, *words, **live(sandbox))
    assert code != 0 and "In what b declares is a template" in output and sandbox.journal() == []
    # Variables of a play that no argument specification has looked at, as of the audit.
    (tmp_path / "common.yml").write_text(json.dumps(COMMON), encoding="utf-8")
    own = json.dumps({"fleet_devices": [{"device": "081200000001", "webhook": hook}]})
    (tmp_path / "own.json").write_text(own, encoding="utf-8")
    words = ["-e", "audit_files=common.yml", "-e", "@own.json"]
    code, output = by_name("audit", core, tmp_path, *words, **live(sandbox))
    assert code != 0 and "In what the play declares is a template" in output


@ON_USUAL_CORES
@pytest.mark.parametrize("option", sample(["autoread", "state", "handle_write_only", "attest_stamp"], 2))
def test_a_url_on_the_wrong_line_is_not_repeated(option: str, core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    wrong = {"device": "081200000001", "name": "Toko", option: HOOK}
    code, output = play(core, sandbox, tmp_path, fleet_devices=[wrong])
    assert code != 0 and f"Option {option}: it is" in output and sandbox.journal() == []


def test_a_folder_that_is_there_keeps_its_mode(sandbox: Sandbox, tmp_path: Path) -> None:
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


@ON_USUAL_CORES
def test_a_place_for_tokens_that_cannot_be_written_is_found_before(
    core: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Found afterwards, the devices would be created, and their tokens lost to whoever waits for the files."""
    (tmp_path / "tokens").write_text("a file in the way")
    safe = {"fleet_tokens_dest": str(tmp_path / "tokens"), "fleet_tokens_password": SECRET}
    code, output = play(core, sandbox, tmp_path, **of_client("081200000001"), **safe)
    assert code != 0 and "The tokens of devices cannot be written to" in output
    assert sandbox.journal() == [] and (tmp_path / "tokens").read_text() == "a file in the way"


def put(kind: str, path: Path, elsewhere: Path) -> None:
    """What another user can put where a file will be written."""
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "foreign file":
        path.touch()
        os.chown(path, 65534, -1)
    elif kind == "open directory":
        path.parent.chmod(0o777)
    else:
        path.symlink_to(elsewhere if kind == "link" else elsewhere / "none")


# Only root can give a file away; the other kinds are the same for every user.
KINDS = ["link", "pipe", "dangling link", "open directory", *(["foreign file"] if os.geteuid() == 0 else [])]


@ON_USUAL_CORES
@pytest.mark.parametrize("kind", sample(KINDS, 2))
def test_a_file_for_tokens_that_is_not_safe_is_found_before(
    core: Path, sandbox: Sandbox, tmp_path: Path, kind: str
) -> None:
    tokens, elsewhere = tmp_path / "tokens", tmp_path / "elsewhere"
    tokens.mkdir()
    elsewhere.mkdir()
    put(kind, tokens / "toko-1.yml", elsewhere)
    safe = {"fleet_tokens_dest": str(tokens), "fleet_tokens_password": SECRET}
    code, output = play(core, sandbox, tmp_path, **of_client("081200000001"), **safe)
    assert code != 0 and "The tokens of devices cannot be kept in" in output, output[-3000:]
    assert sandbox.journal() == [] and os.listdir(elsewhere) == []


@ON_USUAL_CORES
def test_a_file_for_tokens_that_is_not_encrypted_is_not_read(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    planted = json.dumps({"fonnte_device_tokens": {"081200000001": "planted"}})
    (tokens / "toko-1.yml").write_text(planted, encoding="utf-8")
    safe = {"fleet_tokens_dest": str(tokens), "fleet_tokens_password": SECRET}
    code, output = play(core, sandbox, tmp_path, **of_client("081200000001"), **safe)
    assert code != 0 and "toko-1.yml: it is not encrypted with ansible-vault" in output
    assert sandbox.journal() == [] and "planted" not in output
    assert (tokens / "toko-1.yml").read_text(encoding="utf-8") == planted


@ON_USUAL_CORES
def test_a_link_with_a_slash_is_no_directory_for_tokens(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "tokens").symlink_to(tmp_path / "elsewhere")
    safe = {"fleet_tokens_dest": f"{tmp_path}/tokens/", "fleet_tokens_password": SECRET}
    code, output = play(core, sandbox, tmp_path, **of_client("081200000001"), **safe)
    assert code != 0 and "The tokens of devices cannot be written to" in output
    assert sandbox.journal() == [] and os.listdir(tmp_path / "elsewhere") == []


@ON_USUAL_CORES
@pytest.mark.parametrize("kind", sample(["dangling link", "open directory", "link", "pipe"], 2))
def test_a_report_of_a_pull_request_that_is_not_safe_is_not_written(core: Path, tmp_path: Path, kind: str) -> None:
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


@ON_USUAL_CORES
def test_no_client_has_the_file_of_devices_of_no_client(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    declared = {"fleet_clients": [{"name": "Account", "devices": [{"device": "081200000001", "name": "Toko"}]}]}
    code, output = play(core, sandbox, tmp_path, **declared)
    assert code != 0 and "has the name for devices of no client; rename it" in output and sandbox.journal() == []


@ON_USUAL_CORES
def test_tokens_of_a_number_with_a_plus_go_to_its_client(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    declared = {"fleet_clients": [{"name": "Toko", "devices": [{"device": "+62 812-0000-0001", "name": "Toko"}]}]}
    safe = {"fleet_tokens_dest": str(tmp_path / "tokens"), "fleet_tokens_password": SECRET}
    assert play(core, sandbox, tmp_path, **declared, **safe)[0] == 0
    assert os.listdir(tmp_path / "tokens") == ["toko.yml"]


def test_webhooks_of_devices_that_a_token_names_count_for_the_limit(sandbox: Sandbox, tmp_path: Path) -> None:
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


def test_a_client_with_the_token_of_the_run_is_in_its_account(sandbox: Sandbox, tmp_path: Path) -> None:
    clients = [
        {"name": f"Toko {number}", "devices": [{"device": f"08120000000{number}", "name": "Toko"}], **more}
        for number, more in ((1, {}), (2, {"account_token": sandbox.account_token}))
    ]
    code, output = play(NEWEST, sandbox, tmp_path, fleet_clients=clients, fleet_max_create=1)
    assert code != 0 and "the run would create 2 devices" in output and sandbox.writes() == []
