//! Where the store is: the forms a user may write, and a form that is safe to show.

mod login;
mod node;
mod parse;
mod place;

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

pub(super) use login::Login;
pub use node::Node;
pub(super) use place::Listed;
pub use place::Place;

/// What does not stand for itself in the user of an address.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// A password that no `Debug` shows.
#[derive(Clone)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(not shown)")
    }
}

/// A server, database and credentials. `Debug` and `Display` leave the credentials out.
#[derive(Clone)]
pub struct Address {
    /// The server.
    pub place: Place,
    /// The database number; 0 in a cluster.
    pub db: i64,
    /// Whether it is reached over TLS, its sentinels too. Never so with a unix socket.
    pub tls: bool,
    username: Option<String>,
    password: Option<String>,
    sentinel_user: Option<String>,
    sentinel_password: Option<Password>,
}

impl Address {
    /// Reads `embedded`, `embedded:/state/folder`, `redis://[user[:password]@]host[:port][/db]`,
    /// `redis+unix:///path[?db=N&user=U&pass=P]`, `redis+cluster://[user[:password]@]host[:port],…/`
    /// or `redis+sentinel://[user[:password]@]host[:port],…/master[/db]`. With `rediss` in place
    /// of `redis` (not for a socket) it is reached over TLS. The port is 6379 if none is named,
    /// 26379 for a sentinel. User and password are the server's, not those of its sentinels.
    ///
    /// # Errors
    /// One sentence that says what was expected. It never repeats the text, which may
    /// hold a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = parse::address(text)?;
        Ok(Self {
            place: parts.place,
            db: parts.db,
            tls: parts.tls,
            username: parts.username,
            password: parts.password,
            ..Self::embedded()
        })
    }

    /// The private server of the state folder.
    #[must_use]
    pub fn embedded() -> Self {
        Self {
            place: Place::Embedded(PathBuf::new()),
            db: 0,
            tls: false,
            username: None,
            password: None,
            sentinel_user: None,
            sentinel_password: None,
        }
    }

    /// The same, where an embedded server without a folder is the one of `state_dir`.
    #[must_use]
    pub fn in_state_folder(mut self, state_dir: &Path) -> Self {
        if let Place::Embedded(folder) = &mut self.place
            && folder.as_os_str().is_empty()
        {
            state_dir.clone_into(folder);
        }
        self
    }

    /// Whether both name the same server and database.
    ///
    /// The order of several servers does not count, but all of them do: two lists that share one
    /// server may still lead to two stores, once that server was moved from one to the other.
    /// TLS does not count: it is how a server is reached, not which one it is.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        let same = |a: &[Node], b: &[Node]| {
            let (a, b): (BTreeSet<_>, BTreeSet<_>) = (a.iter().collect(), b.iter().collect());
            a == b
        };
        let is_same_place = match (&self.place, &other.place) {
            (Place::Cluster(own), Place::Cluster(others)) => same(own, others),
            (
                Place::Sentinel { sentinels, master },
                Place::Sentinel {
                    sentinels: others,
                    master: other,
                },
            ) => master == other && same(sentinels, others),
            (own, other) => own == other,
        };
        is_same_place && self.db == other.db
    }

    /// Sets the password, if there is none yet. The embedded server has none, and refuses
    /// one that is meant for another server.
    #[must_use]
    pub fn or_password(mut self, password: Option<Password>) -> Self {
        if matches!(self.place, Place::Embedded(_)) {
            return self;
        }
        let password = password.map(|Password(text)| text);
        self.password = self.password.or(password);
        self
    }

    /// Sets who we are to the sentinels, where there are any.
    #[must_use]
    pub fn for_sentinels(mut self, user: Option<String>, password: Option<Password>) -> Self {
        if matches!(self.place, Place::Sentinel { .. }) {
            self.sentinel_user = user;
            self.sentinel_password = password;
        }
        self
    }

    /// Whether it names a cluster.
    #[must_use]
    pub fn is_cluster(&self) -> bool {
        matches!(self.place, Place::Cluster(_))
    }

    /// How far, in ms, the expiry of a key may have moved by itself. A cluster that moves a slot
    /// (MIGRATE) hands on the time that is left, and each key lives longer by what its way took.
    #[must_use]
    pub fn expiry_slack_ms(&self) -> i64 {
        if self.is_cluster() { 1_000 } else { 0 }
    }

    /// The address with the user's name and without the password, if it names a user.
    #[must_use]
    pub fn with_user(&self) -> Option<String> {
        let user = self.username.as_ref()?;
        let encoded = utf8_percent_encode(user, ENCODED);
        let shown = self.to_string();
        Some(match self.place {
            Place::Unix(_) => format!("{shown}&user={encoded}"),
            _ => shown.replacen("://", &format!("://{encoded}@"), 1),
        })
    }

    /// The name of the user, if it names one.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.username.as_deref()
    }

    /// The address as visitors may see it: without any path of this machine.
    #[must_use]
    pub fn without_path(&self) -> String {
        match self.place {
            Place::Embedded(_) => "embedded".to_owned(),
            Place::Unix(_) => format!("redis+unix://…?db={}", self.db),
            Place::Tcp(_) | Place::Cluster(_) | Place::Sentinel { .. } => self.to_string(),
        }
    }

    /// Who we are to its server.
    pub(super) fn login(&self) -> Login<'_> {
        Login {
            user: self.username.as_deref(),
            password: self.password.as_deref(),
            variable: "ANP_REDIS_PASSWORD",
            db: self.db,
            name: None,
            ping: true,
        }
    }

    /// Who we are to its sentinels. They know no databases.
    pub(super) fn sentinel_login(&self) -> Login<'_> {
        Login {
            user: self.sentinel_user.as_deref(),
            password: self
                .sentinel_password
                .as_ref()
                .map(|Password(text)| text.as_str()),
            variable: "ANP_SENTINEL_PASSWORD",
            db: 0,
            name: None,
            ping: false,
        }
    }

    /// The same for connections that the client library makes.
    #[cfg(feature = "serve")]
    pub(super) fn redis_settings(&self) -> redis::RedisConnectionInfo {
        let login = self.login();
        let mut settings = redis::RedisConnectionInfo::default()
            .set_db(self.db)
            // CLIENT SETINFO is one more right and one more round trip for nothing.
            .set_skip_set_lib_name();
        if let Some(user) = login.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = login.secret() {
            settings = settings.set_password(password);
        }
        settings
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let redis = if self.tls { "rediss" } else { "redis" };
        match &self.place {
            Place::Embedded(folder) if folder.as_os_str().is_empty() => f.write_str("embedded"),
            Place::Embedded(folder) => write!(f, "embedded:{}", folder.display()),
            Place::Tcp(node) => write!(f, "{redis}://{node}/{}", self.db),
            Place::Cluster(nodes) => write!(f, "{redis}+cluster://{}/", Listed(nodes)),
            Place::Sentinel { sentinels, master } => {
                let sentinels = Listed(sentinels);
                write!(f, "{redis}+sentinel://{sentinels}/{master}/{}", self.db)
            }
            Place::Unix(path) => {
                let path = path.to_string_lossy().replace('%', "%25");
                let path = path.replace('?', "%3F").replace('#', "%23");
                write!(f, "redis+unix://{path}?db={}", self.db)
            }
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
