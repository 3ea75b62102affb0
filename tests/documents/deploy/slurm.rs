//! The array of Slurm: its script is run as Slurm runs each of its tasks.

use std::process::{Child, Stdio};

use regex::Regex;

use super::{page, publish_all};
use crate::support::World;

/// Runs the task `index` of an array of `count` tasks, numbered from `min`.
fn task(world: &World, index: u32, (min, count): (u32, u32)) -> Child {
    let own = std::path::Path::new(env!("CARGO_BIN_EXE_anp"))
        .parent()
        .unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut bash = world.program("bash");
    bash.arg(world.path("import.sbatch"))
        .env("PATH", format!("{}:{path}", own.display()))
        .env("SLURM_ARRAY_JOB_ID", "4711")
        .env("SLURM_ARRAY_TASK_ID", index.to_string())
        .env("SLURM_ARRAY_TASK_MIN", min.to_string())
        .env("SLURM_ARRAY_TASK_COUNT", count.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    bash.spawn().unwrap()
}

/// The script, with the folders of this world instead of the machine's.
fn scene() -> World {
    let world = World::new();
    for number in 0..30 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    world
        .server
        .command("ACL SETUSER anp on >secret ~* &* +@all");
    let config = world.path("anp.yaml");
    let environment = page("deploy/anp.env")
        .replace("/etc/anp/anp.yaml", config.to_str().unwrap())
        .replace("ANP_REDIS_PASSWORD=''", "ANP_REDIS_PASSWORD='secret'");
    world.write("etc/anp.env", environment);
    let settings = format!("redis: {}?user=anp\nstate_dir: state\n", world.server.url());
    world.write("anp.yaml", settings);
    let here = |path: &str| world.path(path).to_str().unwrap().to_owned();
    let script = page("deploy/slurm/import.sbatch")
        .replace("/srv/archive", here("").trim_end_matches('/'))
        .replace("/etc/anp", &here("etc"))
        .replace("/var/lib/anp", &here("state"));
    world.write("import.sbatch", script);
    world
}

#[test]
fn the_tasks_of_an_array_do_one_run_together() {
    // Numbered from 0, as the script has it, and from 1, as many do it.
    for min in [0, 1] {
        let world = scene();
        let tasks: Vec<Child> = (min..min + 4)
            .map(|index| task(&world, index, (min, 4)))
            .collect();
        publish_all(&world, tasks);
        world.anp("verify slurm-4711").exits(0);
        // A task that is restarted, by the scheduler or by hand, changes nothing.
        let again = task(&world, min + 2, (min, 4)).wait_with_output().unwrap();
        assert_eq!(again.status.code(), Some(0));
        let said = String::from_utf8_lossy(&again.stdout).into_owned();
        assert_eq!(said, "");
        world.anp("rollback last").exits(0);
        assert!(world.keys().is_empty());
    }
}

#[test]
fn the_options_of_the_script_are_read_by_slurm() {
    let text = page("deploy/slurm/import.sbatch");
    assert!(text.starts_with("#!/bin/bash\n"));
    // After the first command, Slurm reads no more options.
    let first = text.find("\nset -eu\n").unwrap();
    let option = Regex::new(r"(?m)^#SBATCH --[a-z-]+(=[^ ]+)?$").unwrap();
    let options = text.matches("#SBATCH").count();
    assert_eq!(option.find_iter(&text[..first]).count(), options);
    for limit in [
        "--mem=",
        "--time=",
        "--cpus-per-task=",
        "--array=0-3",
        "--requeue",
    ] {
        assert!(text.contains(limit), "{limit}");
    }
}
