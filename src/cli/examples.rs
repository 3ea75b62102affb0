//! What the long help of each command ends with: examples.

use std::sync::LazyLock;

/// Of `anp --help`: the first steps, and the exit codes.
pub(super) static ANP: LazyLock<String> = LazyLock::new(|| {
    format!(
        "\
Examples:
  anp init blog                  # settings and a first article to start from
  anp check content/             # errors and warnings; needs no store
  anp import content/ --dry-run  # what an import would write
  anp import content/
  anp rollback last              # undo it
  anp help import                # all options of a command

{}",
        crate::exit::TABLE
    )
});

pub(super) const INIT: &str = "\
Examples:
  anp init blog                  # in a new folder
  anp init                       # in this folder; no file is overwritten
  anp init --templates theme     # the built-in templates, to change them
  anp init --nginx front         # an nginx front for these settings";

pub(super) const IMPORT: &str = "\
Examples:
  anp import content/ --dry-run
  anp import content/ --redis redis://anp@cache.example.org:6379/0
  anp import content/ --prune --max-removed 2%
  anp import content/databases/ --owner 'archive desk'
  anp import --synth 100000 --under load/ --max-ttl 1h";

pub(super) const REHEARSE: &str = "\
Examples:
  anp rehearse content/
  anp rehearse content/ --sample 500";

pub(super) const CHECK: &str = "\
Examples:
  anp check content/
  anp check content/databases/ --strict
  anp check draft.md";

pub(super) const WARM: &str = "\
Examples:
  anp warm content/
  anp warm content/ --ttl-below 12h --rate 2000/s --max-latency 5ms
  anp warm content/ --glob '/redis-caching/**' --order popular";

pub(super) const PURGE: &str = "\
Examples:
  anp purge /redis-caching/scheduled-tasks-028802/
  anp purge /feed.xml /old/route/
  anp purge --glob '/redis-caching/**' --dry-run
  anp purge --tag tags=cron --content content/
  anp purge --run last
  anp purge --all --yes";

pub(super) const VERIFY: &str = "\
Examples:
  anp verify last
  anp verify 20261124T070015.005Z-0b7e";

pub(super) const ROLLBACK: &str = "\
Examples:
  anp rollback last --dry-run
  anp rollback last
  anp rollback 20261124T070015.005Z-0b7e";

pub(super) const RUNS: &str = "\
Examples:
  anp runs
  anp runs show last
  anp runs notify";

pub(super) const RUNS_NOTIFY: &str = "\
Examples:
  anp runs notify
  anp runs notify 20261124T070015.005Z-0b7e --dry-run
  anp runs notify last --again";

pub(super) const RUNS_SHOW: &str = "\
Examples:
  anp runs show last
  anp runs show 20261124T070015.005Z-0b7e";

pub(super) const DIFF: &str = "\
Examples:
  anp diff
  anp diff '/redis-caching/**' --stat
  anp diff --run last
  anp diff --exit-code > /dev/null || echo 'an import would change something'";

pub(super) const STATUS: &str = "\
Examples:
  anp status
  anp status --quiet --max-age 26h || echo 'the archive needs a look'

Exit codes of status:
  0    all is well
  3    needs a look: the last import failed or is too old, publishing is paused, ...
  69   the store does not answer; others as 'anp --help' lists them";

pub(super) const LS: &str = "\
Examples:
  anp ls '/redis-caching/**'
  anp ls --changed
  anp ls --expiring 2h --routes | xargs -n 1 anp show";

pub(super) const PAUSE: &str = "\
Examples:
  anp pause --reason 'moving to the new server'";

pub(super) const RESUME: &str = "\
Examples:
  anp resume";

pub(super) const UNLOCK: &str = "\
Examples:
  anp unlock 20261124T070015.005Z-0b7e";

pub(super) const SHOW: &str = "\
Examples:
  anp show /redis-caching/scheduled-tasks-028802/
  anp show /redis-caching/scheduled-tasks-028802/ --page > page.html
  anp show /feed.xml --page > feed.xml
  anp show /redis-caching/scheduled-tasks-028802/ --similar";

pub(super) const PROBE: &str = "\
Examples:
  anp probe https://example.org/archive/
  anp probe http://127.0.0.1:8080/ --sample 200 --duration 0
  anp probe http://127.0.0.1:8080/ --rate 2000/s --concurrency 16 --duration 30s";

pub(super) const SERVE: &str = "\
Examples:
  anp serve
  anp serve --addr 127.0.0.1:0";

pub(super) const SYNTH: &str = "\
Examples:
  anp synth --count 1000 --out load/
  anp synth --count 1000 --out load/ --seed 7 --body-kb 8 --invalid 2%";

pub(super) const COMPLETIONS: &str = "\
Examples:
  anp completions bash > ~/.local/share/bash-completion/completions/anp
  anp completions zsh > ~/.zfunc/_anp           # with ~/.zfunc in $fpath
  anp completions fish > ~/.config/fish/completions/anp.fish";

pub(super) const SCHEMA: &str = "\
Examples:
  anp schema > article.schema.json
  anp schema --settings > anp.schema.json";
