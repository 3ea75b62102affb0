//! How pages are handed to readers: where the preview listens, and who counts as logged in.

use super::reader::Reader;
use crate::yaml::{Node, YamlError};

/// Cookies of visitors who are logged in somewhere, or have a session of their own.
const LOGIN_COOKIES: [&str; 6] = [
    "wordpress_logged_in_*",
    "wp-postpass_*",
    "comment_author_*",
    "sessionid",
    "PHPSESSID",
    "auth_token",
];

/// How the preview answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serve {
    /// Where it listens: `host:port`.
    pub addr: String,
    /// Names of the cookies that bypass every cache; `*` at the end stands for any rest.
    pub login_cookies: Vec<String>,
}

/// Reads the settings of the group.
pub(super) fn read(reader: &mut Reader) -> Serve {
    Serve {
        addr: reader.get("serve.addr", "127.0.0.1:8080".to_owned(), |node| {
            let text = node.text()?;
            let (host, port) = text.rsplit_once(':').unwrap_or_default();
            if host.is_empty() || port.parse::<u16>().is_err() {
                return Err(node.mismatch("HOST:PORT (for example 127.0.0.1:8080)"));
            }
            Ok(text.to_owned())
        }),
        login_cookies: reader.get(
            "login_cookies",
            LOGIN_COOKIES.map(str::to_owned).to_vec(),
            login_cookies,
        ),
    }
}

/// A list, or (in a flag or a variable) names with commas between them.
fn login_cookies(node: &Node) -> Result<Vec<String>, YamlError> {
    let texts: Vec<&str> = match node.list() {
        Ok(items) => items.iter().map(Node::text).collect::<Result<_, _>>()?,
        Err(_) => node.text()?.split(',').map(str::trim).collect(),
    };
    // What a name may consist of: a token of RFC 9110, here with a '*' that stands last.
    let fits = |name: &&str| {
        let stem = name.strip_suffix('*').unwrap_or(name);
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'+-.^_`|~".contains(&b);
        !name.is_empty() && stem.bytes().all(is_token)
    };
    if !texts.iter().all(fits) {
        return Err(node.mismatch("names of cookies, each with at most one '*', at its end"));
    }
    Ok(texts.into_iter().map(str::to_owned).collect())
}
