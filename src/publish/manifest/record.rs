//! The lines of a manifest.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::publish::reason::Reason;
use crate::publish::shards::shard::{Shard, is_run_id};
use crate::publish::state::{Content, ExpiringField, Fingerprint, Present, same_expiry};
use crate::store::{Address, is_prefix};

/// The format of the lines; raised when an older reader could misread a newer file.
pub const FORMAT: u32 = 1;

/// A prefix of the settings, with what a rehearsal adds to it.
const LONGEST_PREFIX: usize = 128;

/// The most fields of one hash that expire: anp overwrites no value of more members.
const MOST_FIELDS: usize = 100_000;

/// The latest time that a header may give, ms since 1970: 9999-12-30, the last day that
/// `jiff::Timestamp` holds.
pub const LATEST_MS: i64 = 253_402_207_200_000;

/// One line.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line {
    /// The first line.
    Header(Header),
    /// What will be done to one key.
    Intent(Intent),
    /// What became of one intent, where it was not simply written.
    Outcome(KeyOutcome),
    /// The last line of a run that ended by itself.
    Footer(Footer),
}

/// Reads a line as a stream. What serde derives for a tagged enum first holds all of the line in
/// another form, which takes many times its length.
impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LineVisitor)
    }
}

struct LineVisitor;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum LineTag {
    Type,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Header,
    Intent,
    Outcome,
    Footer,
}

impl<'de> Visitor<'de> for LineVisitor {
    type Value = Line;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object that begins with its type")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line, A::Error> {
        let Some((LineTag::Type, kind)) = map.next_entry()? else {
            return Err(A::Error::missing_field("type"));
        };
        let rest = MapAccessDeserializer::new(map);
        match kind {
            Kind::Header => Header::deserialize(rest).map(Line::Header),
            Kind::Intent => Intent::deserialize(rest).map(Line::Intent),
            Kind::Outcome => KeyOutcome::deserialize(rest).map(Line::Outcome),
            Kind::Footer => Footer::deserialize(rest).map(Line::Footer),
        }
    }
}

/// Who ran what against which store, and how to undo it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of anp that wrote it.
    pub anp: String,
    /// The run's id; sorts by time.
    pub run: String,
    /// `import`, `rollback` …
    pub command: String,
    /// Start of the run by the server's clock, ms since 1970.
    pub started_at: i64,
    /// Who is responsible for the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What the owner expects of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_result: Option<String>,
    /// The server, without credentials.
    pub server: String,
    /// What the nodes of the cluster called themselves, where it was one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub cluster: BTreeSet<String>,
    /// The database number.
    pub db: i64,
    /// The prefix of every key.
    pub prefix: String,
    /// BLAKE3 of the settings that decide what is written.
    pub settings_digest: String,
    /// The exact command that undoes the run.
    pub rollback: String,
    /// The content tree of an import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The run that this one undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// The shard that it is, if it does a part of the articles alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Of a shard that does one run together with others: how often it was started, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// When that start of the shard was, by the server's clock, ms since 1970: `started_at` is the
    /// start of the run, which all shards have in common.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<i64>,
    /// Of a shard that does one run together with others: the place of the run among those of its
    /// state folder, ms since 1970. It is the start of the run, or one ms behind the place of the
    /// run before it, where the clock was set back since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<i64>,
    /// The same of that start of the shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_order: Option<i64>,
    /// Of a rollback that skipped what it could not read of the manifest of the run: how many bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped_bytes: Option<u64>,
    /// The name of the user that ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The host that ran it.
    pub host: String,
    /// Its process id there.
    pub pid: u32,
}

impl Header {
    /// Checks what decides where keys and files are: it may have been written by anybody.
    ///
    /// # Errors
    /// What is not as anp writes it.
    pub(super) fn check(&self) -> Result<(), String> {
        let ids = std::iter::once(&self.run).chain(&self.undoes);
        for id in ids {
            if !is_run_id(id) {
                return Err(format!("expected the id of a run, found {id:.80?}"));
            }
        }
        if !is_prefix(&self.prefix, LONGEST_PREFIX) {
            let prefix = &self.prefix;
            return Err(format!("expected a prefix of keys, found {prefix:.80?}"));
        }
        // Runs are ordered by these.
        let times = [
            ("started_at", Some(self.started_at)),
            ("begun_at", self.begun_at),
            ("order", self.order),
            ("begun_order", self.begun_order),
        ];
        for (name, time) in times {
            if let Some(ms) = time
                && !(0..=LATEST_MS).contains(&ms)
            {
                return Err(format!(
                    "expected {name} in the years 1970 to 9999, found {ms} ms"
                ));
            }
        }
        Ok(())
    }

    /// How far, in ms, the expiry of a key may have moved by itself where the run wrote.
    #[must_use]
    pub fn expiry_slack_ms(&self) -> i64 {
        Address::parse(&self.server).map_or(0, |address| address.expiry_slack_ms())
    }
}

/// What is done to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// There was no such key.
    Create,
    /// Its value is replaced.
    Update,
    /// Only its expiry moves.
    Refresh,
    /// It is removed.
    Remove,
}

impl Action {
    /// The word that reports use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Refresh => "refresh",
            Self::Remove => "remove",
        }
    }
}

/// What a key was before, and what the run makes of it; durable before the key is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The key.
    pub key: String,
    /// What is done to it.
    pub action: Action,
    /// Why; none in manifests of version 0.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What it was; none if it was absent.
    pub prior: Option<Snapshot>,
    /// What it will be; none if it will be absent.
    pub made: Option<Snapshot>,
    /// What the run may have left it as, too (none: absent): known where the intents of several
    /// starts of a shard are merged, and never recorded.
    #[serde(skip)]
    pub also: Vec<Option<Snapshot>>,
    /// Whether a later start of the shard, which did all of its share, left the key as it was: it was
    /// right by then, whatever became of this intent. Never recorded.
    #[serde(skip)]
    pub settled: bool,
    /// When the key was found absent, or a moment later, ms since 1970: recorded where a shard was
    /// started again, since what its first start made may have expired by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent_at: Option<i64>,
    /// Whether the run comes to the key a second time, since it had expired before the run could
    /// refresh it. An earlier intent of this start for the key then had no effect and does not
    /// count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// Whether the key is of an archive object, and not of an article.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_archive: bool,
}

/// A key that exists: its state, and for the prior one the bytes to bring it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The type; none in a refresh, which records the expiry alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Absolute expiry in ms since 1970; null if the key stays for ever.
    pub expires_at: Option<i64>,
    /// Fingerprint in hex; none in a refresh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha1: Option<String>,
    /// Fields of a hash that expire by themselves, which the fingerprint leaves out.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "fields"
    )]
    pub fields: Vec<ExpiringField>,
    /// Length of the value, in bytes; none in a refresh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The value of a string, if it is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The value of a string that is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_base64: Option<String>,
    /// The DUMP of any other type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dump_base64: Option<String>,
}

/// Reads fields, and stops at more than anp writes.
fn fields<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ExpiringField>, D::Error> {
    struct Fields;

    impl<'de> Visitor<'de> for Fields {
        type Value = Vec<ExpiringField>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("fields that expire")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut fields = Vec::new();
            while let Some(field) = seq.next_element()? {
                if fields.len() == MOST_FIELDS {
                    return Err(A::Error::custom("more fields than anp records of a hash"));
                }
                fields.push(field);
            }
            Ok(fields)
        }
    }

    deserializer.deserialize_seq(Fields)
}

impl Snapshot {
    /// The expiry alone, as a refresh records it.
    #[must_use]
    pub fn expiry(expires_at: Option<i64>) -> Self {
        Self {
            kind: None,
            expires_at,
            sha1: None,
            fields: Vec::new(),
            bytes: None,
            value: None,
            value_base64: None,
            dump_base64: None,
        }
    }

    /// A state and the length of its value, without the value.
    #[must_use]
    pub fn of(present: &Present, bytes: usize) -> Self {
        Self {
            kind: Some(present.kind.clone()),
            sha1: Some(present.fingerprint.to_string()),
            fields: present.fields.to_vec(),
            bytes: Some(bytes as u64),
            ..Self::expiry(present.expires_at_ms)
        }
    }

    /// A state with the bytes that bring it back.
    #[must_use]
    pub fn whole(present: &Present, content: Content) -> Self {
        let mut snapshot = Self::of(present, content.bytes().len());
        match content {
            Content::Value(bytes) => match String::from_utf8(bytes) {
                // Escaped in JSON, a control character takes six bytes: then base64 is shorter.
                Ok(text) if is_readable(&text) => snapshot.value = Some(text),
                Ok(text) => snapshot.value_base64 = Some(BASE64.encode(text)),
                Err(error) => snapshot.value_base64 = Some(BASE64.encode(error.as_bytes())),
            },
            Content::Dump(bytes) => snapshot.dump_base64 = Some(BASE64.encode(bytes)),
            // Nothing is recorded where nothing is written.
            Content::Left(_) => {}
        }
        snapshot
    }

    /// The state, if the value was recorded and not only the expiry.
    ///
    /// # Errors
    /// When the record contradicts itself.
    pub fn present(&self) -> Result<Option<Present>, String> {
        match (&self.kind, &self.sha1) {
            (None, None) => Ok(None),
            (Some(kind), Some(sha1)) => Ok(Some(Present {
                kind: kind.clone(),
                expires_at_ms: self.expires_at,
                fingerprint: Fingerprint::parse(sha1)
                    .ok_or_else(|| format!("'{sha1}' is no SHA-1"))?,
                fields: self.fields.clone().into(),
            })),
            _ => Err("a snapshot has a kind and a sha1, or neither".to_owned()),
        }
    }

    /// When the key is gone by itself, in ms since 1970, as far as it was recorded.
    #[must_use]
    pub fn gone_at_ms(&self) -> Option<i64> {
        match self.present() {
            Ok(Some(present)) => present.gone_at_ms(),
            _ => self.expires_at,
        }
    }

    /// The bytes that bring the value back, if they were recorded.
    ///
    /// # Errors
    /// When they are not base64.
    pub fn content(&self) -> Result<Option<Content>, String> {
        let decode = |text: &String| BASE64.decode(text).map_err(|error| error.to_string());
        if let Some(text) = &self.value {
            return Ok(Some(Content::Value(text.clone().into_bytes())));
        }
        if let Some(text) = &self.value_base64 {
            return Ok(Some(Content::Value(decode(text)?)));
        }
        match &self.dump_base64 {
            Some(text) => Ok(Some(Content::Dump(decode(text)?))),
            None => Ok(None),
        }
    }
}

fn is_readable(text: &str) -> bool {
    // Counted in bytes, a few at a time: so many go into one instruction.
    let in_one = |few: &[u8]| {
        few.iter()
            .map(|b| u8::from(*b < 0x20 || *b == b'"' || *b == b'\\'))
            .sum::<u8>()
    };
    let escaped: usize = text
        .as_bytes()
        .chunks(usize::from(u8::MAX))
        .map(|few| usize::from(in_one(few)))
        .sum();
    escaped <= text.len() / 4
}

impl Intent {
    /// What `action` is to make of `key`: `made` of `prior`.
    #[must_use]
    pub fn new(
        key: String,
        action: Action,
        prior: Option<Snapshot>,
        made: Option<Snapshot>,
    ) -> Self {
        Self {
            key,
            action,
            reason: None,
            prior,
            made,
            also: Vec::new(),
            settled: false,
            absent_at: None,
            again: false,
            of_archive: false,
        }
    }

    /// The key before, where there was one and its value was recorded.
    ///
    /// # Errors
    /// When the record contradicts itself.
    pub fn prior_present(&self) -> Result<Option<Present>, String> {
        self.prior.as_ref().map_or(Ok(None), Snapshot::present)
    }

    /// Whether the run may have left the key as `present`, found at `now_ms`, besides what it made of
    /// it last, but for an expiry that moved by at most `slack_ms`.
    ///
    /// # Errors
    /// When the record contradicts itself.
    pub fn is_also(&self, present: &Present, slack_ms: i64, now_ms: i64) -> Result<bool, String> {
        for also in self.also.iter().flatten() {
            let is_same = match also.present()? {
                Some(also) => also.is(present, slack_ms, now_ms),
                None => same_expiry(also.expires_at, present.expires_at_ms, slack_ms),
            };
            if is_same {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The key after, where there is one and its value was recorded.
    ///
    /// # Errors
    /// When the record contradicts itself.
    pub fn made_present(&self) -> Result<Option<Present>, String> {
        self.made.as_ref().map_or(Ok(None), Snapshot::present)
    }
}

/// What became of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Written and acknowledged.
    Written,
    /// Somebody else changed it: kept as it is.
    Conflict,
    /// Its expiry passed before it was sent, so it was not.
    Expired,
    /// Not sent, because the page it belongs to was not written.
    Withheld,
    /// It already was as it was to be.
    Already,
}

/// An intent that was not simply written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyOutcome {
    /// The key.
    pub key: String,
    /// What became of it.
    pub fate: Fate,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Everything was written.
    Done,
    /// Done, but some articles were invalid or some keys in conflict.
    Partial,
    /// The gate refused the content: nothing was written.
    Refused,
    /// It stopped half-way.
    Stopped,
}

impl Status {
    /// The word that reports use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partial => "partial",
            Self::Refused => "refused",
            Self::Stopped => "stopped",
        }
    }
}

/// Counts of a run. Keys are written, kept or in conflict; articles are invalid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Keys created.
    pub created: u64,
    /// Keys whose value was replaced.
    pub updated: u64,
    /// Keys whose expiry alone was moved.
    pub refreshed: u64,
    /// Keys removed.
    pub removed: u64,
    /// Keys that needed nothing.
    pub kept: u64,
    /// Keys that somebody else changed.
    pub conflicts: u64,
    /// Keys whose expiry passed before they were sent.
    pub expired: u64,
    /// Keys not sent because of a conflict on the page they belong to.
    pub withheld: u64,
    /// Articles that were invalid.
    pub invalid: u64,
    /// Bytes of the values written.
    pub bytes: u64,
}

impl Counts {
    /// Counts one key that was written with a value of `bytes` bytes.
    pub fn add(&mut self, action: Action, bytes: u64) {
        match action {
            Action::Create => self.created += 1,
            Action::Update => self.updated += 1,
            Action::Refresh => self.refreshed += 1,
            Action::Remove => self.removed += 1,
        }
        self.bytes += bytes;
    }

    /// Keys written, in all.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.created + self.updated + self.refreshed + self.removed
    }
}

/// Articles of a run, each by what became of the first of its keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArticleCounts {
    /// Articles that were not in the store before.
    pub created: u64,
    /// Articles whose values were replaced.
    pub updated: u64,
    /// Articles whose expiry alone was moved.
    pub refreshed: u64,
    /// Articles removed.
    pub removed: u64,
    /// All articles that were judged, the invalid ones included; none where a run judges none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// Published articles that the content tree no longer has; none where nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orphans: Option<u64>,
}

impl ArticleCounts {
    /// Counts one article.
    pub fn add(&mut self, action: Action) {
        match action {
            Action::Create => self.created += 1,
            Action::Update => self.updated += 1,
            Action::Refresh => self.refreshed += 1,
            Action::Remove => self.removed += 1,
        }
    }
}

/// The last line of a run that ended by itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Footer {
    /// How it ended.
    pub status: Status,
    /// End of the run by the server's clock, ms since 1970.
    pub ended_at: i64,
    /// What it did to keys.
    pub counts: Counts,
    /// What it did to articles; older manifests do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub articles: Option<ArticleCounts>,
}

#[cfg(test)]
mod tests {
    use super::is_readable;

    #[test]
    fn a_quarter_of_escapes_is_readable_and_one_more_is_not() {
        for (escaped, length) in [(0, 0), (1, 4), (255, 1020), (256, 1024), (5000, 20_000)] {
            let text = "\n".repeat(escaped) + &"ä".repeat((length - escaped) / 2);
            let text = format!(
                "{text:x<length$}",
                length = length + text.chars().count() - text.len()
            );
            assert_eq!(text.len(), length);
            assert!(is_readable(&text));
            assert!(
                length == 0 || !is_readable(&text.replacen('x', "\"", 1).replacen('ä', "\"\"", 1))
            );
        }
    }
}
