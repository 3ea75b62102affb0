//! A document tree built by html5ever, with the parse errors met on the way.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::{Attribute, ExpandedName, ParseOpts, QualName, parse_document};

pub type Handle = Rc<Node>;

pub enum Kind {
    Document,
    Doctype,
    Comment,
    Text(RefCell<String>),
    Element {
        name: QualName,
        attributes: RefCell<Vec<(String, String)>>,
    },
}

pub struct Node {
    pub kind: Kind,
    pub children: RefCell<Vec<Handle>>,
    parent: RefCell<Weak<Node>>,
}

impl Node {
    fn new(kind: Kind) -> Handle {
        Rc::new(Self {
            kind,
            children: RefCell::default(),
            parent: RefCell::default(),
        })
    }

    /// The local name of an element; empty for other nodes.
    pub fn name(&self) -> &str {
        match &self.kind {
            Kind::Element { name, .. } => &name.local,
            _ => "",
        }
    }

    pub fn is_html(&self) -> bool {
        matches!(&self.kind, Kind::Element { name, .. } if &*name.ns == "http://www.w3.org/1999/xhtml")
    }

    pub fn attributes(&self) -> Vec<(String, String)> {
        match &self.kind {
            Kind::Element { attributes, .. } => attributes.borrow().clone(),
            _ => Vec::new(),
        }
    }

    pub fn attribute(&self, name: &str) -> Option<String> {
        self.attributes()
            .into_iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// The elements among the children.
    pub fn elements(&self) -> Vec<Handle> {
        self.children
            .borrow()
            .iter()
            .filter(|child| !child.name().is_empty())
            .cloned()
            .collect()
    }

    /// All elements below, in document order.
    pub fn descendants(&self) -> Vec<Handle> {
        let mut found = Vec::new();
        let mut stack: Vec<Handle> = self.elements().into_iter().rev().collect();
        while let Some(node) = stack.pop() {
            stack.extend(node.elements().into_iter().rev());
            found.push(node);
        }
        found
    }

    pub fn find(&self, name: &str) -> Vec<Handle> {
        self.descendants()
            .into_iter()
            .filter(|node| node.name() == name)
            .collect()
    }

    /// The text of this node alone, without that of its elements.
    pub fn own_text(&self) -> String {
        let children = self.children.borrow();
        children
            .iter()
            .filter_map(|child| match &child.kind {
                Kind::Text(text) => Some(text.borrow().clone()),
                _ => None,
            })
            .collect()
    }

    pub fn text(&self) -> String {
        match &self.kind {
            Kind::Text(text) => text.borrow().clone(),
            _ => self
                .children
                .borrow()
                .iter()
                .map(|child| child.text())
                .collect(),
        }
    }
}

pub struct Dom {
    pub document: Handle,
    pub errors: Vec<String>,
    pub is_quirky: bool,
    /// Siblings that were looked at to move a node, or to put one before another: for each of
    /// these the parser goes through all of them.
    pub siblings_searched: usize,
}

pub fn parse(html: &str) -> Dom {
    let sink = Sink {
        document: Node::new(Kind::Document),
        errors: RefCell::default(),
        quirks: Cell::new(false),
        siblings_searched: Cell::new(0),
    };
    let options = ParseOpts {
        tokenizer: html5ever::tokenizer::TokenizerOpts {
            exact_errors: true,
            ..Default::default()
        },
        tree_builder: html5ever::tree_builder::TreeBuilderOpts {
            exact_errors: true,
            ..Default::default()
        },
    };
    parse_document(sink, options).one(html)
}

struct Sink {
    document: Handle,
    errors: RefCell<Vec<String>>,
    quirks: Cell<bool>,
    siblings_searched: Cell<usize>,
}

impl Sink {
    fn searched(&self, siblings: usize) {
        let before = self.siblings_searched.get();
        self.siblings_searched.set(before + siblings);
    }

    fn insert(&self, parent: &Handle, index: usize, child: NodeOrText<Handle>) {
        let node = match child {
            NodeOrText::AppendNode(node) => node,
            NodeOrText::AppendText(text) => {
                let before = index
                    .checked_sub(1)
                    .map(|at| parent.children.borrow()[at].clone());
                if let Some(Kind::Text(known)) = before.as_ref().map(|node| &node.kind) {
                    known.borrow_mut().push_str(&text);
                    return;
                }
                Node::new(Kind::Text(RefCell::new(text.to_string())))
            }
        };
        *node.parent.borrow_mut() = Rc::downgrade(parent);
        parent.children.borrow_mut().insert(index, node);
    }
}

fn place(node: &Handle) -> Option<(Handle, usize)> {
    let parent = node.parent.borrow().upgrade()?;
    let index = parent
        .children
        .borrow()
        .iter()
        .position(|child| Rc::ptr_eq(child, node))?;
    Some((parent, index))
}

fn pairs(attributes: Vec<Attribute>) -> Vec<(String, String)> {
    attributes
        .into_iter()
        .map(|a| (a.name.local.to_string(), a.value.to_string()))
        .collect()
}

impl TreeSink for Sink {
    type Handle = Handle;
    type Output = Dom;
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) -> Dom {
        Dom {
            document: self.document,
            errors: self.errors.into_inner(),
            is_quirky: self.quirks.get(),
            siblings_searched: self.siblings_searched.get(),
        }
    }

    fn parse_error(&self, message: Cow<'static, str>) {
        self.errors.borrow_mut().push(message.into_owned());
    }

    fn get_document(&self) -> Handle {
        self.document.clone()
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> ExpandedName<'a> {
        match &target.kind {
            Kind::Element { name, .. } => name.expanded(),
            _ => panic!("not an element"),
        }
    }

    fn create_element(
        &self,
        name: QualName,
        attributes: Vec<Attribute>,
        _: ElementFlags,
    ) -> Handle {
        Node::new(Kind::Element {
            name,
            attributes: RefCell::new(pairs(attributes)),
        })
    }

    fn create_comment(&self, _: StrTendril) -> Handle {
        Node::new(Kind::Comment)
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Handle {
        Node::new(Kind::Comment)
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        let end = parent.children.borrow().len();
        self.insert(parent, end, child);
    }

    fn append_based_on_parent_node(
        &self,
        element: &Handle,
        previous: &Handle,
        child: NodeOrText<Handle>,
    ) {
        if place(element).is_some() {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {
        self.append(
            &self.document,
            NodeOrText::AppendNode(Node::new(Kind::Doctype)),
        );
    }

    fn get_template_contents(&self, target: &Handle) -> Handle {
        target.clone()
    }

    fn same_node(&self, one: &Handle, other: &Handle) -> bool {
        Rc::ptr_eq(one, other)
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.quirks.set(mode != QuirksMode::NoQuirks);
    }

    fn append_before_sibling(&self, sibling: &Handle, child: NodeOrText<Handle>) {
        if let NodeOrText::AppendNode(node) = &child {
            self.remove_from_parent(node);
        }
        let (parent, index) = place(sibling).expect("a sibling has a parent");
        self.searched(index + 1);
        self.insert(&parent, index, child);
    }

    fn add_attrs_if_missing(&self, target: &Handle, more: Vec<Attribute>) {
        if let Kind::Element { attributes, .. } = &target.kind {
            let mut attributes = attributes.borrow_mut();
            for (name, value) in pairs(more) {
                if !attributes.iter().any(|(known, _)| *known == name) {
                    attributes.push((name, value));
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &Handle) {
        if let Some((parent, index)) = place(target) {
            self.searched(index + 1);
            parent.children.borrow_mut().remove(index);
            *target.parent.borrow_mut() = Weak::new();
        }
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        self.searched(node.children.borrow().len());
        for child in std::mem::take(&mut *node.children.borrow_mut()) {
            *child.parent.borrow_mut() = Rc::downgrade(new_parent);
            new_parent.children.borrow_mut().push(child);
        }
    }
}
