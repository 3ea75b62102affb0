//! Collects what is wrong with one source.

use std::path::PathBuf;
use std::sync::Arc;

use super::text::Cleaned;
use crate::diagnostic::{Diagnostic, Place, RETRY_AFTER_FIX, Severity, Span};

/// Most diagnostics of one source; a hostile file could have tens of thousands.
const MAX_DIAGNOSTICS: usize = 100;

/// The diagnostics of one source so far.
pub(super) struct Findings<'s> {
    path: Arc<PathBuf>,
    /// The whole text of the source, for the lines that diagnostics show.
    source: &'s str,
    found: Vec<Diagnostic>,
    beyond: usize,
    /// Errors seen, shown or not.
    errors: usize,
    /// Strict mode: warnings are errors.
    strict: bool,
    pub(super) cleaned: Cleaned,
}

impl<'s> Findings<'s> {
    pub(super) fn new(path: Arc<PathBuf>, source: &'s str, strict: bool) -> Self {
        let cleaned = Cleaned::default();
        Self {
            path,
            source,
            found: Vec::new(),
            beyond: 0,
            errors: 0,
            strict,
            cleaned,
        }
    }

    pub(super) fn error(
        &mut self,
        code: &str,
        span: Option<Span>,
        message: String,
        help: Option<String>,
    ) {
        self.push(Severity::Error, code, span, message, help);
    }

    pub(super) fn warning(
        &mut self,
        code: &str,
        span: Option<Span>,
        message: String,
        help: Option<String>,
    ) {
        let severity = if self.strict {
            Severity::Error
        } else {
            Severity::Warning
        };
        self.push(severity, code, span, message, help);
    }

    fn push(
        &mut self,
        severity: Severity,
        code: &str,
        span: Option<Span>,
        message: String,
        help: Option<String>,
    ) {
        self.errors += usize::from(severity == Severity::Error);
        // The steps that look for route and title ask whether these two were wrong.
        let asked_for = matches!(code, "slug" | "title");
        if self.found.len() >= MAX_DIAGNOSTICS && !asked_for {
            self.beyond += 1;
            return;
        }
        self.found.push(Diagnostic {
            severity,
            code: code.to_owned(),
            message,
            path: Arc::clone(&self.path),
            place: span.map(|span| Place::in_text(self.source, span)),
            help,
            retry: RETRY_AFTER_FIX,
        });
    }

    /// Errors so far, shown or not.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    /// Whether an error of exactly this code was found (and kept).
    pub(super) fn mentions(&self, code: &str) -> bool {
        self.found
            .iter()
            .any(|found| found.severity == Severity::Error && found.code == code)
    }

    /// All diagnostics by place; those without one first.
    pub(super) fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|diagnostic| {
            diagnostic
                .place
                .as_ref()
                .map(|place| (place.line, place.column))
        });
        if self.beyond > 0 {
            self.found.push(Diagnostic {
                severity: if self.errors > 0 {
                    Severity::Error
                } else {
                    Severity::Warning
                },
                code: "source".to_owned(),
                message: format!(
                    "{} further findings in this file are not shown",
                    self.beyond
                ),
                path: self.path,
                place: None,
                help: None,
                retry: RETRY_AFTER_FIX,
            });
        }
        self.found
    }
}
