//! What every session is told: the view, the notices, the health and the hall's screens, each encoded once for all who
//! listen; and what the phones are told, encoded once for all of them.
//!
//! A feed keeps only the latest of each; a peer that reads slowly misses steps, never the end.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use serde_json::{Map, Value, json};
use tokio::sync::{Notify, watch};
use tokio::time::MissedTickBehavior;

use super::page::Tagged;
use super::session::notices_value;
use super::{Control, Verdict};
use crate::wire::{encode_public, screens_value, speech_value, view_value};

/// How often health, token file and notices are looked at, for what nobody announces.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The latest events as they go over the WebSocket.
pub struct Feed {
    view: watch::Sender<Utf8Bytes>,
    notices: watch::Sender<Utf8Bytes>,
    health: watch::Sender<Utf8Bytes>,
    screens: watch::Sender<Utf8Bytes>,
    speech: watch::Sender<Utf8Bytes>,
    public: watch::Sender<Tagged>,
    poke: Notify,
}

impl Feed {
    pub fn new(control: &Control) -> Self {
        let view = event("view", "view", view_value(&control.hub.views.borrow()));
        Self {
            view: watch::Sender::new(view),
            notices: watch::Sender::new(event("notice", "notices", json!([]))),
            health: watch::Sender::new(health_event(&(control.health)())),
            screens: watch::Sender::new(screens_event(control)),
            speech: watch::Sender::new(speech_event(control)),
            public: watch::Sender::new(public_of(control)),
            poke: Notify::new(),
        }
    }

    pub fn view(&self) -> watch::Receiver<Utf8Bytes> {
        self.view.subscribe()
    }

    pub fn notices(&self) -> watch::Receiver<Utf8Bytes> {
        self.notices.subscribe()
    }

    pub fn health(&self) -> watch::Receiver<Utf8Bytes> {
        let receiver = self.health.subscribe();
        // The first who listens: from now on it is looked at again.
        self.poke.notify_one();
        receiver
    }

    pub fn screens(&self) -> watch::Receiver<Utf8Bytes> {
        self.screens.subscribe()
    }

    pub fn speech(&self) -> watch::Receiver<Utf8Bytes> {
        self.speech.subscribe()
    }

    /// What phones are answered at this moment.
    pub fn public(&self) -> Tagged {
        self.public.borrow().clone()
    }

    /// Asks for the health now: who begins to listen wants no answer of two seconds ago.
    pub fn ask_health(&self, control: &Control) {
        replace(&self.health, health_event(&(control.health)()));
    }

    /// Looks at the notices again now: one has been put or ended that the view may not show yet.
    pub fn poke(&self) {
        self.poke.notify_one();
    }

    /// Keeps the feed going until the hub is gone.
    pub async fn run(&self, control: &Control) {
        let mut views = control.hub.views.clone();
        let mut screens = control.screens.clone();
        let mut speech = control.speech.clone();
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                changed = views.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let view = Arc::clone(&views.borrow_and_update());
                    replace(&self.view, event("view", "view", view_value(&view)));
                    replace(&self.public, public_of(control));
                }
                Ok(()) = screens.changed() => {
                    replace(&self.screens, screens_event(control));
                    continue;
                }
                Ok(()) = speech.changed() => {
                    replace(&self.speech, speech_event(control));
                    continue;
                }
                () = self.poke.notified() => {}
                // While nobody listens nothing is told, and a PC at rest is left to sleep.
                _ = tick.tick(), if self.health.receiver_count() > 0 || control.tls.is_some() => {
                    self.ask_health(control);
                    // A screen that has fallen silent tells nobody.
                    replace(&self.screens, screens_event(control));
                    let (auth, tls) = (Arc::clone(&control.auth), control.tls.clone());
                    let look = move || {
                        auth.refresh();
                        if let Some(tls) = &tls {
                            tls.refresh();
                        }
                    };
                    let _ = tokio::task::spawn_blocking(look).await;
                }
            }
            let Ok(notices) = control.hub.notices().await else { return };
            replace(&self.notices, named("notice", notices_value(&notices)));
        }
    }
}

/// Tells only what is new.
fn replace<T: PartialEq>(sender: &watch::Sender<T>, event: T) {
    sender.send_if_modified(|held| {
        let new = *held != event;
        if new {
            *held = event;
        }
        new
    });
}

fn public_of(control: &Control) -> Tagged {
    let view = Arc::clone(&control.hub.views.borrow());
    Tagged::new(encode_public(&view, &control.hall.title, &control.hall.time_zone_name))
}

fn screens_event(control: &Control) -> Utf8Bytes {
    let screens = control.screens.borrow().clone();
    event("screens", "screens", screens_value(&screens, &control.hall.screen_id, control.clock.now()))
}

fn speech_event(control: &Control) -> Utf8Bytes {
    let speech = control.speech.borrow().clone();
    event("speech", "zones", speech_value(&speech.zones, speech.since))
}

fn health_event(verdict: &Verdict) -> Utf8Bytes {
    let mut fields = Map::new();
    fields.insert("live".into(), verdict.live.into());
    fields.insert("ready".into(), verdict.ready.into());
    fields.insert("detail".into(), verdict.detail.clone());
    named("health", fields)
}

fn event(name: &str, field: &str, value: Value) -> Utf8Bytes {
    named(name, Map::from_iter([(field.to_owned(), value)]))
}

fn named(name: &str, mut fields: Map<String, Value>) -> Utf8Bytes {
    fields.insert("event".into(), name.into());
    Value::Object(fields).to_string().into()
}
