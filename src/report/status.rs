//! What `anp status` prints: one screen for people, one object for machines.

use serde_json::{Value, json};

use super::Output;
use super::ls::{about, size};
use super::runs::{object, recorded, result};
use crate::duration::show_local;
use crate::exit::Exit;
use crate::publish::history::listing::RunItem;
use crate::publish::one_line;
use crate::publish::run::switch::Paused;
use crate::publish::status::{ArticleStatus, LockStatus, MemoryStatus, Status, StoreStatus};
use crate::settings::Settings;
use crate::words::counted;

/// One screen: the verdict, what needs a look, then a row each.
pub(crate) fn text(settings: &Settings, status: &Status, output: &mut Output) {
    let now_ms = status.now_ms;
    output.text(match (status.exit(), status.needs_a_look.len() as u64) {
        (Exit::Done, _) => "all is well".to_owned(),
        (Exit::Partial, number) => format!("needs a look: {}", counted(number, "thing")),
        _ => "the store does not answer".to_owned(),
    });
    for need in &status.needs_a_look {
        output.wrapped(&format!("  {}", one_line(need)), 2);
    }
    output.text("");
    let place = format!("{}, prefix {}", settings.address, settings.prefix);
    row(output, "store", &place);
    match &status.store {
        Ok(store) => of_store(store, status.orphans(), now_ms, output),
        Err(failure) => row(output, "", &one_line(&failure.what)),
    }
    let import = status
        .last_good_import()
        .map_or("none".to_owned(), |import| {
            let ago = about(status.age_ms(import));
            format!("{ago} ago: {}", of_run(import, now_ms))
        });
    row(output, "import", &import);
    let last = status.last_run();
    let is_import = last.map(|run| &run.id) == status.last_good_import().map(|run| &run.id);
    if let Some(last) = last.filter(|_| !is_import) {
        let command = match &last.manifest {
            Ok(manifest) => one_line(&manifest.header().command),
            Err(_) => String::new(),
        };
        row(
            output,
            "last run",
            format!("{command} {}", of_run(last, now_ms)).trim(),
        );
    }
}

fn of_store(store: &StoreStatus, orphans: Option<u64>, now_ms: i64, output: &mut Output) {
    let micros = store.latency.as_micros();
    let latency = format!("{}.{:02} ms", micros / 1000, micros % 1000 / 10);
    let version = match store.version.is_empty() {
        true => String::new(),
        false => format!("{}, ", store.version),
    };
    row(output, "", &format!("{version}answers in {latency}"));
    let switch = store
        .paused
        .as_ref()
        .map_or("on".to_owned(), Paused::to_string);
    row(output, "switch", &switch);
    let lock = store
        .lock
        .as_ref()
        .map_or("free".to_owned(), |lock| held(lock, now_ms));
    row(output, "lock", &lock);
    let pages = match &store.articles {
        Some(articles) => of_articles(articles, orphans, now_ms),
        None => "not known: that needs the right to SCAN".to_owned(),
    };
    row(output, "pages", &pages);
    if let Some(memory) = &store.memory {
        row(output, "memory", &of_memory(memory));
    }
}

/// Who holds the lock, and since when.
fn held(lock: &LockStatus, now_ms: i64) -> String {
    let Some(holder) = &lock.holder else {
        return "held; its value does not name the holder".to_owned();
    };
    let since = u64::try_from(now_ms - holder.since).unwrap_or(0);
    let dead = if lock.is_dead {
        "; its process is gone"
    } else {
        ""
    };
    let run = one_line(&holder.run);
    format!("held by run {run} for {}, {holder}{dead}", about(since))
}

fn of_articles(articles: &ArticleStatus, orphans: Option<u64>, now_ms: i64) -> String {
    let mut text = articles.count.to_string();
    if let Some(first) = articles.first_expiry_ms {
        let left = u64::try_from(first - now_ms).unwrap_or(0);
        text += &format!("; the first expires in {}", about(left));
    }
    for (number, when) in [
        (articles.within_hour, "an hour"),
        (articles.within_day, "a day"),
    ] {
        if number > 0 {
            text += &format!(", {number} within {when}");
        }
    }
    match orphans {
        Some(orphans) if orphans > 0 => {
            text + &format!("; {orphans} without a source at the last import")
        }
        _ => text,
    }
}

fn of_memory(memory: &MemoryStatus) -> String {
    let used = size(memory.used_bytes);
    match memory.max_bytes {
        None => format!("{used} used, no limit"),
        Some(max) => {
            let percent = memory.used_bytes.saturating_mul(100) / max.max(1);
            format!("{used} of {} used, {percent} %", size(max))
        }
    }
}

fn of_run(item: &RunItem, now_ms: i64) -> String {
    let when = show_local(item.started_at_ms(), now_ms);
    let undone = item.undone_by.as_ref().map_or("", |_| ", undone");
    format!(
        "{}{undone} ({when}, run {})",
        recorded(&result(item)),
        item.id
    )
}

fn row(output: &mut Output, label: &str, text: &str) {
    output.wrapped(&format!("{label:<10}{text}"), 10);
}

/// The same as one object.
pub(crate) fn json(settings: &Settings, status: &Status, output: &mut Output) {
    if !output.is_json() {
        return;
    }
    let run = |item: Option<&RunItem>| {
        let item = item?;
        let mut run = match &item.manifest {
            Ok(manifest) => object(settings, manifest, item.undone_by.as_deref()),
            Err(damage) => json!({ "run": item.id, "error": damage.to_string() }),
        };
        run["age_ms"] = status.age_ms(item).into();
        Some(run)
    };
    let failure = status.store.as_ref().err();
    output.json(&json!({
        "type": "status", "exit": status.exit().code(), "needs_a_look": status.needs_a_look,
        "at": status.now_ms, "server": settings.address.to_string(), "prefix": settings.prefix,
        "error": failure.map(|failure| failure.what.as_str()),
        "store": status.store.as_ref().ok().map(store_json),
        "orphans": status.orphans(),
        "last_good_import": run(status.last_good_import()), "last_run": run(status.last_run()),
    }));
}

fn store_json(store: &StoreStatus) -> Value {
    json!({
        "version": store.version,
        "latency_us": u64::try_from(store.latency.as_micros()).unwrap_or(u64::MAX),
        "paused": store.paused.is_some(),
        "pause": store.paused.as_ref().map(Paused::json),
        "lock": store.lock.as_ref().map(lock_json),
        "articles": store.articles.map(|articles| json!({
            "count": articles.count, "first_expiry": articles.first_expiry_ms,
            "within_1h": articles.within_hour, "within_24h": articles.within_day,
        })),
        "memory": store.memory.map(|memory| json!({
            "used": memory.used_bytes, "max": memory.max_bytes,
        })),
    })
}

fn lock_json(lock: &LockStatus) -> Value {
    let mut object = json!({ "is_dead": lock.is_dead });
    if let Some(holder) = &lock.holder {
        object["run"] = json!(holder.run);
        object["owner"] = json!(holder.owner);
        object["host"] = json!(holder.host);
        object["pid"] = json!(holder.pid);
        object["since"] = json!(holder.since);
    }
    object
}
