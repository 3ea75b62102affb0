//! `anp init`: a settings file, its schema, a first article, and what git leaves alone.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use crate::cli::{Common, Init};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::Output;
use crate::settings;

const SAMPLE: &str = include_str!("../../anp.yaml");
const ARTICLE: &str =
    "---\ntitle: Hello, archive\ntags: [first]\n---\n\nAn article, in **Markdown**.\n";
const NEXT: &str = "\
anp check         # what is wrong with the articles; writes nothing
anp import        # publishes them, to a private server in .anp/
anp show /hello/  # what the store holds for one of them";

pub(super) fn run(common: &Common, arguments: &Init) -> Result<Exit, Failure> {
    let here = Path::new(".");
    let folder = arguments
        .folder
        .strip_prefix(here)
        .unwrap_or(&arguments.folder);
    let content = folder.join("content");
    fs::create_dir_all(&content).map_err(|error| failed(&content, &error))?;
    let schema = format!("{:#}\n", settings::json_schema());
    let sample = format!("# yaml-language-server: $schema=anp.schema.json\n{SAMPLE}");
    // The settings come first: where they are already, nothing else is written.
    let files = [
        ("anp.yaml", sample.as_str()),
        ("anp.schema.json", &schema),
        ("content/hello.md", ARTICLE),
    ];
    let mut output = Output::stdout(common.format);
    for (name, text) in files {
        let path = folder.join(name);
        let written = File::create_new(&path).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| failed(&path, &error))?;
        output.text(format!("wrote {}", path.display()));
    }
    let ignored = folder.join(".gitignore");
    append(&ignored, "/.anp/\n").map_err(|error| failed(&ignored, &error))?;
    output.text("");
    if arguments.folder != here {
        output.text(format!("cd {}", folder.display()));
    }
    output.text(NEXT);
    Ok(Exit::Done)
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    let known = fs::read_to_string(path).unwrap_or_default();
    if known.lines().any(|known| known == line.trim_end()) {
        return Ok(());
    }
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    let start = if known.is_empty() || known.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    file.write_all(format!("{start}{line}").as_bytes())
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    let path = path.display();
    if error.kind() == ErrorKind::AlreadyExists {
        return Failure::new(Exit::Usage, format!("{path} exists already"))
            .note("expected", "a folder without it: anp init replaces no file")
            .note(
                "retry",
                "safe, in another folder or once the file is moved away",
            );
    }
    Failure::new(Exit::Manifest, format!("cannot write {path}: {error}"))
        .note("retry", "safe once it can be written")
}
