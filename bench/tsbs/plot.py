"""Small SVG pictures: lines over two axes, and ranges by name. Nothing but text is needed to make or to read them."""

import math
from xml.sax.saxutils import escape

COLOURS = ("#b3261e", "#e08a00", "#1f6fb5", "#2d8a4e", "#7a4fb3", "#5f6b76", "#0f8b8d")
WIDTH, LEFT, RIGHT, TOP = 860, 70, 20, 44


class Axis:
    def __init__(self, least, most, begin, end, log):
        self.log, self.begin, self.end = log, begin, end
        if log:
            least, most = 10 ** math.floor(math.log10(least)), 10 ** math.ceil(math.log10(most))
        else:
            least = 0
        self.least, self.most = least, most if most > least else least + 1

    def at(self, value):
        if self.log:
            part = (math.log10(value) - math.log10(self.least)) / (math.log10(self.most) - math.log10(self.least))
        else:
            part = (value - self.least) / (self.most - self.least)
        return self.begin + part * (self.end - self.begin)

    def ticks(self):
        if self.log:
            first, last = round(math.log10(self.least)), round(math.log10(self.most))
            return [10.0 ** e for e in range(first, last + 1)]
        rough = self.most / 5
        unit = 10 ** math.floor(math.log10(rough))
        step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= rough)
        return [step * i for i in range(int(self.most / step) + 1)]


def shown(value):
    return f"{value:,.0f}" if value >= 10 or value == 0 else f"{value:g}"


class Picture:
    def __init__(self, title, height):
        self.height = height
        self.parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
                      f'font-size="12" role="img" aria-label="{escape(title)}">',
                      f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>']
        self.text(LEFT, 20, title, size=15, weight="bold")

    def text(self, x, y, what, anchor="start", size=12, colour="#222222", weight="normal"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}" '
                          f'font-weight="{weight}">{escape(what)}</text>')

    def line(self, x1, y1, x2, y2, colour="#dddddd", width=1):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
                          f'stroke-width="{width}"/>')

    def path(self, points, colour):
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2"/>')

    def dot(self, x, y, colour, radius=4):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>')

    def legend(self, names, y):
        x = LEFT
        for i, name in enumerate(names):
            self.dot(x + 4, y - 4, COLOURS[i % len(COLOURS)])
            self.text(x + 12, y, name, size=11)
            x += 22 + 5.9 * len(name)

    def save(self, path):
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join([*self.parts, "</svg>", ""]))


def lines(path, title, series, x_name, y_name, log_x=False, log_y=False, dots=False):
    """series: {name: [(x, y), ...]}."""
    height = 420
    picture = Picture(title, height)
    every = [p for points in series.values() for p in points]
    x_axis = Axis(min(p[0] for p in every), max(p[0] for p in every), LEFT, WIDTH - RIGHT, log_x)
    y_axis = Axis(min(p[1] for p in every), max(p[1] for p in every) * (1 if log_y else 1.05), height - 50, TOP + 20, log_y)
    for tick in y_axis.ticks():
        picture.line(LEFT, y_axis.at(tick), WIDTH - RIGHT, y_axis.at(tick))
        picture.text(LEFT - 6, y_axis.at(tick) + 4, shown(tick), "end")
    for tick in x_axis.ticks():
        picture.line(x_axis.at(tick), TOP + 20, x_axis.at(tick), height - 50)
        picture.text(x_axis.at(tick), height - 34, shown(tick), "middle")
    picture.text(WIDTH - RIGHT, height - 14, x_name, "end")
    picture.text(LEFT, height - 14, "up: " + y_name)
    picture.legend(series, TOP)
    for i, points in enumerate(series.values()):
        colour = COLOURS[i % len(COLOURS)]
        placed = [(x_axis.at(x), y_axis.at(y)) for x, y in points]
        picture.path(placed, colour)
        for x, y in placed if dots else ():
            picture.dot(x, y, colour)
    picture.save(path)


def ranges(path, title, rows, names, x_name):
    """rows: {row: {name: (least, median, most)}}, on a logarithmic axis."""
    line, gap, left = 13, 14, 190
    height = TOP + 30 + len(rows) * (len(names) * line + gap) + 50
    picture = Picture(title, height)
    every = [v for row in rows.values() for three in row.values() for v in three]
    axis = Axis(min(every), max(every), left, WIDTH - RIGHT, True)
    picture.legend(names, TOP)
    y = TOP + 24
    for tick in axis.ticks():
        picture.line(axis.at(tick), y - 6, axis.at(tick), height - 44)
        picture.text(axis.at(tick), height - 28, shown(tick), "middle")
    picture.text(WIDTH - RIGHT, height - 10, x_name, "end")
    for row, by_name in rows.items():
        picture.text(left - 10, y + len(names) * line / 2 + 4, row, "end")
        for i, name in enumerate(names):
            if name in by_name:
                least, median, most = by_name[name]
                at = y + i * line + line / 2
                picture.line(axis.at(least), at, axis.at(most), at, COLOURS[i % len(COLOURS)], 3)
                picture.dot(axis.at(median), at, COLOURS[i % len(COLOURS)])
        y += len(names) * line + gap
    picture.save(path)
