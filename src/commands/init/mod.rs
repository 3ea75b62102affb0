//! `anp init`: a settings file, its schema, a first article, and what git leaves alone; or the
//! built-in templates; or an nginx front.

mod new_files;
mod nginx;

use std::path::Path;

use self::new_files::{append_line, write_all};
use crate::cli::{Common, Init};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::BUILT_IN_TEMPLATES;
use crate::report::Output;
use crate::settings;

const SAMPLE: &str = include_str!("../../../anp.yaml");
const ARTICLE: &str =
    "---\ntitle: Hello, archive\ntags: [first]\n---\n\nAn article, in **Markdown**.\n";
const NEXT: &str = "\
anp check         # errors and warnings of the articles; writes nothing
anp import        # publishes them, to a private server in .anp/";
const SHOW: &str = "anp show /hello/  # what the store holds for one of them";

pub(super) fn run(common: &Common, arguments: &Init) -> Result<Exit, Failure> {
    let mut output = Output::stdout(common.format);
    match (&arguments.templates, &arguments.nginx) {
        (Some(folder), _) => templates(folder, &mut output)?,
        (None, Some(folder)) => nginx::write(folder, common, &mut output)?,
        (None, None) => project(&arguments.folder, &mut output)?,
    }
    Ok(Exit::Done)
}

/// A folder to publish from.
fn project(folder: &Path, output: &mut Output) -> Result<(), Failure> {
    let here = Path::new(".");
    let inside = folder.strip_prefix(here).unwrap_or(folder);
    let schema = format!("{:#}\n", settings::json_schema());
    let sample = format!("# yaml-language-server: $schema=anp.schema.json\n{SAMPLE}");
    let mut files = vec![
        ("anp.yaml", sample.as_str()),
        ("anp.schema.json", schema.as_str()),
    ];
    // An archive that is there needs no first article.
    let is_new = is_empty(&inside.join("content"));
    if is_new {
        files.push(("content/hello.md", ARTICLE));
    }
    write_all(inside, &files, output)?;
    append_line(&inside.join(".gitignore"), "/.anp/")?;
    output.text("");
    if folder != here {
        output.text(format!("cd {}", inside.display()));
    }
    output.text(NEXT);
    if is_new {
        output.text(SHOW);
    }
    Ok(())
}

fn is_empty(folder: &Path) -> bool {
    !std::fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some())
}

/// The templates that make the pages, to change.
fn templates(folder: &Path, output: &mut Output) -> Result<(), Failure> {
    write_all(folder, &BUILT_IN_TEMPLATES, output)?;
    let folder = folder.display();
    output.text(format!(
        "\nanp check --templates {folder}  # tries the templates; writes nothing\n\
         To use them for every import, set 'templates: {folder}' in anp.yaml."
    ));
    Ok(())
}
