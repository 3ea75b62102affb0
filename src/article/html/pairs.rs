//! Which end tag ends which element.
//!
//! This decides only which elements become Markdown events; the renderer balances all tags once more.
//! So an element that it does not understand stays raw HTML, and nothing is lost.

use std::collections::HashMap;

use super::policy::is_block;
use super::token::{Kind, NONE, Token};

/// How far a start tag looks back for an element that it ends.
const LOOK_BACK: usize = 64;

/// An element that is open.
struct Open {
    token: usize,
    /// Its name; one for all headings, since an end tag of any ends any.
    key: &'static str,
    /// Of a heading: the first block in it.
    first_block: Option<usize>,
}

/// Sets partner, parent and flags of all tokens.
pub(crate) fn pair(html: &str, tokens: &mut [Token]) {
    let mut pairing = Pairing {
        tokens,
        html,
        open: Vec::new(),
        counts: HashMap::new(),
    };
    for at in 0..pairing.tokens.len() {
        let token = pairing.tokens[at];
        match token.kind {
            Kind::Start => pairing.start(at),
            Kind::End => pairing.end(at),
            Kind::Void => {
                if token.name == "hr" {
                    pairing.start_block(at);
                }
                pairing.place(at);
            }
            Kind::Text | Kind::Comment | Kind::Opaque => pairing.place(at),
        }
    }
    let end = pairing.tokens.len();
    pairing.close_to(0, end, true);
}

/// The name by which start and end tags find each other.
fn key(name: &'static str) -> &'static str {
    if is_heading(name) { "h1" } else { name }
}

/// Whether `name` is that of a heading.
pub(crate) fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

struct Pairing<'t, 'h> {
    tokens: &'t mut [Token],
    html: &'h str,
    open: Vec<Open>,
    /// How many elements of each key are open.
    counts: HashMap<&'static str, usize>,
}

impl Pairing<'_, '_> {
    fn start(&mut self, at: usize) {
        let name = self.tokens[at].name;
        let key = key(name);
        if is_block(name) {
            self.start_block(at);
        }
        if is_heading(name) || name == "a" {
            self.end_nearest(key, at);
        }
        self.place(at);
        self.open.push(Open {
            token: at,
            key,
            first_block: None,
        });
        *self.counts.entry(key).or_default() += 1;
    }

    /// A block starts at `at`: it ends a paragraph, an item another item.
    fn start_block(&mut self, at: usize) {
        self.end_top(at, "p");
        if self.tokens[at].name == "li" {
            self.end_top(at, "li");
        }
        let mut inner = self.open.iter_mut().rev().take(LOOK_BACK);
        if let Some(heading) = inner.find(|open| open.key == "h1") {
            heading.first_block.get_or_insert(at);
        }
    }

    fn end_top(&mut self, at: usize, name: &str) {
        if self.open.last().is_some_and(|open| open.key == name) {
            self.close_to(self.open.len() - 1, at, true);
        }
    }

    /// Ends the nearest element of `key` if only parts of a line are open in it.
    fn end_nearest(&mut self, key: &'static str, at: usize) {
        if self.counts.get(key).is_none_or(|count| *count == 0) {
            return;
        }
        let mut inner = self.open.iter().rev().take(LOOK_BACK);
        let is_end = |open: &Open| open.key == key || is_block(self.tokens[open.token].name);
        let Some(inside) = inner.position(is_end) else {
            return;
        };
        let index = self.open.len() - 1 - inside;
        if self.open[index].key == key {
            self.close_to(index, at, true);
        }
    }

    /// Gives the token its parent, and tells the parent of it.
    fn place(&mut self, at: usize) {
        let Some(open) = self.open.last() else {
            return;
        };
        let parent = open.token;
        let is_list = matches!(open.key, "ul" | "ol");
        self.tokens[at].parent = parent as u32;
        let token = self.tokens[at];
        let is_block = matches!(token.kind, Kind::Start | Kind::Void) && is_block(token.name);
        let is_item = token.name == "li" && !token.flags.has_attributes && !token.flags.is_hidden;
        let fits = is_item || token.kind == Kind::Comment || token.is_blank(self.html);
        let flags = &mut self.tokens[parent].flags;
        flags.has_block |= is_block;
        flags.is_mixed |= is_list && !fits;
    }

    fn end(&mut self, at: usize) {
        let key = key(self.tokens[at].name);
        if self.counts.get(key).is_none_or(|count| *count == 0) {
            self.place(at);
            return;
        }
        let Some(index) = self.open.iter().rposition(|open| open.key == key) else {
            return;
        };
        let ends_all = is_block(self.tokens[self.open[index].token].name);
        self.close_to(index + 1, at, ends_all);
        let Some(open) = self.open.pop() else {
            return;
        };
        self.forget(&open);
        self.tokens[open.token].partner = at as u32;
        self.tokens[open.token].flags.is_closed = true;
        self.tokens[at].partner = open.token as u32;
        self.tokens[at].parent = self.tokens[open.token].parent;
    }

    /// Closes what is open from `index` on, before the token `at`. Where the end of a block `ends_all`,
    /// elements end whose end tag may be left out; others stay without an end.
    fn close_to(&mut self, index: usize, at: usize, ends_all: bool) {
        while self.open.len() > index
            && let Some(open) = self.open.pop()
        {
            self.forget(&open);
            let end = match open.key {
                "p" | "li" | "a" if ends_all => at,
                "h1" => open.first_block.unwrap_or(at).min(at),
                _ => NONE as usize,
            };
            self.tokens[open.token].partner = end as u32;
            let parent = self.tokens[open.token].parent;
            if end == NONE as usize
                && open.key == "li"
                && let Some(list) = self.tokens.get_mut(parent as usize)
            {
                list.flags.is_mixed = true;
            }
        }
    }

    /// Ends an element; its parent contains what it contained.
    fn forget(&mut self, open: &Open) {
        if let Some(count) = self.counts.get_mut(open.key) {
            *count -= 1;
        }
        let token = self.tokens[open.token];
        if let Some(parent) = self.tokens.get_mut(token.parent as usize) {
            parent.flags.has_block |= token.flags.has_block;
        }
    }
}
