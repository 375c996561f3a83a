# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The style and the scripts of the page of a report, as strings."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--back:#fff;--text:#1b1f23;--soft:#57606a;--line:#c9d1d9;--head:#f1f4f7;--link:#0b57a4;
--action:#a3180d;--notice:#7a4b00;--unknown:#4a3f9f;--fine:#176b2c}
@media (prefers-color-scheme:dark){:root{--back:#14171a;--text:#e8eaed;--soft:#aab3bd;--line:#3d444d;--head:#1f2429;
--link:#8ab8f0;--action:#ff9d94;--notice:#f2c14e;--unknown:#c3b8ff;--fine:#86d99a}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:90rem;background:var(--back);color:var(--text);
font:1rem/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
h1{font-size:1.6rem;margin:.2rem 0}h2{font-size:1.2rem;margin:1.6rem 0 .5rem}h3{font-size:1rem;margin:1rem 0 .3rem}
p{margin:.3rem 0}small{color:var(--soft);font-size:.85rem}footer{color:var(--soft);margin-top:2rem;font-size:.9rem}
.skip{position:absolute;left:-100rem}.skip:focus{position:static}
a{color:var(--link)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
ul{list-style:none;margin:0;padding:0}
.figures{display:flex;flex-wrap:wrap;gap:.6rem}
.figures li{border:1px solid var(--line);border-left-width:.4rem;border-radius:.3rem;padding:.4rem .8rem}
.figures b{font-size:1.3rem}
.action,.notice,.unknown,.fine{border-color:var(--c)!important}
.action{--c:var(--action)}.notice{--c:var(--notice)}.unknown{--c:var(--unknown)}.fine{--c:var(--fine)}
.figures .unknown,.found .unknown{border-left-style:dashed}.figures .notice,.found .notice{border-left-style:double}
.sign{display:inline-block;min-width:1.2em;margin-right:.2em;text-align:center;font-weight:700;color:var(--c)}
table{border-collapse:collapse;width:100%}
th,td{border:1px solid var(--line);padding:.35rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
thead th{background:var(--head);position:sticky;top:0}
td.action,td.notice,td.unknown,td.fine,.kinds th{color:var(--c,inherit);border-color:var(--line)!important;
font-weight:600}
.kinds thead th{color:inherit;position:static}
#list{table-layout:fixed}
#list th,#list td{width:7rem}
#list th:nth-child(1){width:12rem}
time{white-space:nowrap}
#list th:last-child,#list td:last-child{width:auto}
#list tbody th{font-weight:600}
.number{white-space:nowrap;font-variant-numeric:tabular-nums;font-weight:400;display:block}
.found li{border-left:.3rem solid var(--line);padding-left:.5rem;margin-bottom:.3rem}
.found b{color:var(--c)}
.found small{display:block}
.wait #list tbody tr:nth-child(n+251){display:none}
#find{display:flex;flex-wrap:wrap;gap:.6rem 1rem;align-items:end;margin-bottom:.6rem}
#find[hidden],#more[hidden]{display:none}
label{display:flex;flex-direction:column;font-size:.9rem}
input,select,button{font:inherit;color:inherit;background:var(--back);border:1px solid var(--soft);border-radius:.3rem;
padding:.35rem .5rem;min-height:2.4rem;max-width:100%}
thead button{background:none;border:0;padding:0;min-height:1.6rem;text-align:left;font-weight:700;cursor:pointer;
text-decoration:underline dotted}
[aria-sort=ascending] button::after{content:" \\25B2";content:" \\25B2" / ""}
[aria-sort=descending] button::after{content:" \\25BC";content:" \\25BC" / ""}
@media screen and (max-width:52rem){
table,tbody,tr,td,tbody th{display:block;width:auto!important}
#list thead tr{display:flex;flex-wrap:wrap;gap:.3rem 1rem;border:0}#list thead th{border:0;width:auto!important}
.kinds thead{position:absolute;clip-path:inset(50%);height:1px;width:1px;overflow:hidden}
thead,thead tr{display:block}thead th{position:static}
tr{border:1px solid var(--line);border-radius:.3rem;margin-bottom:.6rem;padding:.3rem}
tbody th,tbody td{border:0;padding:.15rem .3rem}
#list tbody td::before{color:var(--soft)}}
@media print{:root{--back:#fff;--text:#000;--soft:#333;--line:#999;--head:#eee;--action:#000;--notice:#000;
--unknown:#000;--fine:#000}
body{max-width:none;padding:0;font-size:9pt}#find,#more,.skip{display:none!important}
thead{display:table-header-group}thead th{position:static}thead button{text-decoration:none}
tr,li{break-inside:avoid}h2,h3{break-after:avoid}#list th:nth-child(1){width:9rem}#list th,#list td{width:5.5rem}}
"""

# Runs before the rows are parsed: a browser takes seconds to lay out thousands of rows, which may not be needed yet.
EARLY_SCRIPT = """document.documentElement.className="wait";"""

SCRIPT = """
(function () {
  "use strict";
  // The number of rows that are shown at first: more rows slow down every change. A printout has all rows.
  var MOST = 250, most = MOST;
  var list = document.getElementById("list"), body = list.tBodies[0], heads = list.tHead.rows[0].cells;
  var rows = Array.prototype.slice.call(body.rows), order = rows.slice(), fitting = rows, texts = null;
  var find = document.getElementById("find"), words = document.getElementById("words");
  var shown = document.getElementById("shown"), more = document.getElementById("more");
  var choices = ["level", "kind", "owner"].map(function (name) { return document.getElementById("by-" + name); });
  var collator = new Intl.Collator(document.documentElement.lang, { numeric: true, sensitivity: "base" });
  var waiting = 0;

  function spelled(row) {
    // A number is found in its national and in its international spelling.
    var number = row.cells[0].querySelector(".number").textContent;
    var other = number.slice(0, 2) === "62" ? "0" + number.slice(2) : number[0] === "0" ? "62" + number.slice(1) : "";
    return (row.textContent + " " + other).toLowerCase();
  }
  function wanted() {
    return words.value.toLowerCase().split(/\\s+/).filter(Boolean).map(function (word) {
      return /^[+0-9().-]{5,}$/.test(word) ? word.replace(/[+().-]/g, "") : word;
    });
  }
  function fits(row, parts) {
    var level = choices[0].value, kind = choices[1].value, owner = choices[2] ? choices[2].value : "";
    if (level && row.dataset.level !== level) { return false; }
    if (kind && row.dataset.kinds.split(" ").indexOf(kind) < 0) { return false; }
    if (owner && row.dataset.owner !== owner) { return false; }
    var text = parts.length ? texts.get(row) : "";
    return parts.every(function (part) { return text.indexOf(part) >= 0; });
  }
  function put(everything) {
    var some = everything ? fitting : fitting.slice(0, most), parts = document.createDocumentFragment();
    some.forEach(function (row) { parts.appendChild(row); });
    body.textContent = "";
    body.appendChild(parts);
    more.hidden = some.length === fitting.length;
  }
  function filter() {
    var parts = wanted();
    if (parts.length && !texts) { texts = new Map(rows.map(function (row) { return [row, spelled(row)]; })); }
    fitting = order.filter(function (row) { return fits(row, parts); });
    most = MOST;
    put(false);
    shown.textContent = fitting.length
      ? shown.dataset.text.replace("#1", fitting.length).replace("#2", rows.length) : shown.dataset.none;
  }
  function key(row, column, numeric) {
    var cell = row.cells[column];
    if (!numeric) { return column ? cell.textContent : row.cells[0].textContent; }
    return cell.dataset.value ? Number(cell.dataset.value) : null;
  }
  function sort(column) {
    var head = heads[column], numeric = head.dataset.sort === "number";
    var down = head.getAttribute("aria-sort") === "ascending", turn = down ? -1 : 1;
    var keyed = rows.map(function (row) { return [key(row, column, numeric), row]; });
    keyed.sort(function (one, other) {
      // Unknown values come last in both orders.
      if (one[0] === null || other[0] === null) { return (one[0] === null) - (other[0] === null); }
      return turn * (numeric ? one[0] - other[0] : collator.compare(one[0], other[0]));
    });
    order = keyed.map(function (pair) { return pair[1]; });
    Array.prototype.forEach.call(heads, function (other) { other.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    filter();
  }
  Array.prototype.forEach.call(heads, function (head, column) {
    var button = document.createElement("button");
    button.type = "button";
    button.title = head.dataset.hint;
    button.textContent = head.textContent;
    button.addEventListener("click", function () { sort(column); });
    head.textContent = "";
    head.appendChild(button);
    if (head.dataset.first) { head.setAttribute("aria-sort", "ascending"); }
  });
  words.addEventListener("input", function () { clearTimeout(waiting); waiting = setTimeout(filter, 100); });
  choices.forEach(function (choice) { if (choice) { choice.addEventListener("change", filter); } });
  find.addEventListener("submit", function (event) { event.preventDefault(); });
  more.firstElementChild.addEventListener("click", function () { most += 2 * MOST; put(false); });
  window.addEventListener("beforeprint", function () { put(true); });
  window.addEventListener("afterprint", function () { put(false); });
  find.hidden = false;
  filter();
  document.documentElement.className = "";
})();
"""
