//! New files, beside those of a person: none is replaced.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::Output;

/// Writes files below `folder`, by name and text. If one of them is there, none is written.
pub(super) fn write_all(
    folder: &Path,
    files: &[(&str, &str)],
    output: &mut Output,
) -> Result<(), Failure> {
    for (name, _) in files {
        let path = folder.join(name);
        if path.symlink_metadata().is_ok() {
            return Err(failed(&path, &ErrorKind::AlreadyExists.into()));
        }
    }
    for (name, text) in files {
        let path = folder.join(name);
        create_folder_of(&path)?;
        let written = File::create_new(&path).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| failed(&path, &error))?;
        output.text(format!("wrote {}", path.display()));
    }
    Ok(())
}

fn create_folder_of(path: &Path) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|error| {
        let what = format!("cannot create the folder {}: {error}", folder.display());
        Failure::new(Exit::Manifest, what).note("retry", "safe once it can be created")
    })
}

/// Appends `line` to the file at `path`, unless it has that line.
pub(super) fn append_line(path: &Path, line: &str) -> Result<(), Failure> {
    append(path, line).map_err(|error| failed(path, &error))
}

fn append(path: &Path, line: &str) -> io::Result<()> {
    let known = fs::read_to_string(path).unwrap_or_default();
    if known.lines().any(|known| known == line) {
        return Ok(());
    }
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    let start = if known.is_empty() || known.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    file.write_all(format!("{start}{line}\n").as_bytes())
}

fn failed(path: &Path, error: &io::Error) -> Failure {
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
