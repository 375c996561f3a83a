# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The texts that only the page of a report needs, in each language. Templates contain no character of markup."""

from __future__ import annotations

PAGE_TEXTS: dict[str, tuple[str, str]] = {
    # The head.
    "page_title": (
        "{title}: action needed on {count} of {total} devices, {at}",
        "{title}: {count} dari {total} perangkat perlu tindakan, {at}",
    ),
    "page_title_fine": ("{title}: no action required, {at}", "{title}: tidak perlu tindakan, {at}"),
    "page_head": (
        "Audit of WhatsApp devices, {at}. Nothing was changed.",
        "Audit perangkat WhatsApp. Data per {at}. Tidak ada yang diubah.",
    ),
    "page_contact": (
        "If an action mentions a playbook or a declaration, contact {contact}.",
        "Jika tindakan menyebut playbook atau deklarasi, hubungi {contact}.",
    ),
    "page_sender": ("the person who sent you this report", "admin yang mengirim laporan ini"),
    "skip": ("Go to the devices", "Langsung ke daftar perangkat"),
    # The status, the search form and the table.
    "status": ("Status", "Status"),
    "linked_count": ("Phones linked: {count}", "Ponsel tertaut: {count}"),
    "free_count": ("Free devices used: {count}", "Perangkat gratis: {count}"),
    "all_devices": ("Devices", "Perangkat"),
    "find": ("Search, filter and sort", "Cari, saring, dan urutkan"),
    "search": ("Search", "Cari"),
    "show_kind": ("Finding", "Temuan"),
    "show_owner": ("Client", "Klien"),
    "any": ("all", "semua"),
    "counted": ("{label} ({count})", "{label} ({count})"),
    "sort": ("Sort by", "Urutkan menurut"),
    "sort_urgency": ("Urgency", "Paling mendesak"),
    "sort_name": ("Name", "Nama"),
    "sort_owner": ("Client", "Klien"),
    "sort_ends": ("Package end, earliest first", "Masa aktif, paling awal dahulu"),
    "sort_quota": ("Messages left, fewest first", "Sisa pesan, paling sedikit dahulu"),
    "sort_event": ("Last event, oldest first", "Peristiwa terakhir, terlama dahulu"),
    "clear": ("Clear filters", "Hapus saringan"),
    "shown": ("{count} of {total} devices", "{count} dari {total} perangkat"),
    "none_fits": ("No device matches.", "Tidak ada perangkat yang cocok."),
    "more": ("Show more", "Tampilkan lebih banyak"),
    "col_device": ("Device", "Perangkat"),
    "col_findings": ("Findings and actions", "Temuan dan tindakan"),
    "col_package": ("Package", "Paket"),
    "col_quota": ("Messages left", "Sisa pesan"),
    "linked": ("Phone linked", "Ponsel tertaut"),
    "not_linked": ("No phone linked", "Ponsel tidak tertaut"),
    "until": ("until {at}", "sampai {at}"),
    # The explanation at the end.
    "help": ("Explanation of statuses and findings", "Penjelasan status dan temuan"),
    "means_action": (
        "The device does not work, or does not match its declaration.",
        "Perangkat tidak berfungsi, atau tidak sesuai dengan deklarasinya.",
    ),
    "means_notice": (
        "The device works, but you must decide about it soon.",
        "Perangkat berfungsi, tetapi perlu keputusan dalam waktu dekat.",
    ),
    "means_unknown": (
        "The check failed, or Fonnte does not show a setting and there is no other evidence. It may be correct.",
        "Pemeriksaan gagal, atau Fonnte tidak menampilkan suatu pengaturan dan tidak ada bukti lain. Mungkin saja benar.",
    ),
    "means_fine": (
        "All declared settings match. Fonnte hides most settings of a device: with the words as far as Fonnte shows, "
        "the evidence of some is the last value that was applied or checked.",
        "Semua pengaturan yang dideklarasikan sesuai. Fonnte menyembunyikan sebagian besar pengaturan perangkat: dengan "
        "kata-kata sejauh yang ditampilkan Fonnte, bukti pengaturan itu adalah nilai terakhir yang diterapkan atau "
        "diperiksa.",
    ),
    "source": ("Read from {endpoint}.", "Dibaca dari {endpoint}."),
    "footer": ("Created by fonnte.whatsapp.", "Dibuat oleh fonnte.whatsapp."),
    "months": (
        "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
        "Jan Feb Mar Apr Mei Jun Jul Agu Sep Okt Nov Des",
    ),
    "day": ("{day} {month} {year}", "{day} {month} {year}"),
    "moment": ("{day} {month} {year}, {hour}:{minute} UTC", "{day} {month} {year}, {hour}.{minute} UTC"),
}
