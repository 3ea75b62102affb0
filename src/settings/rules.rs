//! How strict the boundary is, and what articles are read by.

use std::path::Path;

use super::files;
use super::reader::Reader;
use super::schema_file;
use super::visibility_fields;
use crate::article::schema::Schema;
use crate::article::{
    Languages, LinkRule, Naming, RoutePattern, Rules, Timezone, Twins, UnknownFields,
    VisibilityFields,
};
use crate::exit::Exit;

/// Reads the rules. How paths become routes is read later, by [`naming`]: it needs the language of the site.
pub(super) fn read(
    reader: &mut Reader,
    visibility_fields: VisibilityFields,
    current_dir: &Path,
) -> Rules {
    Rules {
        strict: reader.flag("strict"),
        unknown_fields: unknown_fields(reader),
        visibility_fields,
        naming: Naming::default(),
        links: links(reader),
        timezone: timezone(reader),
        split_spaces: reader.flag("split_spaces"),
        schema: schema(reader, current_dir),
    }
}

/// Reads which fields decide who may see an article.
pub(super) fn visibility_fields(reader: &mut Reader) -> VisibilityFields {
    reader.get(
        "visibility_fields",
        VisibilityFields::default(),
        visibility_fields::read,
    )
}

/// Reads how paths become routes.
pub(super) fn naming(reader: &mut Reader, site_lang: &str) -> Naming {
    let listed = reader.get("languages", Vec::new(), files::languages);
    Naming {
        pattern: reader.get("route", RoutePattern::default(), files::route),
        languages: Languages::new(site_lang, &listed),
        twins: Twins::default(),
    }
}

fn unknown_fields(reader: &mut Reader) -> UnknownFields {
    reader.get("unknown_fields", UnknownFields::Keep, |node| {
        let choices = [
            UnknownFields::Keep,
            UnknownFields::Warn,
            UnknownFields::Deny,
        ];
        Ok(choices[node.choice(&["keep", "warn", "deny"])?])
    })
}

/// The built-in fields, or those of the schema file.
fn schema(reader: &mut Reader, current_dir: &Path) -> Schema {
    let Some(path) = reader.path("schema", current_dir) else {
        return Schema::default();
    };
    schema_file::read(current_dir.join(path)).unwrap_or_else(|problems| {
        let problems = problems.into_iter();
        reader
            .problems
            .extend(problems.map(|problem| (Exit::Config, problem)));
        Schema::default()
    })
}

fn timezone(reader: &mut Reader) -> Timezone {
    reader.get("site.timezone", Timezone::default(), |node| {
        let zone = Timezone::parse(node.text()?);
        let expected = "a time zone (UTC, Europe/Berlin or +02:00)";
        zone.ok_or_else(|| node.mismatch(expected))
    })
}

fn links(reader: &mut Reader) -> LinkRule {
    reader.get("links", LinkRule::Warn, |node| {
        let choices = [LinkRule::Allow, LinkRule::Warn, LinkRule::Deny];
        Ok(choices[node.choice(&["allow", "warn", "deny"])?])
    })
}
