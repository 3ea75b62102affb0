//! The file of a page: it takes the place of an older page, and of no other file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// What a page has in its head.
const MARK: &str = "<meta name=\"generator\" content=\"anp report\">";

/// Where the mark is looked for, in bytes.
const HEAD_BYTES: u64 = 2048;

/// Refuses a file that is no place for a page: a slip of the keyboard must not replace the manifest of a
/// run, the settings, or a source.
pub(super) fn check(path: &Path) -> Result<(), String> {
    let is_html =
        |ending: &str| ending.eq_ignore_ascii_case("html") || ending.eq_ignore_ascii_case("htm");
    if !path
        .extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(is_html)
    {
        return Err("its name does not end with .html".to_owned());
    }
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err("it is a folder".to_owned());
    }
    if path
        .symlink_metadata()
        .is_ok_and(|found| found.is_symlink())
        && !path.exists()
    {
        return Err("it is a link that leads nowhere".to_owned());
    }
    match path.metadata() {
        Ok(found) if found.is_dir() => return Err("it is a folder".to_owned()),
        Ok(found) if !found.is_file() => return Err("it is no regular file".to_owned()),
        Ok(found) if found.len() > 0 && !is_page(path).map_err(|error| error.to_string())? => {
            return Err("there is a file of this name that is no report of anp".to_owned());
        }
        _ => {}
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    match tempfile::tempfile_in(folder) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn is_page(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(String::from_utf8_lossy(&head).contains(MARK))
}

#[cfg(test)]
mod tests {
    use std::fs::write;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_page_takes_the_place_of_an_older_page_alone() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write(at("old.html"), format!("<!doctype html>\n{MARK}")).unwrap();
        write(at("empty.html"), "").unwrap();
        write(at("other.html"), "<!doctype html>\n<title>x</title>").unwrap();
        write(at("anp.yaml"), "").unwrap();
        std::fs::create_dir(at("folder.html")).unwrap();
        symlink("nowhere.html", at("loose.html")).unwrap();
        symlink("old.html", at("link.html")).unwrap();
        for name in ["new.html", "new.HTM", "old.html", "empty.html", "link.html"] {
            assert_eq!(check(&at(name)), Ok(()), "{name}");
        }
        for name in [
            "anp.yaml",
            "new.md",
            "other.html",
            "folder.html",
            "loose.html",
            "old.html/",
            "missing/x.html",
            "",
        ] {
            assert!(check(&at(name)).is_err(), "{name}");
        }
        assert!(check(Path::new("/dev/null")).is_err());
    }

    #[test]
    fn a_page_has_its_mark_in_its_head() {
        let template = include_str!("run.html");
        let page = &template[template.find("<!doctype").unwrap()..];
        assert!(
            page.find(MARK)
                .is_some_and(|at| at + MARK.len() < HEAD_BYTES as usize)
        );
    }
}
