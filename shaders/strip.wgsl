// Copies the moving line from its tiles, pixel for pixel: no sampling, so a whole-pixel shift stays sharp.

struct Globals {
    resolution: vec2<f32>,
    linear: u32,
    pad: u32,
}

@group(0) @binding(0) var<uniform> globals: Globals;
@group(1) @binding(0) var tile: texture_2d<f32>;

struct Fragment {
    @builtin(position) position: vec4<f32>,
    @location(0) @interpolate(flat) origin: vec2<f32>,
}

@vertex
fn vs_main(@builtin(vertex_index) index: u32, @location(0) rect: vec4<f32>) -> Fragment {
    let corner = vec2<f32>(f32(index & 1u), f32(index >> 1u));
    let clip = (rect.xy + corner * rect.zw) / globals.resolution * 2.0 - 1.0;
    var out: Fragment;
    out.position = vec4<f32>(clip.x, -clip.y, 0.0, 1.0);
    out.origin = rect.xy;
    return out;
}

@fragment
fn fs_main(in: Fragment) -> @location(0) vec4<f32> {
    return textureLoad(tile, vec2<i32>(floor(in.position.xy - in.origin)), 0);
}
