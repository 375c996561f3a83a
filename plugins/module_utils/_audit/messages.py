# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The texts of a report in each language: one table, and the sentences that are built from it.

They are for people who do not read YAML. Numbers are after a colon, so that no language needs plural forms.
"""

from __future__ import annotations

import typing as t

from .._common.clock import TIME_FORMAT
from .._device.settings import SETTINGS
from .._reconcile.evidence import Evidence
from .._reconcile.state import Reason
from .delivery_texts import DELIVERY_TEXTS
from .event_texts import EVENT_TEXTS, describe_event
from .findings import OK, Audit, AuditedDevice, Finding, Kind, Level, Shown
from .page_texts import PAGE_TEXTS

# A text for each language, in this order.
LANGUAGES = ("en", "id")

_TABLE: dict[str, tuple[str, str]] = {
    **DELIVERY_TEXTS,
    **EVENT_TEXTS,
    **PAGE_TEXTS,
    # The head of a report, and its counts.
    "title": ("WhatsApp devices", "Perangkat WhatsApp"),
    "made": ("As of {at}, read from {endpoint}.", "Data per {at}, dibaca dari {endpoint}."),
    "only_looked": ("Nothing was changed.", "Tidak ada yang diubah."),
    "of": ("{count} of {total}", "{count} dari {total}"),
    "thousands": (",", "."),
    "not_read": ("not read", "tidak dibaca"),
    "account": ("The account as a whole", "Akun secara keseluruhan"),
    "nothing": ("No action is required.", "Tidak ada yang perlu dilakukan."),
    # The levels.
    "level_action": ("Needs action", "Perlu tindakan"),
    "level_notice": ("Take note", "Perlu diperhatikan"),
    "level_unknown": ("Not known", "Tidak diketahui"),
    "level_fine": ("As declared", "Sesuai deklarasi"),
    # Fonnte does not show a setting, and a record is the evidence.
    "level_fine_recorded": (
        "As declared, as far as Fonnte shows",
        "Sesuai deklarasi, sejauh yang ditampilkan Fonnte",
    ),
    # The kinds of findings: a label, the meaning, and the action.
    "kind_drift": ("Different at Fonnte", "Nilai di Fonnte berbeda dari deklarasi"),
    "mean_drift": (
        "Fonnte shows a value that differs from the declaration.",
        "Fonnte menampilkan nilai yang berbeda dari deklarasi.",
    ),
    "todo_drift": (
        "If the declaration is right, run the playbook that applies it. If the dashboard is right, correct the "
        "declaration.",
        "Jika deklarasi benar, minta admin menjalankan playbook yang menerapkannya. Jika dasbor benar, perbaiki "
        "deklarasinya.",
    ),
    "kind_drift_recorded": ("Not applied yet", "Belum diterapkan"),
    "mean_drift_recorded": (
        "According to the record, another value was applied last. Fonnte does not show this setting.",
        "Menurut catatan, nilai lain yang terakhir diterapkan. Fonnte tidak menampilkan pengaturan ini.",
    ),
    "todo_drift_recorded": (
        "Run the playbook that applies the declaration.",
        "Minta admin menjalankan playbook yang menerapkan deklarasi.",
    ),
    "kind_missing": ("Missing", "Tidak ada"),
    "mean_missing": (
        "It is declared, but the account does not list it.",
        "Perangkat ini dideklarasikan, tetapi tidak ada dalam daftar akun.",
    ),
    "todo_missing": (
        "Check the number. If it is correct, run the playbook, which creates the device. A phone must then be "
        "linked to it.",
        "Periksa nomornya. Jika benar, minta admin menjalankan playbook: perangkat akan dibuat, lalu ponsel "
        "harus ditautkan.",
    ),
    "kind_disconnected": ("No phone is linked", "Ponsel tidak tertaut"),
    "mean_disconnected": (
        "It sends and receives nothing.",
        "Perangkat ini tidak mengirim dan tidak menerima apa pun.",
    ),
    "todo_disconnected": (
        "Link the phone: run the playbook fonnte.whatsapp.link, or scan the QR code in the Fonnte dashboard.",
        "Tautkan ponsel: minta admin menjalankan playbook fonnte.whatsapp.link, atau pindai kode QR di dasbor Fonnte.",
    ),
    "kind_package_ended": ("Package has ended", "Paket sudah berakhir"),
    "mean_package_ended": ("The package has expired.", "Masa aktif paket sudah habis."),
    "todo_package_ended": ("Renew the package in the dashboard.", "Perpanjang paket di dasbor."),
    "kind_unlisted": ("Not declared", "Tidak dideklarasikan"),
    "mean_unlisted": (
        "The account has it, but no declaration names it.",
        "Perangkat ini ada di akun, tetapi tidak ada deklarasi yang menyebutnya.",
    ),
    "todo_unlisted": (
        "Declare it, or find out who created it.",
        "Deklarasikan, atau cari tahu siapa yang membuatnya.",
    ),
    "kind_no_longer_declared": ("No longer declared", "Tidak lagi dideklarasikan"),
    "mean_no_longer_declared": (
        "The line of this setting was removed from the declaration, and the device still has the value.",
        "Baris pengaturan ini sudah dihapus dari deklarasi, tetapi perangkat masih memiliki nilainya.",
    ),
    "todo_no_longer_declared": (
        "Declare an empty value ('' or false) to clear it. To keep it, declare the value again.",
        "Deklarasikan nilai kosong ('' atau false) untuk menghapusnya. Untuk mempertahankannya, deklarasikan lagi nilainya.",
    ),
    "kind_package_ends": ("Package ends soon", "Paket segera berakhir"),
    "mean_package_ends": ("The package expires soon.", "Masa aktif paket segera habis."),
    "todo_package_ends": ("Renew the package in the dashboard.", "Perpanjang paket di dasbor."),
    "kind_quota_low": ("Few messages left", "Kuota hampir habis"),
    "mean_quota_low": ("Few messages are left.", "Sisa kuota pesan tinggal sedikit."),
    "todo_quota_low": (
        "Buy more, or wait until the quota is renewed.",
        "Tambah kuota, atau tunggu sampai kuota diperbarui.",
    ),
    "kind_free_slots": ("Not enough free devices left", "Jatah perangkat gratis habis"),
    "mean_free_slots": (
        "The number of free devices per account is limited.",
        "Jumlah perangkat gratis dalam satu akun terbatas.",
    ),
    "todo_free_slots": (
        "Buy packages for some devices, or delete those that are not used.",
        "Beli paket untuk sebagian perangkat, atau hapus yang tidak dipakai.",
    ),
    "kind_unknown": ("Not known", "Tidak diketahui"),
    "mean_unknown": (
        "Fonnte does not show this setting, and nothing proves that it matches the declaration. It may be correct.",
        "Fonnte tidak menampilkan pengaturan ini, dan tidak ada bukti bahwa nilainya sesuai. Mungkin saja benar.",
    ),
    "todo_unknown": (
        "Check the device in the dashboard, or run the playbook, which sets it.",
        "Periksa perangkat di dasbor, atau minta admin menjalankan playbook yang mengaturnya.",
    ),
    "kind_not_checked": ("Could not be checked", "Pemeriksaan gagal"),
    "mean_not_checked": ("The check could not be completed.", "Pemeriksaan tidak dapat diselesaikan."),
    "todo_not_checked": ("Read the finding.", "Lihat penjelasan pada temuan."),
    # Findings of one device. Values are inserted for {field}, {found} and so on.
    "say_drift": (
        "{field} is {found}, but {declared} is declared.",
        "{field} saat ini {found}, seharusnya {declared}.",
    ),
    "say_drift_recorded": (
        "{field} was last set to {found}, but {declared} is declared.",
        "{field} terakhir diatur ke {found}, seharusnya {declared}.",
    ),
    "say_unknown": (
        "{field}: it is unknown whether it is {declared}.",
        "{field}: tidak diketahui apakah nilainya {declared}.",
    ),
    "say_unknown_several": (
        "It is unknown whether {count} settings match: {fields}.",
        "Tidak diketahui apakah {count} pengaturan sesuai: {fields}.",
    ),
    "say_missing": ("The account has no such device.", "Akun tidak memiliki perangkat ini."),
    "say_moved": ("The device has the number {found} now.", "Perangkat ini sekarang bernomor {found}."),
    "say_disconnected": ("No phone is linked to it.", "Tidak ada ponsel yang tertaut."),
    "say_package_ended": ("The package ended on {found}.", "Masa aktif paket berakhir pada {found}."),
    "say_package_ends": (
        "The package ends on {found} (whole days left: {count}).",
        "Masa aktif paket berakhir pada {found} (sisa hari penuh: {count}).",
    ),
    "say_unlisted": ("No declaration names it.", "Tidak ada deklarasi yang menyebutnya."),
    "say_no_longer_declared": (
        "{field} is no longer declared, and is still {found}.",
        "{field} tidak lagi dideklarasikan, dan masih {found}.",
    ),
    "say_quota_low": (
        "Messages left: {found}, which is less than {declared}.",
        "Sisa pesan: {found}, kurang dari {declared}.",
    ),
    "say_free_slots": (
        "Free devices: {found} of {declared} are used. Declared devices that are not created yet: {count}.",
        "Perangkat gratis: {found} dari {declared} terpakai. Perangkat yang masih harus dibuat: {count}.",
    ),
    "say_not_checked": ("{note}", "{note}"),
    # The source of a value.
    "from_service": ("Read from Fonnte, {at}", "Dibaca dari Fonnte, {at}"),
    "from_stamped": ("Proven by the stamp in the device's name", "Dibuktikan oleh penanda pada nama perangkat"),
    "from_recorded": ("Recorded {at}", "Dicatat {at}"),
    "from_attested": ("Attested by {by}, {at}", "Dikonfirmasi oleh {by}, {at}"),
    "from_unconfirmed": ("Cleared {at}, not confirmed", "Dikosongkan {at}, belum pasti"),
    "from_in_doubt": ("Sent {at}, the response was lost", "Dikirim {at}, jawabannya hilang"),
    "from_none": ("No evidence", "Tidak ada bukti"),
    "why_expired": ("Recorded {at}, which is too long ago", "Dicatat {at}, sudah terlalu lama"),
    "why_unproven": (
        "No stamp proves it with this declaration",
        "Tidak ada penanda yang membuktikannya dengan deklarasi ini",
    ),
    # The short names of evidence, for counts.
    "src_service": ("read from Fonnte", "dibaca dari Fonnte"),
    "src_stamped": ("proven by a stamp", "dibuktikan penanda"),
    "src_recorded": ("recorded", "dicatat"),
    "src_attested": ("attested", "dikonfirmasi"),
    "src_unconfirmed": ("cleared, not confirmed", "dikosongkan, belum pasti"),
    "src_in_doubt": ("in doubt", "diragukan"),
    "src_none": ("no evidence", "tanpa bukti"),
    "stands": ("Settings that match the declaration: {counts}.", "Pengaturan yang sesuai: {counts}."),
    "oldest": ("The oldest evidence is of {at}.", "Bukti tertua dari {at}."),
    # Settings.
    "set_name": ("Name", "Nama"),
    "set_autoread": ("Mark chats as read (autoread)", "Tandai chat terbaca (autoread)"),
    "set_personal": ("Mark personal chats as read", "Tandai chat pribadi terbaca"),
    "set_group": ("Mark group chats as read", "Tandai chat grup terbaca"),
    "set_quick": ("Mark own chats as read (quick)", "Tandai chat sendiri terbaca (quick)"),
    "set_resend": ("Forward attachments (resend)", "Teruskan lampiran (resend)"),
    "set_target": ("Number for attachments (target)", "Nomor untuk lampiran (target)"),
    "set_country_code": ("Country code", "Kode negara"),
    "set_webhook": ("Webhook for chats", "Webhook untuk chat"),
    "set_webhook_connect": ("Webhook for connections", "Webhook untuk koneksi"),
    "set_webhook_status": ("Webhook for message status", "Webhook untuk status pesan"),
    "set_webhook_chaining": ("Webhook for chained messages", "Webhook untuk balasan"),
    "set_connected": ("Linked to a phone", "Tertaut ke ponsel"),
    "yes": ("yes", "ya"),
    "no": ("no", "tidak"),
    "empty": ("empty", "kosong"),
    "unread": ("not known", "tidak diketahui"),
    "and_more": ("Not shown here: {count} more.", "Tidak ditampilkan di sini: {count} lagi."),
}


class Messages:
    """The texts of one language, and the sentences of a report in it."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._place = LANGUAGES.index(language)

    def __call__(self, key: str, **parts: object) -> str:
        """Return a text with its inserted values."""
        text = _TABLE[key][self._place]
        return text.format(**parts) if parts else text

    def label(self, kind: Kind) -> str:
        """Return the label of a kind of finding."""
        return self("kind_" + kind.value)

    def meaning(self, kind: Kind) -> str:
        """Return the meaning of a kind of finding."""
        return self("mean_" + kind.value)

    def action(self, kind: Kind) -> str:
        """Return the action for a kind of finding."""
        return self("todo_" + kind.value)

    def level(self, level: Level) -> str:
        """Return the label of a level."""
        return self("level_" + level.value)

    def state(self, subject: AuditedDevice) -> str:
        """Return the label for the level of a device; without a difference, it depends on the evidence."""
        recorded = subject.level is Level.FINE and bool(set(subject.compliant_counts) - _SHOWN)
        return self("level_fine_recorded") if recorded else self.level(subject.level)

    def group(self, audit: Audit, level: Level) -> str:
        """Return the label for all devices of a level."""
        labels = {self.state(subject) for subject in audit.devices if subject.level is level}
        return max(labels, key=len, default=self.level(level))

    def sentence(self, finding: Finding) -> str:
        """Return a finding as a sentence."""
        key = "_".join(filter(None, ("say", finding.kind.value, finding.cause)))
        if finding.kind is Kind.MISSING and finding.found is not None:
            key = "say_moved"
        elif finding.kind is Kind.NO_EVENTS and finding.found is None:
            key = "say_no_events_ever"
        field = self("set_" + finding.field) if finding.field in _NAMED else ""
        is_check = finding.kind is Kind.RECEIVER_FAILED
        return self(
            key,
            field=field,
            found=self._value(finding, finding.found),
            declared=self._value(finding, finding.declared),
            count=finding.count,
            note=self("detail_" + finding.note) if is_check and finding.note else self.external(finding.note),
        )

    def joint_sentence(self, findings: t.Sequence[Finding]) -> str:
        """Return the unknown settings of one device as one sentence."""
        if len(findings) == 1:
            return self.sentence(findings[0])
        fields = ", ".join(self("set_" + finding.field) for finding in findings)
        return self("say_unknown_several", count=self.number(len(findings)), fields=fields)

    def evidence(self, finding: Finding) -> str:
        """Return the source and the time of the evidence; for an unknown setting, the reason."""
        if finding.kind is Kind.NO_EVENTS:
            return self("from_events")
        if finding.kind is Kind.UNKNOWN and finding.reason is Reason.UNPROVEN:
            return self("why_unproven")
        if finding.kind is Kind.UNKNOWN and finding.reason is Reason.EXPIRED:
            return self("why_expired", at=self.moment(finding.evidence.at))
        if finding.kind is Kind.DELIVERY_RISK:
            return self("from_declaration")
        if finding.kind is Kind.RECEIVER_FAILED:
            return self("from_check", at=self.moment(finding.evidence.at))
        return self.source(finding.evidence)

    def source(self, evidence: Evidence) -> str:
        """Return the source of a value, and its time."""
        at = self.moment(evidence.at) or self("unread")
        return self("from_" + evidence.source.value, at=at, by=self.external(evidence.by))

    def compliant(self, subject: AuditedDevice) -> str:
        """Return the number of settings that match, their sources, and the last event; empty if there are none."""
        event = "" if subject.last_event is None else describe_event(self, subject.last_event)
        return " ".join(filter(None, (self.matching(subject.compliant_counts, subject.oldest), event)))

    def matching(self, counted: t.Mapping[str, int], since: str | None) -> str:
        """Return numbers of settings that match, by source, and the time of the oldest evidence; empty if none."""
        if not counted:
            return ""
        counts = ", ".join(f"{self.number(count)} {self('src_' + source)}" for source, count in counted.items())
        oldest = " " + self("oldest", at=self.moment(since)) if since else ""
        return self("stands", counts=counts) + oldest

    def head(self, audit: Audit) -> str:
        """Return when and where the account was read, and the number of checked receivers."""
        made = self("made", at=self.moment(audit.at.strftime(TIME_FORMAT)), endpoint=self.external(audit.endpoint))
        if audit.receivers is None:
            return made
        accepting = sum(receiver.outcome == OK for receiver in audit.receivers)
        return f"{made} {self('receivers', count=accepting, total=len(audit.receivers))}"

    def of(self, count: int | None, total: int) -> str:
        """Return a count with its total."""
        return self("not_read") if count is None else self("of", count=self.number(count), total=self.number(total))

    def number(self, count: int) -> str:
        """Return a number with the separators of thousands of the language."""
        return f"{count:,}".replace(",", self("thousands"))

    def moment(self, at: str | None) -> str:
        """Return a time of a record or a response in a readable form; empty if there is none."""
        return moment(at)

    def day(self, at: str) -> str:
        """Return the date of such a time."""
        return at[:10]

    def external(self, value: str) -> str:
        """Return a string from outside as it is inserted into a text."""
        return value

    def _value(self, finding: Finding, value: Shown) -> str:
        if value is None:
            return self("unread")
        if isinstance(value, bool):
            return self("yes" if value else "no")
        if isinstance(value, int):
            return self.number(value)
        if finding.kind in (Kind.PACKAGE_ENDED, Kind.PACKAGE_ENDS):
            return self.day(value)
        if finding.kind is Kind.NO_EVENTS:
            return self.moment(value)
        return f'"{self.external(value)}"' if value else self("empty")


# The evidence that Fonnte itself shows now.
_SHOWN = {"service", "stamped"}
_NAMED = frozenset({"connected", *(setting.option for setting in SETTINGS)})


def moment(at: str | None) -> str:
    """Return a time of a record or a response in a readable form; empty if there is none."""
    return f"{at[:10]} {at[11:16]} UTC" if at else ""


def texts() -> t.Mapping[str, tuple[str, str]]:
    """Return the table, for a test that it is complete."""
    return _TABLE
