//! What `anp show --similar` prints.

use serde_json::{Value, json};

use super::Output;
use super::table::{Cells, Table};
use crate::publish::one_line;
use crate::publish::similar::{ArticleTerm, Post, SimilarPosts};
use crate::words::{counted, with};

/// Prints why the similar posts of an article are these.
pub(crate) fn show(similar: &SimilarPosts, output: &mut Output) {
    output.json(&object(similar));
    if !output.is_json() {
        text(similar, output);
    }
}

fn object(similar: &SimilarPosts) -> Value {
    let terms = similar.terms.iter().map(|term| {
        json!({
            "text": term.text, "kind": term.kind, "weight": term.weight, "older": term.older,
        })
    });
    let post = |post: &Post| {
        let shared = post.shared.iter().map(|place| &similar.terms[*place]);
        let shared = shared
            .map(|term| json!({ "text": term.text, "kind": term.kind, "weight": term.weight }));
        json!({
            "route": post.route.as_str(), "title": post.title, "score": post.score,
            "shared": shared.collect::<Value>(),
        })
    };
    json!({
        "type": "similar", "route": similar.route.as_str(), "title": similar.title,
        "older": similar.older, "compared": similar.compared, "terms": terms.collect::<Value>(),
        "posts": similar.posts.iter().map(post).collect::<Value>(),
        "runners_up": similar.runners_up.iter().map(post).collect::<Value>(),
    })
}

fn text(similar: &SimilarPosts, output: &mut Output) {
    output.text(format!("{}\n", similar.route));
    output.text(format!("  {:11}{}", "title", one_line(&similar.title)));
    let compared = similar.compared as u64;
    output.text(format!(
        "  {:11}{}, of which {compared} {} compared",
        "older",
        counted(u64::from(similar.older), "article"),
        with(compared, "was", "were"),
    ));
    if !similar.terms.is_empty() {
        output.text("");
        output.text(terms(&similar.terms));
    }
    output.text("");
    if similar.posts.is_empty() {
        output.text("no similar post: no older article shares a term");
        return;
    }
    let mut table = Table::new(&[
        ("", Cells::Whole),
        ("SCORE", Cells::Whole),
        ("POST", Cells::Broken),
    ]);
    for (place, post) in (1..).zip(&similar.posts) {
        table.row(row(similar, post, format!("{place}")));
    }
    for post in &similar.runners_up {
        table.row(row(similar, post, "-".to_owned()));
    }
    output.text(table.text());
    if !similar.runners_up.is_empty() {
        output.text("\n- did not make it into the list");
    }
}

fn terms(terms: &[ArticleTerm]) -> String {
    let mut table = Table::new(&[
        ("WEIGHT", Cells::Whole),
        ("OLDER", Cells::Whole),
        ("KIND", Cells::Whole),
        ("TERM", Cells::Broken),
    ]);
    for term in terms {
        if let Some(weight) = term.weight {
            let (weight, older) = (format!("{weight:6.2}"), format!("{:5}", term.older));
            table.row(vec![
                weight,
                older,
                term.kind.to_owned(),
                one_line(&term.text),
            ]);
        }
    }
    let alone = terms.iter().filter(|term| term.weight.is_none());
    let alone: Vec<String> = alone.map(|term| one_line(&term.text)).collect();
    if !alone.is_empty() {
        let (none, text) = (String::new(), alone.join(", "));
        let text = format!("no older article has: {text}");
        table.row(vec![format!("{:>6}", "-"), none.clone(), none, text]);
    }
    table.text()
}

fn row(similar: &SimilarPosts, post: &Post, place: String) -> Vec<String> {
    let shared = post.shared.iter().map(|place| &similar.terms[*place]);
    let shared = shared.map(|term| {
        let weight = term.weight.unwrap_or_default();
        format!("{} {weight:.2}", one_line(&term.text))
    });
    let shared: Vec<String> = shared.collect();
    let lines = [
        post.route.to_string(),
        one_line(&post.title),
        shared.join(", "),
    ];
    vec![place, format!("{:6.2}", post.score), lines.join("\n")]
}
