//! The command line's side of the WebSocket: signs in, asks, and says clearly why something did not work.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::trust::{self, Place};
use super::upload;
use crate::config::Config;

/// For the connection, and again for each reply; a hash on a slow PC takes a second of it.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// Largest message taken from the server: the longest list of notices has a fifth of it.
const MESSAGE_MAX: usize = 1024 * 1024;

/// Where the daemon is and who asks.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Connect {
    /// Address of the daemon [default: from the config, such as ws://127.0.0.1:8088/ws]
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// The token that `moiso token add` has printed
    #[arg(long, global = true, env = "MOISO_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// A file that holds the token, so that it is not seen in the list of processes
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

#[derive(Debug, Error)]
pub enum ClientError {
    #[error("the config has no control.listen; say where the daemon is with --url")]
    NoAddress,
    #[error("{0} is not an address of the form ws://host:port/ws or wss://host:port/ws")]
    Address(String),
    #[error("no token; give --token, --token-file or MOISO_TOKEN (`moiso token add` makes one)")]
    NoToken,
    #[error("cannot read the token from {path}: {why}")]
    TokenFile { path: PathBuf, why: std::io::Error },
    #[error("cannot reach {url}: {why}")]
    Unreachable { url: String, why: String },
    #[error("the daemon did not answer within {} s", .0.as_secs())]
    Late(Duration),
    #[error("the connection broke: {0}")]
    Broken(String),
    #[error("refused: {0}")]
    Refused(Refusal),
}

/// What the daemon said, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: String,
    pub message: String,
    pub field: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{} [{}, field {field}]", self.message, self.code),
            None => write!(f, "{} [{}]", self.message, self.code),
        }
    }
}

impl ClientError {
    /// 2: the command is wrong; 3: the daemon cannot be reached; 4: the token does not allow it; 1: anything else.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoAddress | Self::Address(_) | Self::NoToken | Self::TokenFile { .. } => 2,
            Self::Unreachable { .. } | Self::Late(_) | Self::Broken(_) => 3,
            Self::Refused(refusal) => match refusal.code.as_str() {
                "unauthorised" | "forbidden" => 4,
                "invalid" | "malformed" => 2,
                _ => 1,
            },
        }
    }
}

/// The exit code for an error of a subcommand: that of a [`ClientError`] in its chain, else 1.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    error.chain().find_map(|cause| cause.downcast_ref::<ClientError>()).map_or(1, ClientError::exit_code)
}

impl Connect {
    fn address(&self, config: &Config) -> Result<String, ClientError> {
        match &self.url {
            Some(url) if Place::of(url).is_some() => Ok(url.clone()),
            Some(url) => Err(ClientError::Address(url.clone())),
            None => {
                let listen = config.control.listen.ok_or(ClientError::NoAddress)?;
                Ok(address_of(listen, config.control.tls.is_some()))
            }
        }
    }

    fn token(&self) -> Result<String, ClientError> {
        // The file first: MOISO_TOKEN may be set for everything, a file is named on purpose.
        let text = match (&self.token_file, &self.token) {
            (Some(path), _) => std::fs::read_to_string(path)
                .map_err(|why| ClientError::TokenFile { path: path.clone(), why })?,
            (None, Some(token)) => token.clone(),
            (None, None) => String::new(),
        };
        let token = text.trim();
        if token.is_empty() { Err(ClientError::NoToken) } else { Ok(token.to_owned()) }
    }

    /// Signs in, sends one request and returns its reply.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn ask(&self, config: &Config, request: Value) -> Result<Value, ClientError> {
        let (url, token) = (self.address(config)?, self.token()?);
        block_on(async {
            let mut client = Client::connect(&url, config).await?;
            client.ask(json!({ "type": "hello", "token": token })).await?;
            let reply = client.ask(request).await;
            client.leave().await;
            reply
        })
    }
}

impl Connect {
    /// Sends a sound file; the daemon's answer names it as a recording.
    ///
    /// # Errors
    /// [`ClientError`]; what is wrong with the sound is a [`Refusal`].
    pub fn send_sound(&self, config: &Config, sound: &[u8]) -> Result<Value, ClientError> {
        let (url, token) = (self.address(config)?, self.token()?);
        block_on(upload::recording(&url, &token, sound, config))
    }

    /// Signs in, subscribes, and hands over every event until `wanted` says that it is enough.
    ///
    /// # Errors
    /// [`ClientError`], also when the daemon goes.
    pub fn listen(
        &self,
        config: &Config,
        topics: &[String],
        mut wanted: impl FnMut(&Value) -> bool,
    ) -> Result<(), ClientError> {
        let (url, token) = (self.address(config)?, self.token()?);
        block_on(async {
            let mut client = Client::connect(&url, config).await?;
            client.ask(json!({ "type": "hello", "token": token })).await?;
            client.ask(json!({ "type": "subscribe", "topics": topics })).await?;
            while wanted(&client.event().await?) {}
            client.leave().await;
            Ok(())
        })
    }
}

fn block_on<T>(work: impl Future<Output = Result<T, ClientError>>) -> Result<T, ClientError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|e| ClientError::Broken(e.to_string()))?.block_on(work)
}

/// The way from this machine to a listening address; one that means "all" is reached over the loopback.
fn address_of(listen: SocketAddr, tls: bool) -> String {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let scheme = if tls { "wss" } else { "ws" };
    format!("{scheme}://{}/ws", SocketAddr::new(ip, listen.port()))
}

/// TCP with or without TLS.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A connection to the daemon, before anything is said.
pub(super) async fn wire(place: &Place, config: &Config) -> std::io::Result<Box<dyn Wire>> {
    let stream = TcpStream::connect((place.host.as_str(), place.port)).await?;
    stream.set_nodelay(true)?;
    if !place.tls {
        return Ok(Box::new(stream));
    }
    let files = config.control.tls.as_ref();
    Ok(Box::new(trust::secured(stream, place, files.map(|files| files.cert.as_path())).await?))
}

/// One connection to the daemon.
pub struct Client {
    socket: WebSocketStream<Box<dyn Wire>>,
    req: u64,
}

impl Client {
    /// Over TLS it is the daemon only with the certificate of the config, or with one that the system trusts.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`].
    pub async fn connect(url: &str, config: &Config) -> Result<Self, ClientError> {
        let place = Place::of(url).ok_or_else(|| ClientError::Address(url.to_owned()))?;
        let unreachable = |why: String| ClientError::Unreachable { url: url.to_owned(), why };
        match tokio::time::timeout(PATIENCE, Self::reach(url, &place, config)).await {
            Ok(Ok(socket)) => Ok(Self { socket, req: 0 }),
            Ok(Err(SocketError::Http(answer))) => Err(unreachable(format!("HTTP {}", answer.status()))),
            Ok(Err(error)) => Err(unreachable(error.to_string())),
            Err(_) => Err(unreachable(format!("no answer within {} s", PATIENCE.as_secs()))),
        }
    }

    async fn reach(
        url: &str,
        place: &Place,
        config: &Config,
    ) -> Result<WebSocketStream<Box<dyn Wire>>, SocketError> {
        let limits =
            WebSocketConfig::default().max_message_size(Some(MESSAGE_MAX)).max_frame_size(Some(MESSAGE_MAX));
        let wire = wire(place, config).await?;
        Ok(client_async_with_config(url, wire, Some(limits)).await?.0)
    }

    /// Sends `request` and waits for its reply, passing over events.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with the daemon's words, or what broke.
    pub async fn ask(&mut self, mut request: Value) -> Result<Value, ClientError> {
        self.req += 1;
        request["req"] = self.req.into();
        let broken = |error: SocketError| ClientError::Broken(error.to_string());
        self.socket.send(Message::text(request.to_string())).await.map_err(broken)?;
        tokio::time::timeout(PATIENCE, self.reply()).await.unwrap_or(Err(ClientError::Late(PATIENCE)))
    }

    async fn reply(&mut self) -> Result<Value, ClientError> {
        let req = self.req;
        verdict(self.message(|message| message["re"] == req).await?)
    }

    /// The next event.
    ///
    /// # Errors
    /// [`ClientError::Broken`] when the daemon has gone.
    pub async fn event(&mut self) -> Result<Value, ClientError> {
        self.message(|message| message.get("event").is_some()).await
    }

    async fn message(&mut self, wanted: impl Fn(&Value) -> bool) -> Result<Value, ClientError> {
        while let Some(message) = self.socket.next().await {
            match message {
                Ok(Message::Text(text)) => {
                    let Ok(message) = serde_json::from_str::<Value>(&text) else { continue };
                    if wanted(&message) {
                        return Ok(message);
                    }
                }
                Ok(Message::Close(frame)) => {
                    let why = frame.map_or_else(String::new, |frame| frame.reason.to_string());
                    return Err(ClientError::Broken(format!("the daemon closed it: {why}")));
                }
                Ok(_) => {}
                Err(error) => return Err(ClientError::Broken(error.to_string())),
            }
        }
        Err(ClientError::Broken("the daemon has gone".to_owned()))
    }

    /// Ends it in order, within a second.
    pub async fn leave(mut self) {
        let goodbye = async {
            let _ = self.socket.close(None).await;
            while let Some(Ok(_)) = self.socket.next().await {}
        };
        let _ = tokio::time::timeout(Duration::from_secs(1), goodbye).await;
    }
}

pub(super) fn verdict(reply: Value) -> Result<Value, ClientError> {
    if reply["ok"] == true {
        return Ok(reply);
    }
    let error = &reply["error"];
    let text = |name: &str| error[name].as_str().map(str::to_owned);
    Err(ClientError::Refused(Refusal {
        code: text("code").unwrap_or_default(),
        message: text("message").unwrap_or_else(|| "no reason given".to_owned()),
        field: text("field"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_means_all_is_reached_over_the_loopback() {
        assert_eq!(address_of("0.0.0.0:8088".parse().unwrap(), false), "ws://127.0.0.1:8088/ws");
        assert_eq!(address_of("[::]:8088".parse().unwrap(), true), "wss://[::1]:8088/ws");
        assert_eq!(address_of("192.0.2.4:80".parse().unwrap(), false), "ws://192.0.2.4:80/ws");
    }

    #[test]
    fn a_command_without_a_token_or_with_a_strange_address_is_wrong() {
        let config = Config::default();
        let missing = Connect::default().ask(&config, json!({})).unwrap_err();
        assert!(matches!(missing, ClientError::NoToken));
        assert_eq!(missing.exit_code(), 2);
        let url = Some("http://127.0.0.1".to_owned());
        let strange = Connect { url, ..Connect::default() }.ask(&config, json!({})).unwrap_err();
        assert!(matches!(strange, ClientError::Address(_)));
    }

    #[test]
    fn the_exit_code_tells_a_wrong_command_from_a_token_without_the_right() {
        let refused = |code: &str| {
            let reply = json!({ "re": 1, "ok": false, "error": { "code": code, "message": "…" } });
            exit_code(&anyhow::Error::new(verdict(reply).unwrap_err()).context("calling A012"))
        };
        assert_eq!((refused("invalid"), refused("forbidden"), refused("stopping")), (2, 4, 1));
        assert_eq!(exit_code(&anyhow::anyhow!("something else")), 1);
    }
}
