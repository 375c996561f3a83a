# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the documentation site; tools/site.py copies them next to its pages."""

project = "fonnte.whatsapp"
author = "fonnte.whatsapp contributors"
# The name of the setting in Sphinx.
copyright = "fonnte.whatsapp contributors"
html_title = "fonnte.whatsapp"
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_last_updated_fmt = None
extensions = ["sphinx.ext.intersphinx", "sphinx_antsibull_ext", "myst_parser"]
# Links to headings work as they do on GitHub.
myst_heading_anchors = 6
highlight_language = "YAML+Jinja"
# GitHub draws the diagrams; the site, which loads nothing, shows their source.
suppress_warnings = ["misc.highlighting_failure"]
# Every reference must have a target. Those in the documentation of Ansible are in a file that tools/site.py writes,
# so no request is sent to a server.
nitpicky = True
intersphinx_mapping = {"ansible": ("https://docs.ansible.com/projects/ansible/latest/", "ansible.inv")}
# A page that was opened from a disk may not read others: the results of a search are titles.
html_show_search_summary = False
