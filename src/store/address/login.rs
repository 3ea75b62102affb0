//! What a connection begins with: who we are to a server.

use crate::store::Batch;

/// User, password and database of one connection.
pub(in crate::store) struct Login<'a> {
    pub(in crate::store) user: Option<&'a str>,
    pub(in crate::store) password: Option<&'a str>,
    /// The variable that the password is usually set with.
    pub(in crate::store) variable: &'static str,
    pub(in crate::store) db: i64,
    /// What the connection is called, from its first command on.
    pub(in crate::store) name: Option<&'a str>,
    /// Whether a PING ends it: a server that is loading answers LOADING then, before anything
    /// depends on it.
    pub(in crate::store) ping: bool,
}

impl Login<'_> {
    /// A user without a password is sent with an empty one, for the server to judge: as the
    /// default user, anp would do what somebody else may do.
    pub(super) fn secret(&self) -> Option<&str> {
        self.password.or(self.user.map(|_| ""))
    }

    /// Whether AUTH comes first.
    pub(in crate::store) fn has_password(&self) -> bool {
        self.secret().is_some()
    }

    /// A likely mistake in the password, for a server that refuses it: a blank or a line break that
    /// came along from a file.
    pub(in crate::store) fn likely_mistake(&self) -> Option<String> {
        let password = self.password.filter(|text| text.trim() != *text)?;
        let place = match password.trim_end() == password {
            true => "begins",
            false => "ends",
        };
        let variable = self.variable;
        Some(format!(
            "the password {place} with a blank or a line break; check how {variable} is set"
        ))
    }

    /// Appends its commands.
    pub(in crate::store) fn push_onto(&self, batch: &mut Batch) {
        if let Some(password) = self.secret() {
            let mut words: Vec<&[u8]> = vec![b"AUTH"];
            words.extend(self.user.map(str::as_bytes));
            words.push(password.as_bytes());
            batch.push(&words);
        }
        if let Some(name) = self.name {
            batch.push(&[b"CLIENT", b"SETNAME", name.as_bytes()]);
        }
        if self.db != 0 {
            batch.push(&[b"SELECT", self.db.to_string().as_bytes()]);
        }
        if self.ping {
            batch.push(&[b"PING"]);
        }
    }
}
