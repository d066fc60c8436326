//! Boxes and icons by their distances, as `shaders/quad.wgsl` has them: the same constants and the same soft edges, so that
//! the pictures are the same. A box is cheap, since all but its rim is one colour.
//!
//! Products are added without `mul_add`: for processors of any age it is a call, which an icon would make a hundred thousand times.

use super::area::Area;
use super::target::{Target, alpha_of, mix, over, word};
use crate::scene::{Quad, Rect, Shape};

#[derive(Copy, Clone)]
struct P {
    x: f32,
    y: f32,
}

const fn p(x: f32, y: f32) -> P {
    P { x, y }
}

impl P {
    fn minus(self, other: Self) -> Self {
        p(self.x - other.x, self.y - other.y)
    }

    fn times(self, factor: f32) -> Self {
        p(self.x * factor, self.y * factor)
    }

    fn dot(self, other: Self) -> f32 {
        self.x * other.x + self.y * other.y
    }

    fn length(self) -> f32 {
        self.dot(self).sqrt()
    }

    /// The part of it that is nearest to `to` on the way there from here.
    fn along(self, edge: Self) -> Self {
        edge.times((self.dot(edge) / edge.dot(edge)).clamp(0.0, 1.0))
    }
}

/// Draws a box or an icon.
pub(super) fn draw(target: &mut Target<'_>, quad: &Quad) {
    match quad.shape {
        Shape::Box => rounded_box(target, quad),
        shape => icon(target, quad, shape),
    }
}

/// How much of a pixel lies inside, by the distance of its middle from the edge.
fn coverage(distance: f32) -> f32 {
    (0.5 - distance).clamp(0.0, 1.0)
}

fn rounded_box(target: &mut Target<'_>, quad: &Quad) {
    let Quad { rect, radii, fill, border, border_colour, .. } = *quad;
    let half = p(rect.w / 2.0, rect.h / 2.0);
    let centre = p(rect.x + half.x, rect.y + half.y);
    let plain = (word(fill), f32::from(fill.0[3]) / 255.0);
    let at = |x: f32, y: f32| {
        let outer = distance_from_box(p(x + 0.5, y + 0.5).minus(centre), half, radii);
        let (colour, alpha) =
            if border > 0.0 { mix(border_colour, fill, coverage(outer + border)) } else { plain };
        (colour, alpha_of(alpha * coverage(outer)))
    };
    let round = radii.iter().fold(0.0_f32, |most, radius| most.max(*radius)).min(half.x.min(half.y));
    // Beyond this distance from the sides nothing depends on where between them a pixel is.
    let rim = round.max(border) + 1.0;
    let area = target.within(Rect { x: rect.x - 0.5, y: rect.y - 0.5, w: rect.w + 1.0, h: rect.h + 1.0 });
    let (left, right) = (area.x, area.x + area.w);
    let from = ((rect.x + rim).ceil().max(0.0) as u32).clamp(left, right);
    let to = ((rect.x + rect.w - rim).floor().max(0.0) as u32).clamp(from, right);
    // As far from the top and the bottom nothing depends on the row either, but on the radii of the half that it is in.
    let (top, bottom) = (rect.y + rim, rect.y + rect.h - rim - 1.0);
    let half_of = |y: f32| (top..=bottom).contains(&y).then_some(y + 0.5 > centre.y);
    let (mut known, mut middle, mut sides) = (None, (0, 0), Vec::new());
    for y in area.y..area.y + area.h {
        let y_px = y as f32;
        let of = half_of(y_px);
        if of.is_none() || of != known {
            known = of;
            middle = at(centre.x - 0.5, y_px);
            sides.clear();
            sides.extend((left..from).chain(to..right).map(|x| at(x as f32, y_px)));
        }
        let row = target.row(left, right, y);
        let (first, rest) = row.split_at_mut((from - left) as usize);
        let (plain, last) = rest.split_at_mut((to - from) as usize);
        for (pixel, (colour, alpha)) in first.iter_mut().chain(last).zip(&sides) {
            *pixel = over(*pixel, *colour, *alpha);
        }
        match middle {
            (_, 0) => {}
            (colour, 255) => plain.fill(colour),
            (colour, alpha) => plain.iter_mut().for_each(|pixel| *pixel = over(*pixel, colour, alpha)),
        }
    }
}

/// `radii` from the top left on, clockwise.
fn distance_from_box(at: P, half: P, radii: [f32; 4]) -> f32 {
    let [top, bottom] = if at.x > 0.0 { [radii[1], radii[2]] } else { [radii[0], radii[3]] };
    let r = if at.y > 0.0 { bottom } else { top }.min(half.x.min(half.y));
    let q = p(at.x.abs() - half.x + r, at.y.abs() - half.y + r);
    q.x.max(q.y).min(0.0) + p(q.x.max(0.0), q.y.max(0.0)).length() - r
}

/// How much of a rounded rectangle covers a pixel.
pub(super) fn corner_coverage(x: u32, y: u32, rect: Rect, radius: f32) -> f32 {
    let half = p(rect.w / 2.0, rect.h / 2.0);
    let at = p(x as f32 + 0.5 - rect.x - half.x, y as f32 + 0.5 - rect.y - half.y);
    coverage(distance_from_box(at, half, [radius; 4]))
}

/// Pixels of an icon that are looked at as one, along each side.
const BLOCK: u32 = 8;

fn icon(target: &mut Target<'_>, quad: &Quad, shape: Shape) {
    let Quad { rect, fill, .. } = *quad;
    let half = p(rect.w / 2.0, rect.h / 2.0);
    let unit = half.x.min(half.y);
    let (colour, full) = (word(fill), f32::from(fill.0[3]) / 255.0);
    let distance = |x: f32, y: f32| {
        let at = p(x - rect.x - half.x, y - rect.y - half.y);
        distance_from_icon(shape, at.times(1.0 / unit)) * unit
    };
    let area = target.within(Rect { x: rect.x - 0.5, y: rect.y - 0.5, w: rect.w + 1.0, h: rect.h + 1.0 });
    for Area { x, y, w, h } in area.bands(area.w * BLOCK).flat_map(|band| band.columns(BLOCK)) {
        let (across, down) = (w as f32 / 2.0, h as f32 / 2.0);
        let (middle, reach) = (distance(x as f32 + across, y as f32 + down), across.hypot(down) + 0.5);
        // Nothing on the way to a pixel is farther from the edge than the way is long, so all pixels lie as the middle does.
        if middle >= reach {
            continue;
        }
        let is_inside = middle <= -reach;
        for y in y..y + h {
            for (pixel, x) in target.row(x, x + w, y).iter_mut().zip(x..) {
                let covered =
                    if is_inside { 1.0 } else { coverage(distance(x as f32 + 0.5, y as f32 + 0.5)) };
                *pixel = over(*pixel, colour, alpha_of(full * covered));
            }
        }
    }
}

fn circle(at: P, centre: P, r: f32) -> f32 {
    at.minus(centre).length() - r
}

fn ring(at: P, centre: P, r: f32, width: f32) -> f32 {
    (at.minus(centre).length() - r).abs() - width / 2.0
}

fn stroke(at: P, a: P, b: P, width: f32) -> f32 {
    let from = at.minus(a);
    from.minus(from.along(b.minus(a))).length() - width / 2.0
}

fn triangle(at: P, corners: [P; 3]) -> f32 {
    let edges = [0, 1, 2].map(|n| corners[(n + 1) % 3].minus(corners[n]));
    let turn = (edges[0].x * edges[2].y - edges[0].y * edges[2].x).signum();
    let (mut near, mut side) = (f32::MAX, f32::MAX);
    for (corner, edge) in corners.into_iter().zip(edges) {
        let from = at.minus(corner);
        let apart = from.minus(from.along(edge));
        near = near.min(apart.dot(apart));
        side = side.min(turn * (from.x * edge.y - from.y * edge.x));
    }
    -near.sqrt() * side.signum()
}

/// Five points, one up, with circumradius `r`; `inner` is the ratio of the notches' radius.
fn star(at: P, r: f32, inner: f32) -> f32 {
    let sector = std::f32::consts::TAU / 5.0;
    let angle = at.x.atan2(-at.y);
    let folded = (angle - sector * (angle / sector).round()).abs();
    let q = p(folded.sin(), -folded.cos()).times(at.length());
    let tip = p(0.0, -r);
    let notch = p((sector / 2.0).sin(), -(sector / 2.0).cos()).times(r * inner);
    let edge = notch.minus(tip);
    let v = q.minus(tip);
    v.minus(v.along(edge)).length() * (edge.y * v.x - edge.x * v.y).signum()
}

fn least(distances: impl IntoIterator<Item = f32>) -> f32 {
    distances.into_iter().fold(f32::MAX, f32::min)
}

/// Icons live in a square from (-1, -1) to (1, 1), y down; the result is a distance in that unit.
fn distance_from_icon(shape: Shape, at: P) -> f32 {
    let line = |(ax, ay): (f32, f32), (bx, by): (f32, f32), width| stroke(at, p(ax, ay), p(bx, by), width);
    let dot = |x, y, r| circle(at, p(x, y), r);
    match shape {
        Shape::Box => distance_from_box(at, p(1.0, 1.0), [0.0; 4]),
        Shape::Star => star(at.minus(p(0.0, 0.07)), 1.0, 0.42),
        Shape::Arrow => least([
            line((-0.84, 0.0), (0.76, 0.0), 0.27),
            line((0.22, -0.56), (0.78, 0.0), 0.27),
            line((0.22, 0.56), (0.78, 0.0), 0.27),
        ]),
        Shape::Diamond => (at.x.abs() + at.y.abs() - 1.0) * std::f32::consts::FRAC_1_SQRT_2,
        Shape::Warning => {
            let board = triangle(at, [p(0.0, -0.76), p(0.82, 0.68), p(-0.82, 0.68)]) - 0.14;
            let mark = least([line((0.0, -0.3), (0.0, 0.2), 0.2), dot(0.0, 0.52, 0.13)]);
            board.max(-mark)
        }
        Shape::Clock => least([
            ring(at, p(0.0, 0.0), 0.8, 0.26),
            line((0.0, -0.45), (0.0, 0.04), 0.22),
            line((0.0, 0.04), (0.34, 0.24), 0.22),
        ]),
        Shape::Person => {
            let body = dot(0.0, 0.86, 0.78).max(at.y - 0.9);
            least([dot(0.0, -0.48, 0.42), body])
        }
        Shape::Paper => {
            let sheet = distance_from_box(at, p(0.66, 0.88), [0.14; 4]);
            let lines = least([
                line((-0.32, -0.4), (0.32, -0.4), 0.18),
                line((-0.32, 0.0), (0.32, 0.0), 0.18),
                line((-0.32, 0.4), (0.08, 0.4), 0.18),
            ]);
            sheet.max(-lines)
        }
        Shape::Elderly => least([
            dot(-0.06, -0.7, 0.25),
            line((-0.2, -0.22), (-0.3, 0.28), 0.42),
            line((-0.3, 0.28), (-0.46, 0.88), 0.24),
            line((-0.26, 0.28), (0.02, 0.88), 0.24),
            line((-0.12, -0.22), (0.5, 0.12), 0.2),
            line((0.5, 0.08), (0.62, 0.9), 0.15),
        ]),
        Shape::Medal => {
            let ribbon =
                least([line((-0.42, -0.88), (-0.1, -0.2), 0.24), line((0.42, -0.88), (0.1, -0.2), 0.24)]);
            let medal = dot(0.0, 0.34, 0.58).max(-star(at.minus(p(0.0, 0.36)), 0.38, 0.42));
            least([ribbon, medal])
        }
        Shape::Wheelchair => least([
            dot(-0.2, -0.72, 0.23),
            line((-0.16, -0.36), (-0.1, 0.16), 0.24),
            line((-0.1, 0.16), (0.36, 0.16), 0.22),
            line((0.36, 0.16), (0.58, 0.7), 0.22),
            ring(at, p(-0.12, 0.36), 0.5, 0.18).max(-(at.y - 0.02)),
            line((0.58, 0.7), (0.78, 0.66), 0.18),
        ]),
        Shape::Pregnant => least([
            dot(-0.06, -0.7, 0.26),
            line((-0.08, -0.26), (-0.08, 0.3), 0.4),
            dot(0.12, 0.14, 0.36),
            line((-0.08, 0.4), (-0.08, 0.86), 0.32),
        ]),
        Shape::Child => least([
            dot(-0.34, -0.66, 0.26),
            line((-0.34, -0.14), (-0.34, 0.72), 0.42),
            dot(0.44, -0.02, 0.22),
            line((0.44, 0.44), (0.44, 0.76), 0.34),
            line((-0.24, -0.1), (0.36, 0.4), 0.16),
        ]),
    }
}
