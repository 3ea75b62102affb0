//! The table as the reference page of the docs.

use std::fmt::Write;

use super::{Field, Kind, TABLE};

/// `docs/schema.md`, whole.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(HEAD);
    rows(&mut page, "", TABLE);
    page.push_str(TAIL);
    for field in TABLE {
        let _ = writeln!(page, "{}", field.example);
    }
    page.push_str("```\n");
    page
}

fn rows(page: &mut String, parent: &str, fields: &[Field]) {
    for field in fields {
        let name = format!("{parent}{}", field.name);
        let aliases = match field.aliases {
            [] => String::new(),
            aliases => format!(" (also `{}`)", aliases.join("`, `")),
        };
        let members = match &field.kind {
            Kind::Group(members) => Some((members, ".")),
            Kind::List {
                of: Kind::Group(members),
                ..
            } => Some((members, "[].")),
            _ => None,
        };
        let required = match (field.required, field.required_in_strict) {
            (true, _) => "yes",
            (false, true) => "strict",
            (false, false) => "",
        };
        let expected = field.kind.expected().replace('|', "\\|");
        let _ = writeln!(
            page,
            "| `{name}`{aliases} | {expected} | {required} | {} |",
            field.description
        );
        if let Some((members, separator)) = members {
            rows(page, &format!("{name}{separator}"), members);
        }
    }
}

const HEAD: &str = "\
# Front matter

<!-- Generated from the field table in src/article/schema; `UPDATE_DOCS=1 cargo test docs_schema` writes it. -->

A source opens with its front matter, in one of three formats: YAML between two lines `---` (the
second may be `...`), TOML between two lines `+++`, or a JSON object, which ends at its closing
brace. All three give the same fields, limits and errors. These forms are read, too:

| form | as in |
| --- | --- |
| empty lines, HTML comments or a byte order mark before it | Hugo, Zola; licence headers |
| `---yaml`, `---toml` or `---json` as first line, `---` as last | gray-matter, Eleventy |
| two lines of more than three hyphens, the same number in both | Hexo |
| YAML with no line before it: two or more fields as first paragraph, then a line `---` | Hexo |
| two or more lines `Name: value` as first paragraph, one of them `Title` | Pelican, MultiMarkdown |

What looks like front matter and cannot be read is an error, never text of the page: a fence that
nothing closes, `---js`, `;;;`, fields within a comment, and fields without a fence that hold the
article back (`Status: draft`). A rule `---` below an empty line is a rule if text follows and no fields. A first brace is a body's
in `{{ x }}`, `{% x %}`, `{#id}`, `{: .class}` and in a sentence such as `{\"a\": 1} is JSON`.

Keys are matched after lower-casing, turning spaces and hyphens into underscores, and camelCase
into snake_case: `ai outline`, `AI-Outline`, `aiOutline` and `ai_outline` are one field. The same
key twice is an error.

YAML is read as libyaml, js-yaml and Psych read it. So lines within brackets or quotes may stand at
the left edge, a tab may follow a colon, and `! 'text'` and `!!str` mark a text. A value
without quotes that ` #word` ends is a warning, because `title: Learning C #1` is \"Learning C\".
In TOML and JSON a text is like one in quotes, and JSON's `null` is absent.

A scalar is read by its field's type, quoted or not: `title: no` is the text \"no\", and
`reading_time: \"6\"` is the number 6. Whole numbers are decimal digits and nothing else: `+5`,
`1_000`, `0x10` and `1e3` are errors, and leading zeros mean nothing. Empty is absent: nothing,
an empty text or list, and an unquoted `~`. An unquoted `null` is absent too, but in a free text
it is the text \"null\".

Aliases (`*name`), anchors (`&name`), other tags (`!name`), a second document and nesting deeper than
16 are errors. Front matter ends at 64 KiB, a source at 4 MiB.

Every text is cleaned: Unicode NFC; control characters, characters that steer the direction of
text and invisible characters removed; white space folded and trimmed. Lengths count characters
after that.

Fields marked *strict* are required in strict mode, in which every warning is an error too.

| field | expected | required | meaning |
| --- | --- | --- | --- |
";

const TAIL: &str = "
Disagreements between fields are warnings: a `reference` whose number is not that of
`payload.source_id`, a `source_id` that does not name its `seed`, an image whose URL has another
host than its `source`, `has_images` and `image_heavy` against the images really there.

All fields at once:

```yaml
";
