//! What can happen to a store, as values that proptest makes, shrinks and prints.

use proptest::prelude::*;
use proptest::strategy::Union;

/// The routes of the articles there may be; the last is never one, but others may have keys
/// of that name.
pub const ROUTES: [&str; 6] = ["/a/", "/b/", "/f/c/", "/f/d/", "/g/e/", "/z/"];
pub const ARTICLES: usize = 5;

#[derive(Clone, Debug)]
pub enum Op {
    /// Writes a source, or removes it.
    Edit {
        article: usize,
        content: Option<Content>,
    },
    Import {
        ttl: Ttl,
        prune: Prune,
        kill: Option<Kill>,
    },
    Rollback {
        run: Pick,
        kill: Option<Kill>,
    },
    /// Another client does something to a key.
    Outside {
        route: usize,
        object: Object,
        act: Act,
    },
    /// Until what expires within the next seconds has expired.
    Wait,
    /// Until what an import wrote for a minute has expired.
    Outlive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Content {
    Text(u8),
    /// With a ttl of its own.
    TwoHours(u8),
    Invalid,
}

#[derive(Clone, Copy, Debug)]
pub enum Ttl {
    Week,
    TenDays,
    Hour,
    Minute,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prune {
    No,
    Forced,
    /// At most 10 %, which any one of so few articles exceeds.
    Default,
}

#[derive(Clone, Copy, Debug)]
pub enum Kill {
    /// Of the bytes that the last run of its kind sent.
    AtPermille(u64),
    AfterMs(u64),
}

#[derive(Clone, Copy, Debug)]
pub enum Pick {
    /// So many runs before the newest.
    Back(usize),
    Last,
}

#[derive(Clone, Copy, Debug)]
pub enum Object {
    Page,
    Meta,
}

#[derive(Clone, Copy, Debug)]
pub enum Act {
    Set(u8, At),
    SetKeepTtl(u8),
    Append(u8),
    Del,
    Persist,
    PExpireAt(At),
    HSet(u8),
    RPush(u8),
    SAdd(u8),
    ZAdd(u8),
    XAdd(u8),
    /// Makes it what it was at some time before.
    Revive(usize),
}

#[derive(Clone, Copy, Debug)]
pub enum At {
    /// While the next steps are made, or before them.
    Soon,
    Day,
    SixDays,
    In2096,
    Never,
}

impl Ttl {
    pub fn flag(self) -> &'static str {
        match self {
            Self::Week => "7d",
            Self::TenDays => "10d",
            Self::Hour => "1h",
            Self::Minute => "60s",
        }
    }

    pub fn ms(self) -> i64 {
        match self {
            Self::Week => 7 * 86_400_000,
            Self::TenDays => 10 * 86_400_000,
            Self::Hour => 3_600_000,
            Self::Minute => 60_000,
        }
    }
}

impl Content {
    pub fn source(self, route: &str) -> String {
        let (more, body) = match self {
            Self::Text(number) => ("", format!("Version {number}.")),
            Self::TwoHours(number) => ("ttl: 2h\n", format!("Version {number}, for 2 h.")),
            Self::Invalid => ("score: {quality: 140}\n", "Text.".to_owned()),
        };
        format!("---\ntitle: About {route}\n{more}---\n\n{body}\n")
    }
}

fn content() -> impl Strategy<Value = Option<Content>> {
    prop_oneof![
        6 => (0..3_u8).prop_map(|n| Some(Content::Text(n))),
        2 => (0..2_u8).prop_map(|n| Some(Content::TwoHours(n))),
        1 => Just(Some(Content::Invalid)),
        4 => Just(None),
    ]
}

fn kill() -> impl Strategy<Value = Option<Kill>> {
    prop_oneof![
        5 => Just(None),
        4 => (0..1000_u64).prop_map(|n| Some(Kill::AtPermille(n))),
        1 => (0..60_u64).prop_map(|n| Some(Kill::AfterMs(n))),
    ]
}

fn at() -> impl Strategy<Value = At> {
    prop_oneof![
        3 => Just(At::Soon),
        1 => Just(At::Day),
        1 => Just(At::SixDays),
        2 => Just(At::In2096),
        1 => Just(At::Never),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..3_u8, at()).prop_map(|(n, at)| Act::Set(n, at)),
        1 => (0..3_u8).prop_map(Act::SetKeepTtl),
        1 => (0..3_u8).prop_map(Act::Append),
        3 => Just(Act::Del),
        2 => Just(Act::Persist),
        4 => at().prop_map(Act::PExpireAt),
        1 => (0..3_u8).prop_map(Act::HSet),
        1 => (0..3_u8).prop_map(Act::RPush),
        1 => (0..3_u8).prop_map(Act::SAdd),
        1 => (0..3_u8).prop_map(Act::ZAdd),
        1 => (0..3_u8).prop_map(Act::XAdd),
        3 => (0..20_usize).prop_map(Act::Revive),
    ]
}

fn op(patient: bool) -> impl Strategy<Value = Op> {
    let ttl = prop_oneof![
        3 => Just(Ttl::Week),
        1 => Just(Ttl::TenDays),
        2 => Just(Ttl::Hour),
        if patient { 6 } else { 1 } => Just(Ttl::Minute),
    ];
    let prune = prop_oneof![
        3 => Just(Prune::No),
        3 => Just(Prune::Forced),
        1 => Just(Prune::Default),
    ];
    let pick = prop_oneof![
        5 => (0..4_usize).prop_map(Pick::Back),
        2 => Just(Pick::Last),
    ];
    let object = prop_oneof![Just(Object::Page), Just(Object::Meta)];
    let edit =
        (0..ARTICLES, content()).prop_map(|(article, content)| Op::Edit { article, content });
    let import =
        (ttl, prune, kill()).prop_map(|(ttl, prune, kill)| Op::Import { ttl, prune, kill });
    let rollback = (pick, kill()).prop_map(|(run, kill)| Op::Rollback { run, kill });
    let outside = (0..ROUTES.len(), object, act()).prop_map(|(route, object, act)| Op::Outside {
        route,
        object,
        act,
    });
    let mut all = vec![
        (5, edit.boxed()),
        (5, import.boxed()),
        (6, rollback.boxed()),
        (9, outside.boxed()),
        (1, Just(Op::Wait).boxed()),
    ];
    if patient {
        all.push((2, Just(Op::Outlive).boxed()));
    }
    Union::new_weighted(all)
}

/// A sequence of operations; those that take a minute only where there is time for them.
pub fn sequence(patient: bool) -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(op(patient), 1..50)
}
