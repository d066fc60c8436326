//! The topics of one screen: what it subscribes to, what it publishes on, and what an arriving topic is. Pure.

use crate::board::call::RecordingId;
use crate::config::Config;

/// The topics below `{root}/{hall}` for one screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    prefix: String,
    screen: String,
}

/// A subscription, and whether the screen is useless without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub filter: String,
    pub essential: bool,
}

/// What an arriving topic is, as the part below the prefix.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Subject<'t> {
    /// `call`, `counter/…`, `queue/…`, `notice/…`: an input for the board.
    Input(&'t str),
    /// A command to this screen.
    Command(&'t str),
    /// A screen asks for the hall's state.
    Asked(&'t str),
    /// An answer to this screen's request for the hall's state.
    Sync(&'t str),
    /// What another screen, or this one, says of itself: its name and the part below the prefix.
    Status(&'t str, &'t str),
    /// What became of a call on a screen.
    Proof(&'t str, &'t str),
    /// A screen asks for the sound of a recorded message: its id and the part below the prefix.
    RecordingWanted(&'t str, &'t str),
    /// A piece of such a sound: its id and which of how many pieces.
    RecordingPart(&'t str, u8, u8),
    /// Nothing that this screen has subscribed to.
    Foreign,
}

impl Topics {
    pub fn of(config: &Config) -> Self {
        Self { prefix: config.topic_prefix(), screen: config.screen.id.clone() }
    }

    /// Narrow filters, never `#`: one large message on a topic that nobody needs would otherwise end the link.
    pub fn filters(&self) -> Vec<Filter> {
        let own = |topic: String, essential| Filter { filter: self.full(&topic), essential };
        vec![
            own("call".into(), true),
            own("counter/+".into(), true),
            own("queue/+".into(), false),
            own("notice/+".into(), false),
            own(self.command(), false),
            own(self.sync_state(), false),
            own(self.sync_request(), false),
            own("screen/+/status".into(), false),
            own("screen/+/proof".into(), false),
            own("recording/+/wanted".into(), false),
            own("recording/+/part/+/+".into(), false),
        ]
    }

    /// The whole topic of one below the prefix.
    pub fn full(&self, below: &str) -> String {
        format!("{}/{below}", self.prefix)
    }

    pub fn subject<'t>(&self, topic: &'t str) -> Subject<'t> {
        let below = topic.strip_prefix(&self.prefix).and_then(|rest| rest.strip_prefix('/'));
        match below {
            Some(below) if below == self.command() => Subject::Command(below),
            Some(below) if below == self.sync_state() => Subject::Sync(below),
            Some(below) if below == self.sync_request() => Subject::Asked(below),
            Some(below) if is_input(below) => Subject::Input(below),
            Some(below) => of_screen(below).or_else(|| of_recording(below)).unwrap_or(Subject::Foreign),
            None => Subject::Foreign,
        }
    }

    /// Below the prefix.
    pub fn status(&self) -> String {
        format!("screen/{}/status", self.screen)
    }

    /// Below the prefix.
    pub fn command(&self) -> String {
        format!("screen/{}/command", self.screen)
    }

    /// Below the prefix.
    pub fn proof(&self) -> String {
        format!("screen/{}/proof", self.screen)
    }

    /// Below the prefix.
    pub fn sync_request(&self) -> String {
        "sync/request".into()
    }

    /// Below the prefix.
    pub fn sync_state(&self) -> String {
        format!("sync/state/{}", self.screen)
    }

    pub fn screen(&self) -> &str {
        &self.screen
    }
}

fn of_screen(below: &str) -> Option<Subject<'_>> {
    let (screen, what) = below.strip_prefix("screen/")?.split_once('/')?;
    match what {
        "status" => Some(Subject::Status(screen, below)),
        "proof" => Some(Subject::Proof(screen, below)),
        _ => None,
    }
}

fn of_recording(below: &str) -> Option<Subject<'_>> {
    let (id, what) = below.strip_prefix("recording/")?.split_once('/')?;
    if what == "wanted" {
        return Some(Subject::RecordingWanted(id, below));
    }
    let (part, of) = what.strip_prefix("part/")?.split_once('/')?;
    Some(Subject::RecordingPart(id, part.parse().ok()?, of.parse().ok()?))
}

/// Where a screen asks for the sound of a recorded message, below the prefix.
pub fn recording_wanted(recording: &RecordingId) -> String {
    format!("recording/{recording}/wanted")
}

/// Where piece `part` of `of`, counted from zero, is passed on, below the prefix.
pub fn recording_part(recording: &RecordingId, part: u8, of: u8) -> String {
    format!("recording/{recording}/part/{part}/{of}")
}

fn is_input(below: &str) -> bool {
    below == "call" || ["counter/", "queue/", "notice/"].iter().any(|head| below.starts_with(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics() -> Topics {
        Topics::of(&Config::default())
    }

    #[test]
    fn subscriptions_are_narrow() {
        let filters: Vec<String> = topics().filters().into_iter().map(|f| f.filter).collect();
        assert_eq!(
            filters,
            [
                "moiso/dong-da/call",
                "moiso/dong-da/counter/+",
                "moiso/dong-da/queue/+",
                "moiso/dong-da/notice/+",
                "moiso/dong-da/screen/sanh-1/command",
                "moiso/dong-da/sync/state/sanh-1",
                "moiso/dong-da/sync/request",
                "moiso/dong-da/screen/+/status",
                "moiso/dong-da/screen/+/proof",
                "moiso/dong-da/recording/+/wanted",
                "moiso/dong-da/recording/+/part/+/+",
            ]
        );
    }

    #[test]
    fn an_arriving_topic_is_recognised_below_its_prefix() {
        let topics = topics();
        assert_eq!(topics.subject("moiso/dong-da/call"), Subject::Input("call"));
        assert_eq!(topics.subject("moiso/dong-da/counter/5"), Subject::Input("counter/5"));
        assert_eq!(
            topics.subject("moiso/dong-da/screen/sanh-1/command"),
            Subject::Command("screen/sanh-1/command")
        );
        assert_eq!(topics.subject("moiso/dong-da/sync/state/sanh-1"), Subject::Sync("sync/state/sanh-1"));
        assert_eq!(topics.subject("moiso/dong-da/sync/request"), Subject::Asked("sync/request"));
        for screen in ["sanh-1", "sanh-2"] {
            let (status, proof) = (format!("screen/{screen}/status"), format!("screen/{screen}/proof"));
            let full = [topics.full(&status), topics.full(&proof)];
            assert_eq!(topics.subject(&full[0]), Subject::Status(screen, &status));
            assert_eq!(topics.subject(&full[1]), Subject::Proof(screen, &proof));
        }
        let id = RecordingId::parse(&"5e".repeat(16)).unwrap();
        let (wanted, part) = (recording_wanted(&id), recording_part(&id, 2, 7));
        let full = [topics.full(&wanted), topics.full(&part)];
        assert_eq!(topics.subject(&full[0]), Subject::RecordingWanted(id.as_str(), &wanted));
        assert_eq!(topics.subject(&full[1]), Subject::RecordingPart(id.as_str(), 2, 7));
        for other in [
            "moiso/dong-da/recording/x/part/2/-1",
            "moiso/dong-da/recording/x/part/2/999",
            "moiso/dong-da",
            "moiso/dong-da-2/call",
            "moiso/dong-da/screen/sanh-2/command",
            "moiso/dong-da/screen/sanh-1/status/more",
            "other/dong-da/call",
            "",
        ] {
            assert_eq!(topics.subject(other), Subject::Foreign, "{other}");
        }
    }
}
