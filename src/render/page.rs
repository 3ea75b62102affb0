//! The templates: which there are, where they come from, and that they work.

use std::io;
use std::path::{Path, PathBuf};

use minijinja::value::Value;
use minijinja::{Environment, ErrorKind};

use super::error::TemplateError;
use super::own_pages::escaping;
use super::view::{SAMPLE_BODY, VARIABLES, View};
use super::{list_page, similar};
use crate::regular;

/// The template that makes the page of an article; it includes others.
pub(super) const PAGE: &str = "page.html";

/// The template that makes a page of a list; it includes others.
pub(super) const LIST: &str = "list.html";

/// The template that makes the similar posts of a page.
pub(super) const SIMILAR: &str = "similar.html";

/// The templates that hold the style: of all pages, and of what links articles to each other.
const STYLE_SHEETS: [&str; 2] = ["style.css", ARCHIVE_STYLE];
const ARCHIVE_STYLE: &str = "archive.css";

const HEADER: &str = "header.html";
const FOOTER: &str = "footer.html";

/// The templates that make the page of an article.
pub(super) const OF_PAGES: &[&str] = &[PAGE, "style.css", HEADER, FOOTER];

/// The same where pages have similar posts or link to lists.
pub(super) const OF_LINKED_PAGES: &[&str] = &[PAGE, "style.css", HEADER, FOOTER, ARCHIVE_STYLE];

/// The templates that make a page of a list.
pub(super) const OF_LISTS: &[&str] = &[LIST, "style.css", HEADER, FOOTER, ARCHIVE_STYLE];

/// The built-in style of pages, for others that are to look like them.
pub const STYLE: &str = include_str!("templates/style.css");

/// The templates that exist, with their built-in texts. A file of the same name in the
/// templates folder takes the place of the text; other names are an error there.
pub const BUILT_IN: [(&str, &str); 7] = [
    (PAGE, include_str!("templates/page.html")),
    ("style.css", STYLE),
    (HEADER, include_str!("templates/header.html")),
    (FOOTER, include_str!("templates/footer.html")),
    (LIST, include_str!("templates/list.html")),
    (SIMILAR, include_str!("templates/similar.html")),
    (ARCHIVE_STYLE, include_str!("templates/archive.css")),
];

/// A template file may be this large, in bytes.
const TEMPLATE_BYTES: u64 = 1 << 20;

/// What one page may cost. minijinja counts an instruction, or 64 bytes of output, as
/// one: this is enough for the largest body there can be (4 MiB of source) three times
/// over, and an endless loop ends within a tenth of a second.
const FUEL: u64 = 1_800_000;

/// The compiled templates of a run.
pub(super) struct Templates {
    environment: Environment<'static>,
    folder: PathBuf,
    /// Name and text of each, for the digest.
    texts: Vec<(&'static str, String)>,
}

impl Templates {
    /// Takes the built-in templates and those in `folder`. With own ones, all are rehearsed with full and
    /// minimal pages; of the built-in ones a test does that, and of these only the `needed` ones and those of
    /// pages are compiled.
    pub(super) fn load(folder: Option<&Path>, needed: &[&str]) -> Result<Self, TemplateError> {
        let is_own = folder.is_some();
        let mut texts: Vec<_> = BUILT_IN
            .iter()
            .map(|(name, text)| match *name {
                // Every page carries it. Its line ends, one after each rule, are for us alone.
                name if STYLE_SHEETS.contains(&name) => (name, text.replace('\n', "")),
                name => (name, (*text).to_owned()),
            })
            .collect();
        if let Some(folder) = folder {
            override_from(folder, &mut texts)?;
        }
        let folder = folder.map_or_else(|| PathBuf::from("templates"), Path::to_owned);
        let mut templates = Self {
            environment: environment(),
            folder,
            texts,
        };
        let is_needed =
            |name: &str| is_own || OF_LINKED_PAGES.contains(&name) || needed.contains(&name);
        for (name, text) in templates.texts.iter().filter(|(name, _)| is_needed(name)) {
            templates
                .environment
                .add_template_owned(*name, text.clone())
                .map_err(|error| templates.error(&error))?;
        }
        if is_own {
            templates.check_variables()?;
            templates.rehearse()?;
        }
        Ok(templates)
    }

    /// Makes each kind of page. One without its article, or without its links, would be an empty success.
    fn rehearse(&self) -> Result<(), TemplateError> {
        for view in [View::full_sample(), View::minimal_sample()] {
            let view = Value::from_object(view);
            self.rehearse_one(
                PAGE,
                view,
                SAMPLE_BODY,
                "{{ body }} in the page, found a page",
            )?;
        }
        for view in list_page::samples() {
            let view = Value::from_object(view);
            let expected = "a link to each of {{ items }}, found a list";
            self.rehearse_one(LIST, view, list_page::SAMPLE_ITEM, expected)?;
        }
        let post = similar::sample();
        let view = similar::view(std::slice::from_ref(&post), "en", "", "");
        let expected = "a link to each of {{ similar }}, found a section";
        self.rehearse_one(SIMILAR, view, post.route.as_str(), expected)
    }

    fn rehearse_one(
        &self,
        name: &str,
        view: Value,
        sample: &str,
        expected: &str,
    ) -> Result<(), TemplateError> {
        let mut page = Vec::new();
        self.render(name, view, &mut page, usize::MAX)?;
        if String::from_utf8_lossy(&page).contains(sample) {
            return Ok(());
        }
        Err(TemplateError {
            path: self.folder.join(name),
            line: None,
            message: format!("expected {expected} without it"),
        })
    }

    /// Name and text of the templates of these names.
    pub(super) fn texts<'t>(&'t self, names: &[&str]) -> Vec<(&'t str, &'t str)> {
        let texts = self.texts.iter();
        let texts = texts.map(|(name, text)| (*name, text.as_str()));
        texts.filter(|(name, _)| names.contains(name)).collect()
    }

    /// Bytes of all templates together.
    pub(super) fn bytes(&self) -> usize {
        self.texts.iter().map(|(_, text)| text.len()).sum()
    }

    /// Appends what the template `name` makes to `out`, at most `limit` bytes of it.
    pub(super) fn render(
        &self,
        name: &str,
        view: Value,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(), TemplateError> {
        let template = self
            .environment
            .get_template(name)
            .map_err(|error| self.error(&error))?;
        let mut writer = Limited { out, left: limit };
        match template.render_captured_to(view, &mut writer) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::WriteFailure => Err(TemplateError {
                path: self.folder.join(name),
                line: error.line(),
                message: format!("expected a page of at most {limit} bytes, found more"),
            }),
            Err(error) => Err(self.error(&error)),
        }
    }

    /// A variable that does not exist fails where it is used; this finds those in branches
    /// that the rehearsal does not take.
    fn check_variables(&self) -> Result<(), TemplateError> {
        for (name, text) in &self.texts {
            let template = self
                .environment
                .get_template(name)
                .map_err(|error| self.error(&error))?;
            let mut unknown: Vec<_> = template
                .undeclared_variables(false)
                .into_iter()
                .filter(|variable| !is_known(name, variable))
                .collect();
            unknown.sort();
            if let Some(variable) = unknown.first() {
                return Err(TemplateError {
                    path: self.folder.join(name),
                    line: text
                        .lines()
                        .position(|line| mentions(line, variable))
                        .map(|line| line + 1),
                    message: format!(
                        "expected one of the variables {}, found '{variable}'",
                        variables(name).concat().join(", ")
                    ),
                });
            }
        }
        Ok(())
    }

    fn error(&self, error: &minijinja::Error) -> TemplateError {
        // Of a chain (a page includes a part) the innermost error knows the place best.
        let mut place = (error.name().unwrap_or(PAGE).to_owned(), error.line());
        let mut message = sentence(error);
        let mut source = std::error::Error::source(error);
        while let Some(inner) = source {
            if let Some(inner) = inner.downcast_ref::<minijinja::Error>() {
                place = (
                    inner.name().unwrap_or(&place.0).to_owned(),
                    inner.line().or(place.1),
                );
                message = sentence(inner);
            }
            source = inner.source();
        }
        TemplateError {
            path: self.folder.join(place.0),
            line: place.1,
            message,
        }
    }
}

fn is_known(template: &str, variable: &str) -> bool {
    let mut known = variables(template).into_iter().flatten();
    known.any(|known| *known == variable) || FUNCTIONS.contains(&variable)
}

/// The variables of a template.
fn variables(template: &str) -> [&'static [&'static str]; 2] {
    match template {
        LIST => [&VARIABLES, &list_page::OWN_VARIABLES],
        SIMILAR => [&similar::VARIABLES, &[]],
        _ => [&VARIABLES, &[]],
    }
}

/// minijinja's own functions, which count as variables there.
const FUNCTIONS: &[&str] = &["range", "dict", "namespace", "debug"];

fn mentions(line: &str, variable: &str) -> bool {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .any(|word| word == variable)
}

fn sentence(error: &minijinja::Error) -> String {
    match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => {
            "expected a template that ends, found one that does not stop".to_owned()
        }
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    }
}

fn environment() -> Environment<'static> {
    let mut environment = escaping();
    environment.set_fuel(Some(FUEL));
    // `{% autoescape false %}` and `|safe` would let text of an article reach a page
    // unescaped, so the first has no effect and the second does not exist.
    environment.remove_filter("safe");
    environment
}

fn override_from(folder: &Path, texts: &mut [(&'static str, String)]) -> Result<(), TemplateError> {
    let failed = |path: &Path, error: &io::Error| TemplateError {
        path: path.to_owned(),
        line: None,
        message: format!("expected a readable templates folder and files, found: {error}"),
    };
    let entries = std::fs::read_dir(folder).map_err(|error| failed(folder, &error))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| failed(folder, &error))?;
        names.push(entry.file_name());
    }
    names.sort();
    for name in names {
        let path = folder.join(&name);
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else {
            continue;
        };
        let Some((_, text)) = texts.iter_mut().find(|(known, _)| *known == name) else {
            return Err(TemplateError {
                path,
                line: None,
                message: format!(
                    "expected a template called {}, found '{name}'",
                    BUILT_IN.map(|(name, _)| name).join(", ")
                ),
            });
        };
        let read = regular::read(&path, TEMPLATE_BYTES)
            .and_then(|bytes| String::from_utf8(bytes).map_err(|_| io::Error::other("not UTF-8")));
        *text = read.map_err(|error| TemplateError {
            message: format!(
                "expected a regular file of at most {} KiB in UTF-8, found: {error}",
                TEMPLATE_BYTES / 1024
            ),
            path,
            line: None,
        })?;
    }
    Ok(())
}

/// Stops a page that grows past what its article allows.
struct Limited<'o> {
    out: &'o mut Vec<u8>,
    left: usize,
}

impl io::Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self
            .left
            .checked_sub(bytes.len())
            .ok_or_else(|| io::Error::from(io::ErrorKind::WriteZero))?;
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{LIST, SIMILAR, Templates};

    #[test]
    fn the_built_in_templates_pass_what_own_ones_have_to() {
        let templates = Templates::load(None, &[LIST, SIMILAR]).unwrap();
        templates.check_variables().unwrap();
        templates.rehearse().unwrap();
    }
}
