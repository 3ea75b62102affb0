//! Where the store is: the forms a user may write, and a form that is safe to show.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};

/// A server, without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A private server on a unix socket in this state folder; empty: in the one of the
    /// settings.
    Embedded(PathBuf),
    /// `host:port`.
    Tcp(String, u16),
    /// A unix socket.
    Unix(PathBuf),
}

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
    /// The database number.
    pub db: i64,
    username: Option<String>,
    password: Option<String>,
}

impl Address {
    /// Reads `embedded`, `embedded:/state/folder`, `redis://[user[:password]@]host[:port][/db]` or
    /// `redis+unix:///path[?db=N&user=U&pass=P]`.
    ///
    /// # Errors
    /// One sentence that says what was expected. It never repeats the text, which may
    /// hold a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "expected 'embedded', redis://[user:password@]host:port/db \
                                or redis+unix:///path/to/socket?db=0";
        if text == "embedded" {
            return Ok(Self::embedded());
        }
        if let Some(folder) = text
            .strip_prefix("embedded:")
            .filter(|path| path.starts_with('/'))
        {
            return Ok(Self::embedded().in_state_folder(folder.as_ref()));
        }
        let scheme = text.split("://").next().unwrap_or_default();
        if !text.contains("://") || !matches!(scheme, "redis" | "redis+unix" | "unix") {
            let found = if text.contains("://") && !scheme.contains('@') {
                format!(", found the scheme '{scheme}'")
            } else {
                String::new()
            };
            return Err(format!("{EXPECTED}{found}"));
        }
        let info = text
            .into_connection_info()
            .map_err(|_| format!("{EXPECTED}; the address did not parse"))?;
        let place = match info.addr() {
            ConnectionAddr::Tcp(host, port) => Place::Tcp(host.clone(), *port),
            ConnectionAddr::Unix(path) => Place::Unix(path.clone()),
            _ => return Err(EXPECTED.to_owned()),
        };
        if matches!(&place, Place::Unix(path) if !path.is_absolute()) {
            return Err(format!("{EXPECTED}; the path of a socket is absolute"));
        }
        let settings = info.redis_settings();
        Ok(Self {
            place,
            db: settings.db(),
            username: settings.username().map(str::to_owned),
            password: settings.password().map(str::to_owned),
        })
    }

    /// The private server of the state folder.
    #[must_use]
    pub fn embedded() -> Self {
        Self {
            place: Place::Embedded(PathBuf::new()),
            db: 0,
            username: None,
            password: None,
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
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.place == other.place && self.db == other.db
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

    /// The address with the user's name and without the password, if it names a user.
    #[must_use]
    pub fn with_user(&self) -> Option<String> {
        let user = self.username.as_ref()?;
        let encoded = user.bytes().fold(String::new(), |mut text, byte| {
            if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
                text.push(char::from(byte));
            } else {
                let _ = write!(text, "%{byte:02X}");
            }
            text
        });
        let shown = self.to_string();
        Some(match self.place {
            Place::Unix(_) => format!("{shown}&user={encoded}"),
            _ => shown.replacen("://", &format!("://{encoded}@"), 1),
        })
    }

    /// The address as visitors may see it: without any path of this machine.
    #[must_use]
    pub fn without_path(&self) -> String {
        match self.place {
            Place::Embedded(_) => "embedded".to_owned(),
            Place::Unix(_) => format!("redis+unix://…?db={}", self.db),
            Place::Tcp(..) => self.to_string(),
        }
    }

    /// The parameters of a connection to `socket` (embedded) or to this place.
    pub(super) fn connection_info(
        &self,
        embedded_socket: Option<&std::path::Path>,
    ) -> redis::RedisResult<ConnectionInfo> {
        let addr = match &self.place {
            Place::Embedded(_) => {
                ConnectionAddr::Unix(embedded_socket.unwrap_or("".as_ref()).to_owned())
            }
            Place::Tcp(host, port) => ConnectionAddr::Tcp(host.clone(), *port),
            Place::Unix(path) => ConnectionAddr::Unix(path.clone()),
        };
        let mut settings = redis::RedisConnectionInfo::default()
            .set_db(self.db)
            // CLIENT SETINFO is one more right and one more round trip for nothing.
            .set_skip_set_lib_name();
        if let Some(username) = &self.username {
            settings = settings.set_username(username);
        }
        // A user without a password is sent with an empty one, for the server to judge: the
        // client library would leave the user out, and go on as the default user.
        let empty = self.username.as_ref().map(|_| String::new());
        if let Some(password) = self.password.as_ref().or(empty.as_ref()) {
            settings = settings.set_password(password);
        }
        let info = addr.into_connection_info()?.set_redis_settings(settings);
        Ok(info.set_tcp_settings(redis::io::tcp::TcpSettings::default().set_nodelay(true)))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Embedded(folder) if folder.as_os_str().is_empty() => f.write_str("embedded"),
            Place::Embedded(folder) => write!(f, "embedded:{}", folder.display()),
            Place::Tcp(host, port) if host.contains(':') => {
                write!(f, "redis://[{host}]:{port}/{}", self.db)
            }
            Place::Tcp(host, port) => write!(f, "redis://{host}:{port}/{}", self.db),
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
mod tests {
    use super::{Address, Place};

    #[test]
    fn reads_each_form_and_shows_none_of_the_password() {
        let shown = |text: &str| Address::parse(text).unwrap().to_string();
        assert_eq!(shown("embedded"), "embedded");
        assert_eq!(shown("embedded:/srv/state"), "embedded:/srv/state");
        assert_eq!(shown("redis://127.0.0.1"), "redis://127.0.0.1:6379/0");
        assert_eq!(
            shown("redis://user:s3cret@cache.example:7000/2"),
            "redis://cache.example:7000/2"
        );
        assert_eq!(
            shown("redis+unix:///run/redis.sock?db=3&user=u&pass=s3cret"),
            "redis+unix:///run/redis.sock?db=3"
        );
        let address = Address::parse("redis://u:s3cret@h:1/0").unwrap();
        assert!(!format!("{address:?}").contains("s3cret"));
    }

    #[test]
    fn what_it_shows_reads_back_as_the_same_place() {
        for text in [
            "redis://127.0.0.1:6380/5",
            "redis+unix:///run/r.sock?db=3",
            "redis://[::1]:6379/0",
        ] {
            let address = Address::parse(text).unwrap();
            assert!(
                Address::parse(&address.to_string())
                    .unwrap()
                    .same_as(&address)
            );
            assert!(!matches!(address.place, Place::Embedded(_)));
        }
    }

    #[test]
    fn the_user_is_kept_and_reads_back_without_the_password() {
        for (text, expected) in [
            ("redis://us%40er:s3cret@h:1/2", "redis://us%40er@h:1/2"),
            (
                "redis+unix:///s?db=3&user=u%26x&pass=s3cret",
                "redis+unix:///s?db=3&user=u%26x",
            ),
        ] {
            let address = Address::parse(text).unwrap();
            let shown = address.with_user().unwrap();
            assert_eq!(shown, expected);
            let again = Address::parse(&shown).unwrap();
            assert_eq!(
                (again.username, again.password),
                (address.username.clone(), None)
            );
        }
        assert_eq!(Address::parse("redis://h").unwrap().with_user(), None);
    }

    #[test]
    fn a_refusal_never_repeats_the_password() {
        for text in [
            "http://u:s3cret@h/",
            "u:s3cret@h",
            "redis://u:s3cret@h:notaport/0",
            "redis://u:s3cret@h:1/notadb",
            "u:s3cret@h://",
            "redis+unix://relative?pass=s3cret",
        ] {
            let error = Address::parse(text).unwrap_err();
            assert!(error.contains("expected"), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
