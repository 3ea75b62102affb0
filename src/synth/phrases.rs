//! The sentences and fragments of the grammar. `{name}` is a slot; [`super::grammar`] lists
//! them. Fragments are lower case and hold no YAML or Markdown syntax: they stand in front
//! matter as well as in sentences.

/// Noun phrases: what caused the trouble.
pub(super) const CAUSES: [&str; 20] = [
    "a retry loop around the {part} that never backed off",
    "two workers that both believed they owned the {part}",
    "a default for the {part} that was sized for a far smaller site",
    "a {size} payload that passed through the {part} on every request",
    "an expiry that hit {count} entries within the same minute",
    "a deploy that reset the {part} on every node at once",
    "a health check that only looked at the {part} when it was idle",
    "clock skew of {n} seconds between two hosts",
    "a lock that outlived its owner by {n} minutes",
    "a missing limit on the {part}",
    "an upgrade that changed the meaning of one setting of the {part}",
    "a report that scanned all of the {part} every {n} minutes",
    "a script that took silence from {tool} for success",
    "a queue that accepted work faster than {n} workers could finish it",
    "a timeout of {n} seconds in front of one of {many}",
    "a change to the {part} that nobody had rehearsed",
    "a log line for each of {count} requests",
    "connections that were opened for every call to the {part}",
    "a cold {part} after each restart",
    "an alert on the {part} that had been silenced for {n} weeks",
];

/// Imperatives: what was done about it.
pub(super) const MEASURES: [&str; 20] = [
    "cap the {part} at {count} entries",
    "move the {part} behind a feature switch",
    "spread the load on the {part} over {many} seconds",
    "give the {part} an owner and a review date",
    "write the intent down before touching the {part}",
    "back off with jitter, starting at {many} ms",
    "split the batch into parts of {many} items",
    "warm the {part} before traffic arrives",
    "let {tool} fail loudly instead of retrying",
    "set a deadline of {n} seconds for the whole call",
    "keep the old {part} for {n} days as a way back",
    "measure the {part} at its boundary, not inside",
    "replace polling with one notification per change",
    "run the real command in a rehearsal first",
    "pin the version that {tool} was tested with",
    "drop the {part} that no reader has used for {n} weeks",
    "compare state before each write to the {part}",
    "limit each client to {many} requests a second",
    "record who changed the {part} and why",
    "store the {part} compressed, which saved {pct} percent",
];

/// Imperatives: how one sees that it worked. Made for checklists.
pub(super) const CHECKS: [&str; 18] = [
    "inspect the {part} with {tool}",
    "compare {metric} before and after",
    "watch {metric} for {many} minutes",
    "restart one node and read its log",
    "ask {who} to follow the steps without help",
    "confirm that the {part} is empty at the end",
    "count the entries twice, {n} minutes apart",
    "read the last {many} lines of {tool}",
    "check that the alert on {metric} fires in a drill",
    "verify that a second run changes nothing",
    "rehearse the way back {where}",
    "look for keys without an expiry",
    "test with one broken input among {count} good ones",
    "make sure the {part} survives a full disk",
    "see that the deadline of {n} seconds holds under load",
    "note the owner of the {part} in the runbook",
    "inspect cache headers",
    "try the oldest client that still sends traffic",
];

pub(super) const WHEN: [&str; 12] = [
    "on a quiet Tuesday",
    "during the night window",
    "at the start of the month",
    "right after a deploy",
    "in the first minute of each hour",
    "under peak load",
    "while a backup was running",
    "during the weekly restart",
    "shortly before midnight",
    "after {n} quiet weeks",
    "for {n} minutes each morning",
    "in {n} of the last {many} runs",
];

pub(super) const WHERE: [&str; 8] = [
    "in staging",
    "on one node",
    "on the replica",
    "behind the proxy",
    "on a scratch prefix",
    "in the second region",
    "on a copy of last week",
    "with {pct} percent of the traffic",
];

pub(super) const WHO: [&str; 6] = [
    "the person on call",
    "a new colleague",
    "the release owner",
    "the night shift",
    "someone from another team",
    "the service owner",
];

/// First paragraphs.
pub(super) const OPENINGS: [&str; 10] = [
    "These are working notes on {activity} {context}. They describe what we run today, what it replaced, and how to tell that it still works.",
    "We spent {n} weeks on {activity} {context}, and most of that time went into the {part}. What follows is the short version.",
    "This page is for {who}, who has to look after {stack} {context}. It takes {n} minutes to read and assumes nothing but access to {tool}.",
    "For a long time {stack} was the part of the system that nobody touched. Then {rise} {when}, and we had to learn it properly.",
    "The question was simple: is {activity} worth the trouble {context}? After {many} runs the answer is yes, with three conditions.",
    "Most advice on {stack} assumes more machines than we have. These notes on {activity} {context} come from {count} real requests.",
    "When {who} asked why {rise} {when}, there was no page to point to. This is that page.",
    "Everything here was tried {where} before it reached readers. It covers {activity} {context} and leaves out what did not help.",
    "There are many ways of {activity}; this is the boring one. It has run {context} for {many} weeks, and it was undone twice without drama.",
    "We keep one rule for {stack}: a change that cannot be rolled back is not finished. Here is how that works out {context}.",
];

/// What was seen.
pub(super) const PROBLEMS: [&str; 14] = [
    "The first sign was small: {rise} {when}.",
    "Readers noticed before we did, because {rise} while every dashboard stayed green.",
    "{rise} within {n} minutes, and the {part} was the only thing that had changed.",
    "Nothing was down, but {rise} and stayed there for {many} minutes.",
    "The {part} answered, only {n} times slower than the week before.",
    "About {pct} percent of the requests went through the {part} twice.",
    "`{tool}` showed {count} entries where we expected a tenth of that.",
    "We could reproduce it {where}, though never with fewer than {many} clients.",
    "The log held {count} identical lines, all from {cause}.",
    "A restart helped for {n} hours, which made the search longer.",
    "{who} had seen the same thing {n} months earlier and had blamed the network.",
    "The graph of {metric} looked like a saw, one tooth every {many} minutes.",
    "Two nodes disagreed about the {part} for {n} minutes, and both were sure.",
    "At {count} requests an hour the {part} was fine; at twice that it was not.",
];

/// Why it happened.
pub(super) const REASONS: [&str; 12] = [
    "The cause was {cause}.",
    "It came down to {cause}, made worse by {cause}.",
    "We suspected {cause}, and it turned out to be {cause}.",
    "Underneath was {cause}; it had been there for {n} years.",
    "Neither the {part} nor the network was at fault, only {cause}.",
    "With `{tool}` it took {n} minutes to find {cause}.",
    "The documentation warns of exactly this, in a note that *everyone* skips.",
    "Each step was reasonable on its own. Together they meant {cause}.",
    "That explained {pct} percent of it. The rest was {cause}.",
    "The setting had been copied from a machine with {size} of memory.",
    "Seen from the {part} it was ordinary traffic, which is why no alert fired.",
    "A test would have caught it, had it used more than {n} items.",
];

/// What changed, and what came of it.
pub(super) const RESULTS: [&str; 14] = [
    "Since then {fall}, measured over {n} weeks.",
    "After the change {fall}, and the {part} has needed no attention.",
    "The effect was plain {where}: {fall}.",
    "It cost {n} days of work and {size} of memory, and {fall}.",
    "We chose to {measure}, because it was the smallest step that could be undone.",
    "The second step was to {measure}; the third, to {measure}.",
    "It was tempting to rewrite the {part}. We decided to {measure} instead.",
    "`{tool}` now says in one line what used to take {n} minutes to find out.",
    "Of {many} runs since, {n} needed a second look and none needed a person at night.",
    "The {part} is still the slowest step, but it is now slow *predictably*.",
    "If {metric} climbs again, the first thing to do is to {measure}.",
    "We also tried to {measure}. It made no difference, so it went out again.",
    "Doing it {where} first took an extra day and saved us from {cause}.",
    "With {pct} percent less work to do, the {part} finished {many} minutes earlier.",
];

/// What to remember, and the way back.
pub(super) const CLOSINGS: [&str; 10] = [
    "To undo all of this, restore the {part} from before the run; it takes {n} minutes and touches nothing else.",
    "The way back is one command and was rehearsed {where}. Retrying it is safe.",
    "Keep the {part} boring: one code path, one owner, one place to look.",
    "The numbers are from our own machines. Measure the {part} before you copy them.",
    "The next review is due in {n} weeks, or when {metric} doubles.",
    "If only one thing stays in mind, let it be to {measure}.",
    "Ask {who} before changing the {part}; the reason is in the section on causes.",
    "A **dry run** prints the same plan and stops before the first write.",
    "We would do the same again, only with a check on {metric} from the first day.",
    "When in doubt, {check} and {check}.",
];

/// Headings of the fixed sections, then of those that fill up the length.
pub(super) const HEADINGS_PROBLEM: [&str; 4] = [
    "What we saw",
    "The symptom",
    "Where it hurt",
    "What went wrong {when}",
];
pub(super) const HEADINGS_CHANGE: [&str; 4] = [
    "What we changed",
    "The way we do it now",
    "Steps",
    "Working through the {part}",
];
pub(super) const HEADINGS_NUMBERS: [&str; 4] = [
    "Numbers",
    "Before and after",
    "What it brought",
    "Measured {where}",
];
pub(super) const HEADINGS_CHECK: [&str; 4] = [
    "How to check it",
    "What to look at",
    "Is it still working?",
    "Checks for the {part}",
];
pub(super) const HEADINGS_EXTRA: [&str; 8] = [
    "A closer look at the {part}",
    "Week {many}",
    "What {tool} shows",
    "The {part}, {where}",
    "Follow-up after {n} weeks",
    "Why not simply {measure}?",
    "Side effects on {metric}",
    "Round {n}, {where}",
];
pub(super) const HEADINGS_CLOSING: [&str; 4] = [
    "The way back",
    "What stays",
    "Open ends",
    "Before the next review",
];

pub(super) const CAPTIONS: [&str; 6] = [
    "{metric} {when}, before the change to the {part}",
    "the {part} {where}, seen with {tool}",
    "{metric} over {many} days",
    "how a request passes the {part}",
    "{metric} before → after, {n} runs each",
    "load on the {part} {when}",
];

pub(super) const SUMMARIES: [&str; 5] = [
    "How we approach {activity} {context}, with the {part} as the first place to look and a way back that was rehearsed {where}.",
    "{stack} notes about {activity} {context}. The main lesson was to {measure} and to {check}.",
    "A short account of {activity} {context}, from the first symptom to {cause}, with numbers from {many} runs.",
    "What to do when {rise} {when}, and how we came to {measure}.",
    "Practical notes on {activity} {context}. Covers the {part}, {tool} and the checks that have proved their worth.",
];

/// What an article is told to be about, label by label.
pub(super) const OUTLINE: [(&str, &str); 7] = [
    ("context", "{context}"),
    ("problem", "{cause}"),
    ("approach", "{measure}"),
    ("evidence", "{fall}"),
    ("check", "{check}"),
    ("limits", "leave the {part} as it is {where}"),
    ("tone", "calm, with numbers"),
];

pub(super) const BRIEFS: [&str; 4] = [
    "Explain {activity} {context} to {who}. Start from {cause}, show how to {measure}, and end with a check of {metric}.",
    "Write calm engineering notes on {stack}. Name the {part}, give numbers, and say how to undo each step.",
    "Describe one incident in which {rise}, what the team tried first, and why they chose to {measure}.",
    "Compare two ways of {activity} {context}, using {many} runs {where}. Prefer the boring one.",
];

pub(super) const EXPECTED_RESULTS: [&str; 4] = [
    "{fall} within {n} days",
    "every page answers from the cache in under {many} ms",
    "no more than {n} alerts a week from the {part}",
    "a second run changes nothing",
];

pub(super) const ROLLBACK_NOTES: [&str; 4] = [
    "restore the {part} from before the run, then {check}",
    "switch the {part} back and wait {n} minutes",
    "undo the last run and {check}",
    "safe at any time, readers see the previous page",
];

pub(super) const NOTES: [&str; 6] = [
    "numbers are from {many} runs {where}",
    "the {part} was reviewed by {who}",
    "{tool} must be on the path",
    "does not apply to clusters of more than {many} nodes",
    "see also the runbook of the {part}",
    "measured {when}",
];
