//! Reads the article of one source again, where the survey kept too little of it.

use std::sync::{Arc, OnceLock};

use super::guard::guarded;
use crate::article;
use crate::article::{Article, Input, MAX_SOURCE_BYTES, Rules, UnknownFields};
use crate::settings::Settings;
use crate::source::Origin;

/// The rules by which the articles of `origin` are read again: how strict the settings are does not count.
pub(crate) fn lenient_rules(settings: &Settings, origin: &dyn Origin) -> Rules {
    Rules {
        strict: false,
        unknown_fields: UnknownFields::default(),
        naming: settings.rules.naming.with(origin.twins()),
        ..settings.rules.clone()
    }
}

/// What `take` takes from the article of the source number `source`; none if it cannot be read as an article.
pub(crate) fn read_again<T>(
    origin: &dyn Origin,
    source: usize,
    rules: &Rules,
    take: impl FnOnce(Article<'_>) -> T,
) -> Option<T> {
    let loaded = origin.load(source);
    let bytes = loaded
        .bytes
        .ok()
        .filter(|bytes| bytes.len() <= MAX_SOURCE_BYTES)?;
    let input = Input {
        path: Arc::new(origin.shown_at(source)),
        relative: &loaded.relative,
        markup: loaded.markup,
        bytes: &bytes,
        cleaned: &OnceLock::new(),
    };
    let reading = guarded("read", || article::read(&input, rules)).ok()?;
    reading.article.map(take)
}
