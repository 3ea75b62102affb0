//! The manifests for Kubernetes: each field is documented, each value has its type, and what
//! refers to something else finds it.

use std::collections::{BTreeMap, BTreeSet};

use anp::yaml::{self, Kind, Node};
use regex::Regex;

use super::{is_command_line, page};

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
    ("JobSpec.backoffLimit", WHOLE),
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

/// The documents, by kind.
fn documents() -> BTreeMap<String, Vec<Leaf>> {
    let text = page("deploy/kubernetes/cronjob.yaml");
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
    for leaf in documents().values().flatten() {
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

#[test]
fn what_refers_to_something_finds_it() {
    let documents = documents();
    let job = &documents["CronJob"];
    let of_job = |path: &str| values(job, path);
    let volumes = of_job("PodSpec.volumes[].name");
    assert_eq!(of_job("Container.volumeMounts[].name"), volumes);
    let claims = of_job("PodSpec.volumes[].persistentVolumeClaim.claimName");
    let made = values(
        &documents["PersistentVolumeClaim"],
        "PersistentVolumeClaim.metadata.name",
    );
    assert_eq!(claims[..1], made);
    let configs = values(&documents["ConfigMap"], "ConfigMap.metadata.name");
    assert_eq!(of_job("PodSpec.volumes[].configMap.name"), configs);
    let image = of_job("Container.image")[0];
    assert!(
        image.ends_with(concat!(":", env!("CARGO_PKG_VERSION"))),
        "{image}"
    );
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
    // The folders are the ones that are mounted; only the state can be written.
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
