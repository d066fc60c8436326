// A picture of the hall's own, pixel for pixel: it has been scaled to its place before, so nothing is sampled.

struct Globals {
    resolution: vec2<f32>,
    // 1: the target encodes sRGB itself, so colours are handed over linear.
    linear: u32,
    pad: u32,
}

@group(0) @binding(0) var<uniform> globals: Globals;
// Premultiplied alpha.
@group(1) @binding(0) var picture: texture_2d<f32>;

struct Fragment {
    @builtin(position) position: vec4<f32>,
    @location(0) @interpolate(flat) rect: vec4<f32>,
    // Radius of the corners and opacity.
    @location(1) @interpolate(flat) look: vec2<f32>,
}

fn channel_to_linear(c: f32) -> f32 {
    if c <= 0.04045 {
        return c / 12.92;
    }
    return pow((c + 0.055) / 1.055, 2.4);
}

@vertex
fn vs_main(
    @builtin(vertex_index) index: u32,
    @location(0) rect: vec4<f32>,
    @location(1) look: vec2<f32>,
) -> Fragment {
    let corner = vec2<f32>(f32(index & 1u), f32(index >> 1u));
    let clip = (rect.xy + corner * rect.zw) / globals.resolution * 2.0 - 1.0;
    var out: Fragment;
    out.position = vec4<f32>(clip.x, -clip.y, 0.0, 1.0);
    out.rect = rect;
    out.look = look;
    return out;
}

@fragment
fn fs_main(in: Fragment) -> @location(0) vec4<f32> {
    let at = in.position.xy - in.rect.xy;
    let pixel = textureLoad(picture, vec2<i32>(floor(at)), 0);
    if pixel.a <= 0.0 {
        return vec4<f32>(0.0);
    }
    var colour = min(pixel.rgb / pixel.a, vec3<f32>(1.0));
    if globals.linear != 0u {
        colour = vec3<f32>(channel_to_linear(colour.r), channel_to_linear(colour.g), channel_to_linear(colour.b));
    }
    let half = in.rect.zw * 0.5;
    let radius = min(in.look.x, min(half.x, half.y));
    let q = abs(at - half) - half + radius;
    let outside = min(max(q.x, q.y), 0.0) + length(max(q, vec2<f32>(0.0))) - radius;
    return vec4<f32>(colour, pixel.a * in.look.y * clamp(0.5 - outside, 0.0, 1.0));
}
