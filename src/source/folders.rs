//! Which folders are closed: those whose name begins with `_`, unless Jekyll publishes them, and
//! `node_modules`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::small_files::SmallFiles;
use crate::yaml::{self, Kind, Node};

/// The settings of Jekyll, which name its collections.
const CONFIGS: [&str; 2] = ["_config.yml", "_config.yaml"];

/// More than this is not a settings file.
const MOST_BYTES: u64 = 256 * 1024;

/// The rules of one tree.
pub(super) struct FolderRules<'a> {
    root: &'a dyn SmallFiles,
    /// The last folder whose settings were asked for.
    last: Option<(PathBuf, Published)>,
}

/// What the settings of Jekyll in one folder say of the folders beside them that begin with `_`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Published {
    /// There are none.
    Unknown,
    /// Those of these names.
    Named(Vec<String>),
}

impl<'a> FolderRules<'a> {
    pub(super) fn new(root: &'a dyn SmallFiles) -> Self {
        Self { root, last: None }
    }

    /// Whether the articles of the folder at `relative` are not published.
    pub(super) fn is_closed(&mut self, relative: &Path) -> bool {
        let name = relative.file_name().unwrap_or_default();
        let bytes = name.as_encoded_bytes();
        if !bytes.starts_with(b"_") {
            return bytes == b"node_modules";
        }
        if bytes == b"_posts" {
            return false;
        }
        let beside = relative.parent().unwrap_or(Path::new(""));
        match self.published(beside) {
            Published::Unknown => bytes != b"_docs",
            Published::Named(names) => !names.iter().any(|known| name == known.as_str()),
        }
    }

    fn published(&mut self, folder: &Path) -> &Published {
        if self.last.as_ref().is_none_or(|(last, _)| last != folder) {
            let published = self.read(folder);
            self.last = Some((folder.to_owned(), published));
        }
        let last = self.last.as_ref();
        last.map_or(&Published::Unknown, |(_, published)| published)
    }

    /// Settings that cannot be read name nothing.
    fn read(&self, folder: &Path) -> Published {
        match config(self.root, folder) {
            Some(config) => Published::Named(config.map_or_else(Vec::new, |root| named(&root))),
            None => Published::Unknown,
        }
    }
}

/// The settings of Jekyll in `folder`, if there are any and they can be read.
fn config(root: &dyn SmallFiles, folder: &Path) -> Option<Option<Node>> {
    let read = |name: &&str| {
        let bytes = match root.small_file(&folder.join(name), MOST_BYTES) {
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            read => read.unwrap_or_default(),
        };
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = CONFIGS.iter().find_map(read)?;
    Some(yaml::parse(&text, 1).ok())
}

/// What the settings of Jekyll in `folder` say is not published, as patterns of .gitignore: what
/// `exclude` names, and the paths whose articles are drafts by `defaults`.
pub(super) fn excluded(root: &dyn SmallFiles, folder: &Path) -> Vec<String> {
    let Some(Some(config)) = config(root, folder) else {
        return Vec::new();
    };
    let mut patterns = Vec::new();
    let anchored = |path: &str| format!("/{}", path.trim_start_matches('/'));
    for (key, value) in config.mapping().unwrap_or_default() {
        let items = value.list().unwrap_or_default();
        match key.text() {
            "exclude" => {
                let texts = items.iter().filter_map(|item| item.text().ok());
                patterns.extend(texts.map(anchored));
            }
            "defaults" => {
                let hidden = items.iter().filter(|item| is_hidden_by_default(item));
                let path = |item: &Node| {
                    let path = member(member(item, "scope")?, "path")?.text().ok()?;
                    Some(anchored(path))
                };
                patterns.extend(hidden.filter_map(path));
            }
            _ => {}
        }
    }
    patterns
}

/// Whether an entry of `defaults` makes drafts of its articles.
fn is_hidden_by_default(entry: &Node) -> bool {
    let says = |name: &str, word: bool| {
        let value = member(entry, "values").and_then(|values| member(values, name));
        value.is_some_and(|value| value.flag() == Ok(word))
    };
    says("published", false) || says("draft", true)
}

fn member<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let members = node.mapping().ok()?;
    let mut found = members.iter().filter(|(key, _)| key.text() == name);
    found.next().map(|(_, value)| value)
}

/// The folders that Jekyll publishes: collections with `output: true`, and what `include` names.
fn named(root: &Node) -> Vec<String> {
    let mut names = Vec::new();
    for (key, value) in root.mapping().unwrap_or_default() {
        match (key.text(), &value.kind) {
            ("collections", Kind::Mapping(collections)) => {
                let outputs = |node: &Node| {
                    let options = node.mapping().unwrap_or_default();
                    let mut output = options.iter().filter(|(key, _)| key.text() == "output");
                    output.any(|(_, value)| value.text() == Ok("true"))
                };
                let output = collections.iter().filter(|(_, node)| outputs(node));
                names.extend(output.map(|(key, _)| format!("_{}", key.text())));
            }
            ("include", Kind::Sequence(items)) => {
                let texts = items.iter().filter_map(|item| item.text().ok());
                names.extend(texts.map(|text| text.trim_matches('/').to_owned()));
            }
            _ => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn jekyll_says_which_folders_it_publishes() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir(root.join("site")).unwrap();
        std::fs::create_dir(root.join("broken")).unwrap();
        let config = "title: x\ncollections:\n  recipes:\n    output: true\n  hidden:\n    \
                      output: false\n  docs:\n    permalink: /d/\ninclude: [_pages, .htaccess]\n";
        std::fs::write(root.join("site/_config.yml"), config).unwrap();
        std::fs::write(root.join("broken/_config.yml"), "a: [\n").unwrap();
        let handle = File::open(root).unwrap();
        let mut rules = FolderRules::new(&handle);
        for (path, is_closed) in [
            ("a", false),
            ("_posts", false),
            ("_docs", false),
            ("_drafts", true),
            ("_private", true),
            ("a/node_modules", true),
            ("site/_posts", false),
            ("site/_recipes", false),
            ("site/_pages", false),
            ("site/_hidden", true),
            ("site/_docs", true),
            ("broken/_posts", false),
            ("broken/_docs", true),
        ] {
            assert_eq!(rules.is_closed(Path::new(path)), is_closed, "{path}");
        }
    }
}
