//! Who may do what: roles, tokens, and the sessions that come from one-time tokens.
//!
//! Memory and disk hold hashes, never tokens. Hashing runs off the async threads, two at a time, and once a token:
//! what has been verified is known again by its digest until the token file changes its mind.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, watch};

use crate::config::Config;
use crate::config::load::state_dir;

pub mod file;
pub mod token;

use file::{Record, Stamp, TokenFile};
use token::{Digest, Parts, digest};

/// What a token allows; each role may do all that the ones before it may.
#[derive(
    Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May subscribe.
    Viewer,
    /// Also notices and calls.
    Operator,
    /// Also commands to the screen.
    Technician,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Technician => "technician",
        }
    }

    /// The role in Vietnamese, as the page shows it.
    pub fn vietnamese(self) -> &'static str {
        match self {
            Self::Viewer => "người xem",
            Self::Operator => "nhân viên",
            Self::Technician => "kỹ thuật viên",
        }
    }
}

/// Somebody who has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub role: Role,
    /// Stands as the author of what they write.
    pub name: String,
    source: Source,
}

impl Grant {
    /// A grant that no file can take back, for tests of what a role may do.
    #[cfg(test)]
    pub fn for_test(role: Role) -> Self {
        Self { role, name: "Quầy hướng dẫn".to_owned(), source: Source::Memory }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    /// Stands as long as the file has this id with this hash.
    File { id: String, hash: String },
    /// Stands as long as the process.
    Memory,
}

/// A successful sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    pub grant: Grant,
    /// Given for a one-time token: what to sign in with from now on.
    pub session: Option<String>,
}

/// The token is unknown, revoked, used up or no token at all. Which one is nobody's business but the log's.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token is not valid")]
pub struct Refused;

/// Sessions from one-time tokens that are kept; the oldest goes first.
const SESSIONS: usize = 64;
/// Hashes computed at once, each with 19 MiB of memory.
const HASHING: usize = 2;

/// The door.
#[derive(Debug)]
pub struct Auth {
    file: Option<TokenFile>,
    known: Mutex<Known>,
    hashing: Semaphore,
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Known {
    stamp: Option<Stamp>,
    records: Vec<Record>,
    /// Token digest to the hash that it matched.
    verified: HashMap<Digest, String>,
    once: HashMap<Digest, Grant>,
    sessions: Vec<(Digest, Grant)>,
}

/// Where the tokens of this config lie.
pub fn tokens_path(config: &Config) -> PathBuf {
    config.control.tokens_file.clone().unwrap_or_else(|| state_dir(config).join("tokens.toml"))
}

impl Auth {
    /// Reads the token file, which need not exist.
    pub fn of(config: &Config) -> Self {
        Self::with_file(TokenFile::at(tokens_path(config)))
    }

    /// The same with a given file.
    pub fn with_file(file: TokenFile) -> Self {
        let auth = Self::made(Some(file));
        auth.refresh();
        auth
    }

    /// No file: only one-time tokens.
    pub fn in_memory() -> Self {
        Self::made(None)
    }

    fn made(file: Option<TokenFile>) -> Self {
        Self {
            file,
            known: Mutex::default(),
            hashing: Semaphore::new(HASHING),
            changes: watch::Sender::new(0),
        }
    }

    /// A token that works once and then becomes a session.
    pub fn one_time(&self, role: Role, name: &str) -> String {
        let token = token::join(token::ONCE, &token::new_secret());
        let grant = Grant { role, name: name.to_owned(), source: Source::Memory };
        self.known().once.insert(digest(&token), grant);
        token
    }

    /// Whether anybody can sign in at all.
    pub fn has_tokens(&self) -> bool {
        let known = self.known();
        !(known.records.is_empty() && known.once.is_empty() && known.sessions.is_empty())
    }

    /// Grows when the token file has changed; grants are to be checked again with [`Auth::stands`].
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Whether a grant still holds by what [`Auth::refresh`] has last read.
    pub fn stands(&self, grant: &Grant) -> bool {
        match &grant.source {
            Source::Memory => true,
            Source::File { id, hash } => self.known().records.iter().any(|r| r.id == *id && r.hash == *hash),
        }
    }

    /// Reads the file again if it has changed. Blocks; a damaged file keeps what was known.
    pub fn refresh(&self) {
        let Some(file) = &self.file else { return };
        let stamp = file.stamp();
        if self.known().stamp == stamp {
            return;
        }
        match file.load() {
            Ok(records) => {
                if file.is_open_to_others() {
                    tracing::warn!(path = %file.path().display(), "other users can read the token file; chmod 600 it");
                }
                self.take(stamp, records);
            }
            Err(error) => {
                tracing::warn!(%error, "the tokens stay as they were");
                self.known().stamp = stamp;
            }
        }
    }

    fn take(&self, stamp: Option<Stamp>, records: Vec<Record>) {
        {
            let mut known = self.known();
            known.verified.retain(|_, hash| records.iter().any(|r| r.hash == *hash));
            known.stamp = stamp;
            known.records = records;
        }
        self.changes.send_modify(|n| *n += 1);
    }

    /// Lets the bearer of `token` in, or not.
    ///
    /// # Errors
    /// [`Refused`], whatever is wrong with it.
    pub async fn verify(self: &Arc<Self>, token: &str) -> Result<Welcome, Refused> {
        let parts = token::parts(token).ok_or(Refused)?;
        match parts.id {
            token::ONCE => self.spend(digest(token)),
            token::SESSION => self.resume(digest(token)),
            _ => self.verify_kept(token, parts).await,
        }
    }

    /// The same for a request that stands alone: a one-time token is refused and not spent, for its bearer is still to
    /// sign in with it.
    ///
    /// # Errors
    /// [`Refused`], whatever is wrong with it.
    pub async fn recognise(self: &Arc<Self>, token: &str) -> Result<Grant, Refused> {
        if token::parts(token).is_none_or(|parts| parts.id == token::ONCE) {
            return Err(Refused);
        }
        self.verify(token).await.map(|welcome| welcome.grant)
    }

    fn spend(&self, digest_of_token: Digest) -> Result<Welcome, Refused> {
        let mut known = self.known();
        let grant = known.once.remove(&digest_of_token).ok_or(Refused)?;
        let session = token::join(token::SESSION, &token::new_secret());
        if known.sessions.len() >= SESSIONS {
            known.sessions.remove(0);
        }
        known.sessions.push((digest(&session), grant.clone()));
        Ok(Welcome { grant, session: Some(session) })
    }

    fn resume(&self, digest_of_token: Digest) -> Result<Welcome, Refused> {
        let known = self.known();
        let found = known.sessions.iter().find(|(digest, _)| *digest == digest_of_token);
        found.map(|(_, grant)| Welcome { grant: grant.clone(), session: None }).ok_or(Refused)
    }

    async fn verify_kept(self: &Arc<Self>, token: &str, parts: Parts<'_>) -> Result<Welcome, Refused> {
        let _turn = self.hashing.acquire().await.map_err(|_| Refused)?;
        let (auth, id) = (Arc::clone(self), parts.id.to_owned());
        let (secret, digest) = (parts.secret.to_owned(), digest(token));
        let checked = tokio::task::spawn_blocking(move || auth.check(&id, &secret, digest));
        checked.await.unwrap_or(Err(Refused))
    }

    /// Blocks for as long as a hash takes, when the token has not been seen before.
    fn check(&self, id: &str, secret: &str, digest: Digest) -> Result<Welcome, Refused> {
        self.refresh();
        let (record, verified) = {
            let known = self.known();
            let record = known.records.iter().find(|r| r.id == id).cloned().ok_or(Refused)?;
            let verified = known.verified.get(&digest).is_some_and(|hash| *hash == record.hash);
            (record, verified)
        };
        if !verified {
            if !record.matches(secret) {
                return Err(Refused);
            }
            self.known().verified.insert(digest, record.hash.clone());
        }
        let source = Source::File { id: record.id, hash: record.hash };
        Ok(Welcome { grant: Grant { role: record.role, name: record.name, source }, session: None })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("nothing panics while it holds the tokens")
    }
}

#[cfg(test)]
mod tests;
