//! The site of deploy/nginx for the store and the cache times of the settings.

use std::net::Ipv4Addr;

use super::{CachePolicy, Site};
use crate::store::{Address, Place};

const SITE: &str = include_str!("../../deploy/nginx/site.conf");

/// What the site of a front is made from.
#[derive(Clone, Copy, Debug)]
pub struct NginxSite<'a> {
    /// The store.
    pub address: &'a Address,
    /// Prefix of every key.
    pub prefix: &'a str,
    /// Names of the cookies of visitors who are logged in.
    pub login_cookies: &'a [String],
    /// How long caches may keep an answer.
    pub cache: CachePolicy,
    /// The base URL of the site; empty: none.
    pub site_url: &'a str,
}

impl NginxSite<'_> {
    /// The text of site.conf.
    ///
    /// # Errors
    /// What nginx cannot be told, one sentence.
    pub fn text(&self) -> Result<String, String> {
        let seconds = |time: Option<u64>| time.map_or("\"\"".to_owned(), |time| time.to_string());
        let stale = Some(self.cache.stale).filter(|stale| *stale > 0);
        let keys = ["off", "on"][usize::from(self.cache.surrogate_keys)];
        let values = [
            ("anp_redis", store(self.address)?),
            ("anp_db", self.address.db.to_string()),
            ("anp_user", quoted(self.address.user().unwrap_or_default())?),
            ("anp_prefix", quoted(self.prefix)?),
            ("anp_cookies", quoted(&self.login_cookies.join(" "))?),
            ("anp_cache_browser", seconds(self.cache.browser)),
            ("anp_cache_edge", seconds(self.cache.edge)),
            ("anp_cache_stale", seconds(stale)),
            ("anp_surrogate_keys", keys.to_owned()),
        ];
        let lines = SITE.lines().map(|line| {
            let set = values.iter().find_map(|(name, value)| {
                let start = format!("    set ${name} ");
                let (_, comment) = line.strip_prefix(&start)?.split_once(';')?;
                Some(format!("{start}{value};{comment}"))
            });
            set.unwrap_or_else(|| line.to_owned()) + "\n"
        });
        let site: String = lines.collect();
        let url = Site::new(self.site_url);
        let is_port = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let host = match url.host().rsplit_once(':') {
            Some((host, port)) if is_port(port) => host,
            _ => url.host(),
        };
        Ok(match host {
            "" => site,
            host => site.replacen("www.example.org", host, 1),
        })
    }
}

/// The store as the front names it.
fn store(address: &Address) -> Result<String, String> {
    let named = match &address.place {
        Place::Unix(path) => path.to_str().map(|path| format!("unix:{path}")),
        Place::Tcp(node) if node.host == "localhost" => Some(format!("127.0.0.1:{}", node.port)),
        Place::Tcp(node) if node.host.parse::<Ipv4Addr>().is_ok() => {
            Some(format!("{}:{}", node.host, node.port))
        }
        _ => None,
    };
    match named.filter(|_| !address.tls) {
        Some(named) => quoted(&named),
        None => Err(format!("the nginx front cannot read {address}")),
    }
}

/// `text` as one value of nginx.
fn quoted(text: &str) -> Result<String, String> {
    // nginx would read a variable, and has no other way to write these.
    if text.contains(['$', '"', '\\', '\n']) {
        return Err(format!("nginx cannot be told the value {text:?}"));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:".contains(c);
    match text.chars().all(plain) && !text.is_empty() {
        true => Ok(text.to_owned()),
        false => Ok(format!("\"{text}\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::{CachePolicy, NginxSite};
    use crate::store::Address;

    fn site(address: &str, cookie: &str) -> Result<String, String> {
        let site = NginxSite {
            address: &Address::parse(address).unwrap(),
            prefix: "anp",
            login_cookies: &[cookie.to_owned(), "b".to_owned()],
            cache: CachePolicy {
                browser: Some(300),
                edge: None,
                stale: 60,
                surrogate_keys: true,
            },
            site_url: "https://blog.example.net:8443/archive",
        };
        site.text()
    }

    #[test]
    fn the_site_has_the_values_and_keeps_its_comments() {
        let site = site("redis://front@10.0.0.5:6380/2", "a_*").unwrap();
        for line in [
            "server_name blog.example.net;",
            "    set $anp_redis 10.0.0.5:6380; # or",
            "    set $anp_db 2;",
            "    set $anp_user front;",
            "    set $anp_cookies \"a_* b\";",
            "    set $anp_cache_browser 300;",
            "    set $anp_cache_edge \"\";",
            "    set $anp_cache_stale 60;",
            "    set $anp_surrogate_keys on; # on:",
        ] {
            assert!(site.contains(line), "{line}\n{site}");
        }
    }

    #[test]
    fn what_nginx_cannot_read_is_refused() {
        for address in [
            "redis://cache.example.org/0",
            "rediss://10.0.0.5/0",
            "embedded",
            "redis+cluster://10.0.0.5/",
        ] {
            let said = site(address, "a").unwrap_err();
            assert!(said.starts_with("the nginx front cannot read"), "{said}");
        }
        let said = site("redis://10.0.0.5/0", "$a").unwrap_err();
        assert!(said.contains("\"$a b\""), "{said}");
        assert!(site("redis+unix:///run/redis.sock?db=1", "a").is_ok());
    }
}
