# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The texts of a report about delivery: risks of a declaration, and receiver checks. A part of the table of texts."""

from __future__ import annotations

DELIVERY_TEXTS: dict[str, tuple[str, str]] = {
    "kind_receiver_failed": ("Receiver does not accept events", "Penerima tidak menerima peristiwa"),
    "mean_receiver_failed": (
        "The URL of a webhook did not respond to a test request with HTTP 200.",
        "URL webhook tidak menjawab permintaan uji dengan HTTP 200.",
    ),
    "todo_receiver_failed": (
        "Correct the receiver or the URL; each finding names the action.",
        "Perbaiki penerima atau URL; setiap temuan menyebutkan tindakannya.",
    ),
    "kind_delivery_risk": ("Events may not arrive", "Peristiwa mungkin tidak sampai"),
    "mean_delivery_risk": (
        "With these declared settings, events may not arrive at the webhook.",
        "Dengan pengaturan yang dideklarasikan ini, peristiwa mungkin tidak sampai ke webhook.",
    ),
    "todo_delivery_risk": (
        "Correct the declaration; each finding names the action.",
        "Perbaiki deklarasi; setiap temuan menyebutkan tindakannya.",
    ),
    # The risks, by their cause. {found} has the names of the options.
    "say_delivery_risk_incoming_off": (
        "Fonnte may not send incoming chats to the webhook, since these are off or unknown: {found}. Declare autoread: true and "
        "personal: true.",
        "Fonnte mungkin tidak mengirim chat masuk ke webhook, karena ini nonaktif atau tidak diketahui: {found}. Deklarasikan autoread: true "
        "dan personal: true.",
    ),
    "say_delivery_risk_local_host": (
        "Fonnte cannot reach the host of {found}, since it exists only in this network. Declare a host that the internet "
        "can reach.",
        "Fonnte tidak dapat menjangkau host dari {found}, karena host itu hanya ada di jaringan ini. Deklarasikan host yang "
        "dapat dijangkau dari internet.",
    ),
    "say_delivery_risk_shared_url": (
        "These have one URL: {found}. A message that an event causes can cause the next event. Declare a different URL "
        "for each.",
        "Semua ini memakai satu URL: {found}. Pesan yang dipicu suatu peristiwa dapat memicu peristiwa berikutnya. "
        "Deklarasikan URL yang berbeda untuk masing-masing.",
    ),
    "say_delivery_risk_plain_http": (
        "Fonnte sends the token of the device to {found} over plain http: anyone on the network path can read it. Declare "
        "an https URL.",
        "Fonnte mengirim token perangkat ke {found} melalui http biasa: siapa pun di jalur jaringan dapat membacanya. "
        "Deklarasikan URL https.",
    ),
    # The outcomes of receiver checks.
    "say_receiver_failed_status": (
        "{field}: {declared} responded with HTTP {found}. Fonnte requires HTTP 200, otherwise it sends the event again. "
        "Correct the receiver or the URL.",
        "{field}: {declared} menjawab dengan HTTP {found}. Fonnte memerlukan HTTP 200, jika tidak peristiwa dikirim lagi. "
        "Perbaiki penerima atau URL.",
    ),
    "say_receiver_failed_redirect": (
        "{field}: {declared} redirects (HTTP {found}). Declare the final URL.",
        "{field}: {declared} mengalihkan (HTTP {found}). Deklarasikan URL akhirnya.",
    ),
    "say_receiver_failed_tls": (
        "{field}: no TLS connection to {declared}: {note}. Correct the certificate of the receiver.",
        "{field}: tidak ada koneksi TLS ke {declared}: {note}. Perbaiki sertifikat penerima.",
    ),
    "say_receiver_failed_slow": (
        "{field}: {declared} did not respond in time. Let the receiver respond first, and process the event afterwards.",
        "{field}: {declared} tidak menjawab tepat waktu. Buat penerima menjawab dahulu, lalu memproses peristiwanya.",
    ),
    "say_receiver_failed_unreachable": (
        "{field}: {declared} cannot be reached: {note}. Check the URL, and start the receiver.",
        "{field}: {declared} tidak dapat dijangkau: {note}. Periksa URL, dan jalankan penerima.",
    ),
    "say_receiver_failed_refused": (
        "{field}: no request was sent to {declared}: {note}.",
        "{field}: tidak ada permintaan yang dikirim ke {declared}: {note}.",
    ),
    # The details of these.
    "detail_private": (
        "its address is in a private network. Declare a host that the internet can reach, or permit the request with "
        "allow_private",
        "alamatnya berada di jaringan privat. Deklarasikan host yang dapat dijangkau dari internet, atau izinkan permintaan "
        "dengan allow_private",
    ),
    "detail_reserved": (
        "its address is reserved. Declare a host that the internet can reach",
        "alamatnya dicadangkan. Deklarasikan host yang dapat dijangkau dari internet",
    ),
    "detail_name": ("its name has no address", "namanya tidak memiliki alamat"),
    "detail_no_connection": ("there is no connection", "tidak ada koneksi"),
    "detail_closed": ("it closed the connection without a response", "koneksi ditutup tanpa jawaban"),
    "detail_not_http": ("its response is not HTTP", "jawabannya bukan HTTP"),
    "detail_expired": ("the certificate has expired", "sertifikat sudah kedaluwarsa"),
    "detail_wrong_host": ("the certificate is that of another host", "sertifikat itu milik host lain"),
    "detail_untrusted": (
        "no public authority has signed the certificate",
        "sertifikat tidak ditandatangani otoritas publik",
    ),
    "detail_handshake": ("the handshake failed", "handshake gagal"),
    # The sources, and the count in the head of a report.
    "from_declaration": ("Read from the declaration", "Dibaca dari deklarasi"),
    "from_check": ("Checked {at}", "Diperiksa {at}"),
    "receivers": (
        "Receivers that accept events: {count} of {total}.",
        "Penerima yang menerima peristiwa: {count} dari {total}.",
    ),
}
