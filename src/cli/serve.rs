//! `anp serve`.

use clap::Args;

use super::given::given;

/// `anp serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Where to listen [default: 127.0.0.1:8080]
    ///
    /// Port 0 takes a free one.
    ///
    /// [env: ANP_SERVE_ADDR]
    #[arg(long, value_name = "HOST:PORT")]
    pub addr: Option<String>,
    /// Visitors with this cookie bypass the cache
    ///
    /// '*' at the end stands for any rest. May be given several times, or with commas.
    ///
    /// [env: ANP_LOGIN_COOKIES]
    /// [default: those of WordPress, Django, PHP and others, see docs/serving.md]
    #[arg(long, visible_alias = "login-cookie", value_name = "NAME")]
    pub login_cookies: Vec<String>,
}

impl Serve {
    /// The settings that were given as flags: key of the setting, text.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let cookies = (!self.login_cookies.is_empty()).then(|| self.login_cookies.join(","));
        given([
            ("serve.addr", self.addr.clone()),
            ("login_cookies", cookies),
        ])
    }
}
