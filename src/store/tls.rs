//! TLS: what it is set to, and what its failures mean to whoever has to mend them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, RootCertStore,
    SignatureScheme, StreamOwned,
};

use super::address::Node;
use super::dial::{waited_in_vain, was_interrupted};
use super::error::INTERRUPTED;
use super::timed::TimedStream;
use super::{Class, StoreError};
use crate::regular;

/// More than this is not a file of certificates.
const LARGEST_PEM: u64 = 4 * 1024 * 1024;

/// What TLS is set to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// PEM file of the authorities to trust; the system's if there is none.
    pub ca: Option<PathBuf>,
    /// PEM file of the certificate to show to the server, with those between it and its
    /// authority.
    pub cert: Option<PathBuf>,
    /// PEM file of the private key of `cert`.
    pub key: Option<PathBuf>,
    /// The name that the server's certificate has to bear, in place of the host's.
    pub server_name: Option<String>,
}

impl TlsSettings {
    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The settings, loaded.
#[derive(Clone, Debug)]
pub struct Tls {
    config: Arc<ClientConfig>,
    settings: TlsSettings,
    name: Option<ServerName<'static>>,
    /// Whether a server asked for a certificate that we do not have.
    asked: Arc<AtomicBool>,
    hides_paths: bool,
}

/// A class of failure and its text.
type TlsFailure = (Class, String);

impl Tls {
    /// Reads the files of `settings`.
    ///
    /// # Errors
    /// `Config` when a file cannot be read, or is not what it should be.
    pub fn load(settings: &TlsSettings) -> Result<Self, StoreError> {
        let failed = |detail: String| StoreError::new(Class::Config, "preparing TLS", detail);
        let name = match &settings.server_name {
            None => None,
            Some(name) => Some(ServerName::try_from(name.clone()).map_err(|_| {
                failed("expected a host name or an IP address as --tls-server-name".to_owned())
            })?),
        };
        let roots = match &settings.ca {
            Some(path) => authorities(path),
            None => {
                system_roots().map_err(|why| format!("{why}; name the authority's with --tls-ca"))
            }
        };
        // Named here, so that nothing else in the process decides on it.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(error.to_string()))?
            .with_root_certificates(roots.map_err(failed)?);
        let asked = Arc::new(AtomicBool::new(false));
        let config = match (&settings.cert, &settings.key) {
            (Some(cert), Some(key)) => {
                let (chain, secret) = (certificates(cert), private_key(key));
                builder
                    .with_client_auth_cert(chain.map_err(failed)?, secret.map_err(failed)?)
                    .map_err(|error| {
                        failed(format!(
                            "expected the certificate in {} and its own key in {}: {error}",
                            cert.display(),
                            key.display()
                        ))
                    })?
            }
            (None, None) => {
                let resolver = NoCertificate(Arc::clone(&asked));
                builder.with_client_cert_resolver(Arc::new(resolver))
            }
            _ => {
                let detail = "expected --tls-cert and --tls-key together, found one of them";
                return Err(failed(detail.to_owned()));
            }
        };
        Ok(Self {
            config: Arc::new(config),
            settings: settings.clone(),
            name,
            asked,
            hides_paths: false,
        })
    }

    /// The same, with failures that name no path of this machine.
    #[cfg(feature = "serve")]
    pub(super) fn without_paths(&self) -> Self {
        Self {
            hides_paths: true,
            ..self.clone()
        }
    }

    /// For connections that somebody else makes.
    #[cfg(feature = "serve")]
    pub(super) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// The name that the certificate of `node` has to bear.
    pub(super) fn name(&self, node: &Node) -> Result<ServerName<'static>, TlsFailure> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        ServerName::try_from(node.host.clone()).map_err(|_| {
            let detail = "this host name cannot appear in a certificate; use --tls-server-name";
            (Class::Config, detail.to_owned())
        })
    }

    /// Begins TLS on `stream`, within its limit in all.
    pub(super) fn secure(
        &self,
        stream: TimedStream,
        node: &Node,
    ) -> Result<StreamOwned<ClientConnection, TimedStream>, TlsFailure> {
        let connection = ClientConnection::new(Arc::clone(&self.config), self.name(node)?)
            .map_err(|error| (Class::Config, error.to_string()))?;
        let mut secure = StreamOwned::new(connection, stream);
        while secure.conn.is_handshaking() {
            let done = secure.conn.complete_io(&mut secure.sock);
            done.map_err(|error| self.explain(&error, node))?;
        }
        Ok(secure)
    }

    /// What a failure of a connection with TLS asks for, and its text.
    pub(super) fn explain(&self, error: &io::Error, node: &Node) -> TlsFailure {
        if was_interrupted(error) {
            return (Class::Interrupted, INTERRUPTED.to_owned());
        }
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        match inner {
            Some(rustls::Error::InvalidCertificate(error)) => {
                (Class::Config, self.certificate(error, node))
            }
            Some(rustls::Error::InvalidMessage(_)) => (
                Class::Config,
                "the server's answer is not TLS; expected one that speaks TLS: if it does not, \
                 its address begins with redis, not rediss"
                    .to_owned(),
            ),
            Some(rustls::Error::AlertReceived(alert)) => self.alert(*alert),
            Some(error) => (Class::Config, format!("TLS: {error}")),
            None if waited_in_vain(error) => (
                Class::FindAgain,
                "no answer within the time-out; if the server speaks no TLS, its address begins \
                 with redis, not rediss"
                    .to_owned(),
            ),
            // The alert that says so is lost where more was sent meanwhile.
            None if self.asked.load(Ordering::Relaxed) => self.wants_certificate(),
            None => (Class::FindAgain, error.to_string()),
        }
    }

    fn wants_certificate(&self) -> TlsFailure {
        let detail = "the server wants a client certificate: --tls-cert, --tls-key";
        (Class::Config, detail.to_owned())
    }

    /// What the server holds against us.
    fn alert(&self, alert: AlertDescription) -> TlsFailure {
        match &self.settings.cert {
            None if self.asked.load(Ordering::Relaxed) => self.wants_certificate(),
            Some(path)
                if matches!(
                    alert,
                    AlertDescription::BadCertificate
                        | AlertDescription::UnsupportedCertificate
                        | AlertDescription::CertificateRevoked
                        | AlertDescription::CertificateExpired
                        | AlertDescription::CertificateUnknown
                        | AlertDescription::CertificateRequired
                        | AlertDescription::UnknownCA
                        | AlertDescription::DecryptError
                ) =>
            {
                let shown = self.shown(path, "that of --tls-cert");
                let detail =
                    format!("the server refuses the client certificate, {shown}: {alert:?}");
                (Class::Config, detail)
            }
            _ => (
                Class::Config,
                format!("the server refuses the TLS connection: {alert:?}"),
            ),
        }
    }

    /// What is wrong with the server's certificate.
    fn certificate(&self, error: &CertificateError, node: &Node) -> String {
        match error {
            CertificateError::NotValidForNameContext { presented, .. } => {
                let names: Vec<&str> = presented.iter().map(|name| bare(name)).collect();
                let names = match names.as_slice() {
                    [] => "no name at all".to_owned(),
                    names => names.join(", "),
                };
                let expected = match &self.name {
                    Some(name) => name.to_str().into_owned(),
                    None => node.host.clone(),
                };
                format!(
                    "the server's certificate is for {names}, expected a name matching \
                     {expected}; if it is the right server, name it with --tls-server-name"
                )
            }
            CertificateError::UnknownIssuer => {
                let who = match &self.settings.ca {
                    Some(path) => self.shown(path, "the file of --tls-ca"),
                    None => "this system".to_owned(),
                };
                format!(
                    "the server's certificate is signed by an authority that {who} does not \
                     hold; expected one of those, or its file with --tls-ca"
                )
            }
            CertificateError::ExpiredContext { not_after, .. } => format!(
                "the server's certificate expired on {}; expected one that is valid now",
                date(*not_after)
            ),
            CertificateError::NotValidYetContext { not_before, .. } => format!(
                "the server's certificate is valid from {} on; expected one that is valid now",
                date(*not_before)
            ),
            CertificateError::Expired | CertificateError::NotValidYet => {
                "the server's certificate is not valid now; expected one that is".to_owned()
            }
            // The error within is of a type that the library does not show.
            other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
                "the server's certificate is that of an authority (CA:TRUE); expected one of its \
                 own that an authority has signed, and the authority's with --tls-ca"
                    .to_owned()
            }
            other => format!("the server's certificate cannot be trusted: {other}"),
        }
    }

    fn shown(&self, path: &Path, otherwise: &str) -> String {
        if self.hides_paths {
            otherwise.to_owned()
        } else {
            path.display().to_string()
        }
    }
}

/// Notes that a certificate was asked for: a server may end the connection without a word.
#[derive(Debug)]
struct NoCertificate(Arc<AtomicBool>);

impl ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// `cache.example` of `DnsName("cache.example")`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').map_or(name, |(_, inner)| inner);
    inner.trim_end_matches(')').trim_matches('"')
}

/// The second of a certificate's limit, in UTC.
fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or("a far day".to_owned(), |time| time.to_string())
}

/// Reads a regular file: a FIFO would be waited for.
fn read(path: &Path) -> Result<Vec<u8>, pem::Error> {
    regular::read(path, LARGEST_PEM).map_err(pem::Error::Io)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = path.display();
    let found = read(path)
        .and_then(|text| CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>())
        .map_err(|error| match error {
            pem::Error::MissingSectionEnd { .. } => {
                format!("the last certificate in {shown} has no end: the file is cut off")
            }
            error => format!("cannot read certificates in {shown}: {error}"),
        })?;
    if found.is_empty() {
        return Err(format!(
            "expected certificates (PEM) in {shown}, found none"
        ));
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let key = read(path).and_then(|text| PrivateKeyDer::from_pem_slice(&text));
    key.map_err(|error| {
        let shown = path.display();
        let what = format!("expected a private key (PEM, not encrypted) in {shown}");
        match error {
            pem::Error::MissingSectionEnd { .. } => {
                format!("{what}: it has no end, the file is cut off")
            }
            error => format!("{what}: {error}"),
        }
    })
}

fn authorities(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| {
            let shown = path.display();
            format!("expected certificates of authorities in {shown}: {error}")
        })?;
    }
    Ok(roots)
}

/// The authorities that this system trusts.
///
/// # Errors
/// One sentence: there are none.
pub fn system_roots() -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(system_certificates()?);
    match added {
        0 => Err(format!("{NOTHING_TRUSTED} that can be read")),
        _ => Ok(roots),
    }
}

const NOTHING_TRUSTED: &str = "this system has no certificates to trust";

/// The certificates of the authorities that this system trusts.
///
/// # Errors
/// One sentence: there are none.
pub fn system_certificates() -> Result<Vec<CertificateDer<'static>>, String> {
    let found = rustls_native_certs::load_native_certs();
    if !found.certs.is_empty() {
        return Ok(found.certs);
    }
    let why = found.errors.first().map(|error| format!(": {error}"));
    Err(format!("{NOTHING_TRUSTED}{}", why.unwrap_or_default()))
}

#[cfg(all(test, feature = "serve"))]
mod tests {
    use std::io;

    use rustls::CertificateError;

    use super::{Tls, TlsSettings};
    use crate::store::{Class, Node};

    #[test]
    fn what_readers_are_told_names_no_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let named = vec!["localhost".to_owned()];
        let made = rcgen::generate_simple_self_signed(named).unwrap();
        std::fs::write(&path, made.cert.pem()).unwrap();
        let tls = Tls::load(&TlsSettings {
            ca: Some(path.clone()),
            ..TlsSettings::default()
        });
        let tls = tls.unwrap();
        let error = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let error = io::Error::new(io::ErrorKind::InvalidData, error);
        let node = Node::new("localhost", 6379);
        let shown = path.to_str().unwrap();
        let (class, text) = tls.explain(&error, &node);
        assert_eq!(class, Class::Config);
        assert!(text.contains(shown), "{text}");
        let (_, text) = tls.without_paths().explain(&error, &node);
        assert!(!text.contains(shown) && text.contains("--tls-ca"), "{text}");
    }
}
