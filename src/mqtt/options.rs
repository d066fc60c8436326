//! From the config to the client's options, read anew before each connect: password and certificates may have changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rumqttc::{LastWill, MqttOptions, QoS, TlsConfiguration, Transport};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::problem::LinkError;
use crate::config::{BrokerAddress, Config};

/// The part of the config that a connection needs.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub client_id: String,
    pub keep_alive: Duration,
    username: Option<String>,
    password: Option<String>,
    password_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    cert_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
}

/// The last will: what the broker publishes, retained, when this screen vanishes.
#[derive(Clone, Debug)]
pub(super) struct Will {
    pub topic: String,
    pub payload: Vec<u8>,
}

impl Settings {
    pub fn of(config: &Config) -> Self {
        let mqtt = &config.mqtt;
        Self {
            client_id: config.client_id(),
            keep_alive: mqtt.keep_alive.to_duration().max(Duration::from_secs(1)),
            username: mqtt.username.clone(),
            password: mqtt.password.clone(),
            password_file: mqtt.password_file.clone(),
            ca_file: mqtt.ca_file.clone(),
            cert_file: mqtt.cert_file.clone(),
            key_file: mqtt.key_file.clone(),
        }
    }

    /// Reads files; call it where blocking is allowed.
    ///
    /// # Errors
    /// A file that cannot be read or used.
    pub fn options(
        &self,
        broker: &BrokerAddress,
        will: Will,
        packet_max: usize,
    ) -> Result<MqttOptions, LinkError> {
        let mut options = MqttOptions::new(&self.client_id, &broker.host, broker.port);
        options
            .set_keep_alive(self.keep_alive)
            .set_clean_session(false)
            .set_manual_acks(true)
            .set_max_packet_size(packet_max, packet_max)
            .set_last_will(LastWill::new(will.topic, will.payload, QoS::AtLeastOnce, true));
        if let Some(username) = &self.username {
            options.set_credentials(username, self.password()?);
        }
        if broker.tls {
            let tls = TlsConfiguration::Rustls(Arc::new(self.tls()?));
            options.set_transport(Transport::tls_with_config(tls));
        }
        Ok(options)
    }

    /// Everything that [`Settings::options`] would stop at, one by one.
    pub fn problems(&self, tls: bool) -> Vec<LinkError> {
        let mut problems: Vec<LinkError> = self.password().err().into_iter().collect();
        if tls {
            problems.extend(self.roots().err());
            let own = self.cert_file.as_deref().map(certificates).and_then(Result::err);
            let key = self.key_file.as_deref().map(key).and_then(Result::err);
            problems.extend(own.into_iter().chain(key));
            if problems.is_empty() {
                problems.extend(self.tls().err());
            }
        }
        problems
    }

    fn password(&self) -> Result<String, LinkError> {
        match (&self.password, &self.password_file) {
            (Some(password), _) => Ok(password.clone()),
            (None, None) => Ok(String::new()),
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path).map_err(|e| unusable(path, &e))?;
                Ok(text.trim_end_matches(['\r', '\n']).to_owned())
            }
        }
    }

    fn tls(&self) -> Result<ClientConfig, LinkError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| LinkError::Tls(e.to_string()))?
            .with_root_certificates(self.roots()?);
        let (Some(cert), Some(key)) = (&self.cert_file, &self.key_file) else {
            return Ok(builder.with_no_client_auth());
        };
        let chain = certificates(cert)?;
        let authenticated = builder.with_client_auth_cert(chain, self::key(key)?);
        authenticated.map_err(|e| LinkError::Certificate(e.to_string()))
    }

    /// The CA file alone when there is one; else what the system trusts.
    fn roots(&self) -> Result<RootCertStore, LinkError> {
        let mut roots = RootCertStore::empty();
        let Some(path) = &self.ca_file else {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            return if roots.is_empty() {
                Err(LinkError::Tls("this system has no trusted certificates; set mqtt.ca_file".into()))
            } else {
                Ok(roots)
            };
        };
        for certificate in certificates(path)? {
            roots.add(certificate).map_err(|e| unusable(path, &e))?;
        }
        Ok(roots)
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, LinkError> {
    let found: Vec<_> =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|e| unusable(path, &e))?;
    if found.is_empty() { Err(unusable(path, &"it has no certificate")) } else { Ok(found) }
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, LinkError> {
    PrivateKeyDer::from_pem_file(path).map_err(|e| unusable(path, &e))
}

fn unusable(path: &Path, why: &dyn std::fmt::Display) -> LinkError {
    LinkError::File { path: path.to_owned(), why: why.to_string() }
}
