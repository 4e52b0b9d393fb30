# SPDX-License-Identifier: GPL-2.0-only
"""The documents as a site: `ci/run site`, or from the top of the tree
`sphinx-build -W -c packaging/site . OUTDIR`.

The Markdown files are read as they are. Added to them here: which pages there
are, the catalogue by id, and the rules of the RFCs. Written for Debian 12:
Sphinx 5.3, MyST 0.18.
"""

import html
import re
import tomllib
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sphinx.errors import ExtensionError

top = Path(__file__).resolve().parent.parent.parent

project = 'siw'
version = release = (top / 'VERSION').read_text().strip()
html_title = f'siw {release}'

extensions = ['myst_parser']
root_doc = 'docs/README'
include_patterns = ['*.md', 'docs/**.md', 'security/**.md']
exclude_patterns = ['.*', 'build', 'debian']
myst_heading_anchors = 4
smartquotes = False
highlight_language = 'none'

html_theme_options = {
    'description': 'RDMA over any Ethernet',
    'page_width': '75em',
    'fixed_sidebar': True,
}
# Each with a tree of all the others would be most of the site.
html_sidebars = {
    'docs/errors/SIW-*': ['about.html', 'relations.html', 'searchbox.html'],
}
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False
html_use_index = False

GROUPS = {
    'Tutorials': ['/docs/tutorials/*'],
    'How-to guides': ['/docs/how-to/*'],
    'Samples': ['/docs/samples/README'],
    'Reference': ['/docs/errors/README', '/docs/reference/*'],
    'Explanation': ['/docs/explanation/*', '/docs/adr/README'],
    'Security': ['/SECURITY', '/security/README', '/security/*',
                 '/security/advisories/README'],
    'Project': ['/README', '/CHANGELOG'],
}


def toctree(entries, caption=''):
    return '\n'.join(['', '```{toctree}', ':hidden:', ':glob:',
                      *[f':caption: {caption}'] * bool(caption),
                      *entries, '```', ''])


def cell(value):
    return str(value).replace('|', '\\|').replace('\n', ' ')


def table(head, rows):
    return '\n'.join(['', *('| ' + ' | '.join(map(cell, row)) + ' |'
                            for row in [head, ['---'] * len(head), *rows]), ''])


def code(values):
    return '<br>'.join(f'`{value}`' for value in values)


# The catalogue: one file for each id, TOML and four sections.

def catalogue():
    return sorted((top / 'docs/errors').glob('SIW-*.md'))


def entry(text):
    """The TOML of an entry, and what comes after it."""
    _, head, body = text.split('+++\n', 2)
    return tomllib.loads(head), body


def entry_page(text):
    head, body = entry(text)
    names = {path.stem for path in catalogue()}
    rows = [[key, code(value) if isinstance(value, list) else f'`{value}`']
            for key, value in head.items() if key not in ('id', 'title')]
    lines = []
    for line in body.splitlines():
        if line.startswith('# '):
            line = '#' + line
        elif not line.startswith('    '):
            line = re.sub(r'(?<![\w`-])SIW-[A-Z0-9-]*[A-Z0-9](?![\w`*-])',
                          lambda m: f'[{m[0]}]({m[0]}.md)'
                          if m[0] in names else m[0], line)
        lines.append(line)
    return '\n'.join([f'# {head["id"]}: {head["title"]}',
                      table(['', ''], rows), *lines, ''])


def catalogue_index():
    rows = []
    for path in catalogue():
        head, _ = entry(path.read_text())
        rows.append([f'[{path.stem}]({path.name})', head['severity'],
                     head['title']])
    return '\n## By id\n' + table(['id', 'severity', 'title'], rows)


# The rules of the RFCs.

def rules():
    data = tomllib.loads((top / 'docs/reference/rfc-conformance.toml')
                         .read_text())['row']
    rfcs = {}
    for row in data:
        rfcs.setdefault(row['clause'].split()[0], []).append(row)
    verdicts = sorted({row['verdict'] for row in data})
    text = table(['', *verdicts],
                 [[f'RFC {rfc}', *(sum(row['verdict'] == verdict for row in rows)
                                   for verdict in verdicts)]
                  for rfc, rows in rfcs.items()])
    for rfc, rows in rfcs.items():
        text += f'\n## RFC {rfc}\n' + table(
            ['section', 'level', 'binds', 'rule', 'verdict', 'shown by, or why'],
            [[row['clause'].split(maxsplit=1)[1], row['level'], row['binds'],
              row['rule'], row['verdict'],
              '<br>'.join(filter(None, [code(row['tests']),
                                        row.get('remark', '')]))]
             for row in rows])
    return text


def source_read(app, docname, source):
    if re.fullmatch('docs/errors/SIW-.*', docname):
        source[0] = entry_page(source[0])
    elif docname == 'docs/errors/README':
        source[0] += catalogue_index() + toctree(['SIW-*'])
    elif docname == 'docs/adr/README':
        source[0] += toctree(['[0-9]*'])
    elif docname == 'docs/reference/conformance':
        source[0] += rules()
    elif docname == root_doc:
        for caption, entries in GROUPS.items():
            source[0] += toctree(entries, caption)


def finish(app, exception):
    """A page to begin with; then every link within the site leads somewhere."""
    if exception or app.builder.name != 'html':
        return
    out = Path(app.outdir)
    (out / 'index.html').write_text(
        f'<!DOCTYPE html><meta charset="utf-8"><title>{html_title}</title>'
        f'<meta http-equiv="refresh" content="0; url={root_doc}.html">'
        f'<a href="{root_doc}.html">{html_title}</a>\n')
    pages = {page: page.read_text() for page in out.rglob('*.html')}
    ids = {page: set(re.findall(r'\bid="([^"]*)"', text))
           for page, text in pages.items()}
    broken = []
    for page, text in pages.items():
        for href in set(re.findall(r'<a\b[^>]*\bhref="([^"]*)"', text)):
            url = urlsplit(html.unescape(href))
            if url.scheme or url.netloc:
                continue
            target = (page.parent / unquote(url.path)).resolve() \
                if url.path else page
            fragment = unquote(url.fragment)
            if not target.is_file() or fragment and fragment not in ids.get(
                    target, [fragment]):
                broken.append(f'{page.relative_to(out)}: {href} leads nowhere')
    if broken:
        raise ExtensionError('\n'.join(sorted(broken)))


def setup(app):
    app.connect('source-read', source_read)
    app.connect('build-finished', finish)
    return {'parallel_read_safe': True}
