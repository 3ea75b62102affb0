//! Names of fields for people: `last_reviewed` → `Last reviewed`.

/// Whether a name is written as a schema writes them. Any other is a text of its author.
pub(super) fn is_plain(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// Appends the name of a plain field for people.
pub(super) fn write(out: &mut String, plain: &str) {
    for (index, word) in plain.split('_').enumerate() {
        if index > 0 {
            out.push(' ');
        }
        match (word, index) {
            ("ai", _) => out.push_str("AI"),
            ("id", _) => out.push_str("ID"),
            ("url", _) => out.push_str("URL"),
            (_, 0) => {
                let mut chars = word.chars();
                out.extend(chars.next().map(|first| first.to_ascii_uppercase()));
                out.push_str(chars.as_str());
            }
            _ => out.push_str(word),
        }
    }
}
