//! Sends requests: at a bounded rate, with time-outs, and again after failures that may pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::Agent;
use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::request::Request;
use super::secrets::{Environment, Secrets};
use super::target::{PurgeTarget, Service};
use crate::characters::in_one_line;
use crate::store::system_certificates;

/// No wait between two attempts is longer, whatever a server asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// One target is purged for no longer; what is left stays owed. A timer that starts anp again waits for it.
const LONGEST_PURGE: Duration = Duration::from_secs(30 * 60);
/// Characters of what is said of a failure.
const SHOWN_CHARACTERS: usize = 240;
/// The first wait; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// How often a wait looks for a signal.
const STEP: Duration = Duration::from_millis(50);
/// More of an answer is not read.
const LARGEST_ANSWER: u64 = 64 * 1024;

/// Why a request was not answered as it should be.
#[derive(Debug, PartialEq, Eq)]
pub enum Failed {
    /// A signal ended the wait.
    Interrupted,
    /// The target does not want this request, and may want others. What a person needs to know; no secret is
    /// in it.
    Refused(String),
    /// The target takes no requests now, for the same.
    Away(String),
}

/// The failure of one attempt.
struct Attempt {
    what: String,
    /// Whether another attempt may succeed, and how long the server asks to wait before it.
    again: Option<Option<Duration>>,
}

/// Sends the requests of one target.
pub struct Sender<'a> {
    agent: Agent,
    target: &'a PurgeTarget,
    environment: Environment<'a>,
    secrets: Secrets,
    stop: &'a AtomicBool,
    /// Nothing is sent before.
    next: Instant,
    /// Nothing is sent after.
    until: Instant,
}

impl<'a> Sender<'a> {
    /// Of `target`; ends when `stop` is set.
    ///
    /// # Errors
    /// One sentence: the system has no certificates to trust.
    pub fn new(
        target: &'a PurgeTarget,
        environment: Environment<'a>,
        stop: &'a AtomicBool,
    ) -> Result<Self, String> {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .timeout_global(Some(target.timeout))
            .user_agent(concat!("anp/", env!("CARGO_PKG_VERSION")));
        if matches!(target.service, Service::Varnish | Service::Nginx) {
            // A cache next to the store: a proxy of the environment is for other networks.
            config = config.proxy(None);
        }
        config = config.tls_config(tls(target.url.starts_with("https://"))?);
        Ok(Self {
            agent: config.build().new_agent(),
            target,
            environment,
            secrets: Secrets::default(),
            stop,
            next: Instant::now(),
            until: Instant::now() + LONGEST_PURGE,
        })
    }

    /// Sends one request until it is answered as it should be, or no attempt is left.
    ///
    /// # Errors
    /// See [`Failed`].
    pub fn send(&mut self, request: &Request) -> Result<(), Failed> {
        let mut wait = FIRST_WAIT;
        for attempt in 0.. {
            self.wait_until(self.next)?;
            if Instant::now() >= self.until {
                let minutes = LONGEST_PURGE.as_secs() / 60;
                return Err(Failed::Away(format!(
                    "it took more than {minutes} minutes; the rest is sent at the next attempt"
                )));
            }
            self.next = Instant::now() + Duration::from_secs(1) / self.target.rate.max(1);
            let Attempt { what, again } = match self.attempt(request) {
                Ok(()) => return Ok(()),
                Err(failed) => failed,
            };
            // Only a whole secret is found: first hide, then cut.
            let what = short(&self.secrets.hide(&what));
            let Some(asked) = again else {
                return Err(Failed::Refused(what));
            };
            let pause = asked.unwrap_or(wait);
            if pause > LONGEST_WAIT {
                let seconds = pause.as_secs();
                return Err(Failed::Away(format!(
                    "{what}; it asks to wait for {seconds} s"
                )));
            }
            if attempt >= self.target.retries {
                return Err(Failed::Away(match attempt {
                    0 => what,
                    _ => format!("{what} ({} attempts)", attempt + 1),
                }));
            }
            self.wait_until(Instant::now() + pause)?;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        Ok(())
    }

    fn wait_until(&self, until: Instant) -> Result<(), Failed> {
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Failed::Interrupted);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(STEP));
        }
    }

    fn attempt(&mut self, request: &Request) -> Result<(), Attempt> {
        let for_good = |what: String| Attempt { what, again: None };
        let url = self.secrets.fill(&request.url, self.environment);
        let mut built = ureq::http::Request::builder()
            .method(request.method.as_str())
            .uri(url.map_err(for_good)?);
        if let Some(host) = &request.host {
            built = built.header("Host", host);
        }
        for (name, value) in &request.headers {
            let value = self.secrets.fill(value, self.environment);
            built = built.header(name, value.map_err(for_good)?);
        }
        let body = match &request.body {
            Some(body) => Some(
                self.secrets
                    .fill(body, self.environment)
                    .map_err(for_good)?,
            ),
            None => None,
        };
        let built = built.body(body.unwrap_or_default());
        let built = built.map_err(|error| for_good(error.to_string()))?;
        let answer = self.agent.run(built).map_err(|error| Attempt {
            again: may_pass(&error).then_some(None),
            what: error.to_string(),
        })?;
        judge(&self.target.service, answer)
    }
}

/// Whether the error is one of the network, and not of the request.
fn may_pass(error: &ureq::Error) -> bool {
    !matches!(
        error,
        ureq::Error::Http(_)
            | ureq::Error::BadUri(_)
            | ureq::Error::Tls(_)
            | ureq::Error::Rustls(_)
    )
}

/// What an answer means, by the documentation of each service.
fn judge(service: &Service, mut answer: Response<ureq::Body>) -> Result<(), Attempt> {
    let status = answer.status();
    let asked = answer.headers().get("Retry-After").and_then(|value| {
        let text = value.to_str().ok()?;
        wait_of(text, jiff::Timestamp::now())
    });
    let body = answer.body_mut().with_config().limit(LARGEST_ANSWER);
    let body: Value = body
        .read_to_vec()
        .ok()
        .and_then(|body| serde_json::from_slice(&body).ok())
        .unwrap_or_default();
    let is_good = match service {
        // The module answers so if it holds no copy.
        Service::Nginx if matches!(status.as_u16(), 404 | 412) => true,
        Service::Cloudflare { .. } => status.is_success() && body["success"] == true,
        _ => status.is_success(),
    };
    if is_good {
        return Ok(());
    }
    let said = [&body["errors"][0]["message"], &body["msg"], &body["error"]];
    let said = said.iter().find_map(|text| text.as_str());
    let said = said.map_or(String::new(), |said| format!(": {said}"));
    let may_pass = status.as_u16() == 429 || status.as_u16() == 408 || status.is_server_error();
    Err(Attempt {
        what: format!("it answered {}{said}", status.as_u16()),
        again: may_pass.then_some(asked),
    })
}

/// A text of a server as a part of a message.
fn short(text: &str) -> String {
    in_one_line(text).chars().take(SHOWN_CHARACTERS).collect()
}

/// The wait that `Retry-After` asks for: seconds, or a date (RFC 9110, 10.2.3).
fn wait_of(text: &str, now: jiff::Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp();
    Duration::try_from(at.duration_since(now)).ok()
}

/// Without certificates, a target that `needs_tls` cannot be asked. Others may still be behind a proxy, or have
/// another URL for everything.
fn tls(needs_tls: bool) -> Result<TlsConfig, String> {
    let certificates = match system_certificates() {
        Err(problem) if needs_tls => return Err(problem),
        found => found.unwrap_or_default(),
    };
    let certificates = certificates
        .iter()
        .map(|certificate| Certificate::from_der(certificate).to_owned());
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::from(certificates.collect::<Vec<_>>()))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build())
}

#[cfg(test)]
mod tests {
    use super::wait_of;

    #[test]
    fn a_wait_is_in_seconds_or_until_a_date() {
        let now = "2026-12-01T08:00:00Z".parse().unwrap();
        let seconds = |text: &str| wait_of(text, now).map(|wait| wait.as_secs());
        assert_eq!(seconds("7"), Some(7));
        assert_eq!(seconds("Tue, 01 Dec 2026 08:01:30 GMT"), Some(90));
        assert_eq!(seconds("Tue, 01 Dec 2026 07:59:00 GMT"), None);
        for text in ["", "soon", "-1", "1.5"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
