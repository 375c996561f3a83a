# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The scripts of the page of a report, as strings."""

from __future__ import annotations

# Runs before the rows are parsed: a browser takes seconds to lay out thousands of rows, which may not be needed yet.
EARLY_SCRIPT = """document.documentElement.className="wait";"""

SCRIPT = """
(function () {
  "use strict";
  // The number of rows that are shown at first: more rows slow down every change. A printout has all rows.
  var FIRST = 50, STEP = 200;
  var body = document.getElementById("list").tBodies[0], more = document.getElementById("more");
  var rows = Array.prototype.slice.call(body.rows), order = rows, fitting = rows, end = 0, orders = {};
  var find = document.getElementById("find"), words = document.getElementById("words");
  var byKind = document.getElementById("by-kind"), byOwner = document.getElementById("by-owner");
  var sort = document.getElementById("sort"), shown = document.getElementById("shown");
  var clear = document.getElementById("clear"), help = document.getElementById("help"), level = "", waiting = 0;
  var lang = document.documentElement.lang, locale = lang === "en" ? "en-GB" : lang;
  var count = new Intl.NumberFormat(lang), texts = rows.map(spelled);
  var day = { day: "numeric", month: "short", year: "numeric" };
  var clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" };
  var formats = {
    day: new Intl.DateTimeFormat(locale, day),
    clock: new Intl.DateTimeFormat(locale, clock),
    utcDay: new Intl.DateTimeFormat(locale, Object.assign({ timeZone: "UTC" }, day)),
    utcClock: new Intl.DateTimeFormat(locale, Object.assign({ timeZone: "UTC" }, clock))
  };

  function each(list, run) { Array.prototype.forEach.call(list, run); }
  function spelled(row) {
    // A number is found in its national and in its international spelling. Actions are the same in many rows.
    var number = row.cells[0].querySelector(".number").textContent, parts = [row.cells[0].textContent];
    each(row.cells[2].querySelectorAll("b, .say"), function (part) { parts.push(part.textContent); });
    parts.push(row.cells[3].textContent);
    parts.push(number.slice(0, 2) === "62" ? "0" + number.slice(2) : number[0] === "0" ? "62" + number.slice(1) : "");
    return parts.join(" ").toLowerCase();
  }
  function wanted() {
    return words.value.toLowerCase().split(/\\s+/).filter(Boolean).map(function (word) {
      return /^[+0-9().-]{5,}$/.test(word) ? word.replace(/[+().-]/g, "") : word;
    });
  }
  // The page contains times in UTC. In another time zone, the local time precedes them.
  function localize(time) {
    var then = new Date(time.dateTime);
    if (time.title || isNaN(then) || !then.getTimezoneOffset()) { return; }
    time.title = time.dateTime;
    if (time.className === "day") { time.textContent = formats.day.format(then); return; }
    var here = formats.day.format(then), utc = formats.utcDay.format(then), local = formats.clock.format(then);
    time.textContent = here + ", " + local + (time.closest("header")
      ? " (" + (here === utc ? "" : utc + ", ") + formats.utcClock.format(then) + ")" : "");
  }
  function localizeAll(part) { each(part.querySelectorAll("time"), localize); }
  function show(until) {
    var parts = document.createDocumentFragment();
    fitting.slice(end, until).forEach(function (row) { localizeAll(row); parts.appendChild(row); });
    body.appendChild(parts);
    end = Math.min(until, fitting.length);
    more.hidden = end === fitting.length;
  }
  function restart(until) { body.textContent = ""; end = 0; show(until); }
  function ordered(name) {
    if (!name) { return rows; }
    if (!orders[name]) {
      // Unknown values come last. Equal values keep the order of urgency.
      var keyed = rows.map(function (row, place) {
        var value = row.dataset[name];
        return [value === undefined ? Infinity : Number(value), place];
      });
      keyed.sort(function (one, other) { return one[0] === other[0] ? one[1] - other[1] : one[0] - other[0]; });
      orders[name] = keyed.map(function (pair) { return rows[pair[1]]; });
    }
    return orders[name];
  }
  function filter() {
    var parts = wanted(), kind = byKind ? byKind.value : "", owner = byOwner ? byOwner.value : "";
    var matches = new Set();
    rows.forEach(function (row, place) {
      if (level && row.className !== level) { return; }
      if (kind && (row.dataset.kinds || "").split(" ").indexOf(kind) < 0) { return; }
      if (owner && row.dataset.owner !== owner) { return; }
      if (parts.every(function (part) { return texts[place].indexOf(part) >= 0; })) { matches.add(row); }
    });
    fitting = ordered(sort.value).filter(function (row) { return matches.has(row); });
    restart(FIRST);
    shown.textContent = fitting.length ? shown.dataset.text
      .replace("#1", count.format(fitting.length)).replace("#2", count.format(rows.length)) : shown.dataset.none;
    clear.hidden = !(level || kind || owner || parts.length);
  }
  function press(wish) {
    level = level === wish ? "" : wish;
    each(document.querySelectorAll("#levels button"), function (button) {
      button.setAttribute("aria-pressed", String(button.parentNode.className === level));
    });
    filter();
  }
  each(document.querySelectorAll("#levels li"), function (item) {
    var button = document.createElement("button"), tile = item.firstChild;
    button.type = "button";
    button.className = tile.className;
    while (tile.firstChild) { button.appendChild(tile.firstChild); }
    button.disabled = !rows.some(function (row) { return row.className === item.className; });
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", function () { press(item.className); });
    item.replaceChild(button, tile);
  });
  words.addEventListener("input", function () { clearTimeout(waiting); waiting = setTimeout(filter, 100); });
  each([byKind, byOwner, sort], function (choice) { if (choice) { choice.addEventListener("change", filter); } });
  find.addEventListener("submit", function (event) { event.preventDefault(); });
  clear.addEventListener("click", function () {
    words.value = "";
    each([byKind, byOwner], function (choice) { if (choice) { choice.value = ""; } });
    press(level);
    document.getElementById("devices").focus();
  });
  more.firstElementChild.addEventListener("click", function () {
    var next = fitting[end].cells[0];
    show(end + STEP);
    if (more.hidden) { next.tabIndex = -1; next.focus(); }
  });
  // On a wide screen, the form is always open.
  var wide = window.matchMedia("(min-width:60rem)");
  function fit() { if (wide.matches) { find.firstElementChild.open = true; } }
  if (wide.addEventListener) { wide.addEventListener("change", fit); }
  var opened = false;
  window.addEventListener("beforeprint", function () { opened = help.open; help.open = true; show(fitting.length); });
  window.addEventListener("afterprint", function () { help.open = opened; restart(FIRST); });
  fit();
  find.hidden = false;
  filter();
  localizeAll(document);
  document.documentElement.className = "";
})();
"""
