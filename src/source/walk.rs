//! Finding the sources of a content tree, and nothing else: no file outside the root, no
//! loop, no FIFO, no device.
//!
//! Folders are read where they really are, each once. A symbolic link to a file of the tree is a
//! source; one to a folder is skipped, since the folder is read under its own name: links to
//! links to folders would be more paths than anybody can read.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use walkdir::{DirEntry, WalkDir};

use super::file_names::{self, Named};
use super::folders::FolderRules;
use super::found::{Contents, WalkResult};
use super::identity::Identity;
use super::judge::{Judge, Verdict};
use super::list::Sources;
use super::passed_over::{Passed, Reason};
use super::patterns::{Choice, Filter, Said};
use super::second_index::{is_index, is_readme};
use super::twins::{is_dated, younger};
use super::unread::{WalkError, goes_on};
use crate::article::{ENDINGS, Languages};
use crate::time_limit::TimeLimit;

/// Most entries of folders that are passed over which one walk looks at to count them.
const MOST_COUNTED: u64 = 100_000;

/// Walks all of `root`, which must be a folder, in its own time: for those who have no signals
/// to heed.
///
/// # Errors
/// When `root` itself cannot be read as a folder; all else is in [`WalkResult::skipped`].
pub fn walk(root: &Path) -> io::Result<WalkResult> {
    let walk = Walk {
        root,
        part: None,
        choice: &Choice::default(),
        languages: &Languages::default(),
        interrupted: &AtomicBool::new(false),
        time_limit: None,
    };
    walk.run().map_err(|error| match error {
        WalkError::Unreadable(error) => error,
        other => io::Error::other(other),
    })
}

/// A walk that is to be made.
pub struct Walk<'a> {
    /// The content root, a folder.
    pub root: &'a Path,
    /// The folder or file below it that is walked, if not all of it is.
    pub part: Option<&'a Path>,
    /// What is read besides, and what is not.
    pub choice: &'a Choice,
    /// Languages that names may end with.
    pub languages: &'a Languages,
    /// Set when somebody asks the run to end.
    pub interrupted: &'a AtomicBool,
    /// How long the run may take.
    pub time_limit: Option<TimeLimit>,
}

impl Walk<'_> {
    /// Walks.
    ///
    /// # Errors
    /// When the root, or the part of it, cannot be read, and when the run has to end. All else is
    /// in [`WalkResult::skipped`].
    pub fn run(&self) -> Result<WalkResult, WalkError> {
        let real_root = self.root.canonicalize()?;
        std::fs::read_dir(&real_root)?;
        let root = File::open(&real_root)?;
        let mut judge = Judge {
            real_root: &real_root,
            filter: Filter::new(self.choice, &root),
            folders: FolderRules::new(&root),
        };
        let mut found = WalkResult::default();
        let start = match self.part {
            None => self.root.to_owned(),
            Some(part) => {
                if let Some(reason) = judge.closed(part) {
                    found.skip(part, reason, false);
                    return Ok(found);
                }
                let start = self.root.join(part);
                start.symlink_metadata()?;
                start
            }
        };
        self.walk_from(&start, &mut judge, &mut found)?;
        // The walk goes folder by folder; reports go by path.
        found.sources.sort();
        found.skipped.sort_by(|a, b| a.relative.cmp(&b.relative));
        self.pass_over_second_indexes(&judge.filter, &mut found)?;
        let beside = self.dated_beside(&found.sources)?;
        found.twins = younger(&found.sources, &beside, self.languages);
        found.contents = Contents::Folder(root);
        Ok(found)
    }

    fn walk_from(
        &self,
        start: &Path,
        judge: &mut Judge<'_>,
        found: &mut WalkResult,
    ) -> Result<(), WalkError> {
        let mut walker = WalkDir::new(start)
            .follow_root_links(self.part.is_none())
            .sort_by_file_name()
            .into_iter();
        // The folders that are open now, the outermost first.
        let mut open: Vec<PathBuf> = Vec::new();
        let mut countable = MOST_COUNTED;
        while let Some(entry) = walker.next() {
            self.goes_on()?;
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    // An error in the midst of a listing names no path: its folder is known.
                    let folder = || open.get(error.depth().saturating_sub(1)).cloned();
                    let path = error.path().map(Path::to_owned).or_else(folder);
                    let relative = below(self.root, &path.unwrap_or_default());
                    found.skip(&relative, unreadable(&error), true);
                    continue;
                }
            };
            let relative = below(self.root, entry.path());
            let verdict = if entry.depth() == 0 && self.part.is_none() {
                Verdict::Folder
            } else {
                judge.judge(&entry, &relative)
            };
            let verdict = match verdict {
                Verdict::Folder => match judge.filter.enter(&relative) {
                    Ok(()) => Verdict::Folder,
                    Err(reason) => Verdict::Unreadable(reason),
                },
                verdict => verdict,
            };
            let is_dir = entry.file_type().is_dir();
            if is_dir && !matches!(verdict, Verdict::Folder) {
                walker.skip_current_dir();
            }
            match verdict {
                Verdict::Source(metadata, target) => {
                    let bytes = metadata.as_ref().map_or(0, Metadata::len);
                    let identity = metadata.as_ref().map(Identity::of);
                    found.sources.push(&relative, bytes, identity, target)?;
                }
                Verdict::Folder => {
                    found.folders.push(relative);
                    open.truncate(entry.depth());
                    open.push(entry.into_path());
                }
                Verdict::Silence | Verdict::PassedOver(Reason::Ending(_)) if entry.depth() == 0 => {
                    let endings = ENDINGS.join(", .");
                    let reason = format!("expected a file that ends with .{endings}");
                    found.skip(&relative, reason, false);
                }
                Verdict::Silence => {}
                Verdict::PassedOver(reason @ Reason::Folder(_)) => {
                    let passed = self.count(entry.path(), &mut countable)?;
                    if passed.files > 0 {
                        found.passed_over.add(reason, passed);
                    }
                }
                Verdict::PassedOver(reason) => found.passed_over.count(reason, &relative),
                Verdict::Skipped(reason) => found.skip(&relative, reason, false),
                Verdict::Unreadable(reason) => found.skip(&relative, reason, true),
            }
        }
        Ok(())
    }

    /// Counts the articles in a `folder` that is not read, as far as `left` allows.
    fn count(&self, folder: &Path, left: &mut u64) -> Result<Passed, WalkError> {
        let mut passed = Passed::default();
        let is_hidden = |entry: &DirEntry| entry.file_name().as_encoded_bytes().starts_with(b".");
        let entries = WalkDir::new(folder).min_depth(1).sort_by_file_name();
        let entries = entries.into_iter().filter_entry(|entry| !is_hidden(entry));
        for entry in entries {
            self.goes_on()?;
            if *left == 0 {
                passed.is_at_least = true;
                break;
            }
            *left -= 1;
            // What cannot be read is not published either.
            if let Ok(entry) = entry
                && entry.file_type().is_file()
                && file_names::is_article(entry.path())
            {
                passed.count(&below(self.root, entry.path()));
            }
        }
        Ok(passed)
    }

    /// Takes from the sources each README whose folder has an index.
    fn pass_over_second_indexes(
        &self,
        filter: &Filter<'_>,
        found: &mut WalkResult,
    ) -> Result<(), WalkError> {
        let sources = &found.sources;
        let readmes = (0..sources.len()).filter(|at| is_readme(sources.name(*at)));
        let is_free = |at: &usize| filter.says(&sources.path(*at), false) == Said::Nothing;
        let readmes: Vec<usize> = readmes.filter(is_free).collect();
        let mut beside = Vec::new();
        // Where one file is meant, the others of its folder were not walked.
        let alone = self.part.filter(|part| sources.paths().eq([*part]));
        if let Some(folder) = alone.filter(|_| !readmes.is_empty()).and_then(Path::parent) {
            for entry in std::fs::read_dir(self.root.join(folder))? {
                self.goes_on()?;
                let name = entry?.file_name();
                if is_index(&name) {
                    beside.push(folder.join(name));
                }
            }
        }
        found.drop_second_indexes(&readmes, &beside, self.languages);
        Ok(())
    }

    /// The dated names beside the part of the tree that was walked: some of these may be older.
    fn dated_beside(&self, sources: &Sources) -> Result<Vec<PathBuf>, WalkError> {
        let mut beside = Vec::new();
        let part = self.part.filter(|_| !sources.is_empty());
        let is_bundle = |path: &Path| {
            path.file_name()
                .is_some_and(|name| name.as_encoded_bytes().starts_with(b"index."))
        };
        for named in part
            .into_iter()
            .flat_map(|part| [Some(part), part.parent().filter(|_| is_bundle(part))])
            .flatten()
        {
            let folder = named.parent().unwrap_or(Path::new(""));
            if !is_dated(named.file_name().unwrap_or_default(), Path::new("")) {
                continue;
            }
            for entry in std::fs::read_dir(self.root.join(folder))? {
                self.goes_on()?;
                let entry = entry?;
                let path = folder.join(entry.file_name());
                if path == named || !is_dated(&entry.file_name(), Path::new("")) {
                    continue;
                }
                if entry.file_type()?.is_dir() {
                    let indexes = ENDINGS
                        .iter()
                        .map(|ending| path.join(format!("index.{ending}")));
                    let is_there = |index: &PathBuf| self.root.join(index).is_file();
                    beside.extend(indexes.into_iter().find(is_there));
                } else if file_names::judge(entry.file_name().as_encoded_bytes(), false)
                    == Named::Article
                {
                    beside.push(path);
                }
            }
        }
        Ok(beside)
    }

    fn goes_on(&self) -> Result<(), WalkError> {
        goes_on(self.interrupted, self.time_limit)
    }
}

fn below(root: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(root).unwrap_or(path).to_owned()
}

fn unreadable(error: &walkdir::Error) -> String {
    let why = error.io_error();
    let why = why.map_or_else(|| error.to_string(), ToString::to_string);
    match error.path() {
        Some(_) => format!("cannot be read: {why}"),
        None => format!("cannot be listed to its end: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::{Path, PathBuf};
    use std::sync::atomic::AtomicBool;
    use std::time::{Duration, Instant};

    use super::super::patterns::Patterns;
    use super::{Choice, Languages, TimeLimit, Walk, WalkError, walk};

    fn touch(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "text").unwrap();
    }

    #[test]
    fn finds_markdown_inside_the_root_and_says_why_it_skips_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("content");
        for name in [
            "a.md",
            "b/c.markdown",
            "b/_index.md",
            "b/_draft.md",
            ".git/x.md",
            "_private/y.md",
            "b/notes.txt",
            "b/.env",
        ] {
            touch(&root.join(name));
        }
        touch(&folder.path().join("secret.md"));
        touch(&folder.path().join("outside/deep.md"));
        symlink(folder.path().join("secret.md"), root.join("out.md")).unwrap();
        symlink(folder.path().join("outside"), root.join("outdir")).unwrap();
        symlink("..", root.join("b/circle")).unwrap();
        symlink("nowhere", root.join("broken.md")).unwrap();
        symlink("a.md", root.join("inside.md")).unwrap();
        symlink(root.join("b/c.markdown"), root.join("absolute.md")).unwrap();
        symlink("_index.md", root.join("b/page.md")).unwrap();
        symlink("b", root.join("again")).unwrap();
        // Only the names of the links look like something to publish.
        symlink("b/.env", root.join("leak.md")).unwrap();
        symlink("b/_draft.md", root.join("private.md")).unwrap();
        symlink("_private", root.join("public")).unwrap();
        symlink("_private/y.md", root.join("y.md")).unwrap();
        let fifo = root.join("pipe.md");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.unwrap().success());
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket.md")).unwrap();

        let found = walk(&root).unwrap();
        let sources: Vec<_> = found.sources.paths().collect();
        let expected = [
            "a.md",
            "absolute.md",
            "b/_index.md",
            "b/c.markdown",
            "b/page.md",
            "inside.md",
        ];
        assert_eq!(sources, expected.map(PathBuf::from));
        let skipped: Vec<_> = found
            .skipped
            .iter()
            .map(|skipped| (skipped.relative.to_str().unwrap(), skipped.reason.as_str()))
            .collect();
        let private = "a symbolic link to a hidden or private file or folder";
        assert_eq!(
            skipped,
            [
                (
                    "again",
                    "a symbolic link to the folder b, whose articles have the routes of that name \
                     alone"
                ),
                ("b/circle", "a symbolic link loop"),
                ("broken.md", "a symbolic link that leads nowhere"),
                ("leak.md", private),
                (
                    "out.md",
                    "a symbolic link that leads out of the content folder"
                ),
                (
                    "outdir",
                    "a symbolic link that leads out of the content folder"
                ),
                ("pipe.md", "a FIFO, no file"),
                ("private.md", private),
                ("public", private),
                ("socket.md", "a socket, no file"),
                ("y.md", private),
            ]
        );
        assert!(found.skipped.iter().all(|skipped| !skipped.unreadable));
    }

    /// Sources, and what was passed over: reason, number of files, the first one.
    fn chosen(root: &Path, include: &[&str], exclude: &[&str]) -> (Vec<String>, Vec<String>) {
        let patterns = |texts: &[&str]| {
            Patterns::new(texts.iter().map(|text| (*text).to_owned()).collect()).unwrap()
        };
        let walk = Walk {
            root,
            part: None,
            choice: &Choice {
                include: patterns(include),
                exclude: patterns(exclude),
            },
            languages: &Languages::default(),
            interrupted: &AtomicBool::new(false),
            time_limit: None,
        };
        let found = walk.run().unwrap();
        assert_eq!(found.skipped, []);
        let shown = |path: PathBuf| path.to_str().unwrap().to_owned();
        let passed = found.passed_over.iter().map(|(reason, passed)| {
            let first = passed.first[0].display();
            format!("{reason:?} {} {first}", passed.files)
        });
        (found.sources.paths().map(shown).collect(), passed.collect())
    }

    #[test]
    fn a_link_to_a_draft_is_no_article() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir(root.join("_Drafts")).unwrap();
        std::fs::write(root.join("_Drafts/a.md"), "").unwrap();
        std::os::unix::fs::symlink("_Drafts/a.md", root.join("b.md")).unwrap();
        let walk = Walk {
            root,
            part: None,
            choice: &Choice {
                include: Patterns::new(vec!["_Drafts".to_owned()]).unwrap(),
                exclude: Patterns::default(),
            },
            languages: &Languages::default(),
            interrupted: &AtomicBool::new(false),
            time_limit: None,
        };
        let found = walk.run().unwrap();
        assert_eq!(
            found.sources.paths().collect::<Vec<_>>(),
            [Path::new("_Drafts/a.md")]
        );
        assert_eq!(found.skipped[0].reason, "a symbolic link to a draft");
    }

    #[test]
    fn what_may_hold_articles_and_is_not_read_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in [
            "_drafts/a.md",
            "_drafts/deep/b.md",
            "_drafts/.hidden/c.md",
            "_drafts/image.png",
            "_posts/2020-01-02-a.md",
            "_posts/_part.md",
            "_sass/main.scss",
            "a.md",
            "a~.md",
            "b.txt",
            "c.txt",
            "guide/README.md",
            "guide/_index.md",
            "guide/readme.fr.md",
            "node_modules/x/README.md",
            "picture.png",
            "README.md",
            "secret/a.md",
            "secret/b.md",
            "wip.md",
        ] {
            touch(&root.join(name));
        }
        std::fs::write(root.join(".anpignore"), "wip.md\n").unwrap();
        let (sources, passed) = chosen(root, &[], &["secret"]);
        let read = [
            "README.md",
            "_posts/2020-01-02-a.md",
            "a.md",
            "guide/_index.md",
            "guide/readme.fr.md",
        ];
        assert_eq!(sources, read);
        assert_eq!(
            passed,
            [
                "Folder(\"_drafts\") 2 _drafts/a.md",
                "Folder(\"node_modules\") 1 node_modules/x/README.md",
                "Underscore 1 _posts/_part.md",
                "Copy 1 a~.md",
                "SecondIndex 1 guide/README.md",
                "Excluded 2 secret",
                "Ending(\".txt\") 2 b.txt",
            ]
        );
        let include = ["_drafts", "a~.md", "guide/README.md", "_part.md", "b.txt"];
        let (sources, passed) = chosen(root, &include, &[]);
        let more = [
            "README.md",
            "_drafts/a.md",
            "_drafts/deep/b.md",
            "_posts/2020-01-02-a.md",
            "_posts/_part.md",
            "a.md",
            "a~.md",
            "guide/README.md",
            "guide/_index.md",
            "guide/readme.fr.md",
            "secret/a.md",
            "secret/b.md",
        ];
        assert_eq!(sources, more);
        assert_eq!(
            passed,
            [
                "Folder(\"node_modules\") 1 node_modules/x/README.md",
                "Excluded 1 wip.md",
                "Ending(\".txt\") 2 b.txt",
            ]
        );
        assert_eq!(part(root, "guide/README.md"), (Vec::new(), Vec::new()));
        assert_eq!(part(root, "README.md").0, [PathBuf::from("README.md")]);
        // Nothing is published because a file that says what is not cannot be read.
        std::fs::write(root.join("guide/.anpignore"), "[z-a]\n").unwrap();
        let found = walk(root).unwrap();
        let [skipped] = &found.skipped[..] else {
            panic!("{:?}", found.skipped);
        };
        assert!(skipped.unreadable && skipped.relative == Path::new("guide"));
        assert!(!found.sources.paths().any(|path| path.starts_with("guide")));
    }

    #[test]
    fn promise_10_folders_that_are_passed_over_are_counted_to_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..5 {
            touch(&folder.path().join(format!("_x/{number}.md")));
        }
        let walk = Walk {
            root: folder.path(),
            part: None,
            choice: &Choice::default(),
            languages: &Languages::default(),
            interrupted: &AtomicBool::new(false),
            time_limit: None,
        };
        let count = |left: &mut u64| walk.count(&folder.path().join("_x"), left).unwrap();
        let mut left = 3;
        let passed = count(&mut left);
        assert_eq!((passed.files, passed.is_at_least, left), (3, true, 0));
        let passed = count(&mut 5);
        assert_eq!((passed.files, passed.is_at_least), (5, false));
    }

    fn part(root: &Path, part: &str) -> (Vec<PathBuf>, Vec<(PathBuf, String)>) {
        let walk = Walk {
            root,
            part: Some(Path::new(part)),
            choice: &Choice::default(),
            languages: &Languages::default(),
            interrupted: &AtomicBool::new(false),
            time_limit: None,
        };
        let found = walk.run().unwrap();
        let skipped = found.skipped.into_iter();
        let skipped = skipped.map(|skipped| (skipped.relative, skipped.reason));
        (found.sources.paths().collect(), skipped.collect())
    }

    #[test]
    fn a_part_is_walked_as_the_whole_tree_walks_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("content");
        for name in ["a.md", "b/c.md", "b/d/e.md", "b/notes.txt", "_p/x.md"] {
            touch(&root.join(name));
        }
        symlink("b", root.join("link")).unwrap();
        symlink("b/c.md", root.join("link.md")).unwrap();
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(part(&root, "b").0, paths(&["b/c.md", "b/d/e.md"]));
        assert_eq!(part(&root, "b/d").0, paths(&["b/d/e.md"]));
        assert_eq!(part(&root, "b/c.md"), (paths(&["b/c.md"]), Vec::new()));
        assert_eq!(part(&root, "link.md").0, paths(&["link.md"]));
        for (name, why) in [
            ("link", "a symbolic link to the folder b, "),
            (
                "_p",
                "its name, or that of a folder above it, is private; 'include' in anp.yaml can",
            ),
            (
                "_p/x.md",
                "its name, or that of a folder above it, is private; 'include' in anp.yaml can",
            ),
            (
                "b/notes.txt",
                "expected a file that ends with .md, .markdown, .mdx, ",
            ),
        ] {
            let (sources, skipped) = part(&root, name);
            let [(path, reason)] = &skipped[..] else {
                panic!("{name}: {skipped:?}");
            };
            assert!(sources.is_empty() && path == Path::new(name), "{name}");
            assert!(reason.starts_with(why), "{name}: {reason}");
        }
    }

    #[test]
    fn promise_8_a_walk_ends_when_it_is_asked_to_or_takes_too_long() {
        let folder = tempfile::tempdir().unwrap();
        touch(&folder.path().join("a.md"));
        let walk = |interrupted, time_limit| {
            let walk = Walk {
                root: folder.path(),
                part: None,
                choice: &Choice::default(),
                languages: &Languages::default(),
                interrupted: &AtomicBool::new(interrupted),
                time_limit,
            };
            walk.run()
        };
        assert!(matches!(walk(true, None), Err(WalkError::Interrupted)));
        let started = Instant::now();
        let limit = |most| Some(TimeLimit { started, most });
        let late = walk(false, limit(Duration::ZERO));
        assert!(matches!(late, Err(WalkError::TimedOut(_))));
        let found = walk(false, limit(Duration::from_secs(3600))).unwrap();
        assert_eq!(found.sources.len(), 1);
    }
}
