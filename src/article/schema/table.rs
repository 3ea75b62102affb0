//! The table itself. Its order is the order of everything that shows metadata.

use super::groups::{ENTITY, FLAGS, IMAGE_SOURCE, PAYLOAD, REVISION, SCORE};
use super::{Alphabet, COUNT, FIELD, Field, Kind, MAX_URL, Split};

const TAGS: Kind = Kind::List {
    max: 64,
    of: &Kind::Text { max: 80 },
    split: Split::AtCommasOrSpaces,
};
const TEXTS: Kind = Kind::List {
    max: 64,
    of: &Kind::Text { max: 80 },
    split: Split::AtCommas,
};
const SENTENCES: Kind = Kind::List {
    max: 64,
    of: &Kind::Text { max: 300 },
    split: Split::Never,
};
const PATHS: Kind = Kind::List {
    max: 64,
    of: &Kind::Text { max: MAX_URL },
    split: Split::Never,
};
/// Every field of the front matter.
pub const TABLE: &[Field] = &[
    Field {
        name: "title",
        acts: true,
        kind: Kind::Text { max: 200 },
        label: "Title",
        outside_box: true,
        required_in_strict: true,
        description: "The title. If absent, the first level-1 heading, which then leaves the body.",
        example: "title: 'redis caching notes: scheduled tasks'",
        ..FIELD
    },
    Field {
        name: "slug",
        acts: true,
        kind: Kind::Slug,
        label: "Slug",
        description: "Last segments of the route, slugified; default: the file name. All of the route if it begins with a slash. An index file has none.",
        example: "slug: scheduled-tasks-028802",
        ..FIELD
    },
    Field {
        name: "route",
        acts: true,
        aliases: &["url", "permalink"],
        kind: Kind::Route,
        label: "Route",
        outside_box: true,
        description: "Route of the page, in place of folder and slug; false: no page.",
        example: "route: /guides/scheduled-tasks/",
        ..FIELD
    },
    Field {
        name: "aliases",
        aliases: &["redirect_from"],
        kind: PATHS,
        label: "Aliases",
        outside_box: true,
        description: "Earlier paths of the page.",
        example: "aliases: [/old/scheduled-tasks/]",
        ..FIELD
    },
    Field {
        name: "date",
        acts: true,
        aliases: &[
            "pub_date",
            "pubdate",
            "published_date",
            "publisheddate",
            "published_at",
            "publishedat",
            "pub_datetime",
            "pubdatetime",
        ],
        kind: Kind::Date,
        label: "Date",
        description: "When it was published.",
        example: "date: 2019-08-08",
        ..FIELD
    },
    Field {
        name: "updated",
        aliases: &[
            "lastmod",
            "last_mod",
            "last_modified_at",
            "lastmodifiedat",
            "last_modified",
            "lastmodified",
            "last_updated",
            "lastupdated",
            "updated_date",
            "updateddate",
            "updated_at",
            "updatedat",
            "modified",
            "mod_datetime",
            "moddatetime",
        ],
        kind: Kind::Date,
        label: "Updated",
        description: "When it was last changed.",
        example: "updated: 2019-08-08T12:30:00Z",
        ..FIELD
    },
    Field {
        name: "publish_at",
        acts: true,
        aliases: &["publishat", "publish_date", "publishdate"],
        kind: Kind::Date,
        label: "Publish at",
        outside_box: true,
        description: "Held back until then.",
        example: "publish_at: 2019-08-08",
        ..FIELD
    },
    Field {
        name: "expires_at",
        acts: true,
        aliases: &[
            "expiresat",
            "expiry_date",
            "expirydate",
            "unpublish_date",
            "unpublishdate",
            "expires",
        ],
        kind: Kind::Date,
        label: "Expires at",
        description: "Held back from then on.",
        example: "expires_at: 2099-12-31",
        ..FIELD
    },
    Field {
        name: "author",
        aliases: &["authors"],
        kind: Kind::List {
            max: 64,
            of: &Kind::Text { max: 200 },
            split: Split::Never,
        },
        label: "Author",
        description: "Who wrote it.",
        example: "author: [Ann Example]",
        ..FIELD
    },
    Field {
        name: "lang",
        aliases: &["language", "locale"],
        kind: Kind::Language,
        label: "Language",
        outside_box: true,
        description: "Language of the page, in place of site.lang.",
        example: "lang: en",
        ..FIELD
    },
    Field {
        name: "topic",
        kind: Kind::Text { max: 200 },
        label: "Topic",
        required_in_strict: true,
        description: "What it is about.",
        example: "topic: running scheduled tasks reliably / redis caching",
        ..FIELD
    },
    Field {
        name: "summary",
        aliases: &["excerpt"],
        kind: Kind::Text { max: 500 },
        label: "Summary",
        outside_box: true,
        required_in_strict: true,
        description: "What lists show; without it, the description.",
        example: "summary: how to keep scheduled tasks from piling up",
        ..FIELD
    },
    Field {
        name: "description",
        aliases: &["meta_description"],
        kind: Kind::Text { max: 500 },
        label: "Description",
        outside_box: true,
        description: "What search engines show; without it, the summary.",
        example: "description: how to keep scheduled tasks from piling up",
        ..FIELD
    },
    Field {
        name: "image",
        aliases_differ: true,
        aliases: &[
            "cover",
            "cover_image",
            "featured_image",
            "feature_image",
            "og_image",
            "hero_image",
            "thumbnail",
        ],
        kind: Kind::Image,
        label: "Image",
        outside_box: true,
        description: "The image of previews; without it, the first of the body.",
        example: "image: https://dummyimage.com/600x400",
        ..FIELD
    },
    Field {
        name: "ai_outline",
        kind: Kind::Pairs {
            max: 32,
            label_max: 80,
            text_max: 500,
        },
        label: "Outline",
        description: "Label and text of each step, in order.",
        example: "ai_outline: [{context: for a high traffic archive}]",
        ..FIELD
    },
    Field {
        name: "ai_brief",
        kind: Kind::Text { max: 1_000 },
        label: "Brief",
        description: "The brief the article was written from.",
        example: "ai_brief: explain the trade-offs to an operator",
        ..FIELD
    },
    Field {
        name: "stack",
        kind: TEXTS,
        label: "Stack",
        required_in_strict: true,
        description: "Technologies it deals with.",
        example: "stack: [redis caching, database]",
        ..FIELD
    },
    Field {
        name: "tools",
        kind: TEXTS,
        label: "Tools",
        required_in_strict: true,
        description: "Tools it uses.",
        example: "tools: [redis-cli, cron]",
        ..FIELD
    },
    Field {
        name: "tags",
        aliases: &["tag", "keywords"],
        kind: TAGS,
        label: "Tags",
        description: "Tags; articles can be purged by them.",
        example: "tags: [redis, cron]",
        ..FIELD
    },
    Field {
        name: "categories",
        aliases: &["category"],
        kind: TAGS,
        label: "Categories",
        description: "Categories.",
        example: "categories: [operations]",
        ..FIELD
    },
    Field {
        name: "code_language",
        kind: Kind::Token {
            max: 32,
            alphabet: Alphabet::Language,
        },
        label: "Code language",
        description: "Language of its code blocks.",
        example: "code_language: text",
        ..FIELD
    },
    Field {
        name: "difficulty",
        kind: Kind::Choice(&["beginner", "intermediate", "advanced", "expert"]),
        label: "Difficulty",
        required_in_strict: true,
        description: "Whom it is for.",
        example: "difficulty: intermediate",
        ..FIELD
    },
    Field {
        name: "reading_time",
        kind: Kind::Minutes { max: 600 },
        label: "Reading time (minutes)",
        required_in_strict: true,
        description: "Whole minutes.",
        example: "reading_time: 6",
        ..FIELD
    },
    Field {
        name: "view_count",
        kind: COUNT,
        label: "Views",
        required_in_strict: true,
        description: "How often it was read.",
        example: "view_count: 330026",
        ..FIELD
    },
    Field {
        name: "score",
        kind: Kind::Group(SCORE),
        label: "Score",
        required_in_strict: true,
        description: "Marks out of 100.",
        example: "score: {quality: 98, freshness: 71, depth: 80, clarity: 90}",
        ..FIELD
    },
    Field {
        name: "revision",
        kind: Kind::Group(REVISION),
        label: "Revision",
        required_in_strict: true,
        description: "State of the text.",
        example: "revision: {status: reviewed, version: 1.5.1, last_reviewed: 2019-08-08}",
        ..FIELD
    },
    Field {
        name: "reference",
        kind: Kind::Numbered {
            max: 200,
            prefix: "anp-ref-",
            suffix_digits: 4,
        },
        label: "Reference",
        required_in_strict: true,
        description: "Where it comes from. The number of anp-ref-N-NNNN is that of payload.source_id.",
        example: "reference: anp-ref-028802-1615",
        ..FIELD
    },
    Field {
        name: "hash",
        kind: Kind::Hex(24),
        label: "Hash",
        required_in_strict: true,
        description: "Fingerprint given by the generator.",
        example: "hash: 8356724ae1829f39c3e9fa7e",
        ..FIELD
    },
    Field {
        name: "flags",
        kind: Kind::Group(FLAGS),
        label: "Flags",
        required_in_strict: true,
        description: "Yes-or-no facts.",
        example: "flags: {ai_generated_style: 1, has_images: 1, image_heavy: 0, needs_human_review: 0}",
        ..FIELD
    },
    Field {
        name: "checklist",
        kind: SENTENCES,
        label: "Checklist",
        required_in_strict: true,
        description: "Things to check.",
        example: "checklist: [inspect cache headers]",
        ..FIELD
    },
    Field {
        name: "entities",
        kind: Kind::List {
            max: 64,
            of: &Kind::Group(ENTITY),
            split: Split::Never,
        },
        label: "Entities",
        required_in_strict: true,
        description: "Things it names.",
        example: "entities: [{name: database, type: area}]",
        ..FIELD
    },
    Field {
        name: "image_sources",
        kind: Kind::List {
            max: 64,
            of: &Kind::Group(IMAGE_SOURCE),
            split: Split::Never,
        },
        label: "Image sources",
        required_in_strict: true,
        description: "Images with the host they come from; the URL's host is that source.",
        example: "image_sources: [{source: dummyimage.com, url: 'https://dummyimage.com/600x400', caption: a shelf}]",
        ..FIELD
    },
    Field {
        name: "payload",
        kind: Kind::Group(PAYLOAD),
        label: "Payload",
        required_in_strict: true,
        description: "How it was generated.",
        example: "payload: {source_id: alphanode-028802, generator: synth, paragraphs: 9, scenario: archive, seed: 28802}",
        ..FIELD
    },
    Field {
        name: "notes",
        kind: SENTENCES,
        label: "Notes",
        required_in_strict: true,
        description: "Remarks.",
        example: "notes: [measured on one machine]",
        ..FIELD
    },
    Field {
        name: "owner",
        kind: Kind::Text { max: 300 },
        label: "Owner",
        description: "Who answers for it; shown with expected_result and rollback_note.",
        example: "owner: platform team",
        ..FIELD
    },
    Field {
        name: "expected_result",
        kind: Kind::Text { max: 300 },
        label: "Expected result",
        description: "What should happen when one follows it.",
        example: "expected_result: one run at a time",
        ..FIELD
    },
    Field {
        name: "rollback_note",
        kind: Kind::Text { max: 300 },
        label: "Rollback",
        description: "How to go back.",
        example: "rollback_note: restore the old crontab",
        ..FIELD
    },
    Field {
        name: "draft",
        acts: true,
        kind: Kind::Flag,
        label: "Draft",
        description: "Drafts are skipped unless asked for.",
        example: "draft: false",
        ..FIELD
    },
    Field {
        name: "published",
        acts: true,
        label: "Published",
        outside_box: true,
        description: "false: a draft.",
        example: "published: true",
        ..FIELD
    },
    Field {
        name: "withdrawn",
        acts: true,
        label: "Withdrawn",
        outside_box: true,
        description: "Taken down: not published, and the next import removes it from the store.",
        example: "withdrawn: false",
        ..FIELD
    },
    Field {
        name: "noindex",
        acts: true,
        aliases: &["no_index"],
        label: "No index",
        outside_box: true,
        description: "Kept out of search engines.",
        example: "noindex: false",
        ..FIELD
    },
    Field {
        name: "robots",
        acts: true,
        kind: Kind::List {
            max: 16,
            of: &Kind::Text { max: 80 },
            split: Split::AtCommas,
        },
        label: "Robots",
        outside_box: true,
        description: "What search engines are told: noindex keeps the page out of them.",
        example: "robots: [index, follow]",
        ..FIELD
    },
    Field {
        name: "hidden",
        acts: true,
        label: "Hidden",
        outside_box: true,
        description: "Kept out of search engines and lists.",
        example: "hidden: false",
        ..FIELD
    },
    Field {
        name: "hide_meta",
        label: "Hide the box",
        outside_box: true,
        description: "Leaves out the box about the article.",
        example: "hide_meta: false",
        ..FIELD
    },
    Field {
        name: "weight",
        aliases: &["order", "nav_order", "sidebar_position", "menu_order"],
        kind: Kind::Number,
        label: "Weight",
        outside_box: true,
        description: "Its place among its neighbours, small numbers first.",
        example: "weight: 10",
        ..FIELD
    },
    Field {
        name: "ttl",
        acts: true,
        kind: Kind::Duration {
            min_ms: 60_000,
            max_ms: 3_650 * 86_400_000,
        },
        label: "Time to live",
        description: "Overrides the default time to live in the store; units w, d, h, m, s.",
        example: "ttl: 12h",
        ..FIELD
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::normalise;
    use std::collections::HashSet;

    fn check(fields: &[Field]) {
        let mut names = HashSet::new();
        for field in fields {
            for name in field.aliases.iter().chain([&field.name]) {
                assert!(names.insert(*name), "{name} is taken twice");
                assert_eq!(&normalise(name), name);
            }
            assert!(
                !field.label.is_empty()
                    && !field.description.is_empty()
                    && !field.example.is_empty()
            );
            assert!(field.description.ends_with('.'), "{}", field.name);
            if let Kind::Group(members)
            | Kind::List {
                of: Kind::Group(members),
                ..
            } = &field.kind
            {
                check(members);
            }
        }
    }

    #[test]
    fn every_row_is_complete_and_every_name_is_taken_once() {
        check(TABLE);
        assert_eq!(TABLE.len(), 46);
    }

    #[test]
    fn strict_mode_asks_for_what_the_generator_writes() {
        let required: Vec<_> = TABLE
            .iter()
            .filter(|field| field.required_in_strict)
            .map(|field| field.name)
            .collect();
        let listed = "title topic summary stack tools difficulty reading_time view_count score revision \
                      reference hash flags checklist entities image_sources payload notes";
        assert_eq!(required, listed.split_whitespace().collect::<Vec<_>>());
    }
}
