"""The picture of a benchmark: requests a second at 16 connections.

One SVG without scripts or outside fonts.  Colours come from a style sheet
that follows the viewer's light or dark scheme, and are readable in both where
the scheme isn't known.
"""
from html import escape

WIDTH = 860
LEFT = 236          # of the bars; labels end before it
RIGHT = 640         # the longest bar's end
TOP = 62
ROW = 34
BAR = 18
FOOT = 46

STYLE = '''
text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans",
  sans-serif; fill: #24292f }
.title { font-size: 16px; font-weight: 600 }
.note { font-size: 11.5px; fill: #57606a }
.value { font-weight: 600 }
.page { fill: #ffffff }
.halo { paint-order: stroke; stroke: #ffffff; stroke-width: 4px;
  stroke-linejoin: round }
.grid { stroke: #d0d7de; stroke-width: 1 }
.whisker { stroke: #24292f; stroke-width: 1.3; fill: none }
.ceiling { fill: #afb8c1 }
.ours { fill: #2f7d5b }
.other { fill: #8fa3b8 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .note { fill: #9198a1 }
  .page { fill: #0d1117 }
  .halo { stroke: #0d1117 }
  .grid { stroke: #30363d }
  .whisker { stroke: #e6edf3 }
  .ceiling { fill: #484f58 }
  .ours { fill: #3fa277 }
  .other { fill: #5a6b7e }
}
'''


def nice_step(most):
    """The distance of grid lines: 1, 2 or 5 times a power of ten."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if most / (step * factor) <= 6:
                return step * factor
        step *= 10


def kind(name):
    if name == 'inprocess':
        return 'ceiling'
    return 'ours' if name in ('warm', 'reused', 'exec', 'plaincgi') \
        else 'other'


def text(x, y, words, css='', anchor='start'):
    return '<text x="%.1f" y="%.1f" class="%s" text-anchor="%s">%s</text>' % (
        x, y, css, anchor, escape(words))


def grid(most, scale, bottom):
    step = nice_step(most)
    parts = []
    for i in range(int(most / step) + 1):
        x = LEFT + i * step * scale
        parts.append('<line class="grid" x1="%.1f" y1="%d" x2="%.1f" '
                     'y2="%d"/>' % (x, TOP - 8, x, bottom))
        parts.append(text(x, bottom + 15, '{:,}'.format(i * step), 'note',
                          'middle'))
    return parts


def row(name, c, y, scale):
    at = c['at']['16']
    rps = at['rps']
    middle = y + BAR / 2
    low, high = (LEFT + rps[k] * scale for k in ('min', 'max'))
    end = LEFT + rps['median'] * scale
    words = '{:,.0f}/s'.format(rps['median'])
    after = 'p99 %.1f ms' % (at['p99_us']['median'] / 1000)
    if at['errors']:
        after += ', {:,} errors'.format(at['errors'])
    at_x = max(end, high) + 8
    return [
        text(LEFT - 10, middle + 4.5, c['label'], '', 'end'),
        '<rect class="%s" x="%d" y="%.1f" width="%.1f" height="%d" '
        'rx="2"/>' % (kind(name), LEFT, y, max(end - LEFT, 1), BAR),
        '<path class="whisker" d="M%.1f %.1fV%.1fM%.1f %.1fH%.1f'
        'M%.1f %.1fV%.1f"/>' % (low, middle - 4, middle + 4, low, middle,
                                high, high, middle - 4, middle + 4),
        '<text class="halo" x="%.1f" y="%.1f"><tspan class="value">%s</tspan>'
        '<tspan class="note" dx="7">%s</tspan></text>' % (
            at_x, middle + 4.5, escape(words), escape(after)),
    ]


def draw(r):
    contenders = r['contenders']
    most = max(c['at']['16']['rps']['max'] for c in contenders.values())
    scale = (RIGHT - LEFT) / most
    bottom = TOP + ROW * len(contenders) - (ROW - BAR) + 8
    m, s = r['machine'], r['settings']
    parts = [text(16, 27, 'Requests a second, 16 connections, one JSON reply',
                  'title'),
             text(16, 46, 'median of %d round%s of %d s with min to max; '
                  '%d cores shared with the load generator, Linux %s' % (
                      s['rounds'], 's' * (s['rounds'] > 1), s['seconds'],
                      m['cores'], m['kernel'].split('-')[0]), 'note')]
    parts += grid(most, scale, bottom)
    for i, (name, c) in enumerate(contenders.items()):
        parts += row(name, c, TOP + i * ROW, scale)
    height = bottom + FOOT - 16
    return ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
            'viewBox="0 0 %d %d" role="img" aria-label="Bar chart of '
            'requests a second">\n<style>%s</style>\n'
            '<rect class="page" width="%d" height="%d" rx="6"/>\n%s\n'
            '</svg>\n' % (WIDTH, height, WIDTH, height, STYLE, WIDTH, height,
                          '\n'.join(parts)))
