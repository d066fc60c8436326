//! The token file: who may sign in, with which role, and the hash of the secret. It never holds a token.
//!
//! It is written whole beside itself and renamed, readable by its owner alone, under a lock, so that two commands at
//! once lose nothing and the running daemon never reads half of it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Role, token};
use crate::board::call::{WordError, clean};

/// Longest name of a token, in characters.
const NAME_MAX: usize = 60;

#[derive(Debug, Error)]
pub enum TokenFileError {
    #[error("cannot use the token file {path}: {why}")]
    Io { path: PathBuf, why: io::Error },
    #[error("the token file {path} is damaged: {why}")]
    Damaged { path: PathBuf, why: String },
    #[error("the name {0}")]
    Name(WordError),
    #[error("there is no token {0}; `moiso token list` shows them")]
    Unknown(String),
    #[error("the secret cannot be hashed: {0}")]
    Hash(argon2::password_hash::Error),
}

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub id: String,
    pub name: String,
    pub role: Role,
    /// argon2id, with its parameters and salt.
    pub hash: String,
    /// RFC 3339.
    pub created: String,
}

impl Record {
    /// Whether `secret` is the one that was hashed. Takes tens of milliseconds on purpose.
    pub fn matches(&self, secret: &str) -> bool {
        PasswordHash::new(&self.hash)
            .is_ok_and(|hash| Argon2::default().verify_password(secret.as_bytes(), &hash).is_ok())
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Contents {
    #[serde(default)]
    token: Vec<Record>,
}

/// What changes when the file does.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    inode: u64,
    size: u64,
    seconds: i64,
    nanoseconds: i64,
}

/// The file at one path; it need not exist yet.
#[derive(Clone, Debug)]
pub struct TokenFile {
    path: PathBuf,
}

impl TokenFile {
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// None while there is no file.
    pub fn stamp(&self) -> Option<Stamp> {
        let m = fs::metadata(&self.path).ok()?;
        Some(Stamp { inode: m.ino(), size: m.size(), seconds: m.mtime(), nanoseconds: m.mtime_nsec() })
    }

    /// Whether somebody besides the owner can read the file.
    pub fn is_open_to_others(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|m| m.mode() & 0o077 != 0)
    }

    /// All records; none while there is no file.
    ///
    /// # Errors
    /// [`TokenFileError::Io`] and [`TokenFileError::Damaged`].
    pub fn load(&self) -> Result<Vec<Record>, TokenFileError> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(why) => return Err(self.io(why)),
        };
        let contents: Contents = toml::from_str(&text)
            .map_err(|e| TokenFileError::Damaged { path: self.path.clone(), why: e.message().to_owned() })?;
        Ok(contents.token)
    }

    /// Makes a token and returns its record with the token itself, which is written nowhere.
    ///
    /// # Errors
    /// [`TokenFileError`] when the name cannot be shown or the file cannot be written.
    pub fn add(
        &self,
        role: Role,
        name: &str,
        created: Timestamp,
    ) -> Result<(Record, String), TokenFileError> {
        let name = clean(name, NAME_MAX).map_err(TokenFileError::Name)?;
        let secret = token::new_secret();
        let hash: PasswordHash =
            Argon2::default().hash_password(secret.as_bytes()).map_err(TokenFileError::Hash)?;
        let record =
            Record { id: token::new_id(), name, role, hash: hash.to_string(), created: created.to_string() };
        self.change(|records| {
            records.push(record.clone());
            Ok(())
        })?;
        let token = token::join(&record.id, &secret);
        Ok((record, token))
    }

    /// Takes a token away and returns what it was.
    ///
    /// # Errors
    /// [`TokenFileError::Unknown`] when there is none of that id.
    pub fn revoke(&self, id: &str) -> Result<Record, TokenFileError> {
        self.change(|records| {
            let at = records.iter().position(|r| r.id == id);
            at.map(|at| records.remove(at)).ok_or_else(|| TokenFileError::Unknown(id.to_owned()))
        })
    }

    fn change<T>(
        &self,
        edit: impl FnOnce(&mut Vec<Record>) -> Result<T, TokenFileError>,
    ) -> Result<T, TokenFileError> {
        let folder = self.path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(|e| self.io(e))?;
        let lock = self.beside("lock").map_err(|e| self.io(e))?.0;
        lock.lock().map_err(|e| self.io(e))?;
        let mut records = self.load()?;
        let out = edit(&mut records)?;
        self.store(folder, records).map_err(|e| self.io(e))?;
        Ok(out)
    }

    fn store(&self, folder: &Path, records: Vec<Record>) -> io::Result<()> {
        let text = toml::to_string(&Contents { token: records }).map_err(io::Error::other)?;
        let (mut file, path) = self.beside("new")?;
        file.set_len(0)?;
        file.write_all(text.as_bytes())?;
        // Written by the administrator, read by the service: the file belongs to whom the folder belongs to.
        let (owner, mine) = (fs::metadata(folder)?, file.metadata()?);
        if owner.uid() != mine.uid() {
            chown(&path, Some(owner.uid()), Some(owner.gid()))?;
        }
        file.sync_all()?;
        fs::rename(path, &self.path)
    }

    fn beside(&self, ending: &str) -> io::Result<(File, PathBuf)> {
        let mut path = self.path.clone().into_os_string();
        path.push(".");
        path.push(ending);
        let path = PathBuf::from(path);
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        Ok((file, path))
    }

    fn io(&self, why: io::Error) -> TokenFileError {
        TokenFileError::Io { path: self.path.clone(), why }
    }
}
