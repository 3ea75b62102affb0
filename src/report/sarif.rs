//! Findings as a SARIF document, for tools that show results of checks beside the code
//! ([SARIF 2.1.0](https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html)).

use std::collections::BTreeSet;
use std::path::Path;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use crate::diagnostic::Diagnostic;

/// What a path may not have as it is in a URI (RFC 3986, section 3.3), but for the slash.
const RESERVED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b':');

/// The whole document, with its line end.
pub(super) fn document(found: &[Diagnostic]) -> String {
    let codes: BTreeSet<&str> = found.iter().map(|found| found.code.as_str()).collect();
    let rules: Vec<Value> = codes.iter().map(|code| json!({ "id": code })).collect();
    let results: Vec<Value> = found.iter().map(result).collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "anp", "version": env!("CARGO_PKG_VERSION"), "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{document:#}\n")
}

fn result(found: &Diagnostic) -> Value {
    let mut location = json!({ "artifactLocation": { "uri": uri(&found.path) } });
    if let Some(place) = &found.place {
        location["region"] = json!({
            "startLine": place.line, "startColumn": place.column,
            "endColumn": place.column + place.length,
        });
    }
    let help = found
        .help
        .as_ref()
        .map_or(String::new(), |help| format!(" ({help})"));
    json!({
        "ruleId": found.code,
        "level": found.severity.word(),
        "message": { "text": format!("{}{help}", found.message) },
        "locations": [{ "physicalLocation": location }],
    })
}

/// A relative path stays relative; an absolute one gets the scheme that it needs.
fn uri(path: &Path) -> String {
    let text = path.to_string_lossy();
    let path = utf8_percent_encode(&text, RESERVED).to_string();
    if text.starts_with('/') {
        format!("file://{path}")
    } else {
        path
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::uri;

    #[test]
    fn a_path_is_a_uri() {
        assert_eq!(
            uri(Path::new("content/é a#b.md")),
            "content/%C3%A9%20a%23b.md"
        );
        assert_eq!(uri(Path::new("/srv/x%.md")), "file:///srv/x%25.md");
    }
}
