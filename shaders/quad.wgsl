// Rounded rectangles with an inner border, and the board's icons, as signed distances: one instanced draw.

struct Globals {
    resolution: vec2<f32>,
    // 1: the target encodes sRGB itself, so colours are handed over linear.
    linear: u32,
    pad: u32,
}

@group(0) @binding(0) var<uniform> globals: Globals;

struct Instance {
    @location(0) rect: vec4<f32>,
    @location(1) radii: vec4<f32>,
    @location(2) fill: vec4<f32>,
    @location(3) border_colour: vec4<f32>,
    @location(4) border: f32,
    @location(5) shape: u32,
}

struct Fragment {
    @builtin(position) position: vec4<f32>,
    @location(0) @interpolate(flat) rect: vec4<f32>,
    @location(1) @interpolate(flat) radii: vec4<f32>,
    @location(2) @interpolate(flat) fill: vec4<f32>,
    @location(3) @interpolate(flat) border_colour: vec4<f32>,
    @location(4) @interpolate(flat) border: f32,
    @location(5) @interpolate(flat) shape: u32,
}

fn channel_to_linear(c: f32) -> f32 {
    if c <= 0.04045 {
        return c / 12.92;
    }
    return pow((c + 0.055) / 1.055, 2.4);
}

fn to_target(c: vec4<f32>) -> vec4<f32> {
    if globals.linear == 0u {
        return c;
    }
    return vec4<f32>(channel_to_linear(c.r), channel_to_linear(c.g), channel_to_linear(c.b), c.a);
}

@vertex
fn vs_main(@builtin(vertex_index) index: u32, in: Instance) -> Fragment {
    let corner = vec2<f32>(f32(index & 1u), f32(index >> 1u));
    // Half a pixel more on each side leaves room for the soft edge of a fractional rectangle.
    let at = in.rect.xy - 0.5 + corner * (in.rect.zw + 1.0);
    let clip = at / globals.resolution * 2.0 - 1.0;
    var out: Fragment;
    out.position = vec4<f32>(clip.x, -clip.y, 0.0, 1.0);
    out.rect = in.rect;
    out.radii = in.radii;
    out.fill = to_target(in.fill);
    out.border_colour = to_target(in.border_colour);
    out.border = in.border;
    out.shape = in.shape;
    return out;
}

fn rounded_box(p: vec2<f32>, half: vec2<f32>, radii: vec4<f32>) -> f32 {
    let right = select(vec2<f32>(radii.x, radii.w), vec2<f32>(radii.y, radii.z), p.x > 0.0);
    let r = min(select(right.x, right.y, p.y > 0.0), min(half.x, half.y));
    let q = abs(p) - half + r;
    return min(max(q.x, q.y), 0.0) + length(max(q, vec2<f32>(0.0))) - r;
}

fn circle(p: vec2<f32>, centre: vec2<f32>, r: f32) -> f32 {
    return length(p - centre) - r;
}

fn ring(p: vec2<f32>, centre: vec2<f32>, r: f32, width: f32) -> f32 {
    return abs(length(p - centre) - r) - width * 0.5;
}

fn stroke(p: vec2<f32>, a: vec2<f32>, b: vec2<f32>, width: f32) -> f32 {
    let along = b - a;
    let t = clamp(dot(p - a, along) / dot(along, along), 0.0, 1.0);
    return length(p - a - along * t) - width * 0.5;
}

fn triangle(p: vec2<f32>, a: vec2<f32>, b: vec2<f32>, c: vec2<f32>) -> f32 {
    let e0 = b - a;
    let e1 = c - b;
    let e2 = a - c;
    let v0 = p - a;
    let v1 = p - b;
    let v2 = p - c;
    let q0 = v0 - e0 * clamp(dot(v0, e0) / dot(e0, e0), 0.0, 1.0);
    let q1 = v1 - e1 * clamp(dot(v1, e1) / dot(e1, e1), 0.0, 1.0);
    let q2 = v2 - e2 * clamp(dot(v2, e2) / dot(e2, e2), 0.0, 1.0);
    let s = sign(e0.x * e2.y - e0.y * e2.x);
    let d = min(min(
        vec2<f32>(dot(q0, q0), s * (v0.x * e0.y - v0.y * e0.x)),
        vec2<f32>(dot(q1, q1), s * (v1.x * e1.y - v1.y * e1.x))),
        vec2<f32>(dot(q2, q2), s * (v2.x * e2.y - v2.y * e2.x)));
    return -sqrt(d.x) * sign(d.y);
}

// A five-pointed star, one point up, with circumradius `r`; `inner` is the ratio of the notches' radius.
fn star(p: vec2<f32>, r: f32, inner: f32) -> f32 {
    let sector = 6.28318530718 / 5.0;
    let angle = atan2(p.x, -p.y);
    let folded = abs(angle - sector * round(angle / sector));
    let q = length(p) * vec2<f32>(sin(folded), -cos(folded));
    let tip = vec2<f32>(0.0, -r);
    let notch = vec2<f32>(sin(sector * 0.5), -cos(sector * 0.5)) * r * inner;
    let edge = notch - tip;
    let v = q - tip;
    let near = v - edge * clamp(dot(v, edge) / dot(edge, edge), 0.0, 1.0);
    return length(near) * sign(edge.x * v.y * -1.0 + edge.y * v.x);
}

// Icons live in a square from (-1, -1) to (1, 1), y down; the result is a distance in that unit.
fn icon(shape: u32, p: vec2<f32>) -> f32 {
    switch shape {
        case 1u: {
            return star(p - vec2<f32>(0.0, 0.07), 1.0, 0.42);
        }
        case 2u: {
            return min(stroke(p, vec2<f32>(-0.84, 0.0), vec2<f32>(0.76, 0.0), 0.27), min(
                stroke(p, vec2<f32>(0.22, -0.56), vec2<f32>(0.78, 0.0), 0.27),
                stroke(p, vec2<f32>(0.22, 0.56), vec2<f32>(0.78, 0.0), 0.27)));
        }
        case 3u: {
            return (abs(p.x) + abs(p.y) - 1.0) * 0.70710678;
        }
        case 4u: {
            let sign_board = triangle(p, vec2<f32>(0.0, -0.76), vec2<f32>(0.82, 0.68), vec2<f32>(-0.82, 0.68)) - 0.14;
            let mark = min(stroke(p, vec2<f32>(0.0, -0.3), vec2<f32>(0.0, 0.2), 0.2), circle(p, vec2<f32>(0.0, 0.52), 0.13));
            return max(sign_board, -mark);
        }
        case 5u: {
            return min(ring(p, vec2<f32>(0.0), 0.8, 0.26), min(
                stroke(p, vec2<f32>(0.0, -0.45), vec2<f32>(0.0, 0.04), 0.22),
                stroke(p, vec2<f32>(0.0, 0.04), vec2<f32>(0.34, 0.24), 0.22)));
        }
        case 6u: {
            let body = max(circle(p, vec2<f32>(0.0, 0.86), 0.78), p.y - 0.9);
            return min(circle(p, vec2<f32>(0.0, -0.48), 0.42), body);
        }
        case 7u: {
            let sheet = rounded_box(p, vec2<f32>(0.66, 0.88), vec4<f32>(0.14));
            let lines = min(stroke(p, vec2<f32>(-0.32, -0.4), vec2<f32>(0.32, -0.4), 0.18), min(
                stroke(p, vec2<f32>(-0.32, 0.0), vec2<f32>(0.32, 0.0), 0.18),
                stroke(p, vec2<f32>(-0.32, 0.4), vec2<f32>(0.08, 0.4), 0.18)));
            return max(sheet, -lines);
        }
        case 8u: {
            let body = min(stroke(p, vec2<f32>(-0.2, -0.22), vec2<f32>(-0.3, 0.28), 0.42), min(
                stroke(p, vec2<f32>(-0.3, 0.28), vec2<f32>(-0.46, 0.88), 0.24),
                stroke(p, vec2<f32>(-0.26, 0.28), vec2<f32>(0.02, 0.88), 0.24)));
            let arm = stroke(p, vec2<f32>(-0.12, -0.22), vec2<f32>(0.5, 0.12), 0.2);
            let stick = stroke(p, vec2<f32>(0.5, 0.08), vec2<f32>(0.62, 0.9), 0.15);
            return min(min(circle(p, vec2<f32>(-0.06, -0.7), 0.25), body), min(arm, stick));
        }
        case 9u: {
            let ribbon = min(stroke(p, vec2<f32>(-0.42, -0.88), vec2<f32>(-0.1, -0.2), 0.24),
                stroke(p, vec2<f32>(0.42, -0.88), vec2<f32>(0.1, -0.2), 0.24));
            let medal = max(circle(p, vec2<f32>(0.0, 0.34), 0.58), -star(p - vec2<f32>(0.0, 0.36), 0.38, 0.42));
            return min(ribbon, medal);
        }
        case 10u: {
            let body = min(stroke(p, vec2<f32>(-0.16, -0.36), vec2<f32>(-0.1, 0.16), 0.24), min(
                stroke(p, vec2<f32>(-0.1, 0.16), vec2<f32>(0.36, 0.16), 0.22),
                stroke(p, vec2<f32>(0.36, 0.16), vec2<f32>(0.58, 0.7), 0.22)));
            let wheel = max(ring(p, vec2<f32>(-0.12, 0.36), 0.5, 0.18), -(p.y - 0.02));
            let foot = stroke(p, vec2<f32>(0.58, 0.7), vec2<f32>(0.78, 0.66), 0.18);
            return min(min(circle(p, vec2<f32>(-0.2, -0.72), 0.23), body), min(wheel, foot));
        }
        case 11u: {
            let body = min(stroke(p, vec2<f32>(-0.08, -0.26), vec2<f32>(-0.08, 0.3), 0.4), min(
                circle(p, vec2<f32>(0.12, 0.14), 0.36),
                stroke(p, vec2<f32>(-0.08, 0.4), vec2<f32>(-0.08, 0.86), 0.32)));
            return min(circle(p, vec2<f32>(-0.06, -0.7), 0.26), body);
        }
        case 12u: {
            let tall = min(circle(p, vec2<f32>(-0.34, -0.66), 0.26),
                stroke(p, vec2<f32>(-0.34, -0.14), vec2<f32>(-0.34, 0.72), 0.42));
            let small = min(circle(p, vec2<f32>(0.44, -0.02), 0.22),
                stroke(p, vec2<f32>(0.44, 0.44), vec2<f32>(0.44, 0.76), 0.34));
            return min(min(tall, small), stroke(p, vec2<f32>(-0.24, -0.1), vec2<f32>(0.36, 0.4), 0.16));
        }
        default: {
            return 1.0;
        }
    }
}

// Boxes and icons are separate programs: a software GPU runs every branch for every pixel, and boxes cover the screen.
@fragment
fn fs_icon(in: Fragment) -> @location(0) vec4<f32> {
    let half = in.rect.zw * 0.5;
    let p = in.position.xy - in.rect.xy - half;
    let unit = min(half.x, half.y);
    let distance = icon(in.shape, p / unit) * unit;
    return vec4<f32>(in.fill.rgb, in.fill.a * clamp(0.5 - distance, 0.0, 1.0));
}

@fragment
fn fs_main(in: Fragment) -> @location(0) vec4<f32> {
    let half = in.rect.zw * 0.5;
    let p = in.position.xy - in.rect.xy - half;
    let outer = rounded_box(p, half, in.radii);
    let inside = select(1.0, clamp(0.5 - (outer + in.border), 0.0, 1.0), in.border > 0.0);
    let colour = mix(in.border_colour, in.fill, inside);
    return vec4<f32>(colour.rgb, colour.a * clamp(0.5 - outer, 0.0, 1.0));
}
