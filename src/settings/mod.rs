//! Flags, environment, anp.yaml and defaults → validated settings.
//!
//! Two stages: first each setting's text is found where it was given last (a flag wins over
//! an `ANP_…` variable, which wins over anp.yaml), then it is read by its type. Whatever is
//! wrong says where it was given.

mod content;
mod expect;
mod file;
mod files;
mod in_force;
mod json_schema;
mod keys;
mod limit;
mod reader;
mod schema_file;
mod serve;
mod tls;
mod variables;
mod visibility_fields;

use std::path::{Path, PathBuf};
use std::time::Duration;

use keys::{DAY_MS, SECOND_MS};
use limit::permille;
use reader::Reader;

use crate::article::schema::Schema;
use crate::article::{
    Admits, Languages, LinkRule, Naming, RoutePattern, Rules, Timezone, Twins, UnknownFields,
    VisibilityFields,
};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::RenderSettings;
use crate::source::{Choice, Patterns};
use crate::store::{Address, Copies, Password, Patience, Place, TlsSettings, is_prefix};
use crate::yaml::{Node, YamlError};

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
    /// How long things may take.
    pub patience: Patience,
    /// How many replicas must have what a run publishes; none: nobody asks.
    pub copies: Option<Copies>,
    /// Where the last run is told to Prometheus.
    pub metrics_file: Option<PathBuf>,
    /// What pages look like.
    pub render: RenderSettings,
    /// How the preview answers.
    pub serve: Serve,
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
        let settings = reader.settings(sources);
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
            add(&mut hasher, limit.as_bytes());
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
            &self.rules.identity(),
            self.render.site_url.as_bytes(),
            self.render.site_name.as_bytes(),
            self.render.lang.as_bytes(),
            renderer.map_or(&[][..], |fingerprint| fingerprint),
        ] {
            add(&mut hasher, part);
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

    /// The same for messages, which say if no settings file was found.
    #[must_use]
    pub fn sources_shown(&self) -> String {
        shown(&self.sources(), self.content_is_default)
    }

    /// The state folder for messages, which say if no settings file was found.
    #[must_use]
    pub fn state_dir_shown(&self) -> String {
        shown(&self.state_dir, self.state_dir_is_default)
    }

    /// The sources as an absolute path, for the record.
    #[must_use]
    pub fn content_shown(&self) -> String {
        let content = std::path::absolute(self.sources()).unwrap_or_else(|_| self.sources());
        content.to_string_lossy().into_owned()
    }
}

impl Reader {
    /// Each setting by its type.
    fn settings(&mut self, sources: &Sources<'_>) -> Settings {
        let current_dir = sources.current_dir;
        let state_dir = self
            .path("state_dir", current_dir)
            .or_else(|| xdg_state(sources.env));
        let state_dir_is_set = state_dir.is_some();
        // Without one, no command gets as far as using it.
        let state_dir = state_dir.unwrap_or_else(|| PathBuf::from(".local/state/anp"));
        let address_is_set = self.is_given("redis");
        let address = self.address(sources.env);
        let tls = self.tls(&address, current_dir);
        let address_is_explicit = sources.flags.iter().any(|(key, _)| *key == "redis");
        let prefix = self.prefix();
        let visibility_fields = self.get(
            "visibility_fields",
            VisibilityFields::default(),
            visibility_fields::read,
        );
        let jitter_permille = self.jitter_permille();
        let mut rules = Rules {
            strict: self.flag("strict"),
            unknown_fields: self.unknown_fields(),
            visibility_fields,
            naming: Naming::default(),
            links: self.links(),
            timezone: self.timezone(),
            split_spaces: self.flag("split_spaces"),
            schema: self.schema(current_dir),
        };
        let render = self.render(current_dir, &rules);
        rules.naming = self.naming(&render.lang);
        let drafts = self.flag("drafts");
        let state_dir = current_dir.join(state_dir);
        let config = self.file.as_ref().map(|file| file.path.to_path_buf());
        self.check_printed_paths(&state_dir, config.as_deref());
        let copies = self.copies();
        let (content, part) = self.content(sources);
        let expect = self.expect();
        let expect = match &part {
            Some(_) => expect.of_a_part(),
            None => expect,
        };
        Settings {
            config,
            address: address.in_state_folder(&state_dir),
            address_is_set,
            address_is_explicit,
            connection_flags: tls::flags_to_repeat(sources),
            tls,
            prefix,
            state_dir,
            state_dir_is_set,
            state_dir_is_default: self.file.is_none() && !self.is_given("state_dir"),
            content_is_default: self.file.is_none()
                && !self.is_given("content")
                && self.named_content().is_none(),
            content,
            part,
            choice: self.choice(drafts),
            ttl_ms: self
                .duration("ttl", 7 * DAY_MS, 3650 * DAY_MS)
                .cast_signed(),
            max_ttl_ms: self.get("max_ttl", None, |node| {
                let most = node.duration_ms(60 * SECOND_MS..=3650 * DAY_MS)?;
                Ok(Some(most.cast_signed()))
            }),
            jitter_permille,
            max_invalid: self.limit("max_invalid", Limit::Permille(50)),
            expect,
            rules,
            admits: Admits {
                drafts,
                future: self.flag("future"),
            },
            owner: self.text("owner"),
            expected_result: self.text("expected_result"),
            paused: self.text("paused"),
            keep_runs: KeepRuns {
                count: self.get("keep_runs.count", 100, |node| node.whole(0..=1_000_000)),
                age_ms: self.duration("keep_runs.age", 90 * DAY_MS, 3650 * DAY_MS),
            },
            patience: Patience {
                deadline: ms(self.duration("deadline", 30 * SECOND_MS, DAY_MS)),
                timeout: ms(self.duration("timeout", 10 * SECOND_MS, DAY_MS)),
            },
            copies,
            metrics_file: self.path("metrics_file", current_dir),
            render,
            serve: self.serve(),
            in_force: self.in_force(),
        }
    }

    /// Which files are read. Where `drafts` are published, so is the folder in which Jekyll has
    /// them.
    fn choice(&mut self, drafts: bool) -> Choice {
        let include = self.get("include", Patterns::default(), files::patterns);
        Choice {
            include: if drafts {
                include.with("_drafts/")
            } else {
                include
            },
            exclude: self.get("exclude", Patterns::default(), files::patterns),
        }
    }

    fn naming(&mut self, site_lang: &str) -> Naming {
        let listed = self.get("languages", Vec::new(), files::languages);
        Naming {
            pattern: self.get("route", RoutePattern::default(), files::route),
            languages: Languages::new(site_lang, &listed),
            twins: Twins::default(),
        }
    }

    fn address(&mut self, env: &dyn Fn(&str) -> Option<String>) -> Address {
        let secret = |name: &str| {
            let text = env(name).filter(|text| !text.is_empty());
            text.map(Password)
        };
        let address = self.get("redis", Address::embedded(), |node| {
            let message = |message: String| YamlError {
                message,
                ..node.mismatch("")
            };
            Address::parse(node.text()?).map_err(message)
        });
        address
            .or_password(secret("ANP_REDIS_PASSWORD"))
            .for_sentinels(self.text("sentinel_user"), secret("ANP_SENTINEL_PASSWORD"))
    }

    fn prefix(&mut self) -> String {
        self.get("prefix", "anp".to_owned(), |node| {
            let text = node.text()?;
            if !is_prefix(text, 64) {
                return Err(node.mismatch("1 to 64 of A-Z a-z 0-9 . _ : - without a last ':'"));
            }
            Ok(text.to_owned())
        })
    }

    fn unknown_fields(&mut self) -> UnknownFields {
        self.get("unknown_fields", UnknownFields::Keep, |node| {
            let choices = [
                UnknownFields::Keep,
                UnknownFields::Warn,
                UnknownFields::Deny,
            ];
            Ok(choices[node.choice(&["keep", "warn", "deny"])?])
        })
    }

    /// The built-in fields, or those of the schema file.
    fn schema(&mut self, current_dir: &Path) -> Schema {
        let Some(path) = self.path("schema", current_dir) else {
            return Schema::default();
        };
        schema_file::read(current_dir.join(path)).unwrap_or_else(|problems| {
            let problems = problems.into_iter();
            self.problems
                .extend(problems.map(|problem| (Exit::Config, problem)));
            Schema::default()
        })
    }

    fn timezone(&mut self) -> Timezone {
        self.get("site.timezone", Timezone::default(), |node| {
            let zone = Timezone::parse(node.text()?);
            let expected = "a time zone (UTC, Europe/Berlin or +02:00)";
            zone.ok_or_else(|| node.mismatch(expected))
        })
    }

    fn links(&mut self) -> LinkRule {
        self.get("links", LinkRule::Warn, |node| {
            let choices = [LinkRule::Allow, LinkRule::Warn, LinkRule::Deny];
            Ok(choices[node.choice(&["allow", "warn", "deny"])?])
        })
    }

    fn jitter_permille(&mut self) -> i64 {
        let jitter = self.get("jitter", 100, |node| {
            let percent = node.text()?.strip_suffix('%').and_then(permille);
            percent
                .filter(|jitter| *jitter <= 250)
                .ok_or_else(|| node.mismatch("a percentage from 0% to 25%"))
        });
        jitter.cast_signed()
    }

    fn render(&mut self, current_dir: &Path, rules: &Rules) -> RenderSettings {
        RenderSettings {
            site_url: self.get("site.url", String::new(), base_url),
            assets: self.get("site.assets", String::new(), base_url),
            site_name: self.text("site.name").unwrap_or_default(),
            lang: self.get("site.lang", "en".to_owned(), |node| {
                let text = node.text()?;
                let is_tag = |part: &str| {
                    (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
                };
                if text.len() > 35 || !text.split('-').all(is_tag) {
                    return Err(node.mismatch("a language tag (for example en or pt-BR)"));
                }
                Ok(text.to_owned())
            }),
            rules: rules.identity_of_values(),
            templates: self.path("templates", current_dir),
        }
    }

    /// Both stand in every command that is printed, and in the lock.
    fn check_printed_paths(&mut self, state_dir: &Path, config: Option<&Path>) {
        for path in [Some(state_dir), config].into_iter().flatten() {
            let fits = |path: &str| !path.contains(char::is_control);
            if !path.to_str().is_some_and(fits) {
                let what = format!(
                    "expected a state folder and a settings file with paths in UTF-8 and without \
                     control characters, found {path:?}"
                );
                self.problems.push((Exit::Config, what));
            }
        }
    }

    fn copies(&mut self) -> Option<Copies> {
        let replicas = self.get("wait_replicas", 0, |node| node.whole(0..=100));
        let wait_ms = self.get("wait_timeout", SECOND_MS, |node| node.whole(1..=600_000));
        let copies = Copies {
            replicas: u32::try_from(replicas).unwrap_or(0),
            within: ms(wait_ms),
        };
        (copies.replicas > 0).then_some(copies)
    }

    /// The content root, and the part of it that the command is about.
    fn content(&mut self, sources: &Sources<'_>) -> (PathBuf, Option<PathBuf>) {
        let current_dir = sources.current_dir;
        let configured = self
            .path("content", current_dir)
            .unwrap_or_else(|| self.default_content(sources));
        let is_set = self.file.is_some() || self.is_given("content");
        let of_variable = self.content_of_variable();
        let (content, part) = content::content((configured, is_set), of_variable, current_dir);
        match self.named_content() {
            None => (content, part),
            named => content::content((content, is_set), named, current_dir),
        }
    }
}

/// A URL that paths are appended to, without a slash at its end.
fn base_url(node: &Node) -> Result<String, YamlError> {
    let text = node.text()?.trim_end_matches('/');
    let is_http = text.starts_with("https://") || text.starts_with("http://");
    if !is_http || text.contains(['"', '<', '>', ' ', '?', '#', '\\']) {
        return Err(node.mismatch("an http(s) URL without query or fragment"));
    }
    Ok(text.to_owned())
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
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

/// Adds `part` so that no byte of it can pass for one of the next part.
fn add(hasher: &mut blake3::Hasher, part: &[u8]) {
    hasher.update(&(part.len() as u64).to_le_bytes());
    hasher.update(part);
}

/// `$XDG_STATE_HOME/anp`, or `~/.local/state/anp` (XDG Base Directory Specification); none where
/// neither variable is set.
fn xdg_state(env: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let absolute = |name: &str| {
        env(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    state.map(|state| state.join("anp"))
}
