# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin, with ansible-inventory and ansible-playbook, on the newest and the oldest ansible-core."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import device_token, there
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import MARK
from ansible_collections.fonnte.whatsapp.tests.conformance.test_secrets import Onlooker
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import (
    ACCOUNT,
    CORES,
    ON_EACH_CORE,
    USUAL_CORES,
    Workspace,
    sample,
)
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

DAY = 86_400
A, B, C = "081200012001", "081200012002", "081200012003"
HOSTILE = "{{ lookup('pipe', 'id') }}"
JINJA_HEADER = "#jinja2: variable_start_string:'(('\n(( 7 * 191 ))"


@pytest.fixture(params=USUAL_CORES)
def core(request: pytest.FixtureRequest) -> str:
    """Return the name of a test's ansible-core."""
    name: str = request.param
    return name


@pytest.fixture()
def workspace(core: str, sandbox: Sandbox, tmp_path: Path) -> Workspace:
    """Return a workspace with three devices."""
    one = Workspace(sandbox, tmp_path, core)
    one.world()
    return one


def cached(folder: Path, **options: object) -> dict[str, object]:
    """Return the options of a source that is cached in a file."""
    return {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(folder), **options}


# The contents


@pytest.mark.smoke
@ON_EACH_CORE
def test_each_device_is_a_host(workspace: Workspace) -> None:
    """A host has its facts and a local connection, but no token. One request is sent; hosts are sorted by number."""
    now = int(workspace.sandbox.now())
    workspace.world(
        there("6281200012009", name="Toko Dua", linked=True, package="Super", quota=7, expires=now, autoread=True),
        there(A, name="Toko Satu", quota=50),
    )
    source = workspace.source()
    found = workspace.list(source)
    assert workspace.calls() == 1
    assert found["ungrouped"]["hosts"] == [A, "6281200012009"]
    hosts = found["_meta"]["hostvars"]
    interpreter = hosts[A].pop("ansible_python_interpreter")
    assert os.path.realpath(interpreter) == os.path.realpath(workspace._programs / "python")
    second = hosts["6281200012009"]
    assert {**second, "ansible_python_interpreter": "", "fonnte_expires": second["fonnte_expires"][:2]} == {
        "ansible_connection": "local",
        "ansible_python_interpreter": "",
        "fonnte_device": "6281200012009",
        "fonnte_name": "Toko Dua",
        "fonnte_connected": True,
        "fonnte_package": "Super",
        "fonnte_quota": 7,
        "fonnte_expires": "20",
        "fonnte_autoread": True,
    }
    one = json.loads(workspace.run("ansible-inventory", "-i", source, "--host", A))
    assert one["fonnte_quota"] == 50 and not any("token" in key for key in one)


@pytest.mark.weekly
def test_other_outputs_of_ansible_inventory(workspace: Workspace) -> None:
    """--graph, --graph --vars, --yaml and --export list each host, and --limit accepts a number."""
    source = workspace.source(keyed_groups=[{"key": "fonnte_package | lower", "prefix": "package"}])
    graph = workspace.run("ansible-inventory", "-i", source, "--graph")
    assert graph.splitlines() == ["@all:", "  |--@ungrouped:", "  |--@package_free:"] + [
        f"  |  |--{number}" for number in (A, B, C)
    ]
    assert "{fonnte_name = Toko 2}" in workspace.run("ansible-inventory", "-i", source, "--graph", "--vars")
    assert set(workspace.hosts(source, "--limit", f"{A},{C}")) == {A, C}
    exported = yaml.safe_load(
        workspace.run("ansible-inventory", "-i", source, "--list", "--yaml", "--export").replace("!unsafe ", "")
    )
    assert set(exported["all"]["children"]["package_free"]["hosts"]) == {A, B, C}


@pytest.mark.weekly
@ON_EACH_CORE
def test_hostname_name_replaces_invalid_names(workspace: Workspace) -> None:
    """No host has the name of localhost or of the group all; equal names get the number as a suffix."""
    names = ["Toko Satu", "Toko", "Toko", "all", "localhost", "../../etc", "😀😀", "127.0.0.1", "a:b,c[1]*"]
    numbers = [f"0812000121{index:02d}" for index in range(len(names))]
    workspace.world(*(there(number, name=name) for number, name in zip(numbers, names, strict=False)))
    source = workspace.source(hostname="name", groups={"a_b_c_1": True})
    found = workspace.list(source)
    assert {host: facts["fonnte_device"] for host, facts in found["_meta"]["hostvars"].items()} == {
        "Toko_Satu": numbers[0],
        f"Toko_{numbers[1]}": numbers[1],
        f"Toko_{numbers[2]}": numbers[2],
        f"all_{numbers[3]}": numbers[3],
        f"localhost_{numbers[4]}": numbers[4],
        "etc": numbers[5],
        numbers[6]: numbers[6],
        f"127.0.0.1_{numbers[7]}": numbers[7],
        f"a_b_c_1_{numbers[8]}": numbers[8],
    }
    show = {"ansible.builtin.debug": {"msg": "{{ inventory_hostname }} is {{ fonnte_device }}"}}
    assert f"Toko_{numbers[2]} is {numbers[2]}" in workspace.play(
        show, source=source, words=["--limit", f"Toko_{numbers[2]}"]
    )
    filtered = workspace.source("filtered.fonnte.yml", hostname="name", devices=[numbers[1]])
    assert list(workspace.hosts(filtered)) == [f"Toko_{numbers[1]}"]


@pytest.mark.weekly
def test_device_named_like_group_does_not_change_groups(workspace: Workspace) -> None:
    """The name of a device can neither break the inventory nor move other devices into a group."""
    workspace.world(
        there(A, name="package_super"), there(B, name="xx", package="Super", linked=True), there(C, name="linked")
    )
    found = workspace.list(
        workspace.source(
            hostname="name",
            strict=True,
            groups={"linked": "fonnte_connected", "other": "not fonnte_connected"},
            keyed_groups=[{"key": "fonnte_package | lower", "prefix": "package", "parent_group": "packages"}],
            compose={"mine": "fonnte_device"},
        )
    )
    assert found["linked"]["hosts"] == ["xx"] and found["package_super"]["hosts"] == ["xx"]
    assert set(found["other"]["hosts"]) == {"package_super", f"linked_{C}"} == set(found["package_free"]["hosts"])
    assert {host: facts["mine"] for host, facts in found["_meta"]["hostvars"].items()} == {
        "package_super": A,
        "xx": B,
        f"linked_{C}": C,
    }
    assert "Found both group and host with same name: package_super" in workspace.errors


@pytest.mark.weekly
def test_filters_select_hosts(workspace: Workspace) -> None:
    """The filters are those of fonnte_device_info."""
    now = int(workspace.sandbox.now())
    workspace.world(
        there(A, linked=True, expires=now + 90 * DAY),
        there(B, package="Reguler", expires=now + 5 * DAY, quota=50),
        there(C, quota=2, expires=now - DAY),
    )
    wanted: list[tuple[dict[str, object], set[str]]] = [
        ({"connection": "connected"}, {A}),
        ({"connection": "disconnected"}, {B, C}),
        ({"package": "reguler"}, {B}),
        ({"expires_within": 10}, {B, C}),
        ({"quota_below": 50}, {C}),
        ({"devices": ["62" + A[1:], "+62 812-0001-2002"]}, {A, B}),
        ({"devices": []}, set()),
        ({"devices": [A, C], "quota_below": 10}, {C}),
    ]
    for options, numbers in wanted:
        assert set(workspace.hosts(workspace.source(**options))) == numbers, options
    assert "WARNING" not in workspace.errors
    assert set(workspace.hosts(workspace.source(devices=[A, "081299999999"]))) == {A}
    assert "The account does not list device 081299999999" in workspace.errors


@pytest.mark.weekly
@ON_EACH_CORE
def test_compose_groups_and_keyed_groups(workspace: Workspace) -> None:
    """Some packages are not valid names of groups, and an expression fails for one host, with and without strict."""
    workspace.world(
        there(A, name="Klien - 1", linked=True, package="Super"),
        there(B, name="Klien - 2", package="Paket {{ x }}/é"),
        there(C, name="Lain", package="-"),
    )
    options: dict[str, Any] = {
        "compose": {"client": "fonnte_name.split(' - ')[0]", "second": "fonnte_name.split(' - ')[1]"},
        "groups": {"linked": "fonnte_connected", "clients": "client == 'Klien'"},
        "keyed_groups": [{"key": "fonnte_package", "prefix": "package"}, {"key": "client", "separator": ""}],
    }
    found = workspace.list(workspace.source(**options))
    members = {group: set(row["hosts"]) for group, row in found.items() if group != "_meta" and row.get("hosts")}
    assert members == {
        "linked": {A},
        "clients": {A, B},
        "package_Super": {A},
        "package_Paket____x____é": {B},
        "package__": {C},
        "Klien": {A, B},
        "Lain": {C},
    }
    hosts = found["_meta"]["hostvars"]
    assert hosts[A]["second"] == "1" and "second" not in hosts[C]
    said = workspace.refused(workspace.source(**options, strict=True))
    assert f"Could not set second for host {C}" in said


@ON_EACH_CORE
def test_strings_from_service_are_never_templates(workspace: Workspace) -> None:
    """This applies to variables, composed variables, groups and the cache, and to plays that use them."""
    workspace.world(there(A, name=HOSTILE, package=HOSTILE), there(B, name="{% raw %}", package=JINJA_HEADER))
    source = workspace.source(
        hostname="name",
        strict=True,
        compose={"copy": "fonnte_name", "deep": "{'a': [fonnte_name]}", "made": "'<' ~ fonnte_name ~ '>'"},
        groups={"hostile": "'pipe' in fonnte_name"},
        keyed_groups=[{"key": "fonnte_name", "prefix": "name"}, {"key": "made", "prefix": "made"}],
        **cached(workspace.home / "cache"),
    )
    texts = "{{ [fonnte_name, fonnte_package, copy, deep.a[0], made] | join('|') }}"
    tasks = [
        {"ansible.builtin.set_fact": {"again": "{{ copy }}"}},
        {"ansible.builtin.debug": {"msg": f"{texts}|{{{{ again }}}}"}},
    ]
    for _cold_then_warm in range(2):
        found = workspace.list(source)
        by_number = {facts["fonnte_device"]: facts for facts in found["_meta"]["hostvars"].values()}
        assert by_number[A]["copy"] == HOSTILE and by_number[A]["deep"] == {"a": [HOSTILE]}
        assert by_number[A]["made"] == f"<{HOSTILE}>"
        assert by_number[B]["fonnte_name"] == "{% raw %}" and by_number[B]["fonnte_package"] == JINJA_HEADER.replace(
            "\n", "?"
        )
        output = workspace.play(*tasks, source=source)
        assert not any(words in output + json.dumps(found) for words in ("uid=", "1337"))
        assert output.count(HOSTILE) >= 6, output
        assert len(found["hostile"]["hosts"]) == 1


@pytest.mark.weekly
def test_control_characters_are_replaced(workspace: Workspace) -> None:
    workspace.world(there(A, name="a\x1b[2J\x07\u202eb"))
    assert "{fonnte_name = a?[2J??b}" in workspace.run(
        "ansible-inventory", "-i", workspace.source(), "--graph", "--vars"
    )


@pytest.mark.weekly
@ON_EACH_CORE
def test_modules_run_on_hosts_in_process(workspace: Workspace) -> None:
    """They run locally, with the Python of the control node."""
    task = {"fonnte.whatsapp.fonnte_device": {"device": "{{ fonnte_device }}", "autoread": True}}
    output = workspace.play(task, source=workspace.source(), words=["-v"])
    assert output.count("changed=1") == 3 and "ordinary module" not in output
    assert all(device["settings"]["autoread"] for device in workspace.sandbox.devices().values())
    assert set(workspace.hosts(workspace.source())) == {A, B, C}


# Options


@pytest.mark.weekly
def test_options_from_file_take_precedence_over_environment(workspace: Workspace) -> None:
    nowhere = "http://127.0.0.1:9"
    unset: dict[str, str | None] = {"FONNTE_ACCOUNT_TOKEN": "", "FONNTE_API_ENDPOINT": ""}
    empty: dict[str, str | None] = {
        "FONNTE_API_TIMEOUT": "",
        "FONNTE_API_RETRIES": "",
        "FONNTE_API_RETRY_MAX_DELAY": "",
    }
    assert len(workspace.hosts(workspace.source(), env=empty)) == 3
    complete = workspace.source("complete.fonnte.yaml", account_token=ACCOUNT, api_endpoint=workspace.sandbox.url)
    assert len(workspace.hosts(complete, env={**unset, **empty})) == 3
    assert len(workspace.hosts(complete, env={"FONNTE_ACCOUNT_TOKEN": "x", "FONNTE_API_ENDPOINT": nowhere})) == 3
    assert "there is no token; set the environment variable FONNTE_ACCOUNT_TOKEN" in workspace.refused(
        workspace.source(), env=unset
    )
    assert "cannot be reached" in workspace.refused(workspace.source(), env={"FONNTE_API_ENDPOINT": nowhere})
    assert "api_timeout" in workspace.refused(workspace.source(), env={"FONNTE_API_TIMEOUT": "soon"})


@pytest.mark.weekly
@ON_EACH_CORE
def test_token_can_be_template_or_vault_value(workspace: Workspace) -> None:
    away: dict[str, str | None] = {"FONNTE_ACCOUNT_TOKEN": None, "MY_TOKEN": ACCOUNT}
    looked_up = workspace.source(account_token="{{ lookup('ansible.builtin.env', 'MY_TOKEN') }}")
    assert len(workspace.hosts(looked_up, env=away)) == 3
    extra = workspace.source(account_token="{{ my_token }}", api_endpoint="{{ my_endpoint }}")
    (workspace.folder / "extra.json").write_text(
        json.dumps({"my_token": ACCOUNT, "my_endpoint": workspace.sandbox.url})
    )
    # Not --list, with which Ansible shows extra variables as variables of every host.
    words = ["-i", extra, "--graph", "-e", "@extra.json"]
    graph = workspace.run("ansible-inventory", *words, env={**away, "FONNTE_API_ENDPOINT": None})
    assert all(number in graph for number in (A, B, C))
    assert "account_token: its template cannot be evaluated ('my_token' is undefined" in workspace.refused(extra)
    password = workspace.folder / "password"
    password.write_text("correct horse", encoding="utf-8")
    sealed = subprocess.run(
        [
            workspace._programs / "ansible-vault",
            "encrypt_string",
            "--vault-password-file",
            password,
            "--stdin-name",
            "account_token",
        ],
        input=ACCOUNT,
        env={**os.environ, "HOME": str(workspace.home)},
        capture_output=True,
        text=True,
        check=True,
    )
    vaulted = workspace.folder / "vaulted.fonnte.yml"
    vaulted.write_text(f"plugin: fonnte.whatsapp.fonnte\n{sealed.stdout}", encoding="utf-8")
    assert len(workspace.hosts(vaulted, "--vault-password-file", password, env=away)) == 3


@pytest.mark.parametrize(
    ("options", "words"),
    sample(
        [
            (
                {"expire_within": 3},
                "Option expire_within: the inventory has no such option; the options are account_token,",
            ),
            ({"account_token": [f"list-{MARK}"]}, "Option account_token: it is not a string; write only the token."),
            ({"account_token": {MARK: MARK}}, "Option account_token: it is not a string; write only the token."),
            ({"account_token": ""}, "Option account_token: it is empty;"),
            ({"account_token": f"{MARK}\n{MARK}"}, "Option account_token: it has white space,"),
            (
                {"account_token": f"wrong-{MARK}"},
                'Fonnte returned "unknown user"; copy the whole account token of the dashboard',
            ),
            ({"api_endpoint": "http://api.example.com"}, "Option api_endpoint: plain http to api.example.com"),
            ({"api_timeout": 0}, "Option api_timeout: 0 is out of range; set a value from 0.1 to 3600."),
            ({"devices": [812345678]}, "Option devices[0]: it is an unquoted YAML number"),
            ({"hostname": "token"}, "hostname"),
            ({"connection": "perhaps"}, "connection"),
            ({"ca_path": "missing.pem"}, "Option ca_path: it cannot be read"),
        ],
        2,
    ),
)
def test_invalid_option_is_reported_in_one_sentence(
    sandbox: Sandbox, tmp_path: Path, options: dict[str, object], words: str
) -> None:
    for core in USUAL_CORES:
        (tmp_path / core).mkdir()
        workspace = Workspace(sandbox, tmp_path / core, core)
        workspace.world()
        said = workspace.refused(workspace.source(**options))
        assert words in said and MARK not in said, said


@pytest.mark.weekly
def test_service_errors_are_reported(workspace: Workspace) -> None:
    for kind, args, words in (
        ("html", {"code": 502}, "Listing the account's devices: the service failed with HTTP 502"),
        ("empty", {}, "Listing the account's devices: the service sent an empty response"),
        ("list", {"items": [ACCOUNT]}, "JSON that is not an object"),
    ):
        workspace.sandbox.fault(kind, path="/get-devices", times=None, **args)
        assert words in workspace.refused(workspace.source(), "-vv")
        workspace.sandbox.clear_faults()


@pytest.mark.weekly
def test_file_with_other_name_is_not_a_source(workspace: Workspace) -> None:
    assert "could not be verified by inventory plugin" in workspace.refused(workspace.source("devices.yml"))
    named: dict[str, str | None] = {"ANSIBLE_INVENTORY_ENABLED": "fonnte.whatsapp.fonnte"}
    assert len(workspace.hosts(workspace.source("eu.fonnte.yaml"), env=named)) == 3


# The cache


@pytest.mark.weekly
@ON_EACH_CORE
def test_cache_saves_request_and_contains_no_token(workspace: Workspace) -> None:
    folder = workspace.home / "cache"
    source = workspace.source(**cached(folder))
    first = workspace.hosts(source)
    assert workspace.calls() == 1
    (kept,) = folder.iterdir()
    assert MARK not in kept.read_text(encoding="utf-8") and "081200012001" in kept.read_text(encoding="utf-8")
    workspace.sandbox.remove(B)
    assert workspace.hosts(source) == first and workspace.calls() == 0
    # The service is unavailable, but the cache exists; filters and groups are computed again.
    away: dict[str, str | None] = {"FONNTE_API_TIMEOUT": "1"}
    workspace.sandbox.fault("reset", path="/get-devices", times=None)
    poor = workspace.source(**cached(folder, quota_below=1001, groups={"free": "fonnte_package == 'Free'"}))
    assert workspace.list(poor, env=away)["free"]["hosts"] == [A, B, C] and workspace.calls() == 0
    nothing = {"ansible.builtin.meta": "noop"}
    strict = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"}
    workspace.play(nothing, source=source, words=["--flush-cache"], env=strict, code=1)
    assert "Listing the account's devices: " in workspace.errors
    workspace.sandbox.clear_faults()
    assert workspace.hosts(source) == first
    workspace.play(nothing, source=source, words=["--flush-cache"])
    assert set(workspace.hosts(source)) == {A, C}


@pytest.mark.weekly
def test_cache_of_another_account_is_not_used(workspace: Workspace) -> None:
    source = workspace.source(**cached(workspace.home / "cache"))
    assert len(workspace.hosts(source)) == 3
    other = workspace.sandbox.add_account(token=f"other-{MARK}", devices=[there("081200012009")])["token"]
    assert list(workspace.hosts(source, env={"FONNTE_ACCOUNT_TOKEN": other})) == ["081200012009"]
    assert workspace.calls() == 2


@pytest.mark.weekly
@pytest.mark.parametrize("content", sample(["{", '{"format": 1}', "[]", '{"__payload__": 5}', "\x00"], 2))
def test_damaged_cache_is_replaced(workspace: Workspace, content: str) -> None:
    source = workspace.source(**cached(workspace.home / "cache"))
    first = workspace.hosts(source)
    (kept,) = (workspace.home / "cache").iterdir()
    kept.write_text(content, encoding="utf-8")
    assert workspace.hosts(source) == first and workspace.calls() == 2
    assert workspace.hosts(source) == first and workspace.calls() == 0


# Tokens


@pytest.mark.weekly
def test_tokens_are_returned_only_with_return_tokens(workspace: Workspace) -> None:
    """With return_tokens, the device list is read each time, and is not cached."""
    tokens = {device_token(number) for number in (A, B, C)}
    source = workspace.source(return_tokens=True, **cached(workspace.home / "cache"))
    for _twice in range(2):
        hosts = workspace.hosts(source, may_show=tokens)
        assert {facts["fonnte_token"] for facts in hosts.values()} == tokens
        assert workspace.calls() == 1
    assert not (workspace.home / "cache").exists() or not list((workspace.home / "cache").iterdir())
    task = {"fonnte.whatsapp.fonnte_device_info": {"device_token": "{{ fonnte_token }}"}}
    output = workspace.play(task, source=source, words=["-vvvv"], may_show=tokens)
    assert output.count("ok=1") == 3 and MARK not in output


@ON_EACH_CORE
def test_no_secret_at_highest_verbosity(workspace: Workspace) -> None:
    """The runs use the highest verbosity and debug output; the workspace searches output, log and files."""
    source = workspace.source(
        hostname="name",
        account_token=ACCOUNT,
        compose={"copy": "fonnte_name"},
        keyed_groups=[{"key": "fonnte_package"}],
        **cached(workspace.home / "cache"),
    )
    loud: dict[str, str | None] = {"ANSIBLE_DEBUG": "1", "ANSIBLE_LOG_VERBOSITY": "5"}
    workspace.run("ansible-inventory", "-i", source, "--list", "-vvvvv", env=loud)
    workspace.play({"ansible.builtin.debug": {"var": "hostvars"}}, source=source, words=["-vvvvv"], env=loud)
    workspace.refused(
        workspace.source(account_token=f"wrong-{MARK}"), "-vvvvv" if workspace._programs == CORES["newest"] else "-vv"
    )
    assert MARK not in workspace.errors
    assert [path.name for path in workspace.left()].count("ansible.log") == 1


def test_other_users_see_no_token_during_run(sandbox: Sandbox, tmp_path: Path) -> None:
    workspace = Workspace(sandbox, tmp_path)
    workspace.world()
    sandbox.set_options(latency=0.5)
    temporary = Path(tempfile.mkdtemp())
    with Onlooker([workspace.home, temporary], {ACCOUNT, MARK}) as onlooker:
        assert (
            len(workspace.hosts(workspace.source(**cached(workspace.home / "cache")), env={"TMPDIR": str(temporary)}))
            == 3
        )
    assert onlooker.looks > 20 and not onlooker.seen


# Other sources, and many devices


@pytest.mark.weekly
def test_inventory_with_another_source(workspace: Workspace) -> None:
    """A host of both sources keeps its variables; a device does not become a member of a group with its name."""
    static = workspace.folder / "static.yml"
    static.write_text(
        yaml.safe_dump({"all": {"hosts": {A: {"mine": 1}}, "children": {"Toko_2": {"vars": {"mine": 2}}}}}),
        encoding="utf-8",
    )
    both = workspace.list(static, "-i", workspace.source())["_meta"]["hostvars"]
    assert both[A]["mine"] == 1 and both[A]["fonnte_name"] == "Toko 1"
    named = workspace.list(static, "-i", workspace.source(hostname="name"))["_meta"]["hostvars"]
    assert named[f"Toko_2_{B}"]["fonnte_device"] == B and "mine" not in named[f"Toko_2_{B}"]


@pytest.mark.weekly
@ON_EACH_CORE
def test_thousand_devices_are_read_in_one_request(core: str, sandbox: Sandbox, tmp_path: Path) -> None:
    workspace = Workspace(sandbox, tmp_path, core)
    workspace.world(*(there(f"0812{index:08d}", name=f"Klien {index % 500}") for index in range(1000)))
    hosts = workspace.hosts(workspace.source(hostname="name"))
    assert workspace.calls() == 1 and len(hosts) == 1000
    assert {facts["fonnte_device"] for facts in hosts.values()} == set(sandbox.devices())


# The page


@pytest.mark.weekly
def test_inventory_page_shows_real_output(sandbox: Sandbox, tmp_path: Path) -> None:
    """The page is docs/inventory.md. Each inventory prints the output below it; each playbook uses the one above it."""
    page = Path(os.environ["ANSIBLE_COLLECTIONS_PATH"]) / "ansible_collections/fonnte/whatsapp/docs/inventory.md"
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    workspace = Workspace(sandbox, tmp_path)
    workspace.world(
        there("081200001001", name="Warung Bu Sri", package="Super", linked=True, quota=4800),
        there("081200001002", name="Toko Jaya - Bandung", package="Reguler", quota=31),
        there("081200001003", name="Toko Jaya - Jakarta", linked=True, quota=900),
        there("6281200001004", name="Toko Jaya - Jakarta"),
    )
    source, outputs, plays = workspace.source(), 0, 0
    for kind, block in blocks:
        if kind == "yaml" and isinstance(yaml.safe_load(block), dict):
            source = workspace.folder / "fonnte.yml"
            source.write_text(block, encoding="utf-8")
        elif kind == "yaml":
            (workspace.folder / "page.yml").write_text(block, encoding="utf-8")
            assert "failed=0" in workspace.run("ansible-playbook", "-i", source, "page.yml")
            plays += 1
        elif kind == "text":
            command, _line, output = block.partition("\n")
            program, *words = command.removeprefix("$ ").split()
            assert workspace.run(program, *words) == output
            outputs += 1
    assert outputs >= 2 and plays >= 1
