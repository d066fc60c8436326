//! The console's own certificate: read at the start, looked at again while the daemon runs, so that one that is renewed
//! needs no restart. Files that have become unusable keep the last good certificate in service.

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::SystemTime;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use crate::config::TlsConfig;

/// What is wrong with the files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{path} cannot be used: {why}")]
    File { path: PathBuf, why: String },
    #[error("certificate and key do not belong together, or the key is of an unknown kind: {0}")]
    Pair(String),
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

impl TlsError {
    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::File { .. } => {
                "control.tls.cert and control.tls.key must be PEM files that the daemon may read"
            }
            Self::Pair(_) => "control.tls.key must be the key of the first certificate in control.tls.cert",
            Self::Setup(_) => "report this with the log",
        }
    }
}

type Stamp = [Option<(SystemTime, u64)>; 2];

/// Answers every client with the certificate that was read last.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.read().ok().map(|key| Arc::clone(&key))
    }
}

/// The TLS side of the console's door.
pub struct Tls {
    files: TlsConfig,
    shown: Arc<Shown>,
    stamp: RwLock<Stamp>,
    acceptor: TlsAcceptor,
}

impl Tls {
    /// Reads certificate and key.
    ///
    /// # Errors
    /// [`TlsError`] when the door could not be opened with them.
    pub fn load(files: &TlsConfig) -> Result<Self, TlsError> {
        let stamp = stamp_of(files);
        let shown = Arc::new(Shown(RwLock::new(Arc::new(certified(files)?))));
        let setup = |error: rustls::Error| TlsError::Setup(error.to_string());
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(setup)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // A phone that asks every few seconds need not shake hands in full each time.
        config.ticketer = rustls::crypto::ring::Ticketer::new().map_err(setup)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Self { files: files.clone(), shown, stamp: RwLock::new(stamp), acceptor })
    }

    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// Reads the files again if they have changed. Blocks.
    pub fn refresh(&self) {
        let stamp = stamp_of(&self.files);
        if self.stamp.read().is_ok_and(|known| *known == stamp) {
            return;
        }
        match certified(&self.files) {
            Ok(key) => {
                if let Ok(mut shown) = self.shown.0.write() {
                    *shown = Arc::new(key);
                }
                tracing::info!(cert = %self.files.cert.display(), "the console has a new certificate");
            }
            Err(error) => tracing::warn!("the old certificate stays: {error}; {}", error.advice()),
        }
        if let Ok(mut known) = self.stamp.write() {
            *known = stamp;
        }
    }
}

/// What makes these files unusable, if anything does; reads them.
pub fn problem(files: &TlsConfig) -> Option<TlsError> {
    certified(files).err()
}

/// The certificates of a PEM file, the server's own first.
///
/// # Errors
/// [`TlsError::File`].
pub fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unusable = |why: String| TlsError::File { path: path.to_owned(), why };
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| unusable(error.to_string()))?;
    if found.is_empty() { Err(unusable("it has no certificate".to_owned())) } else { Ok(found) }
}

fn certified(files: &TlsConfig) -> Result<CertifiedKey, TlsError> {
    let chain = chain(&files.cert)?;
    let unusable = |error: rustls::pki_types::pem::Error| TlsError::File {
        path: files.key.clone(),
        why: error.to_string(),
    };
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(unusable)?;
    CertifiedKey::from_der(chain, key, &provider()).map_err(|error| TlsError::Pair(error.to_string()))
}

/// The one provider of the tree.
pub fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn stamp_of(files: &TlsConfig) -> Stamp {
    [&files.cert, &files.key].map(|path| {
        let about = std::fs::metadata(path).ok()?;
        Some((about.modified().ok()?, about.len()))
    })
}
