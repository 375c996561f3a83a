# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Masking of strings that resemble a secret: before ansible-core 2.22, Ansible hides only results with ``no_log``.

No rule can recognize every secret. In doubt, a string is masked: an alert is a hint to read the log, not the log.
"""

from __future__ import annotations

import re
import typing as t

from .._common.spellings import MASK

# A longer text is cut, and its last word is dropped, because the cut may have split a secret.
MAX_EXAMINED_LENGTH = 2_000
# A word of letters and digits that is at least so long may be a token.
MIN_TOKEN_LENGTH = 16
# A word without digits is a token if it is so long and has few vowels, or if it changes its case often.
MIN_LETTERS_LENGTH = 20
MIN_VOWELS = 0.28
MAX_CASE_CHANGES = 0.34
# Words that are joined by signs are longer on average, and have fewer kinds of signs, than the parts of a token.
MIN_PART_LENGTH = 3
MIN_SIGNS = 3
# Telephone numbers have at most 15 digits.
MAX_DIGITS = 15
# Masking a shorter value of a secret name would mask ordinary words such as true, or ports.
MIN_VALUE_LENGTH = 6
MAX_DEPTH = 6

# Names that occur in other words only at their start, and names that may be a part of any word.
_SHORT_NAMES = r"(?:pass|pwd|auth|otp|pin|salt|sig|session|key|sas)"
_LONG_NAMES = (
    r"(?:password|passwd|passphrase|passcode|passwort|secret|token|credential|signature|session_?id"
    r"|(?:api|access|private|encryption|account|shared|license)[_.-]?key)"
)
_NAME = r"(?P<name>%s[a-z0-9_.-]{0,40}|(?<![a-z])%s(?:[_.-][a-z0-9]{1,30}){0,3})" % (_LONG_NAMES, _SHORT_NAMES)
# In JSON within JSON, the quotation marks are escaped.
_SIGN = r"(?P<sign>(?:\\{0,8}[\"'])?\s{0,5}%s\s{0,9}(?:[|>][+-]?\s{1,20})?)"
_QUOTED = r"\"(?:\\.|[^\"\\])*\"?|'(?:\\.|[^'\\])*'?|\\{1,8}[\"'].*?\\{1,8}[\"']"

_BLOCK = re.compile(r"-----BEGIN [A-Z0-9 ]{1,40}-----.*?(?:-----END [A-Z0-9 ]{1,40}-----|\Z)", re.DOTALL)
_URL = re.compile(r"(?i)\b(?P<scheme>[a-z][a-z0-9+.-]{0,20}):(?P<slashes>\\?/\\?/)(?P<rest>[^\s\"'<>]+)")
# A header may contain spaces, commas and semicolons.
_HEADER = re.compile(
    r"(?is)\b(?P<name>(?:proxy-)?authorization|(?:set-)?cookie|x-[a-z-]{1,30}(?:key|token|secret))"
    + _SIGN % "[:=]"
    + r"(?P<value>%s|[^\n}\]]+)" % _QUOTED
)
_SCHEME = re.compile(r"(?i)\b(?P<name>bearer|basic|digest|negotiate)(?P<sign>\s{1,5})(?P<value>[A-Za-z0-9._~+/=-]{8,})")
_PAIR = re.compile(
    r"(?is)" + _NAME + _SIGN % "(?:=>|:=|[:=])" + r"(?P<value>%s|(?:[^\n,;&}\])]|[,;&}\])](?=\S))+)" % _QUOTED
)
_FLAG = re.compile(
    # A list of arguments, as Python prints it, has quotation marks and a comma.
    r"(?is)(?<![\w-])(?P<flag>--?)(?P<more>[a-z0-9-]{0,30}?)"
    + _NAME
    + r"(?P<sign>[\"']?,?\s{1,5})(?P<value>%s|\S+)" % _QUOTED
)
# requests reports the path of a URL without its host.
_PATH = re.compile(r"(?i)(?P<name>\burl)(?P<sign>:\s{1,3})(?P<value>/\S+)")
_USER = re.compile(r"(?P<name>(?<!\S)(?:-u|--user))(?P<sign>[ =]?)(?P<value>[^\s:]{1,100}:\S+)")
# A login without the scheme of a URL.
_LOGIN = re.compile(r"(?P<name>(?<![\w@])[\w.%-]{1,60})(?P<sign>:)(?P<value>[^\s@/]{3,100})(?=@)")
# In base64, a slash does not separate words.
_BASE64 = re.compile(
    r"(?<![A-Za-z0-9+/=])(?=[^\s]{0,200}[a-z])(?=[^\s]{0,200}[A-Z])(?=[^\s]{0,200}[0-9])[A-Za-z0-9+][A-Za-z0-9+/]{31,}={0,2}"
)
# Colors of a terminal would separate a name from its value.
_COLOR = re.compile(r"\x1b\[[0-?]{0,20}[ -/]{0,5}[@-~]")
# The characters of tokens. A period, a slash or a colon separates the parts of names and paths instead.
_WORD = re.compile(r"[A-Za-z0-9_+=@!#$%%^&*~-]{%d,}" % MIN_TOKEN_LENGTH)
_PART = re.compile(r"[A-Za-z0-9]+")
_ORDINARY = re.compile(r"[A-Za-z]+|v?[0-9]+|[A-Za-z]+[0-9]{1,4}|[0-9]{1,3}[a-z]{1,2}")
_ODD_SIGNS = frozenset("!#$%^&*+~")
_VOWELS = frozenset("aeiouyAEIOUY")


def mask_likely_secrets(text: str) -> str:
    """Return a text with each string that resembles a secret replaced by a mask.

    These are PEM blocks, all parts of a URL but its scheme and host, authorization headers, values of names such as
    password or token, and long random words. The time is bounded, because the text is cut to 2,000 characters.
    """
    text = _BLOCK.sub(MASK, _truncate(_COLOR.sub("", text[: 2 * MAX_EXAMINED_LENGTH])))
    text = _URL.sub(_without_secrets, text)
    for pattern in (_PATH, _HEADER, _SCHEME, _PAIR, _FLAG, _USER, _LOGIN):
        text = pattern.sub(_without_value, text)
    text = _BASE64.sub(MASK, text)
    return _WORD.sub(_unless_random, text)


def known_secrets(values: t.Mapping[str, t.Any]) -> set[str]:
    """Return the values in data whose names resemble those of secrets, such as ``DB_PASSWORD`` or ``apiToken``.

    Args:
        values: The options of a task or an environment: dictionaries, lists and scalars.
    """
    return set(_values(values, False, MAX_DEPTH))


def _values(value: t.Any, is_secret: bool, depth: int) -> t.Iterator[str]:
    if depth and isinstance(value, t.Mapping):
        for name, item in value.items():
            yield from _values(item, is_secret or _is_secret_name(str(name)), depth - 1)
    elif depth and isinstance(value, (list, tuple)):
        for item in value:
            yield from _values(item, is_secret, depth - 1)
    elif is_secret and isinstance(value, (str, int)) and len(str(value)) >= MIN_VALUE_LENGTH:
        yield str(value)


def _is_secret_name(name: str) -> bool:
    assigned = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name[-80:]) + "=x"
    # The shell's variable of the working directory is not a password.
    return name not in ("PWD", "OLDPWD") and any(pattern.search(assigned) for pattern in (_PAIR, _HEADER))


def _truncate(text: str) -> str:
    """Return the start of a text. If it is cut, its last word is dropped."""
    if len(text) <= MAX_EXAMINED_LENGTH:
        return text
    start = text[:MAX_EXAMINED_LENGTH]
    return start[: len(start) - len(re.split(r"\s", start)[-1])] + "…"


def _without_secrets(found: t.Match[str]) -> str:
    """Return a URL without user, password, path and query. A part after a misplaced ``@`` is not shown either."""
    authority, slash, path = found["rest"].partition("/")
    ending = found["rest"][len(found["rest"].rstrip(".,;:)]}")) :]
    if "@" in path or authority.count("@") > 1:
        return f"{found['scheme']}:{found['slashes']}{MASK}{ending}"
    host = re.split(r"[?#\\]", authority.rpartition("@")[2])[0]
    if not slash and host == found["rest"]:
        return found.group()
    return f"{found['scheme']}:{found['slashes']}{host}/{MASK}{ending if slash else ''}"


def _without_value(found: t.Match[str]) -> str:
    return found.group()[: found.start("value") - found.start()] + MASK


def _unless_random(found: t.Match[str]) -> str:
    return MASK if _is_random(found.group()) else found.group()


def _is_random(word: str) -> bool:
    """Return whether a long word may be a token: it has a part that neither a name nor a version has."""
    parts = _PART.findall(word)
    if not parts:
        # A line of dashes or asterisks.
        return False
    joined, signs = "".join(parts), set(_PART.sub("", word))
    has_both_cases = joined not in (joined.lower(), joined.upper())
    is_odd = bool(signs & _ODD_SIGNS) or len(joined) < MIN_PART_LENGTH * len(parts) or _changes_case_often(joined)
    return any(map(_is_unusual, parts)) or len(signs) >= MIN_SIGNS or (has_both_cases and is_odd)


def _changes_case_often(letters: str) -> bool:
    changes = sum(first.isupper() != second.isupper() for first, second in zip(letters, letters[1:]))
    return len(letters) >= MIN_TOKEN_LENGTH and changes > MAX_CASE_CHANGES * len(letters)


def _is_unusual(part: str) -> bool:
    """Return whether a run of letters and digits occurs neither in words nor in numbers and versions."""
    if not _ORDINARY.fullmatch(part):
        return True
    if part.isdigit():
        return len(part) > MAX_DIGITS
    if not part.isalpha():
        return len(part) >= MIN_TOKEN_LENGTH
    if len(part) < MIN_TOKEN_LENGTH:
        return False
    vowels = sum(letter in _VOWELS for letter in part)
    few = len(part) >= MIN_LETTERS_LENGTH and vowels < MIN_VOWELS * len(part)
    return few or _changes_case_often(part)
