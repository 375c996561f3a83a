# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No string of an event runs code (invariant 7), with the real ansible-rulebook and the oldest and the newest core."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from .conftest import PROGRAMS, SECRET, Rulebook, post

CORES = [PROGRAMS, *(Path(path) for path in [os.environ.get("FONNTE_TESTS_OLDEST")] if path)]
DEVICE = "081200001001"
PLAYED_WITHIN = 60.0
HEADER = "#jinja2:variable_start_string:'<%',variable_end_string:'%>'\n<% {} %>"
# Ways in which a rulebook can combine strings of an event before its playbook reads them.
EXTRA = {
    "joined": "{{ event.fonnte.name }}{{ event.fonnte.message }}",
    "reported": "{{ event.fonnte.name }}: {{ event.fonnte.message }}",
    "marked": "#{{ event.fonnte.name }}: {{ event.fonnte.message }}",
    "sliced": "{{ event.fonnte.message[1:] }}",
    "trimmed": "{{ event.fonnte.message | trim }}",
    "cut": "{{ event.fonnte.name[:7] }}:{{ event.fonnte.message }}",
    "lowered": "{{ event.fonnte.message | lower }}",
    "packed": "{{ event.fonnte.message | replace(' ', '') }}",
    "cut_once": "{{ event.fonnte.name[:1] ~ event.fonnte.member ~ event.fonnte.message }}",
    "alone": "{{ event.fonnte.message }}",
    "with_more": "{{ event.fonnte.message }} (from {{ event.fonnte.sender }})",
    "whole": "{{ event.fonnte }}",
}


def escaped(text: str) -> str:
    """Return a string with escaped braces for a Python literal, which ansible-rulebook would evaluate."""
    return "".join(f"\\x{ord(letter):02x}" if letter in "{}" else letter for letter in text)


def lookup(canary: Path) -> str:
    """Return the expression of a template that would create a file."""
    return f"lookup('ansible.builtin.pipe', 'touch {canary}')"


def define_upper(canary: Path) -> str:
    """Return a template header that is valid after the filter ``lower``."""
    return f"#JINJA2:VARIABLE_START_STRING:'<%',VARIABLE_END_STRING:'%>'\n<% LOOKUP('PIPE','TOUCH {str(canary).upper()}') %>"


def attacks(folder: Path) -> list[dict[str, Any]]:
    """Return events of a malicious sender; the name of the file that each would create contains its index."""
    run = [lookup(folder / f"ran-{index}") for index in range(20)]
    # With quotation marks of the other kind inside a literal.
    quoted = [text.replace("'", '"') for text in run]
    upper = define_upper(folder / "RAN-16")
    define = "variable_start_string:'<%',variable_end_string:'%>'\n<% {} %>"
    chats: list[dict[str, Any]] = [
        {"message": f"{{{{ {run[0]} }}}}"},
        {"message": f"x{{{{ {run[1]} }}}}"},
        {"name": "x {", "message": f"{{ {run[2]} }}}}"},
        {"message": f"  {{% if {run[3]} %}}{{% endif %}}"},
        {"message": HEADER.format(run[4])},
        {"message": "x" + HEADER.format(run[5])},
        {"name": "#jinja2", "message": define.format(run[6])},
        {"name": "jinja2", "message": define.format(run[7])},
        {"name": "#jinja2 and more", "message": define.format(run[8])},
        {"name": "#jin", "message": "ja2:" + define.format(run[9])},
        {"message": "x", f"{{{{ {run[10]} }}}}": {f"{{{{ {run[11]} }}}}": 1}},
        {"message": "x", "__ansible_vault": "x", "more": {"__ansible_unsafe": "{{ 1 }}", "__ansible_type": "x"}},
        {"message": escaped(f"'{{{{ {quoted[12]} }}}}'")},
        {"message": escaped(f"'{{{{ {quoted[13]} }}}}'") + "#."},
        {
            "message": "'#' 'jinj' '''a2:variable_start_string:\"<%\",variable_end_string:\"%>\"\n<% "
            + quoted[14]
            + " %>'''"
        },
        {"message": escaped(f"['{{{{ {quoted[15]} }}}}']")},
        {"message": upper},
        {"message": "# j inj a2:" + define.format(run[17]).replace("touch ", "touch\t")},
        {"name": "#x", "member": "jinj", "message": "a2:" + define.format(run[18])},
        {
            "message": "['#' 'jinj' '''a2:variable_start_string:\"<%\",variable_end_string:\"%>\"\n<% "
            + quoted[19]
            + " %>''']"
        },
    ]
    return [
        {
            "device": DEVICE,
            "sender": "6281299990000",
            "name": "Toko Tiga",
            "timestamp": 1760000000 + index,
            "inboxid": index,
            **chat,
        }
        for index, chat in enumerate(chats)
    ]


def playbook(folder: Path) -> Path:
    """Write a playbook that uses every string of an event in the usual ways, and then creates a file."""
    path = folder / "playbook" / "use.yml"
    path.parent.mkdir()
    fonnte = "ansible_eda.event.fonnte"
    tasks: list[dict[str, Any]] = [
        {"debug": {"msg": f"{{{{ {fonnte} }}}}"}},
        {"debug": {"msg": f"{{{{ {fonnte}.name }}}} wrote {{{{ {fonnte}.message }}}}"}},
        {"debug": {"msg": f"{{{{ {fonnte}.name ~ {fonnte}.message }}}}"}},
        {"debug": {"msg": f"{{{{ {fonnte}.message[1:] }}}}{{{{ {fonnte}.message | trim }}}}"}},
        {"debug": {"msg": "{{ item.key }} {{ item.value }}"}, "loop": f"{{{{ {fonnte}.other | dict2items }}}}"},
        {"set_fact": {"kept": f"{{{{ {fonnte}.name ~ {fonnte}.message }}}}", "again": "{{ joined }}"}},
        {"set_fact": {"one": f"{{{{ {fonnte}.message }}}}", "low": f"{{{{ {fonnte}.message | lower }}}}"}},
        {"debug": {"msg": "{{ kept }} {{ again }} {{ one }} {{ low }}"}},
        *({"debug": {"msg": f"{{{{ {name} }}}}"}} for name in EXTRA),
        {"debug": {"var": "joined"}},
        {"copy": {"content": "{{ whole | to_json }}", "dest": f"{folder}/event-{{{{ {fonnte}.inbox_id }}}}"}},
    ]
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    path.write_text(json.dumps([play]), encoding="utf-8")
    return path


def free_port() -> int:
    """Return a port on which no process listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for_answer(url: str) -> None:
    """Wait until a server responds at a URL."""
    end = time.monotonic() + PLAYED_WITHIN
    while time.monotonic() < end:
        try:
            requests.get(url, timeout=60)
            return
        except requests.RequestException:
            time.sleep(0.1)
    raise AssertionError(f"nothing listens on {url}")


# The source and the filter change strings with one function, so each is tested with one core.
@pytest.mark.weekly
@pytest.mark.parametrize(
    ("programs", "behind"),
    list(zip(CORES, ("source", "filter"), strict=False)),
    ids=["newest-source", "oldest-filter"][: len(CORES)],
)
def test_no_string_of_an_event_runs_code(tmp_path: Path, start: Any, programs: Path, behind: str) -> None:
    port = free_port()
    source: dict[str, Any] = {"fonnte.whatsapp.webhook": {"port": port}}
    if behind == "filter":
        source = {
            "eda.builtin.webhook": {"host": "127.0.0.1", "port": port},
            "filters": [{"fonnte.whatsapp.normalize": {}}],
        }
    action = {"run_playbook": {"name": str(playbook(tmp_path)), "copy_files": False, "extra_vars": EXTRA}}
    rule = {"name": "wrote", "condition": 'event.fonnte.kind == "incoming"', "action": action}
    rules = [{"name": "test", "hosts": "localhost", "sources": [source], "rules": [rule]}]
    run: Rulebook = start(rules, programs=programs)
    url = f"http://127.0.0.1:{port}/"
    wait_for_answer(url)
    sent = attacks(tmp_path)
    for event in sent:
        assert post(url + SECRET, event) == 200
    end = time.monotonic() + PLAYED_WITHIN + 60 * len(sent)
    while len(list(tmp_path.glob("event-*"))) < len(sent) and time.monotonic() < end:
        time.sleep(0.2)
    assert [path.name for path in tmp_path.rglob("*") if path.name.lower().startswith("ran-")] == []
    assert len(list(tmp_path.glob("event-*"))) == len(sent), run.output()[-6000:]
    event = json.loads((tmp_path / "event-0").read_text(encoding="utf-8"))
    assert (
        event["message"].startswith("\uff5b\uff5b lookup(")
        and "touch" in event["message"]
        and event["altered"] == ["message"]
    )
