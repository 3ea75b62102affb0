//! One route or file as a visitor would ask for it, again and again: the exchanges that the checks judge.

use super::client::{Answer, Client, Request};
use super::subject::Subject;
use super::wire::Trouble;

/// What became of one request; none if it was not sent.
pub type Exchange = Option<Result<Answer, Trouble>>;

/// An entity tag that no page has.
pub(super) const OTHER_ETAG: &str = "\"anp-probe-another-tag\"";

/// The exchanges with one route, in the order in which they were made.
#[derive(Clone, Debug, Default)]
pub struct Visit {
    /// A plain GET.
    pub first: Exchange,
    /// The same again.
    pub second: Exchange,
    /// With the ETag of the first in If-None-Match.
    pub same_etag: Exchange,
    /// With another ETag there.
    pub other_etag: Exchange,
    /// A HEAD.
    pub head: Exchange,
    /// A GET that takes gzip and brotli.
    pub coded: Exchange,
    /// A GET with a login cookie.
    pub login: Exchange,
    /// The plain GET after that.
    pub after: Exchange,
}

/// Asks for `path`, where the store has `bytes` of the page or file `subject`, if it has some. What has no
/// good first answer is not asked again: nothing could be said of the rest. Where the store has no bytes, as
/// for a redirect, the first answer is all that counts. A file may be large, and is sent once.
///
/// # Errors
/// [`Trouble::Interrupted`]; any other trouble is a part of the visit.
pub fn visit(
    client: &mut Client,
    subject: Subject<'_>,
    path: &str,
    bytes: Option<&[u8]>,
    login_cookie: &str,
) -> Result<Visit, Trouble> {
    let mut ask = |method: &str, header: Option<(&str, &str)>, to_the_end: bool| {
        exchange(client, path, bytes, method, header, to_the_end)
    };
    let mut visit = Visit {
        first: ask("GET", None, false)?,
        ..Visit::default()
    };
    if bytes.is_none() || !visit.is_good() {
        return Ok(visit);
    }
    let is_file = matches!(subject, Subject::File(_));
    if !is_file {
        visit.second = ask("GET", None, false)?;
    }
    if let Some(etag) = visit.etag() {
        visit.same_etag = ask("GET", Some(("If-None-Match", &etag)), true)?;
    }
    if !is_file {
        visit.other_etag = ask("GET", Some(("If-None-Match", OTHER_ETAG)), false)?;
    }
    visit.head = ask("HEAD", None, true)?;
    if !is_file {
        visit.coded = ask("GET", Some(("Accept-Encoding", "gzip, br")), false)?;
        visit.login = ask("GET", Some(("Cookie", login_cookie)), false)?;
        visit.after = ask("GET", None, false)?;
    }
    Ok(visit)
}

impl Visit {
    /// Whether the first answer is 200, and whole.
    fn is_good(&self) -> bool {
        let first = self.first.as_ref().and_then(|first| first.as_ref().ok());
        first.is_some_and(|first| first.head.status == 200 && first.body.is_ok())
    }

    /// The entity tag of the first answer.
    fn etag(&self) -> Option<String> {
        let first = self.first.as_ref()?.as_ref().ok()?;
        Some(first.head.etag()?.to_string())
    }
}

/// One request and what became of it.
fn exchange(
    client: &mut Client,
    path: &str,
    page: Option<&[u8]>,
    method: &str,
    header: Option<(&str, &str)>,
    to_the_end: bool,
) -> Result<Exchange, Trouble> {
    let plain = [("Accept-Encoding", "identity")];
    let mut headers = match header {
        Some(("Accept-Encoding", _)) => Vec::new(),
        _ => plain.to_vec(),
    };
    headers.extend(header);
    match client.send(&Request {
        method,
        path,
        headers: &headers,
        to_the_end,
        page,
    }) {
        Err(Trouble::Interrupted)
        | Ok(Answer {
            body: Err(Trouble::Interrupted),
            ..
        }) => Err(Trouble::Interrupted),
        done => Ok(Some(done)),
    }
}
