//! Flags, environment, anp.yaml and defaults → validated settings.
//!
//! Two stages: first each setting's text is found where it was given last (a flag wins over
//! an `ANP_…` variable, which wins over anp.yaml), then it is read by its type. Whatever is
//! wrong says where it was given.

mod after;
mod archive;
mod cache;
mod connection;
mod content;
mod expect;
mod file;
mod files;
mod in_force;
mod json_schema;
mod keys;
mod limit;
mod reader;
mod rules;
mod schema_file;
mod serve;
mod site;
mod state_folder;
mod tls;
mod variables;
mod visibility_fields;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use keys::{DAY_MS, SECOND_MS};
use limit::permille;
use reader::Reader;

use crate::archive::ArchiveSettings;
use crate::article::{Admits, Rules};
use crate::edge::{After, CachePolicy};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hashing::add_part;
use crate::private;
use crate::render::RenderSettings;
use crate::source::{self, Choice};
use crate::store::{Address, Copies, Patience, Place, TlsSettings};

pub use expect::Expect;
pub use in_force::InForce;
pub use json_schema::json_schema;
pub use keys::{KEYS, Sources};
pub use limit::Limit;
pub use serve::Serve;
pub use variables::unknown_variables;

/// Which old manifests are kept: any of the two keeps one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepRuns {
    /// The newest so many.
    pub count: u64,
    /// Those younger than so many ms.
    pub age_ms: u64,
}

/// Everything a command needs to know, validated.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The settings file that was read.
    pub config: Option<PathBuf>,
    /// The store.
    pub address: Address,
    /// Whether a flag, a variable or the file named it; [`Settings::require`] asks for that.
    pub address_is_set: bool,
    /// Whether `--redis` named it on the command line.
    pub address_is_explicit: bool,
    /// What TLS is set to, for addresses that ask for it.
    pub tls: TlsSettings,
    /// Flags with which the store was reached besides `--redis`, with absolute paths: printed
    /// commands repeat them.
    pub connection_flags: Vec<(String, String)>,
    /// Prefix of every key.
    pub prefix: String,
    /// Absolute path of the state folder.
    pub state_dir: PathBuf,
    /// Whether anything said where that is; [`Settings::require`] asks for that.
    pub state_dir_is_set: bool,
    /// Whether it is the default, and no settings file could have named another.
    pub state_dir_is_default: bool,
    /// The same of the content root.
    pub content_is_default: bool,
    /// The content root, as it was given: routes are relative to it.
    pub content: PathBuf,
    /// The folder or file that the command is about, as a path below the content root; none: all.
    pub part: Option<PathBuf>,
    /// Which files of it are read besides those that anp reads by itself, and which are not.
    pub choice: Choice,
    /// Time to live in ms.
    pub ttl_ms: i64,
    /// How long any article may live, in ms, whatever it names.
    pub max_ttl_ms: Option<i64>,
    /// Largest deviation from the ttl, in thousandths.
    pub jitter_permille: i64,
    /// How many articles may be invalid.
    pub max_invalid: Limit,
    /// What every plan must be like.
    pub expect: Expect,
    /// How strict the boundary is.
    pub rules: Rules,
    /// What is published although it would be held back: drafts, what is scheduled for later.
    pub admits: Admits,
    /// Who is responsible.
    pub owner: Option<String>,
    /// What they expect.
    pub expected_result: Option<String>,
    /// Why nothing is to be published, if that is so.
    pub paused: Option<String>,
    /// Which old manifests are kept.
    pub keep_runs: KeepRuns,
    /// Prefixes of the custom fields of a WordPress export that are fields of the front matter; none: those
    /// that anp knows.
    pub meta_prefixes: Vec<String>,
    /// How long things may take.
    pub patience: Patience,
    /// How many replicas must have what a run publishes; none: nobody asks.
    pub copies: Option<Copies>,
    /// The folder for the Prometheus files of the last runs.
    pub metrics_dir: Option<PathBuf>,
    /// What pages look like.
    pub render: RenderSettings,
    /// What is made from many articles.
    pub archive: ArchiveSettings,
    /// How the preview answers.
    pub serve: Serve,
    /// How long caches may keep what the fronts serve.
    pub cache: CachePolicy,
    /// What is done after a run.
    pub after: After,
    /// The settings that do not have their default, each with its origin.
    pub in_force: Vec<InForce>,
}

/// What a command cannot do without, of what has no default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// A store, as every command that reads published objects.
    Store,
    /// A state folder: manifests are there, which name their store themselves.
    StateFolder,
    /// Both, as every command that writes to the store of the settings.
    StoreAndStateFolder,
}

impl Settings {
    /// Checks that a store and a state folder are set, as far as a command needs them.
    ///
    /// # Errors
    /// 78, which says how to set them.
    pub fn require(&self, needs: Needs) -> Result<(), Failure> {
        let needs_store = needs != Needs::StateFolder;
        if needs_store && !self.address_is_set {
            let place = match &self.config {
                Some(file) => format!("{} has no 'redis:'", file.display()),
                None => format!("no {} in this folder or above it", file::NAME),
            };
            return Err(Failure::new(Exit::Config, format!("no store is set ({place})"))
                .note(
                    "expected",
                    "--redis URL, ANP_REDIS_URL, or 'redis:' in anp.yaml; 'embedded' is a private \
                     server for trying anp out",
                )
                .note("retry", "after you set a store; nothing was written"));
        }
        let is_embedded = needs_store && matches!(self.address.place, Place::Embedded(_));
        if (needs != Needs::Store || is_embedded) && !self.state_dir_is_set {
            let what = "no state folder is set, and there is no HOME that it could be below";
            return Err(Failure::new(Exit::Config, what)
                .note(
                    "expected",
                    "--state-dir DIR, ANP_STATE_DIR, 'state_dir:' in anp.yaml, or HOME",
                )
                .note("retry", "after you set a state folder; nothing was written"));
        }
        Ok(())
    }

    /// Reads and validates all settings.
    ///
    /// # Errors
    /// Exit 2 for a flag, 78 for a variable or the file, with every problem found.
    pub fn load(sources: &Sources<'_>) -> Result<Self, Failure> {
        let mut reader = Reader::collect(sources)?;
        let settings = read_settings(&mut reader, sources);
        let exit = match reader.problems.first() {
            None => return Ok(settings),
            Some((exit, _)) => *exit,
        };
        let all: Vec<String> = reader.problems.into_iter().map(|(_, text)| text).collect();
        let what = all.join("\nerror: ");
        Err(Failure::new(exit, what)
            .note("retry", "after you fix the settings; nothing was written"))
    }
}

impl Settings {
    /// BLAKE3, in hex, of the settings that decide what is written, with the fingerprint of the
    /// `renderer`: the same templates in two folders are the same, and others in one folder are not.
    #[must_use]
    pub fn digest(&self, renderer: Option<&[u8; 32]>) -> String {
        let Expect {
            min_articles,
            max_changed,
            max_removed,
            max_duration,
        } = self.expect;
        let limits = [
            self.max_invalid.to_string(),
            min_articles.to_string(),
            max_changed.to_string(),
            max_removed.to_string(),
            max_duration.map_or(String::new(), |most| most.as_millis().to_string()),
        ];
        let mut hasher = self.hasher_of_objects(renderer);
        for limit in &limits {
            add_part(&mut hasher, limit.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// The same without what only refuses: shards of one run may differ in that.
    #[must_use]
    pub fn digest_of_objects(&self, renderer: Option<&[u8; 32]>) -> String {
        self.hasher_of_objects(renderer)
            .finalize()
            .to_hex()
            .to_string()
    }

    fn hasher_of_objects(&self, renderer: Option<&[u8; 32]>) -> blake3::Hasher {
        let optional = |ms: Option<i64>| ms.map_or(String::new(), |ms| ms.to_string());
        let mut hasher = blake3::Hasher::new();
        for part in [
            self.prefix.as_bytes(),
            self.ttl_ms.to_string().as_bytes(),
            optional(self.max_ttl_ms).as_bytes(),
            self.jitter_permille.to_string().as_bytes(),
            &[u8::from(self.admits.drafts), u8::from(self.admits.future)],
            self.choice.include.texts().join("\n").as_bytes(),
            self.choice.exclude.texts().join("\n").as_bytes(),
            self.meta_prefixes.join("\n").as_bytes(),
            &self.rules.identity(),
            self.render.site_url.as_bytes(),
            self.render.site_name.as_bytes(),
            self.render.lang.as_bytes(),
            &self.archive.identity(),
            renderer.map_or(&[][..], |fingerprint| fingerprint),
        ] {
            add_part(&mut hasher, part);
        }
        hasher
    }

    /// Where the sources are that the command is about.
    #[must_use]
    pub fn sources(&self) -> PathBuf {
        match &self.part {
            Some(part) => self.content.join(part),
            None => self.content.clone(),
        }
    }

    /// Whether the content root is a packed source: JSON lines, an archive, or the standard input.
    #[must_use]
    pub fn is_packed(&self) -> bool {
        self.part.is_none() && source::is_packed(&self.content)
    }

    /// Whether it is the standard input.
    #[must_use]
    pub fn is_stdin(&self) -> bool {
        self.content == Path::new(source::STDIN)
    }

    /// Whether the content root is there, as far as that can be told.
    #[must_use]
    pub fn has_content(&self) -> bool {
        let root = self.content.metadata();
        self.is_stdin() || !root.is_err_and(|error| error.kind() == ErrorKind::NotFound)
    }

    /// The same for messages, which say if no settings file was found.
    #[must_use]
    pub fn sources_shown(&self) -> String {
        if self.is_stdin() {
            return STDIN_SHOWN.to_owned();
        }
        shown(&self.sources(), self.content_is_default)
    }

    /// The state folder for messages, which say if no settings file was found.
    #[must_use]
    pub fn state_dir_shown(&self) -> String {
        let shown = shown(&self.state_dir, self.state_dir_is_default);
        let job = Path::new(JOB_SETTINGS);
        if self.state_dir_is_default && job.parent().is_some_and(Path::is_dir) {
            let tip = private::sudo_tip(job);
            return format!("{shown}; the nightly job has --config {JOB_SETTINGS}{tip}");
        }
        shown
    }

    /// The sources as an absolute path, for the record.
    #[must_use]
    pub fn content_shown(&self) -> String {
        if self.is_stdin() {
            return STDIN_SHOWN.to_owned();
        }
        let content = std::path::absolute(self.sources()).unwrap_or_else(|_| self.sources());
        content.to_string_lossy().into_owned()
    }
}

/// What messages and records call the standard input.
const STDIN_SHOWN: &str = "the standard input";

/// Where the packages put the settings of the nightly job.
const JOB_SETTINGS: &str = "/etc/anp/anp.yaml";

/// Reads each setting by its type, in the order in which their problems are reported.
fn read_settings(reader: &mut Reader, sources: &Sources<'_>) -> Settings {
    let current_dir = sources.current_dir;
    let state_folder = state_folder::read(reader, sources);
    let connection = connection::read(reader, sources);
    let visibility_fields = rules::visibility_fields(reader);
    let jitter_permille = jitter_permille(reader);
    let mut rules = rules::read(reader, visibility_fields, current_dir);
    let mut render = site::read(reader, current_dir, &rules);
    rules.naming = rules::naming(reader, &render.lang);
    let drafts = reader.flag("drafts");
    let config = reader.file.as_ref().map(|file| file.path.to_path_buf());
    check_printed_paths(reader, &state_folder.path, config.as_deref());
    let copies = connection::copies(reader);
    let content = content::read(reader, sources);
    let archive = archive::read(reader, !render.site_url.is_empty());
    render.similar = archive.similar > 0;
    render.lists = archive.lists.as_ref().map(archive::links);
    render.text = archive.text;
    let after = after::read(reader, !render.site_url.is_empty());
    let expect = expect::read(reader);
    Settings {
        config,
        address: connection.address.in_state_folder(&state_folder.path),
        address_is_set: connection.address_is_set,
        address_is_explicit: connection.address_is_explicit,
        connection_flags: connection.flags,
        tls: connection.tls,
        prefix: connection.prefix,
        state_dir: state_folder.path,
        state_dir_is_set: state_folder.is_set,
        state_dir_is_default: state_folder.is_default,
        content_is_default: content.is_default,
        content: content.root,
        expect: match &content.part {
            Some(_) => expect.of_a_part(),
            None => expect,
        },
        part: content.part,
        choice: files::choice(reader, drafts),
        ttl_ms: ttl_ms(reader),
        max_ttl_ms: max_ttl_ms(reader),
        jitter_permille,
        max_invalid: reader.limit("max_invalid", Limit::Permille(50)),
        rules,
        admits: Admits {
            drafts,
            future: reader.flag("future"),
        },
        owner: reader.text("owner"),
        expected_result: reader.text("expected_result"),
        paused: reader.text("paused"),
        keep_runs: keep_runs(reader),
        meta_prefixes: reader.get("wordpress.meta_prefix", Vec::new(), files::names),
        patience: connection::patience(reader),
        copies,
        metrics_dir: reader.path("metrics_dir", current_dir),
        render,
        archive,
        serve: serve::read(reader),
        cache: cache::read(reader),
        after,
        in_force: reader.in_force(),
    }
}

fn ttl_ms(reader: &mut Reader) -> i64 {
    let ttl = reader.duration("ttl", 7 * DAY_MS, 3650 * DAY_MS);
    ttl.cast_signed()
}

fn max_ttl_ms(reader: &mut Reader) -> Option<i64> {
    reader.get("max_ttl", None, |node| {
        let most = node.duration_ms(60 * SECOND_MS..=3650 * DAY_MS)?;
        Ok(Some(most.cast_signed()))
    })
}

fn jitter_permille(reader: &mut Reader) -> i64 {
    let jitter = reader.get("jitter", 100, |node| {
        let percent = node.text()?.strip_suffix('%').and_then(permille);
        percent
            .filter(|jitter| *jitter <= 250)
            .ok_or_else(|| node.mismatch("a percentage from 0% to 25%"))
    });
    jitter.cast_signed()
}

fn keep_runs(reader: &mut Reader) -> KeepRuns {
    KeepRuns {
        count: reader.get("keep_runs.count", 100, |node| node.whole(0..=1_000_000)),
        age_ms: reader.duration("keep_runs.age", 90 * DAY_MS, 3650 * DAY_MS),
    }
}

/// Both stand in every command that is printed, and in the lock.
fn check_printed_paths(reader: &mut Reader, state_dir: &Path, config: Option<&Path>) {
    for path in [Some(state_dir), config].into_iter().flatten() {
        let fits = |path: &str| !path.contains(char::is_control);
        if !path.to_str().is_some_and(fits) {
            let what = format!(
                "expected a state folder and a settings file with paths in UTF-8 and without \
                 control characters, found {path:?}"
            );
            reader.problems.push((Exit::Config, what));
        }
    }
}

fn shown(path: &Path, is_default: bool) -> String {
    let clause = match is_default {
        true => format!(
            ", the default without an {} in this folder or above it",
            file::NAME
        ),
        false => String::new(),
    };
    format!("{}{clause}", path.display())
}
