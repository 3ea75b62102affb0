//! The first stage: where each setting was given last, and what is wrong with it there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file;
use super::in_force::{InForce, text_of};
use super::keys::{GROUPS, KEYS, SECOND_MS, Sources, flag_name, last_part};
use super::limit::Limit;
use crate::article::{Cleaned, clean_text};
use crate::diagnostic::{Diagnostic, Span};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::yaml;
use crate::yaml::{Kind, Node, YamlError};

#[derive(Clone)]
enum Origin {
    Flag,
    Variable(&'static str),
    File,
}

struct Given {
    node: Node,
    origin: Origin,
}

pub(super) struct File {
    pub(super) path: Arc<PathBuf>,
    text: String,
    /// Whether it was looked for, and not named.
    found: bool,
}

pub(super) struct Reader {
    given: Vec<(&'static str, Given)>,
    pub(super) file: Option<File>,
    pub(super) problems: Vec<(Exit, String)>,
    /// CONTENT of the command line: it does not replace the configured root that it may be in.
    named_content: Option<String>,
    /// ANP_CONTENT, where the settings file names a root that it may be in.
    content_of_variable: Option<String>,
}

impl Reader {
    pub(super) fn collect(sources: &Sources<'_>) -> Result<Self, Failure> {
        let mut reader = Self {
            given: Vec::new(),
            file: None,
            problems: Vec::new(),
            named_content: None,
            content_of_variable: None,
        };
        let named = sources.config.map(Path::to_owned).or_else(|| {
            let from_env = (sources.env)("ANP_CONFIG").filter(|path| !path.is_empty());
            from_env.map(PathBuf::from)
        });
        let is_named = named.is_some();
        let file = match named {
            Some(path) => Some(file::named(sources.current_dir.join(path))?),
            None => file::find(sources.current_dir)?,
        };
        if let Some((path, text)) = file {
            reader.read_file(path, text, !is_named);
        }
        for (key, variable) in KEYS {
            if let Some(text) = (sources.env)(variable).filter(|text| !text.is_empty()) {
                // The file, if anything yet.
                if key == "content" && reader.is_given(key) {
                    reader.content_of_variable = Some(text);
                } else {
                    reader.set(key, scalar(text), Origin::Variable(variable));
                }
            }
        }
        for (key, text) in &sources.flags {
            if *key == "content" {
                reader.named_content = Some(text.clone());
            } else {
                reader.set(key, scalar(text.clone()), Origin::Flag);
            }
        }
        Ok(reader)
    }

    fn read_file(&mut self, path: PathBuf, text: String, found: bool) {
        let nodes = yaml::parse(&text, 1);
        self.file = Some(File {
            path: Arc::new(path),
            text,
            found,
        });
        match nodes {
            Ok(root) => self.take_mapping(&root, ""),
            Err(errors) => errors
                .into_iter()
                .for_each(|error| self.problem_in_file(error, "yaml")),
        }
    }

    fn take_mapping(&mut self, node: &Node, group: &str) {
        let entries = match node.mapping() {
            Ok(entries) => entries,
            Err(error) => return self.problem_in_file(error, "settings"),
        };
        for (key, value) in entries {
            let name = format!("{group}{}", key.name);
            if GROUPS.contains(&name.as_str()) {
                self.take_mapping(value, &format!("{name}."));
                continue;
            }
            // A group is written as a mapping: one place for a setting, so that none is hidden.
            let is_plain = !key.name.contains('.');
            match KEYS.iter().find(|(known, _)| is_plain && *known == name) {
                Some((known, _)) if !value.is_null() => {
                    self.set(known, value.clone(), Origin::File);
                }
                Some(_) => {}
                None => {
                    let known = KEYS
                        .iter()
                        .filter_map(|(known, _)| known.strip_prefix(group))
                        .filter(|known| !known.contains('.'));
                    let groups = GROUPS.into_iter().filter(|_| group.is_empty());
                    let mut error = key.unknown(known.chain(groups));
                    error.help = elsewhere(&key.name, group).or(error.help);
                    self.problem_in_file(error, "unknown-key");
                }
            }
        }
    }

    fn set(&mut self, key: &'static str, node: Node, origin: Origin) {
        self.given.retain(|(other, _)| *other != key);
        self.given.push((key, Given { node, origin }));
    }

    fn problem_in_file(&mut self, error: YamlError, code: &str) {
        if let Some(file) = &self.file {
            let mut diagnostic: Diagnostic = error.diagnostic(code, &file.path, &file.text);
            // The line of an address may hold a password, and so may what stands behind a
            // key that nobody knows.
            let is_secret = |text: &str| {
                let text = text.to_lowercase();
                code == "redis"
                    || code == "after.purge"
                    || ["://", "@", "pass"].iter().any(|part| text.contains(part))
            };
            if let Some(place) = diagnostic.place.take_if(|place| is_secret(&place.text)) {
                diagnostic.message = format!("line {}: {}", place.line, diagnostic.message);
            }
            if let Some(place) = &mut diagnostic.place {
                let shown = place.column.saturating_sub(place.window_start) + place.length;
                place.text = place.text.chars().take(shown as usize).collect();
            }
            let problem = file::problem("settings", &diagnostic);
            self.problems.push((Exit::Config, problem));
        }
    }

    /// Reads the setting `key` with `read`, or takes `default` where it was not given.
    pub(super) fn get<T>(
        &mut self,
        key: &'static str,
        default: T,
        read: impl FnOnce(&Node) -> Result<T, YamlError>,
    ) -> T {
        let Some((_, given)) = self.given.iter().find(|(other, _)| *other == key) else {
            return default;
        };
        let error = match read(&given.node) {
            Ok(value) => return value,
            Err(error) => error,
        };
        match given.origin.clone() {
            Origin::Flag => {
                let flag = flag_name(key);
                self.problems
                    .push((Exit::Usage, format!("{flag}: {}", error.message)));
            }
            Origin::Variable(variable) => {
                self.problems
                    .push((Exit::Config, format!("{variable}: {}", error.message)));
            }
            Origin::File => self.problem_in_file(error, key),
        }
        default
    }

    /// The settings that were given, in the order of [`KEYS`].
    pub(super) fn in_force(&self) -> Vec<InForce> {
        let mut all: Vec<InForce> = KEYS
            .iter()
            .filter_map(|(key, _)| self.one_in_force(key))
            .collect();
        if let Some(content) = self.named_content() {
            all.retain(|setting| setting.key != "content");
            all.push(InForce {
                key: "content",
                text: Some(content.to_owned()),
                origin: "CONTENT".to_owned(),
            });
        }
        all
    }

    fn one_in_force(&self, key: &'static str) -> Option<InForce> {
        let (_, Given { node, origin }) = self.given.iter().find(|(other, _)| *other == key)?;
        let origin = match origin {
            Origin::Flag => flag_name(key),
            Origin::Variable(variable) => (*variable).to_owned(),
            Origin::File => {
                let file = self.file.as_ref()?;
                format!("{}:{}", file.path.display(), node.span.line)
            }
        };
        Some(InForce {
            key,
            // An address may hold a password.
            text: (key != "redis").then(|| text_of(node)),
            origin,
        })
    }

    /// Whether the setting `key` was given anywhere.
    pub(super) fn is_given(&self, key: &str) -> bool {
        self.given.iter().any(|(other, _)| *other == key)
    }

    /// `content`, beside a settings file that was found: then the command may have been given in a
    /// folder below.
    pub(super) fn default_content(&self, sources: &Sources<'_>) -> PathBuf {
        let folder = self.file.as_ref().filter(|file| file.found);
        let folder = folder.and_then(|file| file.path.parent());
        match folder.filter(|folder| *folder != sources.current_dir) {
            Some(folder) => folder.join("content"),
            None => PathBuf::from("content"),
        }
    }

    /// ANP_CONTENT, where the settings file has `content` too.
    pub(super) fn content_of_variable(&self) -> Option<&str> {
        self.content_of_variable.as_deref()
    }

    /// CONTENT of the command line.
    pub(super) fn named_content(&self) -> Option<&str> {
        self.named_content.as_deref()
    }

    /// Whether the setting `key` was given as a flag.
    pub(super) fn is_flag(&self, key: &str) -> bool {
        self.given
            .iter()
            .any(|(other, given)| *other == key && matches!(given.origin, Origin::Flag))
    }

    /// A text that people will read: cleaned as the fields of articles are.
    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        self.get(key, None, |node| {
            let text = clean_text(node.text()?.to_owned(), &mut Cleaned::default());
            Ok(Some(text).filter(|text| !text.is_empty()))
        })
    }

    pub(super) fn flag(&mut self, key: &'static str) -> bool {
        self.get(key, false, Node::flag)
    }

    pub(super) fn duration(&mut self, key: &'static str, default_ms: u64, most_ms: u64) -> u64 {
        let least_ms = if key == "ttl" {
            60 * SECOND_MS
        } else {
            SECOND_MS
        };
        self.get(key, default_ms, |node| node.duration_ms(least_ms..=most_ms))
    }

    pub(super) fn limit(&mut self, key: &'static str, default: Limit) -> Limit {
        self.get(key, default, |node| {
            Limit::parse(node.text()?)
                .ok_or_else(|| node.mismatch("a count or a percentage (for example 20 or 5%)"))
        })
    }

    /// A path: in the settings file relative to that file, elsewhere to the current folder.
    pub(super) fn path(&mut self, key: &'static str, current_dir: &Path) -> Option<PathBuf> {
        let text = self.get(key, None, |node| Ok(Some(node.text()?.to_owned())))?;
        let in_file = self
            .given
            .iter()
            .any(|(other, given)| *other == key && matches!(given.origin, Origin::File));
        let folder = self.file.as_ref().and_then(|file| file.path.parent());
        Some(
            match folder.filter(|folder| in_file && *folder != current_dir) {
                Some(folder) => folder.join(text),
                None => PathBuf::from(text),
            },
        )
    }
}

/// Where the key `name` stands, if that is not in `group`.
fn elsewhere(name: &str, group: &str) -> Option<String> {
    let (key, _) = KEYS.iter().find(|(key, _)| last_part(key) == name)?;
    Some(match key.split_once('.') {
        Some((group, _)) => format!("did you mean '{name}' in the group '{group}'?"),
        None => format!(
            "did you mean '{name}' outside of '{}'?",
            group.trim_end_matches('.')
        ),
    })
}

fn scalar(text: String) -> Node {
    Node {
        kind: Kind::Scalar { text, plain: false },
        span: Span {
            line: 1,
            column: 1,
            length: 1,
        },
    }
}
