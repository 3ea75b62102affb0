//! `include`, `exclude` and `.anpignore`: which files of a tree are read besides those that anp
//! reads by itself, and which are not.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::folders::excluded;
use super::small_files::SmallFiles;

/// The file that names what is not read, in the folder that it stands in and below.
pub const IGNORE_FILE: &str = ".anpignore";

/// Most bytes of an `.anpignore`.
const MOST_BYTES: u64 = 64 * 1024;

/// Most `.anpignore` files of a tree. Each is compiled and held.
const MOST_FILES: usize = 1000;

/// Patterns in the syntax of `.gitignore`, checked.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    texts: Vec<String>,
    compiled: Option<Gitignore>,
}

impl Patterns {
    /// Compiles patterns, of which none may be a negation.
    ///
    /// # Errors
    /// The pattern that is none, and why.
    pub fn new(texts: Vec<String>) -> Result<Self, String> {
        for text in &texts {
            if text.trim().is_empty() || text.starts_with(['!', '#']) {
                return Err(format!("'{text}' is no pattern of names"));
            }
        }
        let compiled = compile(texts.iter().map(String::as_str))?;
        Ok(Self { texts, compiled })
    }

    /// These and one more, which must be sound.
    #[must_use]
    pub fn with(mut self, text: &str) -> Self {
        self.texts.push(text.to_owned());
        let texts = self.texts.iter().map(String::as_str);
        self.compiled = compile(texts).unwrap_or(self.compiled);
        self
    }

    /// The patterns as they were given.
    #[must_use]
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    fn matches(&self, relative: &Path, is_dir: bool) -> bool {
        let compiled = self.compiled.as_ref();
        compiled.is_some_and(|compiled| compiled.matched(relative, is_dir).is_ignore())
    }
}

/// None without a pattern.
fn compile<'t>(lines: impl Iterator<Item = &'t str>) -> Result<Option<Gitignore>, String> {
    let mut builder = GitignoreBuilder::new("");
    for line in lines {
        builder
            .add_line(None, line)
            .map_err(|error| error.to_string())?;
    }
    let compiled = builder.build().map_err(|error| error.to_string())?;
    Ok((!compiled.is_empty()).then_some(compiled))
}

/// What the settings say of the files of a tree.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Read although anp passes over names like these.
    pub include: Patterns,
    /// Not read.
    pub exclude: Patterns,
}

/// What is said of one file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Nothing,
    Included,
    Excluded,
}

/// The patterns of one tree.
pub(super) struct Filter<'a> {
    choice: &'a Choice,
    root: &'a dyn SmallFiles,
    /// By the folder in which an `.anpignore` stands, as a path below the root.
    ignores: HashMap<PathBuf, Gitignore>,
}

impl<'a> Filter<'a> {
    pub(super) fn new(choice: &'a Choice, root: &'a dyn SmallFiles) -> Self {
        let ignores = HashMap::new();
        Self {
            choice,
            root,
            ignores,
        }
    }

    /// Reads the `.anpignore` of `folder`, if there is one, and what Jekyll and Eleventy leave out.
    pub(super) fn enter(&mut self, folder: &Path) -> Result<(), String> {
        if self.ignores.contains_key(folder) {
            return Ok(());
        }
        let others = self.left_out_by_others(folder);
        let path = folder.join(IGNORE_FILE);
        let text = match self.root.small_file(&path, MOST_BYTES) {
            Ok(bytes) => String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(error.to_string()),
        };
        let refused = |why: String| format!("its {IGNORE_FILE} cannot be used: {why}");
        let text = text.map_err(refused)?;
        if text.is_empty() && others.is_empty() {
            return Ok(());
        }
        if self.ignores.len() == MOST_FILES {
            return Err(refused(format!("the tree has more than {MOST_FILES}")));
        }
        // What stands last wins: an .anpignore may let in what the tool of the tree leaves out.
        let lines = others.iter().map(String::as_str).chain(text.lines());
        if let Some(compiled) = compile(lines).map_err(refused)? {
            self.ignores.insert(folder.to_owned(), compiled);
        }
        Ok(())
    }

    /// What the settings of the tool that the tree was written for leave out in `folder`; nothing,
    /// where they cannot be used.
    fn left_out_by_others(&self, folder: &Path) -> Vec<String> {
        let mut lines = excluded(self.root, folder);
        let path = folder.join(".eleventyignore");
        if let Ok(bytes) = self.root.small_file(&path, MOST_BYTES) {
            lines.extend(String::from_utf8_lossy(&bytes).lines().map(str::to_owned));
        }
        lines.retain(|line| matches!(compile([line.as_str()].into_iter()), Ok(Some(_))));
        lines
    }

    /// What is said of `relative`, whose folder was entered. `exclude` comes first, then the
    /// nearest `.anpignore` that names it, then `include`.
    pub(super) fn says(&self, relative: &Path, is_dir: bool) -> Said {
        if self.choice.exclude.matches(relative, is_dir) {
            return Said::Excluded;
        }
        if !self.ignores.is_empty() {
            for folder in relative.ancestors().skip(1) {
                let Some(ignore) = self.ignores.get(folder) else {
                    continue;
                };
                let below = relative.strip_prefix(folder).unwrap_or(relative);
                match ignore.matched(below, is_dir) {
                    Match::Ignore(_) => return Said::Excluded,
                    Match::Whitelist(_) => return Said::Included,
                    Match::None => {}
                }
            }
        }
        if self.choice.include.matches(relative, is_dir) {
            return Said::Included;
        }
        Said::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, Filter, Patterns, Said};
    use std::fs::File;
    use std::path::Path;

    #[test]
    fn the_nearest_file_says_what_is_read_and_the_settings_what_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::write(
            root.join(".anpignore"),
            "# drafts\n*.tmp.md\nwip/\n/top.md\n",
        )
        .unwrap();
        std::fs::write(root.join("a/.anpignore"), "!keep.tmp.md\n").unwrap();
        std::fs::write(root.join("a/b/.anpignore"), "[z-a]\n").unwrap();
        let patterns = |texts: &[&str]| {
            Patterns::new(texts.iter().map(|text| (*text).to_owned()).collect()).unwrap()
        };
        let choice = Choice {
            include: patterns(&["_docs", "/x/_notes"]),
            exclude: patterns(&["secret/", "a/never.md"]),
        };
        let handle = File::open(root).unwrap();
        let mut filter = Filter::new(&choice, &handle);
        for folder in ["", "a", "none"] {
            filter.enter(Path::new(folder)).unwrap();
        }
        let error = filter.enter(Path::new("a/b")).unwrap_err();
        assert!(
            error.starts_with("its .anpignore cannot be used: "),
            "{error}"
        );
        for (path, is_dir, said) in [
            ("a.md", false, Said::Nothing),
            ("x.tmp.md", false, Said::Excluded),
            ("a/x.tmp.md", false, Said::Excluded),
            ("a/keep.tmp.md", false, Said::Included),
            ("wip", true, Said::Excluded),
            ("a/wip", true, Said::Excluded),
            ("wip", false, Said::Nothing),
            ("top.md", false, Said::Excluded),
            ("a/top.md", false, Said::Nothing),
            ("a/never.md", false, Said::Excluded),
            ("x/secret", true, Said::Excluded),
            ("y/_docs", true, Said::Included),
            ("x/_notes", true, Said::Included),
            ("_notes", true, Said::Nothing),
        ] {
            assert_eq!(filter.says(Path::new(path), is_dir), said, "{path}");
        }
        for text in ["!a", "#a", " ", "[z-a]"] {
            assert!(Patterns::new(vec![text.to_owned()]).is_err(), "{text}");
        }
    }
}
