//! What a hostile article tries.

use super::edit::Edit;
use super::payloads as say;
use super::rng::Rng;

/// One attempt to do harm: to the reader's browser, the templates, the store, or the machine
/// that reads the article.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attack {
    /// A script in the body.
    Script,
    /// A link or image whose URL runs code.
    ScriptUrl,
    /// An attribute that runs code.
    EventHandler,
    /// A frame, a form, a style sheet, a redirection.
    Embedding,
    /// Markup without an end, which would swallow what follows.
    OpenMarkup,
    /// Tags that close in the wrong order, or close what is not theirs.
    MisnestedTags,
    /// Template syntax in the title.
    TemplateTitle,
    /// Fields that would break out of an attribute, a comment or a script.
    Breakout,
    /// Characters that turn the direction of what follows.
    BidiOverride,
    /// Characters that steer terminals and end strings.
    Controls,
    /// A slug that leads out of the tree.
    PathTraversal,
    /// Commands of the store's protocol, after a line end.
    Protocol,
    /// Raw tags inside each other, deeper than pages may nest.
    DeepTags,
    /// Quotes or lists inside each other, deeper than Markdown may nest.
    DeepQuotes,
    /// Brackets inside each other, deeper than front matter may nest.
    DeepYaml,
    /// YAML aliases that multiply.
    AliasBomb,
    /// A YAML tag that makes some parsers run code.
    YamlTag,
    /// Front matter above 64 KiB.
    HugeFrontMatter,
    /// A title of thousands of characters.
    HugeTitle,
    /// References that make a page many times the size of its source.
    FootnoteFlood,
    /// An image source whose URL runs code.
    ScriptImageSource,
}

impl Attack {
    /// All of them, each as frequent as the others.
    pub const ALL: [Self; 21] = [
        Self::Script,
        Self::ScriptUrl,
        Self::EventHandler,
        Self::Embedding,
        Self::OpenMarkup,
        Self::MisnestedTags,
        Self::TemplateTitle,
        Self::Breakout,
        Self::BidiOverride,
        Self::Controls,
        Self::PathTraversal,
        Self::Protocol,
        Self::DeepTags,
        Self::DeepQuotes,
        Self::DeepYaml,
        Self::AliasBomb,
        Self::YamlTag,
        Self::HugeFrontMatter,
        Self::HugeTitle,
        Self::FootnoteFlood,
        Self::ScriptImageSource,
    ];

    /// Whether the article is refused with an error, also without `--strict`. The others are
    /// published, disarmed, and most of them with a warning.
    #[must_use]
    pub fn is_refused(self) -> bool {
        match self {
            Self::Script
            | Self::ScriptUrl
            | Self::EventHandler
            | Self::Embedding
            | Self::OpenMarkup
            | Self::MisnestedTags
            | Self::TemplateTitle
            | Self::Breakout
            | Self::BidiOverride
            | Self::Controls
            | Self::PathTraversal
            | Self::Protocol => false,
            Self::DeepTags
            | Self::DeepQuotes
            | Self::DeepYaml
            | Self::AliasBomb
            | Self::YamlTag
            | Self::HugeFrontMatter
            | Self::HugeTitle
            | Self::FootnoteFlood
            | Self::ScriptImageSource => true,
        }
    }

    /// Puts the attempt into an article.
    pub(super) fn spoil(self, n: u64, rng: &mut Rng, edit: &mut Edit<'_>) {
        match self {
            Self::Script => edit.put_block(rng.word(&say::SCRIPTS)),
            Self::ScriptUrl => edit.put_block(rng.word(&say::SCRIPT_URLS)),
            Self::EventHandler => edit.put_block(rng.word(&say::EVENT_HANDLERS)),
            Self::Embedding => edit.put_block(rng.word(&say::EMBEDDINGS)),
            Self::OpenMarkup => edit.put_block(rng.word(&say::OPEN_MARKUP)),
            Self::MisnestedTags => {
                let soup = rng.word(&say::MISNESTED);
                edit.put_block(soup.repeat(rng.range(1, 8) as usize));
            }
            Self::TemplateTitle => edit.set("title", rng.word(&say::TEMPLATES)),
            Self::Breakout => anywhere(rng.word(&say::BREAKOUTS), rng, edit),
            Self::BidiOverride => anywhere(rng.word(&say::BIDI), rng, edit),
            Self::Controls => anywhere(rng.word(&say::CONTROLS), rng, edit),
            Self::Protocol => anywhere(rng.word(&say::PROTOCOL), rng, edit),
            Self::PathTraversal => {
                let path = rng.word(&[
                    "../../etc/passwd",
                    "/etc/passwd",
                    "..%2f..%2fsecret",
                    "a/../..",
                ]);
                // The number keeps two of them from claiming one route.
                edit.set("slug", format!("\"{path}-{n:06}\""));
            }
            Self::DeepTags => {
                let tags = rng.word(&["<b><i>", "<div><p><b>", "<ul><li>", "<sub><sup>"]);
                edit.put_block(tags.repeat(rng.range(101, 400) as usize));
            }
            Self::DeepQuotes => {
                let marker = rng.word(&["> ", ">", "- ", "1. "]);
                edit.put_block(format!(
                    "{}deep",
                    marker.repeat(rng.range(65, 300) as usize)
                ));
            }
            Self::DeepYaml => {
                let depth = rng.range(17, 900) as usize;
                edit.set(
                    "notes_of_notes",
                    format!("{}{}", "[".repeat(depth), "]".repeat(depth)),
                );
            }
            Self::AliasBomb => edit.add(alias_bomb(rng.range(3, 12)).trim_end().as_bytes()),
            Self::YamlTag => {
                let tag = rng.word(&[
                    "!!python/object/apply:os.system [id]",
                    "!ruby/object:Gem::Installer {i: x}",
                    "!!js/function 'function () { alert(1) }'",
                ]);
                edit.set("owner", tag);
            }
            Self::HugeFrontMatter => {
                let line = "# a remark that nobody will ever read, again and again\n";
                edit.add(
                    line.repeat(rng.range(1_200, 2_400) as usize)
                        .trim_end()
                        .as_bytes(),
                );
            }
            Self::HugeTitle => edit.set("title", "very ".repeat(rng.range(41, 4_000) as usize)),
            Self::FootnoteFlood => {
                let references = "[^1] ".repeat(rng.range(5_000, 8_000) as usize);
                edit.put_block(format!("{references}\n\n[^1]: note"));
            }
            Self::ScriptImageSource => {
                let url = rng.word(&[
                    "javascript:alert(1)",
                    "data:image/svg+xml,x",
                    "file:///etc/passwd",
                ]);
                edit.set("    url", url);
            }
        }
    }
}

/// Gives one of the texts that pages show another value.
fn anywhere(value: &str, rng: &mut Rng, edit: &mut Edit<'_>) {
    let label = rng.word(&["title", "summary", "owner", "ai_brief", "    caption"]);
    edit.set(label, value);
}

/// Each line nine times the one before: with ten of them three billion entries.
fn alias_bomb(levels: u32) -> String {
    let mut bomb = "bomb_0: &bomb_0 [boom, boom]\n".to_owned();
    for level in 1..=levels {
        let aliases = format!("*bomb_{}, ", level - 1).repeat(9);
        bomb += &format!("bomb_{level}: &bomb_{level} [{aliases}]\n");
    }
    bomb
}
