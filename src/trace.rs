//! Where the time of a call goes: a span for each stage that it passes, from the socket to the glass and to the first
//! sample, in a file that Perfetto and `chrome://tracing` draw.
//!
//! Off unless `MOISO_TRACE` names the file; a stage costs one atomic look then. No stage ever waits for the disk: what the
//! writer cannot take is left out and counted.

use std::cell::Cell;
use std::fmt::{Debug, Write as _};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

/// What spans and events of a stage are marked with; nothing else comes into the file.
pub const STAGE: &str = "moiso::stage";

/// Lines that may wait for the disk.
const WAITING: usize = 4096;
/// A trace that somebody has forgotten fills no disk: some ten minutes of a moving ticker.
const BYTES_MAX: u64 = 16 << 20;

/// Begins the file, and the thread that writes it.
///
/// # Errors
/// When the file cannot be made, or the system gives no thread.
pub fn to_file<S>(path: &Path) -> std::io::Result<impl Layer<S> + use<S>>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let file = BufWriter::new(File::create(path)?);
    let (lines, inbox) = sync_channel(WAITING);
    std::thread::Builder::new().name("trace".into()).spawn(move || {
        // A full disk ends the trace and nothing else.
        if let Err(error) = write(file, &inbox) {
            tracing::warn!(%error, "the trace cannot be written on");
        }
    })?;
    let lost = AtomicU64::new(0);
    Ok(Trace { start: Instant::now(), lines, lost }.with_filter(Stages))
}

/// An array that nobody closes: both programs read it so, and a kill leaves a whole file.
fn write(mut file: impl Write, lines: &Receiver<String>) -> std::io::Result<()> {
    file.write_all(b"[\n")?;
    let mut bytes = 0;
    while let Ok(first) = lines.recv() {
        for line in std::iter::once(first).chain(lines.try_iter()) {
            file.write_all(line.as_bytes())?;
            bytes += line.len() as u64;
        }
        file.flush()?;
        if bytes > BYTES_MAX {
            tracing::warn!(bytes, "the trace is long enough and ends");
            break;
        }
    }
    Ok(())
}

struct Stages;

impl<S> Filter<S> for Stages {
    fn enabled(&self, meta: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        meta.target() == STAGE
    }

    fn callsite_enabled(&self, meta: &'static Metadata<'static>) -> tracing::subscriber::Interest {
        if meta.target() == STAGE {
            tracing::subscriber::Interest::always()
        } else {
            tracing::subscriber::Interest::never()
        }
    }
}

struct Trace {
    start: Instant,
    lines: SyncSender<String>,
    lost: AtomicU64,
}

/// When a span was opened, on which thread, and which call it is about.
struct Begun {
    us: u64,
    thread: u32,
    about: About,
}

#[derive(Default)]
struct About(String);

impl Visit for About {
    fn record_str(&mut self, _: &Field, value: &str) {
        self.0.push_str(value);
    }

    fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
        let _ = write!(self.0, "{value:?}");
    }
}

thread_local! {
    static THREAD: Cell<u32> = const { Cell::new(0) };
}

impl Trace {
    fn now_us(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// A number for this thread, told to the file with its name when it is new.
    fn thread(&self) -> u32 {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let known = THREAD.get();
        if known != 0 {
            return known;
        }
        let new = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        THREAD.set(new);
        let name = std::thread::current().name().unwrap_or("unnamed").to_owned();
        let named = serde_json::json!({"ph": "M", "name": "thread_name", "pid": 1, "tid": new, "args": {"name": name}});
        self.send(&named);
        new
    }

    fn send(&self, event: &serde_json::Value) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        let mut line = format!("{event},\n");
        if lost > 0 {
            let ts = self.now_us();
            let told = serde_json::json!({"ph": "i", "s": "g", "name": "left out", "pid": 1, "tid": 0, "ts": ts, "args": {"lines": lost}});
            let _ = writeln!(line, "{told},");
        }
        if self.lines.try_send(line).is_err() {
            self.lost.fetch_add(lost + 1, Ordering::Relaxed);
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Trace {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut about = About::default();
        attributes.record(&mut about);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Begun { us: self.now_us(), thread: self.thread(), about });
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let extensions = span.extensions();
        let Some(Begun { us, thread, about }) = extensions.get::<Begun>() else { return };
        let took = self.now_us().saturating_sub(*us);
        self.send(&serde_json::json!({
            "ph": "X", "name": span.name(), "pid": 1, "tid": thread, "ts": us, "dur": took, "args": {"about": about.0}
        }));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        struct Name(String, About);
        impl Visit for Name {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                } else {
                    self.1.record_debug(field, value);
                }
            }
        }
        let mut told = Name(String::new(), About::default());
        event.record(&mut told);
        let Name(name, about) = told;
        self.send(&serde_json::json!({
            "ph": "i", "s": "t", "name": name, "pid": 1, "tid": self.thread(), "ts": self.now_us(), "args": {"about": about.0}
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt as _;

    #[test]
    fn stages_come_into_the_file_and_nothing_else_does() {
        let (lines, inbox) = sync_channel(8);
        let trace = Trace { start: Instant::now(), lines, lost: AtomicU64::new(0) }.with_filter(Stages);
        let subscriber = tracing_subscriber::registry().with(trace);
        tracing::subscriber::with_default(subscriber, || {
            tracing::trace_span!(target: STAGE, "decode", call = %"a\"1")
                .in_scope(|| tracing::info!("not a stage"));
            tracing::trace!(target: STAGE, "read");
        });
        let mut text = Vec::new();
        write(&mut text, &inbox).unwrap();
        let text = String::from_utf8(text).unwrap();
        let whole = format!("{}]", text.trim_end().trim_end_matches(','));
        let events: Vec<serde_json::Value> = serde_json::from_str(&whole).unwrap();
        let told: Vec<_> = events.iter().map(|e| (e["ph"].as_str(), e["name"].as_str())).collect();
        assert_eq!(
            told,
            [(Some("M"), Some("thread_name")), (Some("X"), Some("decode")), (Some("i"), Some("read"))]
        );
        assert_eq!(events[1]["args"]["about"], "a\"1");
    }

    #[test]
    fn what_the_writer_cannot_take_is_counted() {
        let (lines, inbox) = sync_channel(1);
        let trace = Trace { start: Instant::now(), lines, lost: AtomicU64::new(0) };
        for _ in 0..3 {
            trace.send(&serde_json::json!({}));
        }
        assert_eq!(inbox.recv().unwrap(), "{},\n");
        trace.send(&serde_json::json!({}));
        let told = inbox.recv().unwrap();
        assert!(told.contains(r#""left out""#) && told.contains(r#""lines":2"#), "{told}");
    }
}
