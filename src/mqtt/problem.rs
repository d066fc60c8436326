//! Why the link is not up, in words for the log, the status page and the technician.

use std::io;
use std::path::PathBuf;

use rumqttc::mqttbytes::Error as PacketError;
use rumqttc::{ConnectReturnCode, ConnectionError, StateError, TlsError};
use thiserror::Error;

use super::backoff::Ended;
use crate::board::input::LinkTrouble;
use crate::clock::Millis;

/// What is wrong with the link.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LinkError {
    #[error("the broker's name cannot be resolved")]
    NameNotFound,
    #[error("nothing listens at the broker's address")]
    NothingListens,
    #[error("the broker cannot be reached: {0}")]
    Unreachable(String),
    #[error("the broker does not answer in time")]
    TimedOut,
    #[error("the broker refuses the user name or the password")]
    WrongPassword,
    #[error("the broker refuses this client: {0}")]
    ClientRefused(String),
    #[error("the broker is there but not ready")]
    NotReady,
    #[error("TLS fails: {0}")]
    Tls(String),
    #[error("mqtt.cert_file and mqtt.key_file cannot be used together: {0}")]
    Certificate(String),
    #[error("{path} cannot be used: {why}", path = path.display())]
    File { path: PathBuf, why: String },
    #[error("the broker does not allow the subscription {0}")]
    SubscriptionRefused(String),
    #[error("the broker does not confirm the subscriptions")]
    NotSubscribed,
    #[error("the broker sends a message of more than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the broker has gone silent")]
    Silent,
    #[error("the broker closed the connection")]
    Closed,
    #[error("the broker ends each connection at once: another client may use the same client id")]
    ThrownOut,
    #[error("the board does not take messages any more")]
    Overrun,
    #[error("the broker breaks the protocol: {0}")]
    Protocol(String),
}

impl LinkError {
    /// What a technician can do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NameNotFound => "check mqtt.brokers and the DNS server of this PC",
            Self::NothingListens | Self::Unreachable(_) | Self::TimedOut => {
                "check that the broker runs, mqtt.brokers, the cable and the firewall"
            }
            Self::WrongPassword => "check mqtt.username and mqtt.password_file",
            Self::ClientRefused(_) => "check mqtt.client_id and the broker's rules for clients",
            Self::Tls(_) => {
                "check mqtt.ca_file, the broker's certificate and its name, and the clock of this PC"
            }
            Self::Certificate(_) => "use the certificate that was made for this key",
            Self::File { .. } => "check that the file exists and that the daemon may read it",
            Self::SubscriptionRefused(_) => {
                "let this user read the hall's topics in the broker's access rules"
            }
            Self::TooLarge { .. } => {
                "find it with mosquitto_sub -t 'moiso/#' -v, and clear it if it is retained"
            }
            Self::ThrownOut => "give every screen its own mqtt.client_id",
            Self::Overrun => "restart the daemon and report the log",
            Self::NotReady | Self::NotSubscribed | Self::Silent | Self::Closed | Self::Protocol(_) => {
                "look into the broker's log"
            }
        }
    }

    /// A word for programs, and for pages that have words of their own.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NameNotFound => "name-not-found",
            Self::NothingListens => "nothing-listens",
            Self::Unreachable(_) => "unreachable",
            Self::TimedOut => "timed-out",
            Self::WrongPassword => "wrong-password",
            Self::ClientRefused(_) => "client-refused",
            Self::NotReady => "not-ready",
            Self::Tls(_) => "tls",
            Self::Certificate(_) => "certificate",
            Self::File { .. } => "file",
            Self::SubscriptionRefused(_) => "subscription-refused",
            Self::NotSubscribed => "not-subscribed",
            Self::TooLarge { .. } => "too-large",
            Self::Silent => "silent",
            Self::Closed => "closed",
            Self::ThrownOut => "thrown-out",
            Self::Overrun => "overrun",
            Self::Protocol(_) => "protocol",
        }
    }

    /// What the glass says of it: only what stays until somebody mends it.
    pub(super) fn trouble(&self) -> Option<LinkTrouble> {
        match self {
            Self::ThrownOut => Some(LinkTrouble::SameClient),
            Self::WrongPassword | Self::ClientRefused(_) => Some(LinkTrouble::Refused),
            _ => None,
        }
    }

    /// How the back-off should take it; `lived` is how long the broker had accepted us, if it had.
    pub(super) fn ended(&self, lived: Option<Millis>) -> Ended {
        match (self, lived) {
            (Self::WrongPassword | Self::ClientRefused(_) | Self::SubscriptionRefused(_), _) => {
                Ended::Refused
            }
            (_, Some(lived)) => Ended::Dropped { lived, by_broker: *self == Self::Closed },
            (_, None) => Ended::NotReached,
        }
    }

    /// The same problem for the log, whatever the words of the system around it.
    pub(super) fn kind(&self) -> std::mem::Discriminant<Self> {
        std::mem::discriminant(self)
    }

    pub(super) fn of(error: &ConnectionError, limit: usize) -> Self {
        match error {
            ConnectionError::Io(error) => Self::of_io(error),
            ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => Self::TimedOut,
            ConnectionError::ConnectionRefused(code) => Self::of_code(*code),
            ConnectionError::Tls(TlsError::Io(error)) => Self::of_tls(error),
            ConnectionError::Tls(error) => Self::Tls(error.to_string()),
            ConnectionError::MqttState(error) => Self::of_state(error, limit),
            other => Self::Protocol(other.to_string()),
        }
    }

    fn of_code(code: ConnectReturnCode) -> Self {
        match code {
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized => Self::WrongPassword,
            ConnectReturnCode::ServiceUnavailable => Self::NotReady,
            other => Self::ClientRefused(format!("{other:?}")),
        }
    }

    fn of_state(error: &StateError, limit: usize) -> Self {
        match error {
            StateError::ConnectionAborted => Self::Closed,
            StateError::AwaitPingResp | StateError::CollisionTimeout => Self::Silent,
            StateError::Io(error) | StateError::Deserialization(PacketError::Io(error)) => Self::of_io(error),
            StateError::Deserialization(PacketError::PayloadSizeLimitExceeded(_)) => Self::TooLarge { limit },
            other => Self::Protocol(other.to_string()),
        }
    }

    fn of_io(error: &io::Error) -> Self {
        use io::ErrorKind as Kind;
        match error.kind() {
            Kind::ConnectionRefused => Self::NothingListens,
            Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof => {
                Self::Closed
            }
            Kind::TimedOut => Self::TimedOut,
            // A certificate that the broker rejects is told only after the handshake, as an alert on the stream.
            Kind::InvalidData => Self::Tls(error.to_string()),
            // The resolver's failure has no kind of its own; only its words tell it apart.
            _ if error.to_string().contains("lookup address") => Self::NameNotFound,
            _ => Self::Unreachable(error.to_string()),
        }
    }

    fn of_tls(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Self::Tls(error.to_string()),
            _ => Self::of_io(error),
        }
    }
}
