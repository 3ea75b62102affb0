//! A small archive with everything turned on.

use std::collections::BTreeMap;

use crate::support::{Ran, World};

/// Three articles a page, so that a dozen make several pages.
pub const SETTINGS: &str = "\
site: {url: 'https://example.org', name: Notes}
archive:
  similar: 3
  lists: {home: true, folders: true, fields: [tags, tools], per_page: 3}
  feeds: {count: 4}
  sitemap: true
  robots_txt: true
  llms_txt: true
  redirects: true
  text: true
";

pub struct Archive {
    pub world: World,
}

impl Archive {
    /// Thirteen articles in two folders, one of them inside the other.
    pub fn new() -> Self {
        Self::with("")
    }

    /// The same with `more` settings.
    pub fn with(more: &str) -> Self {
        let archive = Self {
            world: World::new(),
        };
        archive.set(more);
        for number in 1..=13 {
            let folder = ["cache", "cache/deep", "queue"][number % 3];
            let tags = ["redis", "redis, ttl", "ttl, jitter", "queue"][number % 4];
            let fields = format!("tags: [{tags}]\ntools: [tool {}]\n", number % 2);
            archive.article(&format!("{folder}/n{number}"), number, &fields);
        }
        archive
    }

    /// Writes the settings, and `more`.
    pub fn set(&self, more: &str) -> &Self {
        self.world.write("anp.yaml", format!("{SETTINGS}{more}"));
        self
    }

    /// Writes the article `name`, published on a day of 2024.
    pub fn article(&self, name: &str, day: usize, fields: &str) -> &Self {
        let date = format!("2024-{:02}-{:02}", 1 + day / 28, 1 + day % 28);
        let title = name.replace('/', " ");
        let text =
            format!("---\ntitle: About {title}\ndate: {date}\n{fields}---\n\nText of {title}.\n");
        self.world.write(&format!("content/{name}.md"), text);
        self
    }

    pub fn remove(&self, name: &str) -> &Self {
        std::fs::remove_file(self.world.path(&format!("content/{name}.md"))).unwrap();
        self
    }

    /// Moves an article to another file, and so to another route.
    pub fn rename(&self, from: &str, to: &str) -> &Self {
        let path = |name: &str| self.world.path(&format!("content/{name}.md"));
        std::fs::create_dir_all(path(to).parent().unwrap()).unwrap();
        std::fs::rename(path(from), path(to)).unwrap();
        self
    }

    /// Imports, and removes what has no source.
    #[track_caller]
    pub fn import(&self) -> Ran {
        let ran = self
            .world
            .anp("import --prune --max-removed 100% --format json");
        ran.exits(0);
        ran
    }

    /// The first import, in three shards.
    #[track_caller]
    pub fn import_in_shards(&self) {
        for shard in ["0/3", "1/3", "2/3"] {
            let state = format!("state-{}", &shard[..1]);
            let mut command = self.world.command(&state, &["import", "--shard", shard]);
            Ran::of(&mut command).exits(0);
        }
    }

    /// Every object under a prefix, by the rest of its key, without what names the run.
    pub fn objects(&self, prefix: &str) -> BTreeMap<String, String> {
        let mut connection = self.world.server.connection();
        let keys: Vec<String> = redis::cmd("KEYS")
            .arg(format!("{prefix}:*:/*"))
            .query(&mut connection)
            .unwrap();
        let objects = keys.into_iter().map(|key| {
            let rest = key[prefix.len() + 1..].to_owned();
            let value = self.world.server.bytes(&key).unwrap();
            let mut value = String::from_utf8(value)
                .unwrap_or_else(|gzip| gzip.as_bytes().escape_ascii().to_string());
            if rest.starts_with("meta:") {
                let mut meta: serde_json::Value = serde_json::from_str(&value).unwrap();
                for name in ["run", "written_at"] {
                    meta.as_object_mut().unwrap().remove(name);
                }
                value = meta.to_string();
            }
            (rest, value)
        });
        objects.collect()
    }

    /// What an import makes of the tree where there was nothing.
    #[track_caller]
    pub fn made_from_nothing(&self) -> BTreeMap<String, String> {
        let fresh = ["--prefix", "fresh"];
        let state = self.world.path("fresh-state");
        let _ = std::fs::remove_dir_all(state);
        let mut command = self.world.command("fresh-state", &["import"]);
        Ran::of(command.args(fresh)).exits(0);
        let objects = self.objects("fresh");
        let mut command = self
            .world
            .command("fresh-state", &["purge", "--all", "--yes"]);
        Ran::of(command.args(fresh)).exits(0);
        assert_eq!(self.objects("fresh").len(), 0, "purge --all leaves nothing");
        objects
    }

    pub fn page(&self, route: &str) -> Option<String> {
        self.world.server.get(&format!("anp:page:{route}"))
    }

    pub fn file(&self, path: &str) -> Option<String> {
        self.world.server.get(&format!("anp:file:{path}"))
    }

    pub fn redirect(&self, route: &str) -> Option<String> {
        self.world.server.get(&format!("anp:redirect:{route}"))
    }
}

/// The first difference of two archives, to be read by people.
pub fn difference(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> String {
    let keys = one.keys().chain(other.keys());
    let mut differ: Vec<&String> = keys
        .filter(|key| one.get(*key) != other.get(*key))
        .collect();
    differ.sort();
    differ.dedup();
    let first = differ.first().map_or(String::new(), |key| {
        format!("{:#?}\n{:#?}", one.get(*key), other.get(*key))
    });
    format!("{} keys differ: {differ:?}\n{first}", differ.len())
}
