//! What people and machines read of files that may hold articles and were not read.

use serde_json::{Value, json};

use crate::article::ENDINGS;
use crate::source::{Passed, Reason};
use crate::words::{counted, listed};

/// The line for people: what, how many, the first ones, and how to have them read.
pub(super) fn text(reason: &Reason, passed: &Passed) -> String {
    line(reason, passed).replace('\n', "\u{fffd}")
}

fn line(reason: &Reason, passed: &Passed) -> String {
    let at_least = if passed.is_at_least { "at least " } else { "" };
    let files = match reason {
        Reason::Excluded => {
            counted(passed.files, "file or folder").replace("file or folders", "files and folders")
        }
        Reason::Kind(_) => counted(passed.files, "item"),
        _ => counted(passed.files, "file"),
    };
    let names = passed.first.iter().map(|path| path.display().to_string());
    let names = listed(names, usize::try_from(passed.files).unwrap_or(usize::MAX));
    let what = match reason {
        Reason::Folder(folder) => {
            let shown = folder.display();
            if folder.ends_with("_drafts") {
                format!(" in {shown}: drafts, read with --drafts")
            } else {
                format!(" in {shown}; include with 'include: [{shown}]'")
            }
        }
        Reason::Underscore => format!(" named _… ({names}); include by name with 'include'"),
        Reason::Copy => format!(" that an editor or synchroniser left ({names})"),
        Reason::SecondIndex => format!(" beside an index of the same folder ({names})"),
        Reason::Excluded => format!(" by the settings or an ignore file ({names})"),
        Reason::Ending(ending) if ending.is_empty() => {
            format!(" without an ending ({names}); {}", read())
        }
        Reason::Ending(ending) => format!(" ending {ending} ({names}); {}", read()),
        Reason::Kind(kind) => format!(" of the type {kind}: no articles"),
        Reason::Other => format!(" of other kinds ({names})"),
    };
    format!("passed over: {at_least}{files}{what}")
}

/// The same for machines.
pub(super) fn json(reason: &Reason, passed: &Passed) -> Value {
    let (name, detail) = match reason {
        Reason::Folder(folder) => ("folder", Some(folder.to_string_lossy().into_owned())),
        Reason::Underscore => ("underscore", None),
        Reason::Copy => ("copy", None),
        Reason::SecondIndex => ("second_index", None),
        Reason::Excluded => ("excluded", None),
        Reason::Ending(ending) => ("ending", Some(ending.clone())),
        Reason::Kind(kind) => ("kind", Some(kind.clone())),
        Reason::Other => ("other", None),
    };
    let first = passed.first.iter().map(|path| path.to_string_lossy());
    json!({
        "type": "passed_over", "reason": name, "name": detail, "files": passed.files,
        "at_least": passed.is_at_least, "first": first.collect::<Vec<_>>(),
    })
}

fn read() -> String {
    format!("anp reads .{}", ENDINGS[..3].join(", .")) + " and other spellings of Markdown"
}
