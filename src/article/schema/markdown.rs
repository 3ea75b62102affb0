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
| `--- # comment` as first line | YAML |
| two lines of more than three hyphens, the same number in both | Hexo |
| YAML with no line before it: two or more fields as first paragraph, then a line `---` | Hexo |
| two or more lines `Name: value` as first paragraph, one of them `Title` | Pelican, MultiMarkdown |

What looks like front matter and cannot be read is an error, never text of the page: a fence that
nothing closes, `---js`, `+++toml`, `;;;`, a line of stars or one dash around common fields, fences and
fields of Nikola within a comment. A field that holds the article
back (`draft: true`, `published: false`, `private: true`) is an error in a comment before the front matter and
among the first 40 lines of the body, up to the first that is ordinary text; without front matter,
`status: draft` and dates such as `publish_at` are too, as long as no heading stands before them.

A rule `---` below an empty line is a rule if text follows and no fields. A first brace is a body's
in `{{ x }}`, `{% x %}`, `{#id}`, `{: .class}` and in a sentence such as `{\"a\": 1} is JSON`.

Keys are matched after lower-casing, turning spaces and hyphens into underscores, and camelCase
into snake_case: `ai outline`, `AI-Outline`, `aiOutline` and `ai_outline` are one field. The same
key twice is an error.

YAML is read as libyaml, js-yaml and Psych read it. So lines within brackets or quotes may stand at
the left edge, a tab may follow a colon, and `! 'text'` and `!!str` mark a text. A value
without quotes that ` #word` ends is a warning, because `title: Learning C #1` is \"Learning C\".
In TOML and JSON a text is like one in quotes, and JSON's `null` is absent.

A scalar is read by its field's type, quoted or not: `title: no` is the text \"no\", and
`view_count: \"6\"` is the number 6. Empty is absent: nothing, an empty text or list, and an
unquoted `~`. An unquoted `null` is absent too, but in a free text it is the text \"null\".

- Dates: `2024-01-05`, `2024-1-5`, `2024/01/05`, `Jan 5, 2024`, `5 January 2024`. A time follows as
  `10:00`, `10:00:00` or `10:00:00.5`, a zone as `Z`, `UTC`, `GMT`, `+02:00`, `+0200` or `+02`. Without a
  zone it is the time of `site.timezone`, which is UTC by default. A day stays a day, all else is stored
  as RFC 3339. `01/05/2024` is an error: it can be read in two ways.
- A text in the place of a list is a list of one. In `stack`, `tools`, `tags`, `categories` and `robots`
  it is split at commas. With the setting `split_spaces`, `tags` and `categories` without a comma are
  split at spaces, as in Jekyll. Numbers and flags in a list of texts are texts.
- Flags: `1`, `0`, `true`, `false`, `yes`, `no`, `on` and `off`.
- Whole numbers are decimal digits and nothing else; leading zeros mean nothing. `reading_time` may have
  a unit or decimals: `6 min`, `~6` and `5.5` are 6.
- Words such as `Beginner` may have capitals.
- Of `author`, `tags` and other lists of texts, mappings count by their `name`: `author: {name: Ann}`. Of
  an image, the `src`, `url` or `path` counts. The whole value is kept as an own field.

A field may occur under two of its names. Lists are then joined. Of other values that differ, the one
under the field's own name counts, and then the one whose name comes first in the table; of `noindex`,
`publish_at` and `expires_at` the value that hides more. With two values of `date` the article is held back until the later one. A warning
names the two, and the other value is kept as an own field.

Aliases (`*name`), anchors (`&name`), merge keys (`<<`), other tags (`!name`), a second document and nesting deeper than
16 are errors. Front matter ends at 64 KiB, a source at 4 MiB.

Every text is cleaned: Unicode NFC; control characters, characters that steer the direction of
text and invisible characters removed; white space folded and trimmed. Lengths count characters
after that.

Fields marked *strict* are required in strict mode, in which every warning is an error too.

## Own fields

A field that the table does not know is an own field. anp cleans it as any other and keeps it: in the meta
object under `metadata.extra`, in the box of the page, and in templates as `extra`
([templates.md](templates.md)). Its key stays as it was written.

An unquoted `true` or `false` is a flag. An unquoted number is a number if readers of JSON keep it as it is
written: at most 16 characters, no exponent, no zero at the end of its decimals, so that `version: 1.10`
stays a text. Everything else is a text. An own field nests at most 4 lists and mappings inside each other,
each with at most 64 entries, and an article has at most 64 own fields.

`unknown_fields` decides what anp says: `keep` warns only of a name that is close to a known one
(`sumary`), `warn` of each name, and `deny` makes each an error.

A value that a field was not meant for stays as an own field too, with a warning: `score: 95`,
`difficulty: hard`, `hash: abc`. These are errors: a value beyond its limits (`reading_time: 601`), a wrong
member of a group (`score: {quality: high}`), anything unclear in a field that anp acts on (`title`,
`slug`, `route`, `date`, `draft`, `ttl` and those about visibility), and, with `unknown_fields: deny`, all
of them.

## Fields of your team

The setting `schema` names a YAML file with more fields. anp checks them as it checks its own, and every
wrong value is an error:

```yaml fields.yaml
built_in: true            # false: without the fields that only describe generated articles
fields:
  product:
    type: choice
    choices: [Redis, Valkey]
    required: true
    label: Product
    description: What the article is about.
  reviewers: {type: list, of: text, split: commas, max: 3}
  contact:
    type: group
    fields:
      team: {type: text, max: 80, required: true}
      since: {type: date}
  date: {required: true}  # a built-in field, adjusted
```

| type | may also say |
| --- | --- |
| `text`, `token` | `max`: characters |
| `whole` | `min`, `max` |
| `minutes` | `max` |
| `duration` | `min`, `max` |
| `hex` | `digits` |
| `choice` | `choices` |
| `list` | `max`: entries; `of`: a type, or a mapping with one; `split`: `never`, `commas` or `spaces` |
| `pairs` | `max`: pairs |
| `group` | `fields` |
| `date`, `number`, `flag`, `version`, `host`, `url`, `image`, `language`, `any` | |

Every field may say `label`, `description`, `example`, `required` and `aliases`. A field with the name of a
built-in one and a `type` takes its place; without a `type` it adjusts it. The type of a field that anp acts
on cannot be changed. `built_in: false` leaves `title`, `slug`, `date`, `draft` and the other fields that anp
acts on or that every page shows.

## In editors and CI

`anp schema` prints the JSON Schema of all these fields, `anp schema --settings` that of anp.yaml:

```sh
anp schema > front-matter.schema.json
anp schema --settings > anp.schema.json
```

With the YAML extension of VS Code (redhat.vscode-yaml), this line at the top of anp.yaml, which `anp init`
writes, completes keys and marks mistakes:

```yaml
# yaml-language-server: $schema=anp.schema.json
```

In CI, `anp check` applies the rules themselves, which say more than the schema. A tool that knows only JSON
Schema can read `front-matter.schema.json`, for example `check-jsonschema --schemafile anp.schema.json anp.yaml`.

## The table

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
