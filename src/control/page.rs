//! The HTTP side: pages, pictures and public numbers, with the headers that keep foreign content and frames out.
//!
//! Nothing here changes the hall; what changes something comes over the WebSocket. Announcements and recordings need a
//! token.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::{Console, SESSIONS, Verdict, listen, recording, socket};
use crate::board::call::Lane;
use crate::wire::encode_view;

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const FONT: &str = "font/ttf";

/// What the pages are made of: path, type, content.
const ASSETS: [(&str, &str, &[u8]); 24] = [
    ("/", HTML, include_bytes!("console/index.html")),
    ("/now", HTML, include_bytes!("console/now.html")),
    ("/assets/console.css", CSS, include_bytes!("console/console.css")),
    ("/assets/now.css", CSS, include_bytes!("console/now.css")),
    ("/assets/console.js", SCRIPT, include_bytes!("console/console.js")),
    ("/assets/counters.js", SCRIPT, include_bytes!("console/counters.js")),
    ("/assets/hall.js", SCRIPT, include_bytes!("console/hall.js")),
    ("/assets/health.js", SCRIPT, include_bytes!("console/health.js")),
    ("/assets/history.js", SCRIPT, include_bytes!("console/history.js")),
    ("/assets/keys.js", SCRIPT, include_bytes!("console/keys.js")),
    ("/assets/link.js", SCRIPT, include_bytes!("console/link.js")),
    ("/assets/listen.js", SCRIPT, include_bytes!("console/listen.js")),
    ("/assets/notices.js", SCRIPT, include_bytes!("console/notices.js")),
    ("/assets/now.js", SCRIPT, include_bytes!("console/now.js")),
    ("/assets/picture.js", SCRIPT, include_bytes!("console/picture.js")),
    ("/assets/recorder.js", SCRIPT, include_bytes!("console/recorder.js")),
    ("/assets/recording.js", SCRIPT, include_bytes!("console/recording.js")),
    ("/assets/screens.js", SCRIPT, include_bytes!("console/screens.js")),
    ("/assets/show.js", SCRIPT, include_bytes!("console/show.js")),
    ("/assets/sound.js", SCRIPT, include_bytes!("console/sound.js")),
    ("/assets/icon.svg", "image/svg+xml", include_bytes!("console/icon.svg")),
    ("/assets/text-500.ttf", FONT, include_bytes!("../../fonts/BeVietnamPro_500Medium.ttf")),
    ("/assets/text-600.ttf", FONT, include_bytes!("../../fonts/BeVietnamPro_600SemiBold.ttf")),
    ("/assets/digits-700.ttf", FONT, include_bytes!("../../fonts/Inter_700Bold.ttf")),
];

/// Content and the tag that tells whether a client has it already.
#[derive(Clone, Debug, PartialEq)]
pub struct Tagged {
    content: Bytes,
    tag: HeaderValue,
}

impl Tagged {
    pub fn new(content: impl Into<Bytes>) -> Self {
        let content = content.into();
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        let tag = format!("\"{:016x}\"", hasher.finish());
        let tag = HeaderValue::from_str(&tag).expect("hexadecimal digits in quotes");
        Self { content, tag }
    }

    /// An answer that a client which has it already does not get again.
    fn answer(&self, headers: &HeaderMap, kind: &'static str) -> Response {
        let has =
            headers.get(header::IF_NONE_MATCH).is_some_and(|held| held.as_bytes() == self.tag.as_bytes());
        let mut response = if has {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            ([(header::CONTENT_TYPE, kind)], Body::from(self.content.clone())).into_response()
        };
        let out = response.headers_mut();
        out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        out.insert(header::ETAG, self.tag.clone());
        response
    }
}

/// All routes.
pub fn router(console: Arc<Console>) -> Router {
    let mut router = Router::new()
        .route("/ws", get(socket::upgrade))
        .route("/api/view", get(view))
        .route("/api/now", get(now))
        .route("/api/announcement", get(listen::announcement))
        .route("/api/recording", post(recording::upload))
        .route("/api/about", get(about))
        .route("/board.png", get(board))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics));
    for (path, kind, content) in ASSETS {
        let asset = Tagged::new(content);
        let send = move |headers: HeaderMap| async move { asset.answer(&headers, kind) };
        router = router.route(path, get(send));
    }
    router.layer(from_fn(guard)).with_state(console)
}

/// Headers for every answer.
async fn guard(request: Request, next: Next) -> Response {
    let policy = policy(request.headers());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(self)");
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// Everything from this server alone. Older browsers do not count the WebSocket as `'self'`, so it is named.
fn policy(headers: &HeaderMap) -> HeaderValue {
    let is_host = |host: &&str| host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b));
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).filter(is_host);
    let sockets = host.map_or_else(String::new, |host| format!(" ws://{host} wss://{host}"));
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob:; \
         media-src blob:; connect-src 'self'{sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    policy.parse().unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// An answer that nobody may keep.
pub fn fresh(status: StatusCode, value: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, "no-store")];
    (status, headers, value.to_string()).into_response()
}

async fn view(State(console): State<Arc<Console>>, headers: HeaderMap) -> Response {
    let view = Arc::clone(&console.control.hub.views.borrow());
    Tagged::new(encode_view(&view)).answer(&headers, JSON)
}

/// The numbers for phones. The connection is given back at once: two thousand phones that ask every few seconds would
/// otherwise hold two thousand places between two questions.
async fn now(State(console): State<Arc<Console>>, headers: HeaderMap) -> Response {
    let mut response = console.feed.public().answer(&headers, JSON);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

async fn board(State(console): State<Arc<Console>>, headers: HeaderMap) -> Response {
    let revision = console.control.hub.views.borrow().revision;
    match console.picture.get(revision, console.control.pictures.as_ref()).await {
        Some(png) => Tagged::new(png).answer(&headers, "image/png"),
        None => fresh(StatusCode::SERVICE_UNAVAILABLE, &json!({ "error": "no picture can be drawn now" })),
    }
}

/// What the pages need to know before anybody signs in.
async fn about(State(console): State<Arc<Console>>) -> Response {
    let (control, hall) = (&console.control, &console.control.hall);
    let lane = |(id, lane): (&str, Lane)| json!({ "id": id, "name": lane.spoken().unwrap_or("thường") });
    let counter =
        |c: &crate::config::CounterConfig| json!({ "id": c.id.as_str(), "noun": c.noun, "label": c.label });
    let value = json!({
        "title": hall.title,
        "motto": hall.motto,
        "time_zone": hall.time_zone_name,
        "version": env!("CARGO_PKG_VERSION"),
        "has_tokens": control.auth.has_tokens(),
        "screen": { "id": hall.screen_id, "width": hall.screen.0, "height": hall.screen.1 },
        "ticker": { "title": hall.ticker_title, "px_s": hall.ticker_px_s },
        "lanes": Lane::ALL.map(lane),
        "counters": hall.counters.iter().map(counter).collect::<Vec<_>>(),
        "series": hall.series.iter().map(|s| json!({ "id": s.id.as_str(), "label": s.label })).collect::<Vec<_>>(),
        "zones": hall.zones.iter().map(|z| z.id.as_str()).collect::<Vec<_>>(),
    });
    fresh(StatusCode::OK, &value)
}

async fn healthz(State(console): State<Arc<Console>>) -> Response {
    let verdict = (console.control.health)();
    answer(verdict.live, &verdict)
}

async fn readyz(State(console): State<Arc<Console>>) -> Response {
    let verdict = (console.control.health)();
    answer(verdict.ready, &verdict)
}

/// Open to whoever reaches the page, as `/healthz` is: counts and states, nothing of a citizen and no secret.
async fn metrics(State(console): State<Arc<Console>>) -> Response {
    let sessions = SESSIONS - console.sessions.available_permits();
    let headers = [(header::CONTENT_TYPE, crate::metrics::TYPE), (header::CACHE_CONTROL, "no-store")];
    (headers, (console.control.metrics)(sessions)).into_response()
}

fn answer(good: bool, verdict: &Verdict) -> Response {
    let status = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    fresh(status, &json!({ "live": verdict.live, "ready": verdict.ready, "detail": verdict.detail }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_the_socket_and_never_repeats_a_foreign_text() {
        let of = |host: &'static str| {
            let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]);
            policy(&headers).to_str().unwrap().to_owned()
        };
        assert!(of("10.0.0.5:8088").contains("connect-src 'self' ws://10.0.0.5:8088 wss://10.0.0.5:8088;"));
        assert!(of("a; script-src *").contains("connect-src 'self';"));
    }
}
