//! What the name of a file says of it: whether it holds an article, may hold one that anp cannot
//! read, or is something else.

use std::path::Path;

use super::passed_over::Reason;
use crate::article::ENDINGS;

/// Endings of files that hold no articles: images and other media, fonts, styles, code and data.
/// Everything else may hold one, and is named.
#[rustfmt::skip]
const OTHER: &[&str] = &[
    // Media.
    "aac", "ai", "apng", "avi", "avif", "bmp", "drawio", "eps", "excalidraw", "flac", "gif", "glb",
    "heic", "ico", "jpeg", "jpg", "m4a", "m4v", "mkv", "mov", "mp3", "mp4", "ogg", "ogv", "opus",
    "png", "psd", "puml", "svg", "svgz", "tif", "tiff", "vtt", "srt", "wav", "webm", "webp", "xcf",
    // Fonts and styles.
    "css", "eot", "less", "otf", "sass", "scss", "styl", "ttf", "woff", "woff2",
    // Code.
    "bash", "bat", "c", "cc", "cfg", "clj", "conf", "cpp", "cs", "cjs", "cts", "dart", "el", "ex",
    "exs", "fish", "go", "gradle", "h", "hpp", "hs", "ini", "java", "jl", "js", "jsx", "kt", "lua",
    "m", "make", "mjs", "mk", "mts", "nix", "patch", "diff", "php", "pl", "proto", "ps1", "py", "r",
    "rb", "rs", "scala", "sh", "sql", "swift", "tf", "toml", "ts", "tsx", "vim", "wasm", "zig", "zsh",
    // Data.
    "avro", "bib", "bin", "cast", "csl", "csv", "dat", "db", "dot", "env", "geojson", "gpx", "graphql",
    "har", "ics", "json", "json5", "jsonc", "key", "kml", "lock", "log", "map", "mmd", "parquet",
    "pem", "pot", "po", "properties", "sqlite", "tsv", "webmanifest", "xlsx", "yaml", "yml",
    // Archives, and copies of other files than articles.
    "7z", "bz2", "gz", "rar", "tar", "tgz", "xz", "zip", "zst", "bak", "orig", "rej", "swp", "tmp",
];

/// Names without an ending that hold no articles.
#[rustfmt::skip]
const OTHER_NAMES: &[&str] = &[
    "authors", "cname", "codeowners", "copying", "dockerfile", "gemfile", "jenkinsfile", "justfile",
    "license", "license-apache", "license-mit", "makefile", "notice", "owners", "procfile", "rakefile",
    "unlicense", "version",
];

/// What Dropbox (in English, German, French and Spanish), Nextcloud and Seafile write in brackets
/// behind the name of a file that was changed in two places, in lower case.
const CONFLICTS: [&str; 6] = [
    "conflicted copy",
    "case conflict",
    "in konflikt stehende kopie",
    "copie en conflit",
    "copia en conflicto",
    "sfconflict ",
];

/// What a name says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// It is an article.
    Article,
    /// It is no article, and nobody expects a word.
    Other,
    /// It may be one, and is passed over.
    PassedOver(Reason),
}

/// Judges the name of a file. One that is `included` is an article whatever it begins with or is
/// a copy of.
pub(super) fn judge(name: &[u8], included: bool) -> Named {
    // Nearly all are such.
    let is_plain = |stem: &[u8]| stem.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
    if name.strip_suffix(b".md").is_some_and(is_plain) {
        return Named::Article;
    }
    let name = String::from_utf8_lossy(name).to_lowercase();
    if is_copy(&name) && !included {
        return Named::PassedOver(Reason::Copy);
    }
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) => (stem, Some(ending)),
        None => (name.as_str(), None),
    };
    match ending {
        Some(ending) if ENDINGS.contains(&ending) => {
            let is_index = stem == "_index" || stem.starts_with("_index.");
            if stem.starts_with('_') && !is_index && !included {
                Named::PassedOver(Reason::Underscore)
            } else {
                Named::Article
            }
        }
        Some(ending) if OTHER.contains(&ending) => Named::Other,
        None if OTHER_NAMES.contains(&stem) => Named::Other,
        Some(ending) if ending.ends_with(['~', '#']) => Named::Other,
        // `_headers`, `_redirects`, `_category_.json`: for the host or the generator.
        _ if stem.starts_with('_') => Named::Other,
        Some(ending) => Named::PassedOver(Reason::Ending(format!(".{ending}"))),
        None => Named::PassedOver(Reason::Ending(String::new())),
    }
}

/// Whether the file at this path has the name of an article.
#[must_use]
pub fn is_article(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    judge(name.as_encoded_bytes(), true) == Named::Article
}

/// Whether an editor or a synchroniser made a file of this name, in lower case, beside an
/// article: `note.md~`, `note~.md`, `#note.md#`, `note.md.bak`, `note.bak.md`,
/// `note.sync-conflict-20240105-101010-ABCDEFG.md`, `note (conflicted copy).md`. What a person
/// names as a copy (`note (1).md`, `note copy.md`) is an article.
fn is_copy(name: &str) -> bool {
    const BACKUPS: [&str; 6] = ["bak", "backup", "orig", "rej", "swp", "tmp"];
    let is_markdown = |name: &str| {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        ending.is_some_and(|ending| ENDINGS.contains(&ending))
    };
    if let Some(inner) = name.strip_suffix(['~', '#']) {
        return is_markdown(inner.trim_end_matches('~'));
    }
    let Some((stem, ending)) = name.rsplit_once('.') else {
        return false;
    };
    if BACKUPS.contains(&ending) || ending.contains("___jb_") {
        return is_markdown(stem) || ending.starts_with("md___");
    }
    let inner = stem.rsplit_once('.').map(|(_, inner)| inner);
    let brackets = stem
        .strip_suffix(')')
        .and_then(|stem| stem.rsplit_once('('));
    is_markdown(name)
        && (stem.ends_with('~')
            || stem.starts_with("~$")
            || stem.contains(".sync-conflict-")
            || stem.ends_with("[conflict]")
            || inner.is_some_and(|inner| BACKUPS.contains(&inner))
            || brackets.is_some_and(|(_, why)| CONFLICTS.iter().any(|mark| why.contains(mark))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Named {
        judge(name.as_bytes(), false)
    }

    #[test]
    fn markdown_of_every_spelling_is_read() {
        for name in [
            "a.md",
            "a.MD",
            "a.Md",
            "b.mdx",
            "c.mkd",
            "d.Markdown",
            "é.mdown",
            "a b.mdwn",
            "v1.2.md",
            "_index.md",
            "_index.fr.md",
            "_index.markdown",
            "README.md",
            "note (1).md",
            "Copy of the constitution.md",
            "a - Copy.md",
            "why a conflicted copy.md",
        ] {
            assert_eq!(of(name), Named::Article, "{name}");
        }
    }

    #[test]
    fn what_may_hold_an_article_is_passed_over_by_its_ending() {
        for (name, ending) in [
            ("a.txt", ".txt"),
            ("a.RST", ".rst"),
            ("b.html", ".html"),
            ("c.ipynb", ".ipynb"),
            ("d.never-heard-of", ".never-heard-of"),
            ("notes", ""),
        ] {
            let reason = Reason::Ending(ending.to_owned());
            assert_eq!(of(name), Named::PassedOver(reason), "{name}");
        }
        for name in [
            "a.PNG",
            "a.yml",
            "LICENSE",
            "_headers",
            "_category_.json",
            "x.rs",
        ] {
            assert_eq!(of(name), Named::Other, "{name}");
        }
    }

    #[test]
    fn copies_and_partials_are_passed_over_unless_they_are_included() {
        for name in [
            "note~.md",
            "note.md~",
            "note.md~~",
            "#note.md#",
            "note.md.bak",
            "note.bak.md",
            "note.orig.md",
            "note.MD.orig",
            "note.md.swp",
            "note.md___jb_tmp___",
            "~$note.md",
            "note.sync-conflict-20240105-101010-ABCDEFG.md",
            "note (conflicted copy).md",
            "note (Ann's Conflicted Copy 2024-01-05).md",
            "note (SFConflict ann 2024-01-05).md",
            "note (In Konflikt stehende Kopie von Ann).md",
            "note [Conflict].md",
        ] {
            assert_eq!(of(name), Named::PassedOver(Reason::Copy), "{name}");
        }
        assert_eq!(of("_partial.mdx"), Named::PassedOver(Reason::Underscore));
        for name in ["note~.md", "_partial.mdx", "note.bak.md"] {
            assert_eq!(judge(name.as_bytes(), true), Named::Article, "{name}");
        }
        // Nothing that was an article.
        for name in ["image.png~", "a.tmp", "data.bak", "x#"] {
            assert_ne!(of(name), Named::PassedOver(Reason::Copy), "{name}");
        }
    }
}
