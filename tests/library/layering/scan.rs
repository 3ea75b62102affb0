//! Reads the sources as tokens: which file imports from which, and how long files and functions
//! are. Tests and comments are left out.
//!
//! It sees names, not types: a call of a method is no import. A file that adds methods to a type
//! of another file therefore counts as imported by the file that defines the type.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The sources of one crate, and the file that each module is in.
pub struct Scan {
    pub files: Vec<File>,
    modules: BTreeMap<Vec<String>, usize>,
}

/// One source file.
#[derive(Default)]
pub struct File {
    /// Below `src`: `store/tls.rs`.
    pub path: String,
    /// The lines with code on them.
    pub lines: BTreeSet<usize>,
    pub functions: Vec<Function>,
    module: Vec<String>,
    /// The modules declared by `mod name;`.
    children: BTreeSet<String>,
    /// Those of them that are for tests.
    tests: BTreeSet<String>,
    imports: Vec<Import>,
    /// Paths of two names or more in the code: `tls::Tls`.
    paths: BTreeSet<Vec<String>>,
    /// Every name in the code, imports left out.
    names: BTreeSet<String>,
    /// Types that get methods: `impl Name {`.
    extended: BTreeSet<String>,
}

/// A function and its length in lines of code.
pub struct Function {
    pub name: String,
    pub lines: usize,
}

/// One name of a `use`.
struct Import {
    path: Vec<String>,
    name: String,
    is_public: bool,
}

impl Scan {
    /// Reads every source file below `folder`.
    pub fn read(folder: &Path) -> Self {
        let mut files: Vec<File> = walkdir::WalkDir::new(folder)
            .sort_by_file_name()
            .into_iter()
            .map(Result::unwrap)
            .filter(|entry| entry.path().extension().is_some_and(|end| end == "rs"))
            .map(|entry| {
                let path = entry.path().strip_prefix(folder).unwrap().to_str().unwrap();
                let text = std::fs::read_to_string(entry.path()).unwrap();
                (path.to_owned(), text)
            })
            .map(|(path, text)| File::read(path, &text))
            .collect();
        let tests: BTreeSet<Vec<String>> = (files.iter())
            .flat_map(|file| file.tests.iter().map(|name| file.child(name)))
            .collect();
        files.retain(|file| !tests.iter().any(|test| file.module.starts_with(test)));
        let modules = (files.iter().enumerate())
            .map(|(index, file)| (file.module.clone(), index))
            .collect();
        Self { files, modules }
    }

    /// For each file, the files that it imports something from.
    pub fn imports(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for file in &self.files {
            let targets = edges.entry(&file.path).or_default();
            let used = (file.imports.iter())
                .filter(|import| !import.is_public || file.names.contains(&import.name))
                .map(|import| &import.path);
            for path in used.chain(&file.paths) {
                targets.extend(self.definer(file, path).map(|file| file.path.as_str()));
            }
            targets.remove(file.path.as_str());
        }
        for file in &self.files {
            for name in &file.extended {
                if let Some(definer) = self.definer(file, std::slice::from_ref(name))
                    && definer.path != file.path
                {
                    edges.entry(&definer.path).or_default().insert(&file.path);
                }
            }
        }
        edges
    }

    /// The file that defines what `file` calls `path`; none for a module and for other crates.
    fn definer(&self, file: &File, path: &[String]) -> Option<&File> {
        self.resolve(&self.absolute(file, path)?, 0)
    }

    /// The path from the root of this crate.
    fn absolute(&self, file: &File, path: &[String]) -> Option<Vec<String>> {
        let mut at = file.module.clone();
        let mut rest = path;
        while let Some((first, behind)) = rest.split_first() {
            match first.as_str() {
                "crate" | "anp" => at.clear(),
                "self" => {}
                "super" => {
                    at.pop();
                }
                _ if rest.len() < path.len() || file.children.contains(first) => break,
                name => {
                    let import = file.imports.iter().find(|import| import.name == name)?;
                    // `use name;` of another crate must not look for itself.
                    let is_outside = import.path.first() == Some(first);
                    at = (!is_outside).then(|| self.absolute(file, &import.path))??;
                }
            }
            rest = behind;
        }
        at.extend_from_slice(rest);
        Some(at)
    }

    /// Follows a path through the modules and their re-exports.
    fn resolve(&self, path: &[String], steps: usize) -> Option<&File> {
        let depth = (0..=path.len())
            .rev()
            .find(|depth| self.modules.contains_key(&path[..*depth]))?;
        let file = &self.files[self.modules[&path[..depth]]];
        let (name, rest) = path[depth..].split_first()?;
        let import = file.imports.iter().find(|import| import.name == *name);
        let Some(import) = import.filter(|_| steps < 8) else {
            return Some(file);
        };
        let mut further = self.absolute(file, &import.path)?;
        further.extend_from_slice(rest);
        self.resolve(&further, steps + 1)
    }

    /// The groups of files that import each other, directly or by way of others.
    pub fn cycles(&self) -> Vec<Vec<&str>> {
        let edges = self.imports();
        let reached: BTreeMap<&str, BTreeSet<&str>> = (edges.keys())
            .map(|start| {
                let (mut seen, mut open) = (BTreeSet::new(), vec![*start]);
                while let Some(file) = open.pop() {
                    open.extend(edges[file].iter().filter(|next| seen.insert(**next)));
                }
                (*start, seen)
            })
            .collect();
        let mut cycles: BTreeSet<Vec<&str>> = BTreeSet::new();
        for (file, others) in &reached {
            if others.contains(file) {
                let back = others.iter().filter(|other| reached[*other].contains(file));
                cycles.insert(back.copied().collect());
            }
        }
        cycles.into_iter().collect()
    }
}

impl File {
    fn read(path: String, text: &str) -> Self {
        let stem = path.strip_suffix(".rs").unwrap();
        let stem = stem.strip_suffix("/mod").unwrap_or(stem);
        let mut file = Self {
            module: match stem {
                "lib" | "main" => Vec::new(),
                stem => stem.split('/').map(str::to_owned).collect(),
            },
            path,
            ..Self::default()
        };
        file.block(text.parse().unwrap());
        if file.path == "main.rs" {
            file.module = vec!["main".to_owned()];
        }
        file
    }

    fn block(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at = self.next(&tokens, at);
        }
    }

    fn child(&self, name: &str) -> Vec<String> {
        [self.module.as_slice(), &[name.to_owned()]].concat()
    }

    /// Reads what begins at `at`, and says where the next thing begins.
    fn next(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        let rest = &tokens[at..];
        let end = at + end_of_item(rest);
        match rest {
            [sign, attribute, ..] if is(sign, "#") && text(attribute).starts_with("[doc") => {
                return at + 2;
            }
            [sign, inner, attribute, ..]
                if is(sign, "#") && is(inner, "!") && text(attribute).starts_with("[doc") =>
            {
                return at + 3;
            }
            [sign, attribute, ..] if is(sign, "#") && is_for_tests(attribute) => {
                if let [.., word, name, end] = &tokens[at..end]
                    && is(word, "mod")
                    && is(end, ";")
                {
                    self.tests.insert(name.to_string());
                }
                return end;
            }
            [word, ..] if is(word, "use") => {
                let is_public = match &tokens[..at] {
                    [.., word, TokenTree::Group(_)] | [.., word] => is(word, "pub"),
                    [] => false,
                };
                self.import(&[], &tokens[at + 1..end - 1], is_public);
                for token in &tokens[at..end] {
                    self.mark(token);
                }
                return end;
            }
            [word, name, stop, ..] if is(word, "mod") && is(stop, ";") => {
                self.children.insert(name.to_string());
                rest[..3].iter().for_each(|token| self.mark(token));
                return at + 3;
            }
            [word, TokenTree::Ident(name), ..] if is(word, "fn") => {
                self.function(&name.to_string(), &tokens[at..end]);
            }
            [word, ..] if is(word, "impl") => self.implementation(&tokens[at + 1..end]),
            _ => {}
        }
        let path = path(rest);
        let taken = (3 * path.len()).saturating_sub(2).max(1);
        for token in &rest[..taken] {
            self.mark(token);
        }
        self.names.extend(path.iter().cloned());
        if path.len() > 1 {
            self.paths.insert(path);
        }
        if let TokenTree::Group(group) = &tokens[at] {
            self.block(group.stream());
        }
        at + taken
    }

    /// Notes the lines that a token is on; those of a group are its brackets.
    fn mark(&mut self, token: &TokenTree) {
        match token {
            TokenTree::Group(group) => {
                self.lines.insert(group.span_open().start().line);
                self.lines.insert(group.span_close().end().line);
            }
            token => {
                let span = token.span();
                self.lines.extend(span.start().line..=span.end().line);
            }
        }
    }

    /// Counts a function: its head and its body.
    fn function(&mut self, name: &str, tokens: &[TokenTree]) {
        let mut body = Self::default();
        // Without `fn`, this is no function once more.
        body.block(tokens[1..].iter().cloned().collect());
        self.functions.push(Function {
            name: name.to_owned(),
            lines: body.lines.len(),
        });
    }

    /// Notes the type of an `impl Name {` without a trait.
    fn implementation(&mut self, tokens: &[TokenTree]) {
        if tokens.iter().any(|token| is(token, "for")) {
            return;
        }
        let mut depth = 0_i32;
        for token in tokens {
            if is(token, "<") {
                depth += 1;
            } else if is(token, ">") {
                depth -= 1;
            } else if depth == 0
                && let TokenTree::Ident(name) = token
            {
                self.extended.insert(name.to_string());
                return;
            }
        }
    }

    /// Reads a tree of imports below `prefix`.
    fn import(&mut self, prefix: &[String], tokens: &[TokenTree], is_public: bool) {
        for part in tokens.split(|token| is(token, ",")) {
            let path = path(part);
            let rest = &part[(3 * path.len()).saturating_sub(2).min(part.len())..];
            let mut full = [prefix, &path].concat();
            // Behind `::` stands a list or a star.
            if let Some(TokenTree::Group(list)) = rest.last() {
                let list: Vec<TokenTree> = list.stream().into_iter().collect();
                self.import(&full, &list, is_public);
                continue;
            }
            if full.last().is_some_and(|last| last == "self") && full.len() > 1 {
                full.pop();
            }
            let name = match rest {
                [word, name] if is(word, "as") => name.to_string(),
                _ => full.last().cloned().unwrap_or_default(),
            };
            self.imports.push(Import {
                path: full,
                name,
                is_public,
            });
        }
    }
}

/// The path of names that `tokens` begin with.
fn path(tokens: &[TokenTree]) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = tokens;
    while let [TokenTree::Ident(name), behind @ ..] = rest {
        names.push(name.to_string());
        match behind {
            [a, b, behind @ ..] if is(a, ":") && is(b, ":") => rest = behind,
            _ => break,
        }
        if !matches!(rest, [TokenTree::Ident(_), ..]) {
            break;
        }
    }
    names
}

/// How many tokens the item takes: to its block or semicolon.
fn end_of_item(tokens: &[TokenTree]) -> usize {
    let is_use = tokens.iter().take(3).any(|token| is(token, "use"));
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !is_use,
        token => is(token, ";"),
    };
    tokens
        .iter()
        .position(ends)
        .map_or(tokens.len(), |end| end + 1)
}

fn is(token: &TokenTree, text: &str) -> bool {
    match token {
        TokenTree::Ident(name) => name == text,
        TokenTree::Punct(mark) => text.len() == 1 && text.starts_with(mark.as_char()),
        _ => false,
    }
}

fn is_for_tests(attribute: &TokenTree) -> bool {
    let attribute = text(attribute);
    attribute == "[cfg(test)]" || attribute.starts_with("[cfg(all(test,")
}

/// Without any space: `[cfg(test)]`.
fn text(token: &TokenTree) -> String {
    token.to_string().replace(char::is_whitespace, "")
}
