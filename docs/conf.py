"""The site: ``python -m sphinx -W -n --keep-going docs build/site``. It needs no network.

The pages are plain Markdown and are read as such, too; what only a site has, `site_pages` adds while it is built.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import inventories  # noqa: E402
import site_pages  # noqa: E402

import npgrad  # noqa: E402

project = "npgrad"
author = "the npgrad developers"
copyright = author
version = release = npgrad.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
root_doc = "index"
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_*"]
nitpicky = True

myst_heading_anchors = 3

# Docstrings say types in words; single backquotes are code, and links where they name something public.
default_role = "code-or-link"
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
autosummary_generate = False  # `site_pages` writes a page for each public name
numpydoc_show_class_members = False

intersphinx_mapping = inventories.mapping()

sphinx_gallery_conf = {
    "examples_dirs": "../examples/gallery",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "ignore_pattern": r"pictures\.py$",
    "backreferences_dir": "generated/examples",
    "doc_module": ("npgrad",),
    "within_subsection_order": "site_pages.gallery_place",
    "copyfile_regex": r"pictures\.py$",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "thumbnail_size": (560, 240),
    "show_signature": False,
    "show_memory": False,
    "write_computation_times": False,
    "remove_config_comments": True,
}

html_theme = "pydata_sphinx_theme"
html_title = "npgrad"
html_static_path = ["_static"]
html_css_files = ["npgrad.css"]
templates_path = ["_templates"]
html_sidebars = {"**": ["all-pages"]}
html_theme_options = {
    "navbar_center": [],
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
}
html_show_sourcelink = False


def setup(app: object) -> None:
    site_pages.setup(app)
