//! The members of the table's groups.

use super::{Alphabet, COUNT, FIELD, Field, Kind};

const TOKEN: Kind = Kind::Token {
    max: 80,
    alphabet: Alphabet::Common,
};
const PERCENT: Kind = Kind::Integer { min: 0, max: 100 };

pub(super) const SCORE: &[Field] = &[
    Field {
        name: "quality",
        kind: PERCENT,
        label: "Quality",
        description: "Quality.",
        example: "98",
        ..FIELD
    },
    Field {
        name: "freshness",
        kind: PERCENT,
        label: "Freshness",
        description: "Freshness.",
        example: "71",
        ..FIELD
    },
    Field {
        name: "depth",
        kind: PERCENT,
        label: "Depth",
        description: "Depth.",
        example: "80",
        ..FIELD
    },
    Field {
        name: "clarity",
        kind: PERCENT,
        label: "Clarity",
        description: "Clarity.",
        example: "90",
        ..FIELD
    },
];

pub(super) const REVISION: &[Field] = &[
    Field {
        name: "status",
        kind: TOKEN,
        label: "Status",
        description: "State.",
        example: "reviewed",
        ..FIELD
    },
    Field {
        name: "version",
        kind: Kind::SemVer,
        label: "Version",
        description: "Version of the text.",
        example: "1.5.1",
        ..FIELD
    },
    Field {
        name: "last_reviewed",
        kind: Kind::Date,
        label: "Last reviewed",
        description: "When it was last reviewed.",
        example: "2019-08-08",
        ..FIELD
    },
];

pub(super) const FLAGS: &[Field] = &[
    Field {
        name: "ai_generated_style",
        label: "AI-generated style",
        description: "Written in the style of generated texts.",
        example: "1",
        ..FIELD
    },
    Field {
        name: "has_images",
        label: "Has images",
        description: "The article or image_sources has images.",
        example: "1",
        ..FIELD
    },
    Field {
        name: "image_heavy",
        label: "Image-heavy",
        description: "It is mostly images.",
        example: "0",
        ..FIELD
    },
    Field {
        name: "needs_human_review",
        label: "Needs human review",
        description: "Kept out of search engines until reviewed.",
        example: "0",
        ..FIELD
    },
];

pub(super) const ENTITY: &[Field] = &[
    Field {
        name: "name",
        kind: Kind::Text { max: 80 },
        label: "Name",
        required: true,
        description: "Its name.",
        example: "database",
        ..FIELD
    },
    Field {
        name: "type",
        kind: Kind::Text { max: 80 },
        label: "Type",
        required: true,
        description: "What kind of thing it is.",
        example: "area",
        ..FIELD
    },
];

pub(super) const IMAGE_SOURCE: &[Field] = &[
    Field {
        name: "source",
        kind: Kind::Host,
        label: "Source",
        required: true,
        description: "The host the image comes from.",
        example: "dummyimage.com",
        ..FIELD
    },
    Field {
        name: "url",
        kind: Kind::Url,
        label: "URL",
        required: true,
        description: "The image.",
        example: "https://dummyimage.com/600x400",
        ..FIELD
    },
    Field {
        name: "caption",
        kind: Kind::Text { max: 300 },
        label: "Caption",
        description: "What it shows.",
        example: "a shelf",
        ..FIELD
    },
];

pub(super) const PAYLOAD: &[Field] = &[
    Field {
        name: "source_id",
        kind: Kind::Numbered {
            max: 200,
            prefix: "alphanode-",
            suffix_digits: 0,
        },
        label: "Source id",
        description: "Id at the source; alphanode-N names its seed.",
        example: "alphanode-028802",
        ..FIELD
    },
    Field {
        name: "generator",
        kind: Kind::Text { max: 200 },
        label: "Generator",
        description: "What made it.",
        example: "synth",
        ..FIELD
    },
    Field {
        name: "paragraphs",
        kind: COUNT,
        label: "Paragraphs",
        description: "How many paragraphs the generator says it wrote.",
        example: "9",
        ..FIELD
    },
    Field {
        name: "scenario",
        kind: Kind::Text { max: 200 },
        label: "Scenario",
        description: "What it was made for.",
        example: "archive",
        ..FIELD
    },
    Field {
        name: "seed",
        kind: COUNT,
        label: "Seed",
        description: "The seed it was made from.",
        example: "28802",
        ..FIELD
    },
];
