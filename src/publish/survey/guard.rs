//! A bug that one article meets must not stop the others.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::failpoint;

/// Does `work` on one article. If it panics, that is what comes back: a bug that one file meets
/// must not stop the others. Nothing that `work` could leave half-done is used afterwards.
pub(crate) fn guarded<T>(step: &str, work: impl FnOnce() -> T) -> Result<T, String> {
    let guarded = catch_unwind(AssertUnwindSafe(|| {
        // Fails by a panic alone.
        let _ = failpoint::at("survey", step);
        work()
    }));
    guarded.map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        let text = text.unwrap_or_else(|| "a panic without a message".to_owned());
        text.chars().take(200).collect()
    })
}
