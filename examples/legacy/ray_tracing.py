"""A ray through a stack of spherical lenses, surface by surface (Snell's law); early exit when the ray misses."""

import math

import numpy as np

GLASS = (1.0, 1.5168, 1.6727, 1.0)


def trace(curvature, gaps, height):
    """Height and angle of the ray where the last surface sends it to; None in place of a ray that is lost."""
    z, y, u = 0.0, height, 0.0
    for c, gap, n1, n2 in zip(curvature, gaps, GLASS[:-1], GLASS[1:]):
        inside = 1.0 - (c * y) ** 2
        if inside <= 0.0:
            return None
        sag = c * y * y / (1.0 + math.sqrt(inside))
        y = y + math.tan(u) * sag
        normal = math.asin(c * y)
        sine = n1 / n2 * math.sin(u + normal)
        if math.fabs(sine) > 1.0:
            return None
        u = math.asin(sine) - normal
        y = y + math.tan(u) * (gap - sag)
        z += gap
    return y, u


def spot(design):
    """Ray heights in the image plane: design = three curvatures and three gaps."""
    heights = []
    for h in (2.0, 4.0, 6.0, 8.0, 60.0):
        ray = trace(design[:3], design[3:], h)
        if ray is None:
            continue
        heights.append(ray[0])
    return np.array(heights)


if __name__ == "__main__":
    print(spot([0.016, -0.022, -0.007, 6.0, 2.5, 97.0]))
