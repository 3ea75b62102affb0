//! The manifests for Kubernetes: each field is documented, each value has its type, and every reference
//! has its target.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;

use anp::yaml::{self, Kind, Node};
use regex::Regex;

use super::{is_command_line, page, publish_all};
use crate::support::World;

const TEXT: &str = ".";
const WHOLE: &str = r"^\d+$";
const BOOL: &str = "^(true|false)$";
const NAME: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
const QUANTITY: &str = r"^\d+(m|Mi|Gi)?$";

/// Fields by kind, with the form of their values, as the API reference has them:
/// <https://kubernetes.io/docs/reference/kubernetes-api/>. `[]` is each item of a list, `*`
/// any key of a map.
const FIELDS: &[(&str, &str)] = &[
    ("PersistentVolumeClaim.apiVersion", "^v1$"),
    ("PersistentVolumeClaim.kind", TEXT),
    ("PersistentVolumeClaim.metadata.name", NAME),
    ("PersistentVolumeClaim.metadata.labels.*", NAME),
    (
        "PersistentVolumeClaim.spec.accessModes[]",
        "^(ReadWriteOnce|ReadOnlyMany|ReadWriteMany|ReadWriteOncePod)$",
    ),
    ("PersistentVolumeClaim.spec.resources.requests.*", QUANTITY),
    ("ConfigMap.apiVersion", "^v1$"),
    ("ConfigMap.kind", TEXT),
    ("ConfigMap.metadata.name", NAME),
    ("ConfigMap.metadata.labels.*", NAME),
    ("ConfigMap.data.*", TEXT),
    ("CronJob.apiVersion", "^batch/v1$"),
    ("CronJob.kind", TEXT),
    ("CronJob.metadata.name", NAME),
    ("CronJob.metadata.labels.*", NAME),
    ("CronJob.spec.schedule", r"^(\d+|\*)( (\d+|\*)){4}$"),
    ("CronJob.spec.timeZone", "^[A-Z][A-Za-z]+/[A-Za-z_]+$"),
    ("CronJob.spec.suspend", BOOL),
    ("CronJob.spec.concurrencyPolicy", "^(Allow|Forbid|Replace)$"),
    ("CronJob.spec.startingDeadlineSeconds", WHOLE),
    ("CronJob.spec.successfulJobsHistoryLimit", WHOLE),
    ("CronJob.spec.failedJobsHistoryLimit", WHOLE),
    ("Job.apiVersion", "^batch/v1$"),
    ("Job.kind", TEXT),
    ("Job.metadata.generateName", "^[a-z0-9-]+-$"),
    ("Job.metadata.labels.*", NAME),
    ("JobSpec.completionMode", "^(Indexed|NonIndexed)$"),
    ("JobSpec.completions", WHOLE),
    ("JobSpec.parallelism", WHOLE),
    ("JobSpec.backoffLimit", WHOLE),
    ("JobSpec.backoffLimitPerIndex", WHOLE),
    (
        "JobSpec.podFailurePolicy.rules[].action",
        "^(FailJob|FailIndex|Ignore|Count)$",
    ),
    (
        "JobSpec.podFailurePolicy.rules[].onPodConditions[].type",
        "^DisruptionTarget$",
    ),
    (
        "JobSpec.podFailurePolicy.rules[].onExitCodes.containerName",
        NAME,
    ),
    (
        "JobSpec.podFailurePolicy.rules[].onExitCodes.operator",
        "^(In|NotIn)$",
    ),
    (
        "JobSpec.podFailurePolicy.rules[].onExitCodes.values[]",
        WHOLE,
    ),
    ("JobSpec.activeDeadlineSeconds", WHOLE),
    ("JobSpec.template.metadata.labels.*", NAME),
    ("PodSpec.restartPolicy", "^(Always|OnFailure|Never)$"),
    ("PodSpec.terminationGracePeriodSeconds", WHOLE),
    ("PodSpec.automountServiceAccountToken", BOOL),
    ("PodSpec.enableServiceLinks", BOOL),
    ("PodSpec.securityContext.runAsNonRoot", BOOL),
    ("PodSpec.securityContext.runAsUser", WHOLE),
    ("PodSpec.securityContext.runAsGroup", WHOLE),
    ("PodSpec.securityContext.fsGroup", WHOLE),
    (
        "PodSpec.securityContext.fsGroupChangePolicy",
        "^(OnRootMismatch|Always)$",
    ),
    (
        "PodSpec.securityContext.seccompProfile.type",
        "^(RuntimeDefault|Localhost|Unconfined)$",
    ),
    ("PodSpec.volumes[].name", NAME),
    ("PodSpec.volumes[].persistentVolumeClaim.claimName", NAME),
    ("PodSpec.volumes[].persistentVolumeClaim.readOnly", BOOL),
    ("PodSpec.volumes[].configMap.name", NAME),
    ("Container.name", NAME),
    ("Container.image", r"^[a-z0-9./-]+:[0-9.]+$"),
    ("Container.imagePullPolicy", "^(Always|IfNotPresent|Never)$"),
    ("Container.args[]", TEXT),
    ("Container.env[].name", "^[A-Z_]+$"),
    ("Container.env[].value", TEXT),
    (
        "Container.env[].valueFrom.fieldRef.fieldPath",
        r"^metadata\.labels\['[a-z./-]+'\]$",
    ),
    ("Container.env[].valueFrom.secretKeyRef.name", NAME),
    (
        "Container.env[].valueFrom.secretKeyRef.key",
        "^[-._a-zA-Z0-9]+$",
    ),
    ("Container.resources.requests.*", QUANTITY),
    ("Container.resources.limits.*", QUANTITY),
    ("Container.securityContext.allowPrivilegeEscalation", BOOL),
    ("Container.securityContext.readOnlyRootFilesystem", BOOL),
    (
        "Container.securityContext.capabilities.drop[]",
        "^(ALL|[A-Z_]+)$",
    ),
    ("Container.volumeMounts[].name", NAME),
    ("Container.volumeMounts[].mountPath", "^/[^:]*$"),
    ("Container.volumeMounts[].readOnly", BOOL),
];

/// Where one object of the API is inside another.
const INSIDE: &[(&str, &str)] = &[
    ("CronJob.spec.jobTemplate.spec.", "JobSpec."),
    ("Job.spec.", "JobSpec."),
    ("JobSpec.template.spec.", "PodSpec."),
    ("PodSpec.containers[].", "Container."),
];

/// Each value of a document by its path, in order; `plain` if it was not quoted.
struct Leaf {
    path: String,
    text: String,
    plain: bool,
}

fn leaves(node: &Node, path: &str, found: &mut Vec<Leaf>) {
    match &node.kind {
        Kind::Mapping(entries) => {
            for (key, value) in entries {
                let path = format!("{path}.{}", key.text());
                leaves(value, &path, found);
            }
        }
        Kind::Sequence(items) => {
            for item in items {
                leaves(item, &format!("{path}[]"), found);
            }
        }
        Kind::Scalar { text, plain } => found.push(Leaf {
            path: path.to_owned(),
            text: text.clone(),
            plain: *plain,
        }),
    }
}

/// The whole run each night, the same in shards, and one in shards now.
const FILES: [&str; 3] = ["cronjob.yaml", "shards-cronjob.yaml", "shards-job.yaml"];

/// The documents of the whole run, by kind.
fn documents() -> BTreeMap<String, Vec<Leaf>> {
    documents_of(FILES[0])
}

/// The documents of a file, by kind.
fn documents_of(file: &str) -> BTreeMap<String, Vec<Leaf>> {
    let text = page(&format!("deploy/kubernetes/{file}"));
    text.split("\n---\n")
        .map(|document| {
            let node = yaml::parse(document, 1).unwrap_or_else(|errors| panic!("{errors:?}"));
            let mut found = Vec::new();
            leaves(&node, "", &mut found);
            let kind = found.iter().find(|leaf| leaf.path == ".kind").unwrap();
            let kind = kind.text.clone();
            for leaf in &mut found {
                leaf.path.insert_str(0, &kind);
                for (outer, inner) in INSIDE {
                    if let Some(rest) = leaf.path.strip_prefix(outer) {
                        leaf.path = format!("{inner}{rest}");
                    }
                }
            }
            (kind, found)
        })
        .collect()
}

fn values<'a>(leaves: &'a [Leaf], path: &str) -> Vec<&'a str> {
    let of_path = leaves.iter().filter(|leaf| leaf.path == path);
    of_path.map(|leaf| leaf.text.as_str()).collect()
}

#[test]
fn every_field_is_documented_has_its_type_and_is_used() {
    let looks_typed = Regex::new(r"^([\d.]+|true|false|yes|no|on|off|null|~)$").unwrap();
    let mut used = BTreeSet::new();
    let all = FILES.map(documents_of);
    for leaf in all.iter().flat_map(BTreeMap::values).flatten() {
        let known = FIELDS
            .iter()
            .find(|(field, _)| match field.strip_suffix('*') {
                Some(map) => leaf.path.starts_with(map),
                None => *field == leaf.path,
            });
        let (field, form) = known.unwrap_or_else(|| panic!("no field {}", leaf.path));
        used.insert(*field);
        let fits = Regex::new(form).unwrap().is_match(&leaf.text);
        assert!(fits, "{}: {:?}: expected {form}", leaf.path, leaf.text);
        // Numbers and booleans are plain, and no text is taken for one.
        let is_typed = [WHOLE, BOOL].contains(form);
        if is_typed {
            assert!(leaf.plain, "{} is quoted", leaf.path);
        } else if leaf.plain {
            assert!(
                !looks_typed.is_match(&leaf.text),
                "{} is not quoted",
                leaf.path
            );
        }
    }
    for (field, _) in FIELDS {
        assert!(used.contains(field), "nothing uses {field}");
    }
}

/// The Job, or the CronJob that makes one.
fn job(documents: &BTreeMap<String, Vec<Leaf>>) -> &[Leaf] {
    documents
        .get("Job")
        .unwrap_or_else(|| &documents["CronJob"])
}

#[test]
fn what_refers_to_something_finds_it() {
    for (file, names) in [
        (FILES[0], FILES[0]),
        (FILES[1], FILES[1]),
        (FILES[2], FILES[1]),
    ] {
        let (documents, others) = (documents_of(file), documents_of(names));
        let job = job(&documents);
        let of_job = |path: &str| values(job, path);
        let volumes = of_job("PodSpec.volumes[].name");
        assert_eq!(of_job("Container.volumeMounts[].name"), volumes);
        let claims = of_job("PodSpec.volumes[].persistentVolumeClaim.claimName");
        let made = values(
            &others["PersistentVolumeClaim"],
            "PersistentVolumeClaim.metadata.name",
        );
        assert_eq!(claims[..1], made);
        let configs = values(&others["ConfigMap"], "ConfigMap.metadata.name");
        assert_eq!(of_job("PodSpec.volumes[].configMap.name"), configs);
        let image = of_job("Container.image")[0];
        assert!(
            image.ends_with(concat!(":", env!("CARGO_PKG_VERSION"))),
            "{image}"
        );
    }
}

#[test]
fn shards_are_as_many_as_pods_each_started_again_where_that_helps() {
    for file in &FILES[1..] {
        let documents = documents_of(file);
        let job = job(&documents);
        let shards = values(job, "JobSpec.completions");
        assert_eq!(values(job, "JobSpec.parallelism"), shards);
        assert_eq!(values(job, "Container.env[].value"), shards);
        for (path, value) in [
            ("JobSpec.completionMode", "Indexed"),
            // Kubernetes takes neither of the two below with another one.
            ("PodSpec.restartPolicy", "Never"),
            ("JobSpec.backoffLimitPerIndex", "3"),
            ("PodSpec.securityContext.runAsNonRoot", "true"),
        ] {
            assert_eq!(values(job, path), [value], "{file}: {path}");
        }
        let container = values(
            job,
            "JobSpec.podFailurePolicy.rules[].onExitCodes.containerName",
        );
        assert_eq!(container, values(job, "Container.name"));
        // The exits that anp says not to retry, and 3, whose share is published.
        let never = values(job, "JobSpec.podFailurePolicy.rules[].onExitCodes.values[]");
        assert_eq!(never, ["2", "3", "12", "65", "77", "78"]);
        assert_eq!(values(job, "Container.resources.limits.memory").len(), 1);
        assert_eq!(values(job, "Container.resources.limits.cpu").len(), 1);
    }
    let claim = &documents_of(FILES[1])["PersistentVolumeClaim"];
    let modes = values(claim, "PersistentVolumeClaim.spec.accessModes[]");
    assert_eq!(modes, ["ReadWriteMany"], "all pods write manifests");
    // The night's Job and the one by hand are the same.
    let text = |file: &str| {
        let documents = documents_of(file);
        let of_job = job(&documents).iter();
        let of_job = of_job.filter(|leaf| {
            ["JobSpec.", "PodSpec.", "Container."]
                .iter()
                .any(|kind| leaf.path.starts_with(kind))
        });
        of_job
            .map(|leaf| format!("{} {}", leaf.path, leaf.text))
            .collect::<Vec<_>>()
    };
    assert_eq!(text(FILES[1]), text(FILES[2]));
}

/// What the container of a Job named `name` gets from its pod number `index`.
fn variables(job: &[Leaf], name: &str, index: usize) -> Vec<(String, String)> {
    let mut variables = vec![("JOB_COMPLETION_INDEX".to_owned(), index.to_string())];
    let mut last = String::new();
    for leaf in job {
        match leaf.path.as_str() {
            "Container.env[].name" => last.clone_from(&leaf.text),
            "Container.env[].value" => variables.push((last.clone(), leaf.text.clone())),
            "Container.env[].valueFrom.fieldRef.fieldPath" => {
                assert_eq!(leaf.text, "metadata.labels['batch.kubernetes.io/job-name']");
                variables.push((last.clone(), name.to_owned()));
            }
            "Container.env[].valueFrom.secretKeyRef.key" => {
                variables.push((last.clone(), "secret".to_owned()));
            }
            _ => {}
        }
    }
    variables
}

#[test]
fn the_pods_of_a_job_do_one_run_together() {
    for file in &FILES[1..] {
        let world = World::new();
        for number in 0..30 {
            world.article(&format!("n{number}.md"), "Text.");
        }
        world
            .server
            .command("ACL SETUSER anp on >secret ~* &* +@all");
        let config = documents_of(FILES[1]);
        let config = values(&config["ConfigMap"], "ConfigMap.data.anp.yaml")[0]
            .replace(
                "redis://anp@cache.example.org:6379/0",
                &format!("{}?user=anp", world.server.url()),
            )
            .replace("/var/lib/anp", world.path("state").to_str().unwrap())
            .replace(
                "/srv/archive/content",
                world.path("content").to_str().unwrap(),
            );
        world.write("anp.yaml", config);
        let documents = documents_of(file);
        let job = job(&documents);
        let arguments = values(job, "Container.args[]");
        let here = world.path("anp.yaml");
        let here = |word: &&str| match *word {
            "/etc/anp/anp.yaml" => here.to_str().unwrap().to_owned(),
            word => word.to_owned(),
        };
        let arguments: Vec<String> = arguments.iter().map(here).collect();
        let pods: usize = values(job, "JobSpec.completions")[0].parse().unwrap();
        let pods: Vec<_> = (0..pods)
            .map(|index| {
                let mut anp = world.bare();
                anp.args(&arguments)
                    .envs(variables(job, "anp-shards-29388137", index))
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped());
                anp.spawn().unwrap()
            })
            .collect();
        publish_all(&world, pods);
        world.anp("verify last").exits(0);
        let runs = world.anp("runs --format json").lines();
        assert_eq!(runs.len(), 1);
        assert_eq!(runs[0]["run"], "anp-shards-29388137");
        assert_eq!(runs[0]["shards"]["done"], 4);
    }
}

#[test]
fn one_run_at_a_time_never_repeated_by_itself() {
    let documents = documents();
    let job = &documents["CronJob"];
    for (path, value) in [
        ("CronJob.spec.concurrencyPolicy", "Forbid"),
        ("JobSpec.backoffLimit", "0"),
        ("PodSpec.restartPolicy", "Never"),
        ("PodSpec.securityContext.runAsNonRoot", "true"),
        ("Container.securityContext.readOnlyRootFilesystem", "true"),
        (
            "Container.securityContext.allowPrivilegeEscalation",
            "false",
        ),
    ] {
        assert_eq!(values(job, path), [value], "{path}");
    }
    assert!(!page("deploy/kubernetes/cronjob.yaml").contains("kind: Secret"));
}

#[test]
fn the_container_runs_anp_with_settings_that_it_takes() {
    let documents = documents();
    let job = &documents["CronJob"];
    let arguments = values(job, "Container.args[]");
    is_command_line(std::iter::once("anp").chain(arguments.iter().copied()));
    let config = values(&documents["ConfigMap"], "ConfigMap.data.anp.yaml")[0];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("anp.yaml");
    std::fs::write(&file, config).unwrap();
    let settings = anp::settings::Settings::load(&anp::settings::Sources {
        config: Some(&file),
        flags: Vec::new(),
        env: &|_| None,
        current_dir: folder.path(),
    });
    let settings = settings.unwrap_or_else(|failure| panic!("{failure}"));
    // The settings name the mounted folders; only the state folder is writable.
    let paths = values(job, "Container.volumeMounts[].mountPath");
    assert_eq!(settings.state_dir.to_str(), Some(paths[0]));
    assert!(arguments.contains(&format!("{}/anp.yaml", paths[1]).as_str()));
    assert_eq!(settings.content.to_str(), Some(paths[2]));
    assert_eq!(
        values(job, "Container.volumeMounts[].readOnly"),
        ["true", "true"]
    );
    let variables = values(job, "Container.env[].name");
    assert_eq!(variables, ["ANP_REDIS_PASSWORD"]);
}
