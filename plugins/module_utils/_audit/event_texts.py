# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The texts about the last events of devices, in each language: for English, then for Bahasa Indonesia."""

from __future__ import annotations

import typing as t

from .._events.last_events import LastEvent

EVENT_TEXTS: dict[str, tuple[str, str]] = {
    "kind_no_events": ("No messages arrive", "Tidak ada pesan masuk"),
    "mean_no_events": (
        "A webhook is declared and a phone is linked, but the event source has received no message for days.",
        "Webhook dideklarasikan dan ponsel tertaut, tetapi penerima webhook tidak menerima pesan selama beberapa hari.",
    ),
    "todo_no_events": (
        "Send a message to the device. If it does not arrive, check the URL of the webhook, the receiver, and the "
        "settings autoread and personal.",
        "Kirim pesan ke perangkat. Jika tidak sampai, periksa URL webhook, penerimanya, serta pengaturan autoread "
        "dan personal.",
    ),
    "say_no_events": (
        "Last incoming message: {found} (whole days ago: {count}).",
        "Pesan masuk terakhir: {found} (hari yang lalu: {count}).",
    ),
    "say_no_events_ever": (
        "No incoming message since the recording of events began (whole days: {count}).",
        "Tidak ada pesan masuk sejak pencatatan dimulai (jumlah hari: {count}).",
    ),
    "from_events": ("Recorded by the event source", "Dicatat oleh penerima webhook"),
    # The last event of a device, and its age.
    "last_event": ("Last event: {kind}, {ago}.", "Peristiwa terakhir: {kind}, {ago}."),
    "event_incoming": ("incoming message", "pesan masuk"),
    "event_connect": ("connection", "koneksi"),
    "event_status": ("message status", "status pesan"),
    "event_chaining": ("chained message", "balasan"),
    "ago_minutes": ("{count} min ago", "{count} menit yang lalu"),
    "ago_hours": ("{count} h ago", "{count} jam yang lalu"),
    "ago_days": ("{count} days ago", "{count} hari yang lalu"),
}
# The unit of an age, its seconds, and the most of it. A day or an hour is in a smaller unit, to avoid plural forms.
_UNITS = (("ago_minutes", 60, 120), ("ago_hours", 3600, 48))


def describe_event(words: t.Callable[..., str], event: LastEvent) -> str:
    """Return the kind and the age of an event in words.

    Args:
        words: Returns a text of the language.
        event: The event.
    """
    ago = words("ago_days", count=event.age // 86400)
    for key, seconds, most in reversed(_UNITS):
        if event.age // seconds < most:
            ago = words(key, count=event.age // seconds)
    return words("last_event", kind=words("event_" + event.kind), ago=ago)
