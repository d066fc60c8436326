//! TLS from the command line to the daemon: whose certificate is believed.
//!
//! On the screen's own PC that is the very certificate in the config, whatever name it has and whoever signed it; from
//! elsewhere it is one that the system trusts for that name.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::control::tls::{chain, provider};

/// Where a `ws://` or `wss://` address leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub host: String,
    pub port: u16,
    pub tls: bool,
}

impl Place {
    /// None when it is no such address.
    pub fn of(url: &str) -> Option<Self> {
        let (tls, rest) = match url.split_once("://")? {
            ("ws", rest) => (false, rest),
            ("wss", rest) => (true, rest),
            _ => return None,
        };
        let authority = rest.split('/').next()?;
        let default = if tls { 443 } else { 80 };
        let (host, port) = match authority.rsplit_once(':') {
            // The last colon of a bare IPv6 address is inside its brackets.
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (authority, default),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        (!host.is_empty()).then_some(Self { host, port, tls })
    }
}

/// Shakes hands; `own` is the certificate file of the config.
///
/// # Errors
/// When nobody with a certificate that is believed answers.
pub async fn secured(
    stream: TcpStream,
    place: &Place,
    own: Option<&Path>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let wrong = |error: String| std::io::Error::new(std::io::ErrorKind::InvalidInput, error);
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(error.to_string()))?;
    let config = if let Some(path) = own {
        let own = chain(path).map_err(|error| wrong(error.to_string()))?.remove(0);
        let verifier = Arc::new(ThisOne { own, provider: provider() });
        builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
    } else {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        builder.with_root_certificates(roots).with_no_client_auth()
    };
    let name = ServerName::try_from(place.host.clone()).map_err(|error| wrong(error.to_string()))?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// Believes one certificate, and that its holder has the key.
#[derive(Debug)]
struct ThisOne {
    own: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for ThisOne {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _between: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *shown == self.own {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_cut_into_host_and_port() {
        let of = |url: &str| Place::of(url).map(|place| (place.host, place.port, place.tls));
        assert_eq!(of("ws://127.0.0.1:8088/ws"), Some(("127.0.0.1".into(), 8088, false)));
        assert_eq!(of("wss://[::1]:8088/ws"), Some(("::1".into(), 8088, true)));
        assert_eq!(of("wss://[::1]/ws"), Some(("::1".into(), 443, true)));
        assert_eq!(of("wss://sanh.example/ws"), Some(("sanh.example".into(), 443, true)));
        for wrong in ["http://127.0.0.1", "ws://", "ws://a:b/ws", "127.0.0.1:8088"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
