//! What a run says while it goes. The caller decides what becomes of it: the
//! commands print it (`report::RunReport`), `()` says nothing.

use std::path::Path;

use super::apply::progress::KeyReport;
use super::difference::DifferenceKind;
use super::history::retention::Pruned;
use super::manifest::{Counts, Header, Lost};
use super::outcome::Ended;
use super::shards::shard::Shard;
use super::survey::surveyor::Survey;
use crate::article::Route;
use crate::edge::Purged;
use crate::synth::Generator;

/// Takes what a run says. Every method does nothing unless it is overridden.
pub trait Report {
    /// Something needs a look.
    fn warning(&mut self, _message: &str) {}

    /// Something is good to know.
    fn note(&mut self, _message: &str) {}

    /// How the command goes.
    fn say(&mut self, _message: &str) {}

    /// A stage of `total` steps begins. It ends when the bar is dropped.
    fn bar(&mut self, _stage: &'static str, _unit: &'static str, _total: u64) -> Box<dyn Bar> {
        Box::new(())
    }

    /// A dry run of `command` begins: it writes nothing to `server`.
    fn dry_run(&mut self, _command: &str, _server: &str) {}

    /// A run begins. It has written nothing yet.
    fn begun(&mut self, _header: &Header, _manifest: &Path) {}

    /// The run is about to write: from here on there may be something to undo. A run may say it
    /// more than once.
    fn writes(&mut self, _header: &Header) {}

    /// The run is about this prefix, which is not that of the settings.
    fn prefix(&mut self, _prefix: &str) {}

    /// The articles 1 to `count` of `generator` are published.
    fn seeded(&mut self, _generator: &Generator, _count: usize) {}

    /// Of so many findings of each code, the lines of their sources are shown.
    fn lines_shown(&self) -> usize {
        0
    }

    /// What the survey found in the sources.
    fn findings(&mut self, _survey: &Survey) {}

    /// The run is about `articles` of `of_articles`, those of `shard`.
    fn share(&mut self, _shard: Shard, _articles: usize, _of_articles: usize) {}

    /// Published articles that the content tree no longer has, where they could be looked for.
    fn orphans(&mut self, _routes: &[Route]) {}

    /// What became of one key, or would become of it.
    fn key(&mut self, _key: &KeyReport<'_>) {}

    /// What became of one key of a run that is undone.
    fn restored(&mut self, _key: &KeyReport<'_>) {}

    /// A key is not as the run wrote it.
    fn difference(&mut self, _key: &str, _kind: DifferenceKind, _what: &str) {}

    /// Parts of a manifest that cannot be read.
    fn lost(&mut self, _parts: &[Lost]) {}

    /// The last run, `run`, wrote nothing, so that nothing is rolled back. `earlier` undoes the last
    /// run that wrote something.
    fn wrote_nothing(&mut self, _run: &str, _earlier: Option<&str>) {}

    /// What was written so far, or, before that, which articles are invalid.
    fn counts(&mut self, _counts: &Counts) {}

    /// Old manifests that went when the run had ended.
    fn pruned(&mut self, _pruned: &Pruned) {}

    /// A run ended, or a dry run: what it did, or would do.
    fn ended(&mut self, _ended: &Ended<'_>) {}

    /// Articles that were taken out of the store come back with the next import.
    fn comes_back(&mut self) {}

    /// After a run a cache was purged, or a program was told, or that failed.
    fn notified(&mut self, _notified: &Notified<'_>) {}

    /// What would be sent to a cache, or started, after a run.
    fn would_send(&mut self, _to: &str, _request: &str) {}

    /// That was all that would be sent.
    fn would_have_sent(&mut self) {}
}

/// What came of one part of a notification.
#[derive(Clone, Copy, Debug)]
pub struct Notified<'a> {
    /// The run.
    pub run: &'a str,
    /// The name of the cache; `command` for the program.
    pub to: &'a str,
    /// What a cache was purged of.
    pub purged: Option<&'a Purged>,
    /// Why it is still owed.
    pub problem: Option<&'a str>,
}

/// Says nothing.
impl Report for () {}

/// Tells two what a run says, the first one first.
pub struct Both<'a>(pub &'a mut dyn Report, pub &'a mut dyn Report);

macro_rules! tell_both {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {
        $(fn $name(&mut self, $($argument: $type),*) {
            self.0.$name($($argument),*);
            self.1.$name($($argument),*);
        })*
    };
}

impl Report for Both<'_> {
    fn lines_shown(&self) -> usize {
        self.0.lines_shown().max(self.1.lines_shown())
    }

    fn bar(&mut self, stage: &'static str, unit: &'static str, total: u64) -> Box<dyn Bar> {
        Box::new([
            self.0.bar(stage, unit, total),
            self.1.bar(stage, unit, total),
        ])
    }

    tell_both! {
        warning(message: &str);
        note(message: &str);
        say(message: &str);
        dry_run(command: &str, server: &str);
        begun(header: &Header, manifest: &Path);
        writes(header: &Header);
        prefix(prefix: &str);
        seeded(generator: &Generator, count: usize);
        findings(survey: &Survey);
        share(shard: Shard, articles: usize, of_articles: usize);
        orphans(routes: &[Route]);
        key(key: &KeyReport<'_>);
        restored(key: &KeyReport<'_>);
        difference(key: &str, kind: DifferenceKind, what: &str);
        lost(parts: &[Lost]);
        wrote_nothing(run: &str, earlier: Option<&str>);
        counts(counts: &Counts);
        pruned(pruned: &Pruned);
        ended(ended: &Ended<'_>);
        comes_back();
        notified(notified: &Notified<'_>);
        would_send(to: &str, request: &str);
        would_have_sent();
    }
}

/// Counts the steps of one stage.
pub trait Bar: Send + Sync {
    /// Further `steps` are done.
    fn advance(&self, steps: u64);
}

/// Counts nothing.
impl Bar for () {
    fn advance(&self, _: u64) {}
}

/// Counts in two places.
impl Bar for [Box<dyn Bar>; 2] {
    fn advance(&self, steps: u64) {
        self.iter().for_each(|bar| bar.advance(steps));
    }
}
