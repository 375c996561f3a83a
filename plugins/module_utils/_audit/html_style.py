# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The style of the page of a report, as a string. All colors and the width are CSS variables, for the user's own style."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--page:#f4f6f8;--surface:#fff;--text:#1b1f23;--muted:#525b65;--line:#d4dae0;
--control:#6e7781;--accent:#0b57a4;--action:#a3180d;--action-tint:#fdecea;--notice:#734700;--notice-tint:#fff3d9;
--unknown:#4a3f9f;--unknown-tint:#eeecfb;--fine:#146329;--fine-tint:#e6f5ea;--width:80rem;--radius:.5rem;
--font:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
@media (prefers-color-scheme:dark){:root{--page:#111417;--surface:#1a1e23;--text:#e8eaed;--muted:#a9b2bc;--line:#363d45;
--control:#838d97;--accent:#8ab8f0;--action:#ff9d94;--action-tint:#3b1d1a;--notice:#f2c14e;--notice-tint:#33290f;
--unknown:#c3b8ff;--unknown-tint:#292548;--fine:#86d99a;--fine-tint:#17301e}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0 auto;padding:1rem;max-width:var(--width);background:var(--page);color:var(--text);
font:1rem/1.45 var(--font);overflow-wrap:break-word}
h1{font-size:1.5rem;line-height:1.2;margin:0 0 .25rem}
h2{font-size:1.15rem;margin:0}
p{margin:0}ul,dl{list-style:none;margin:0;padding:0}
small{color:var(--muted);font-size:.875rem}
header p,footer{color:var(--muted);font-size:.9375rem}
section,#help,footer{margin-top:1.25rem}main section:first-of-type{margin-top:.9rem}
a{color:var(--accent)}
time.day{white-space:nowrap}
.skip{position:absolute;left:-100rem}
.skip:focus{position:static}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
h2:focus{outline:none}
.action{--c:var(--action);--tint:var(--action-tint)}
.notice{--c:var(--notice);--tint:var(--notice-tint)}
.unknown{--c:var(--unknown);--tint:var(--unknown-tint)}
.fine{--c:var(--fine);--tint:var(--fine-tint)}
.sign{display:inline-block;min-width:1em;margin-right:.3em;text-align:center;font-weight:700;color:var(--c)}
.nothing{margin-top:1rem;font-weight:600;color:var(--fine)}
input,select,button{font:inherit;color:inherit;background:var(--surface);border:1px solid var(--control);
border-radius:var(--radius);padding:.35rem .6rem;min-height:2.75rem;width:100%}
button{width:auto;cursor:pointer}
#levels{display:grid;grid-template-columns:repeat(4,1fr);gap:.5rem;margin-top:1rem}
#levels li{display:flex}
.tile{flex:1;text-align:left;line-height:1.25;padding:.5rem .75rem;background:var(--surface);color:var(--text);
border:1px solid var(--line);border-left:.3rem solid var(--c);border-radius:var(--radius)}
.tile b{font-size:1.375rem;font-variant-numeric:tabular-nums}
.tile .label{display:block;font-size:.9375rem}.tile small{display:block}
button.tile:hover{background:var(--tint)}
.tile[aria-pressed=true]{background:var(--tint);border-color:var(--c);box-shadow:inset 0 0 0 1px var(--c)}
.tile:disabled{color:var(--muted);cursor:default;background:none}
.figures{display:flex;flex-wrap:wrap;gap:.1rem 1.5rem;margin-top:.5rem;font-size:.875rem;color:var(--muted)}
.figures a{color:var(--c)}
.bar{display:flex;flex-wrap:wrap;align-items:baseline;gap:.25rem .75rem;margin-bottom:.25rem}
#shown{font-weight:600;font-size:1.15rem}
.aside{position:absolute;clip-path:inset(50%);height:1px;width:1px;overflow:hidden}
#clear{min-height:2rem;padding:.1rem .6rem;font-size:.9375rem;margin-left:auto}
#find{margin-bottom:.5rem}
[hidden]{display:none!important}
summary{cursor:pointer;padding:.5rem 0;min-height:2.75rem;color:var(--accent);font-weight:600}
summary h2{display:inline;font-size:1rem}
.controls{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:.5rem .75rem}
label{display:block;font-size:.9375rem;color:var(--muted);margin-bottom:.15rem}
table{border-collapse:collapse;width:100%;table-layout:fixed;background:var(--surface);border:1px solid var(--line)}
th,td{text-align:left;vertical-align:top;padding:.6rem .75rem;font-weight:400}
tr{border-top:1px solid var(--line)}
thead th{--c:var(--page);position:sticky;top:0;background:var(--page);color:var(--muted);font-size:.9375rem;font-weight:600;
box-shadow:inset 0 -1px var(--line)}
th.device{width:12.5rem}th.status{width:12.5rem}th.package{width:9rem}th.quota{width:9rem}
th:first-child{border-left:.3rem solid var(--c,transparent)}
.name,.number,.owner{display:block}
.name{font-weight:600}
.number{font-variant-numeric:tabular-nums}
.owner{color:var(--muted);font-size:.9375rem}
td small{display:block}
td.quota,th.quota{text-align:right;font-variant-numeric:tabular-nums}
td .label{display:none}
.chip{display:inline-block;background:var(--tint);color:var(--c);border-radius:var(--radius);padding:.1rem .55rem;
font-weight:600;font-size:.9375rem}
.found li{margin-bottom:.6rem}
.found li:last-child{margin-bottom:0}
.found b{color:var(--c)}
.say small{display:inline}
.todo{font-size:.9375rem;margin-top:.1rem;padding-left:1.3em;text-indent:-1.3em}
.todo::before{content:"\\2192";content:"\\2192" / "";display:inline-block;width:1.3em;text-indent:0;color:var(--c);font-weight:700}
section>.found{background:var(--surface);border:1px solid var(--line);border-radius:var(--radius);padding:.75rem;
margin-top:.5rem}
#more{margin-top:1rem;text-align:center}
#help{background:var(--surface);border:1px solid var(--line);border-radius:var(--radius);padding:.25rem .9rem}
#help p{margin:0 0 .75rem;color:var(--muted);font-size:.9375rem}
dt{font-weight:600;color:var(--c)}
dd{margin:0 0 .75rem 1.3em;max-width:50rem}
.wait #list tbody tr:nth-child(n+51){display:none}
@media screen and (min-width:60rem){body{padding:1.5rem}#find summary{display:none}}
@media screen and (max-width:59.99rem){
#levels{grid-template-columns:repeat(2,1fr)}
.tile{padding:.3rem .6rem;min-height:2.75rem}.tile b{font-size:1.125rem}.tile .label{display:inline}
thead{position:absolute;clip-path:inset(50%);height:1px;width:1px;overflow:hidden}
table{display:block;border:0;background:none}
tbody{display:grid;gap:.6rem}
tbody tr{display:flex;flex-wrap:wrap;gap:.4rem .6rem;align-items:flex-start;padding:.7rem .8rem;
background:var(--surface);border:1px solid var(--line);border-left:.3rem solid var(--c);border-radius:var(--radius)}
tbody th,tbody td{padding:0;border:0}
tbody th:first-child{border:0;flex:1 1 8rem}
td.status{flex:0 1 auto}
td.findings{flex:1 0 100%}
td.findings:empty{display:none}
td.package,td.quota{font-size:.875rem;color:var(--muted);text-align:left}
td .label{display:inline}
td:empty{display:none}}
@media screen and (min-width:40rem) and (max-width:59.99rem){#levels{grid-template-columns:repeat(4,1fr)}
tr.fine td.status{order:1}.tile .label{display:block}}
@media print{:root{--page:#fff;--surface:#fff;--text:#000;--muted:#333;--line:#999;--action:#000;--notice:#000;
--unknown:#000;--fine:#000;--action-tint:#fff;--notice-tint:#fff;--unknown-tint:#fff;--fine-tint:#fff;--accent:#000;font-size:9.5pt}
.chip{padding:0}body{max-width:none;padding:0}
#find,#more,#clear,.skip{display:none!important}
thead{display:table-header-group}thead th{position:static}
th.device{width:10rem}th.status{width:9.5rem}th.package{width:7.5rem}th.quota{width:6.5rem}
th,td{padding:.3rem .4rem}
tr,li,dt{break-inside:avoid}h2,dt{break-after:avoid}
#help{border:0;padding:0}}
"""
