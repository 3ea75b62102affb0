//! Articles packed into one file: JSON lines, a tar archive, or a WordPress export.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use rayon::prelude::*;
use serde_json::Value;

use super::record::record;
use super::tree::{Tree, naming};
use super::{Counts, Generator, Kind, SynthArticle, wordpress};

/// So many articles are made on every core before they are written.
const TOGETHER: u64 = 512;

/// The level at which zstd is fast and packs well.
const ZSTD_LEVEL: i32 = 3;

/// Which file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    kind: FormKind,
    packing: Packing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FormKind {
    Lines,
    Tar,
    Wordpress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// Endings, and what they stand for.
const KINDS: [(&str, FormKind); 5] = [
    (".jsonl", FormKind::Lines),
    (".ndjson", FormKind::Lines),
    (".tar", FormKind::Tar),
    (".xml", FormKind::Wordpress),
    (".wxr", FormKind::Wordpress),
];
const PACKINGS: [(&str, Packing); 2] = [(".gz", Packing::Gzip), (".zst", Packing::Zstd)];
/// Endings of files that are not written.
const OTHERS: [&str; 7] = [".zip", ".gz", ".zst", ".bz2", ".xz", ".7z", ".rar"];
const SHORT: [(&str, &str); 2] = [(".tgz", ".tar.gz"), (".tzst", ".tar.zst")];

impl Form {
    /// What the name of a file asks for; none where it is that of a folder.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let mut name = path.file_name()?.to_string_lossy().to_lowercase();
        for (short, long) in SHORT {
            if let Some(stem) = name.strip_suffix(short) {
                name = format!("{stem}{long}");
            }
        }
        let packed = |(ending, packing)| Some((name.strip_suffix(ending)?, packing));
        let packed = PACKINGS.into_iter().find_map(packed);
        let (stem, packing) = packed.unwrap_or((&name, Packing::Plain));
        let mut kinds = KINDS.into_iter();
        let (_, kind) = kinds.find(|(ending, _)| stem.ends_with(ending))?;
        Some(Self { kind, packing })
    }

    /// Whether the name asks for a file of a kind that is not written.
    #[must_use]
    pub fn is_missing(path: &Path) -> bool {
        let name = path.to_string_lossy().to_lowercase();
        Self::of(path).is_none() && OTHERS.iter().any(|ending| name.ends_with(ending))
    }
}

/// Writes the articles 1 to `count` of `generator` into the file `path`, which appears once it is
/// whole, and takes the place of an older one.
///
/// # Errors
/// A file that could not be written.
pub fn write_packed(
    generator: &Generator,
    path: &Path,
    form: Form,
    count: u64,
) -> io::Result<Tree> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let named = |error: io::Error| naming(path, &error);
    fs::create_dir_all(folder).map_err(named)?;
    let made = tempfile::Builder::new()
        .permissions(readable())
        .tempfile_in(folder);
    let file = made.map_err(named)?;
    let tree = write_to(generator, file.as_file().try_clone()?, form, count)?;
    file.persist(path).map_err(|error| named(error.error))?;
    Ok(tree)
}

/// As files are made that everybody may read.
fn readable() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o644)
}

fn write_to(generator: &Generator, file: File, form: Form, count: u64) -> io::Result<Tree> {
    let mut file = BufWriter::with_capacity(256 * 1024, file);
    let tree = match form.packing {
        Packing::Plain => articles(generator, &mut file, form.kind, count)?,
        Packing::Gzip => {
            let level = flate2::Compression::default();
            let mut packer = flate2::write::GzEncoder::new(&mut file, level);
            let tree = articles(generator, &mut packer, form.kind, count)?;
            packer.finish()?;
            tree
        }
        Packing::Zstd => {
            let mut packer = zstd::stream::write::Encoder::new(&mut file, ZSTD_LEVEL)?;
            let tree = articles(generator, &mut packer, form.kind, count)?;
            packer.finish()?;
            tree
        }
    };
    file.flush()?;
    Ok(tree)
}

fn articles(
    generator: &Generator,
    out: &mut dyn Write,
    kind: FormKind,
    count: u64,
) -> io::Result<Tree> {
    let (head, tail): (&[u8], &[u8]) = match kind {
        FormKind::Lines => (b"", b""),
        FormKind::Tar => (b"", &[0; 1024]),
        FormKind::Wordpress => (wordpress::HEAD.as_bytes(), wordpress::TAIL.as_bytes()),
    };
    out.write_all(head)?;
    let mut tree = Tree::default();
    let mut first = 1;
    while first <= count {
        let last = count.min(first + TOGETHER - 1);
        let made: Vec<(Vec<u8>, u64, Kind)> = (first..=last)
            .into_par_iter()
            .map(|n| {
                let mut article = SynthArticle::default();
                let made = generator.article_into(n, &mut article);
                let bytes = article.bytes.len() as u64;
                let packed = match kind {
                    FormKind::Lines => Ok(line(&article)),
                    FormKind::Tar => member(&article),
                    FormKind::Wordpress => Ok(wordpress::item(n, made, &article)),
                };
                packed.map(|packed| (packed, bytes, made))
            })
            .collect::<io::Result<_>>()?;
        for (packed, bytes, made) in made {
            out.write_all(&packed)?;
            tree = tree + one(bytes, made);
        }
        first = last + 1;
    }
    out.write_all(tail)?;
    Ok(tree)
}

fn one(bytes: u64, kind: Kind) -> Tree {
    let mut counts = Counts::default();
    counts.count(kind);
    Tree {
        files: 1,
        bytes,
        counts,
    }
}

/// The article as a member of a tar archive, without a time.
fn member(article: &SynthArticle) -> io::Result<Vec<u8>> {
    let mut header = tar::Header::new_ustar();
    header.set_size(article.bytes.len() as u64);
    header.set_mode(0o644);
    header.set_path(&article.path)?;
    header.set_cksum();
    let mut member = Vec::with_capacity(article.bytes.len() + 1024);
    member.extend_from_slice(header.as_bytes());
    member.extend_from_slice(&article.bytes);
    member.resize(member.len().next_multiple_of(512), 0);
    Ok(member)
}

/// The article as a line of JSON. One whose front matter cannot be read makes a line that cannot be
/// read.
fn line(article: &SynthArticle) -> Vec<u8> {
    let record = record(article);
    let broken = || {
        let path = Value::String(article.path.clone());
        format!("{{\"path\":{path},\"title\":}}")
    };
    let mut line = record.map_or_else(broken, |record| Value::Object(record).to_string());
    line.push('\n');
    line.into_bytes()
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::super::Options;
    use super::*;

    #[test]
    fn the_ending_says_what_is_written() {
        for (path, is_file) in [
            ("x.jsonl", true),
            ("a/x.TAR.ZST", true),
            ("x.tgz", true),
            ("x.tzst", true),
            ("x.wxr.gz", true),
            ("x.gz", false),
            ("x.xml", true),
            ("x.xml.gz", true),
            ("x", false),
            ("x.zip", false),
        ] {
            assert_eq!(Form::of(Path::new(path)).is_some(), is_file, "{path}");
        }
        for (path, is_missing) in [
            ("x.zip", true),
            ("x.tar.bz2", true),
            ("x.tar.gz", false),
            ("x", false),
        ] {
            assert_eq!(Form::is_missing(Path::new(path)), is_missing, "{path}");
        }
    }

    #[test]
    fn a_line_has_the_fields_and_the_body_of_its_article() {
        let article = Generator::new(1, Options::default()).article(7);
        let line = line(&article);
        let record: Map<String, Value> = serde_json::from_slice(&line).unwrap();
        assert_eq!(record["path"], article.path.as_str());
        let text = String::from_utf8(article.bytes).unwrap();
        assert!(text.ends_with(record["body"].as_str().unwrap()));
        assert!(record["score"]["quality"].is_u64());
        assert!(record.len() > 20);
    }
}
