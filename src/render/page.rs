//! The templates: which there are, where they come from, and that they work.

use std::io;
use std::path::{Path, PathBuf};

use minijinja::value::Value;
use minijinja::{Environment, ErrorKind};

use super::error::TemplateError;
use super::own_pages::escaping;
use super::view::{SAMPLE_BODY, VARIABLES, View};
use crate::regular;

/// The template that makes a page; it includes the others.
const PAGE: &str = "page.html";

/// The template that holds the style sheet.
const STYLE_SHEET: &str = "style.css";

/// The built-in style of pages, for others that are to look like them.
pub const STYLE: &str = include_str!("templates/style.css");

/// The templates that exist, with their built-in texts. A file of the same name in the
/// templates folder takes the place of the text; other names are an error there.
pub const BUILT_IN: [(&str, &str); 4] = [
    (PAGE, include_str!("templates/page.html")),
    (STYLE_SHEET, STYLE),
    ("header.html", include_str!("templates/header.html")),
    ("footer.html", include_str!("templates/footer.html")),
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
    /// Takes the built-in templates and those in `folder`, and rehearses them with a full
    /// and a minimal page.
    pub(super) fn load(folder: Option<&Path>) -> Result<Self, TemplateError> {
        let mut texts: Vec<_> = BUILT_IN
            .iter()
            .map(|(name, text)| match *name {
                // Every page carries it. Its line ends, one after each rule, are for us alone.
                STYLE_SHEET => (*name, text.replace('\n', "")),
                _ => (*name, (*text).to_owned()),
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
        for (name, text) in &templates.texts {
            templates
                .environment
                .add_template_owned(*name, text.clone())
                .map_err(|error| templates.error(&error))?;
        }
        templates.check_variables()?;
        for view in [View::full_sample(), View::minimal_sample()] {
            let mut page = Vec::new();
            templates.render(view, &mut page, usize::MAX)?;
            templates.check_page(&page)?;
        }
        Ok(templates)
    }

    /// Name and text of every template.
    pub(super) fn texts(&self) -> Vec<(&str, &str)> {
        self.texts
            .iter()
            .map(|(name, text)| (*name, text.as_str()))
            .collect()
    }

    /// Bytes of all templates together.
    pub(super) fn bytes(&self) -> usize {
        self.texts.iter().map(|(_, text)| text.len()).sum()
    }

    /// Appends the page to `out`, at most `limit` bytes of it.
    pub(super) fn render(
        &self,
        view: View,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(), TemplateError> {
        let template = self
            .environment
            .get_template(PAGE)
            .map_err(|error| self.error(&error))?;
        let mut writer = Limited { out, left: limit };
        match template.render_captured_to(Value::from_object(view), &mut writer) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::WriteFailure => Err(TemplateError {
                path: self.folder.join(PAGE),
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
                .filter(|variable| !is_known(variable))
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
                        VARIABLES.join(", ")
                    ),
                });
            }
        }
        Ok(())
    }

    /// A page without the article would be an empty success.
    fn check_page(&self, page: &[u8]) -> Result<(), TemplateError> {
        let page = String::from_utf8_lossy(page);
        if page.contains(SAMPLE_BODY) {
            return Ok(());
        }
        Err(TemplateError {
            path: self.folder.join(PAGE),
            line: None,
            message: "expected {{ body }} in the page, found a page without it".to_owned(),
        })
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

fn is_known(variable: &str) -> bool {
    VARIABLES.contains(&variable) || FUNCTIONS.contains(&variable)
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
