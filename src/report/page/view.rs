//! What the template of the page is given.

use minijinja::value::Serde;
use serde::Serialize;

use super::chart::{ChartRow, counts, grouped, rows};
use super::differences::ShownArticle;
use super::findings::FindingGroup;
use super::folders::FolderTable;
use super::run_page::RunPage;
use crate::duration::show_time;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::manifest::{ArticleCounts, Status};
use crate::render::{STYLE, own_pages};
use crate::report::articles::{changes, undoings};

const TEMPLATES: [(&str, &str); 1] = [("run.html", include_str!("run.html"))];

const OWN_STYLE: &str = include_str!("run.css");

/// Everything that the template shows.
#[derive(Serialize)]
struct View<'p> {
    title: String,
    verdict: Verdict,
    facts: Vec<Fact>,
    keys: String,
    rollback: Option<&'p str>,
    is_dry: bool,
    comes_back: bool,
    actions: Vec<ChartRow>,
    phases: Vec<ChartRow>,
    expiries: Vec<ChartRow>,
    sizes: Vec<ChartRow>,
    slowest: Vec<ChartRow>,
    folders: FolderTable,
    findings: &'p [FindingGroup],
    changes: Vec<ShownChange<'p>>,
    more_changes: String,
    differences: &'p [ShownArticle],
    no_differences: Option<&'p str>,
    warnings: &'p [String],
    more_warnings: usize,
    orphans: &'p [String],
    more_orphans: usize,
    version: &'static str,
}

/// A row of the table of changes.
#[derive(Serialize)]
struct ShownChange<'p> {
    route: &'p str,
    action: &'static str,
    reason: &'static str,
}

/// A label and what it says.
#[derive(Serialize)]
struct Fact {
    name: &'static str,
    text: String,
    is_code: bool,
}

/// How a run ended.
#[derive(Serialize)]
struct Verdict {
    text: String,
    /// `good`, `mixed` or `bad`.
    mood: &'static str,
    /// The lines behind a failure, by label.
    notes: Vec<(&'static str, String)>,
}

/// The page of a run that `ended` so.
pub(super) fn html(
    page: &RunPage,
    ended: &Result<Exit, Failure>,
) -> Result<String, minijinja::Error> {
    // Its line ends, one after each rule, are for us alone.
    let style = format!("{STYLE}{OWN_STYLE}").replace('\n', "");
    let environment = own_pages(&TEMPLATES, &style)?;
    environment
        .get_template("run.html")?
        .render(Serde(view(page, ended)))
}

fn view<'p>(page: &'p RunPage, ended: &Result<Exit, Failure>) -> View<'p> {
    let total = page.started.elapsed();
    let rollback = page.run.as_ref().filter(|_| is_undoable(page));
    let changes = page.changes.iter().map(|change| ShownChange {
        route: &change.route,
        action: change.action.word(),
        reason: change.reason.map_or("", |reason| reason.word()),
    });
    let slowest = page.slowest.iter().map(|(path, took)| {
        let ms = took.as_secs_f64() * 1000.0;
        (path.display().to_string(), format!("{ms:.1} ms"), ms)
    });
    let mut phases = page.phases.all();
    let known = phases.iter().map(|(_, took)| *took).sum();
    phases.push(("other".to_owned(), total.saturating_sub(known)));
    let phases = phases.into_iter().map(|(name, took)| {
        let seconds = took.as_secs_f64();
        (name, format!("{seconds:.2} s"), seconds)
    });
    View {
        title: title(page),
        verdict: verdict(page, ended),
        facts: facts(page, ended, total.as_secs_f64()),
        keys: keys(page),
        rollback: rollback.map(|(header, _)| header.rollback.as_str()),
        is_dry: page.is_dry,
        comes_back: page.comes_back,
        actions: actions(page),
        phases: rows(phases),
        expiries: page.expiries.rows(),
        sizes: page.sizes.rows(),
        slowest: rows(slowest),
        folders: page.folders.table(|counts| changed(page, counts)),
        findings: &page.findings,
        changes: changes.collect(),
        more_changes: grouped(page.more_changes),
        differences: &page.differences,
        no_differences: page.no_differences.as_deref(),
        warnings: &page.warnings,
        more_warnings: page.all_warnings - page.warnings.len(),
        orphans: &page.orphans,
        more_orphans: page.all_orphans - page.orphans.len(),
        version: env!("CARGO_PKG_VERSION"),
    }
}

fn title(page: &RunPage) -> String {
    let dry = if page.is_dry { "Dry run of " } else { "" };
    let title = format!("{dry}{} · {}", page.command, show_time(page.started_at_ms));
    title[..1].to_uppercase() + &title[1..]
}

/// Whether the run may have written something that is still there.
fn is_undoable(page: &RunPage) -> bool {
    page.command != "rehearse" && page.may_have_written
}

fn verdict(page: &RunPage, ended: &Result<Exit, Failure>) -> Verdict {
    let text = match page.command {
        "rollback" => match page.articles.undone(page.is_dry) {
            nothing if nothing.is_empty() => "no article changed".to_owned(),
            undone => undone,
        },
        _ => page.articles.verdict(page.is_dry, &others(page)),
    };
    let text = match page.command {
        "rehearse" if ended.is_ok() => format!("{text}, and taken back"),
        _ => text,
    };
    match ended {
        Ok(exit) => Verdict {
            mood: if *exit == Exit::Done { "good" } else { "mixed" },
            text,
            notes: Vec::new(),
        },
        Err(failure) => {
            let articles = page.ended.map(|_| ("articles", text));
            Verdict {
                text: failure.what.clone(),
                mood: "bad",
                notes: articles.into_iter().chain(failure.notes.clone()).collect(),
            }
        }
    }
}

/// How the command ended, in words: not everybody sees the colour.
fn result(ended: &Result<Exit, Failure>) -> String {
    let (word, exit) = match ended {
        Ok(Exit::Done) => ("done", Exit::Done),
        Ok(exit) => ("partial", *exit),
        Err(failure) => ("failed", failure.exit),
    };
    format!("{word}, exit code {}", exit.code())
}

/// The articles that the run did not change.
fn others(page: &RunPage) -> [(u64, &'static str); 4] {
    let is_cut_short = page.ended != Some(Status::Done) && page.ended != Some(Status::Partial);
    page.surveyed
        .others(&page.articles, is_cut_short, page.counts.invalid)
}

fn facts(page: &RunPage, ended: &Result<Exit, Failure>, seconds: f64) -> Vec<Fact> {
    let header = page.run.as_ref().map(|(header, _)| header);
    let manifest = page
        .run
        .as_ref()
        .map(|(_, path)| path.display().to_string());
    let texts = [
        ("Result", Some(result(ended)), false),
        ("Run", header.map(|header| header.run.clone()), true),
        ("Owner", page.owner.clone(), false),
        ("Expected", page.expected_result.clone(), false),
        ("Store", Some(page.place.clone()), false),
        (
            "Content",
            header.and_then(|header| header.content.clone()),
            true,
        ),
        ("Undoes", page.undoes.clone(), true),
        ("Started", Some(show_time(page.started_at_ms)), false),
        ("Took", Some(format!("{seconds:.2} s")), false),
        ("Manifest", manifest, true),
    ];
    let facts = texts.into_iter().filter_map(|(name, text, is_code)| {
        let text = text?;
        Some(Fact {
            name,
            text,
            is_code,
        })
    });
    facts.collect()
}

/// The articles that the run changed, each number with its word.
fn changed(page: &RunPage, counts: &ArticleCounts) -> Vec<(u64, &'static str)> {
    match page.command {
        "rollback" => undoings(counts, page.is_dry).to_vec(),
        _ => changes(counts, page.is_dry).to_vec(),
    }
}

/// Articles by what becomes of them.
fn actions(page: &RunPage) -> Vec<ChartRow> {
    let mut bars = changed(page, &page.articles.counts());
    bars.extend(others(page));
    let shown = bars.into_iter().filter(|(count, _)| *count > 0);
    counts(shown.map(|(count, name)| (name.to_owned(), count)))
}

/// What became of the keys, on one line.
fn keys(page: &RunPage) -> String {
    let counts = &page.counts;
    let parts = [
        (counts.created, "created"),
        (counts.updated, "updated"),
        (counts.refreshed, "refreshed"),
        (counts.removed, "removed"),
        (counts.kept, "kept"),
        (counts.conflicts, "in conflict"),
        (counts.expired, "expired"),
        (counts.withheld, "withheld"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts = parts.map(|(count, word)| format!("{} {word}", grouped(*count)));
    let mut text = parts.collect::<Vec<_>>().join(" · ");
    if counts.bytes > 0 {
        text += &format!(" · {} bytes", grouped(counts.bytes));
    }
    text
}
