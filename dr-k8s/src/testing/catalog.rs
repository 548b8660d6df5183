//! What the double serves: its kinds, and the discovery documents that tell clients of them.

use std::sync::Arc;

use serde_json::{Value, json};

/// One kind of object that the API server serves.
///
/// ```
/// use dr_k8s::testing::ResourceType;
///
/// let scaled_objects = ResourceType::custom("keda.sh", "v1alpha1", "scaledobjects", "scaledobject", "ScaledObject").with_status();
/// assert_eq!(scaled_objects.qualified(), "scaledobjects.keda.sh");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceType {
    /// The API group, empty for the core group.
    pub group: &'static str,
    /// The one version that is served.
    pub version: &'static str,
    /// The name in paths: `deployments`.
    pub plural: &'static str,
    /// The name for one: `deployment`.
    pub singular: &'static str,
    /// The kind: `Deployment`.
    pub kind: &'static str,
    /// Short names for kubectl: `deploy`.
    pub short: &'static [&'static str],
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// Whether there is a `/status` subresource, which then is the only way to write `status`.
    pub status: bool,
    /// Whether there is a `/scale` subresource over `spec.replicas`.
    pub scale: bool,
    /// Whether `metadata.generation` counts the changes of the specification.
    pub generation: bool,
    /// Whether the kind is built in: strategic merge patches are for built-in kinds only.
    pub built_in: bool,
    /// The values that `status.phase` may take; empty when it is not checked.
    pub phases: &'static [&'static str],
}

impl ResourceType {
    const fn built_in(
        (group, version): (&'static str, &'static str),
        plural: &'static str,
        singular: &'static str,
        kind: &'static str,
        short: &'static [&'static str],
    ) -> Self {
        Self {
            group,
            version,
            plural,
            singular,
            kind,
            short,
            namespaced: true,
            status: false,
            scale: false,
            generation: false,
            built_in: true,
            phases: &[],
        }
    }

    /// A namespaced custom resource without subresources, as most definitions leave it.
    #[must_use]
    pub const fn custom(
        group: &'static str,
        version: &'static str,
        plural: &'static str,
        singular: &'static str,
        kind: &'static str,
    ) -> Self {
        let mut this = Self::built_in((group, version), plural, singular, kind, &[]);
        this.built_in = false;
        this.generation = true;
        this
    }

    /// Adds the `/status` subresource.
    #[must_use]
    pub const fn with_status(mut self) -> Self {
        self.status = true;
        self
    }

    /// Adds the `/scale` subresource over `spec.replicas` and `status.replicas`.
    #[must_use]
    pub const fn with_scale(mut self) -> Self {
        self.scale = true;
        self
    }

    const fn cluster_wide(mut self) -> Self {
        self.namespaced = false;
        self
    }

    const fn with_generation(mut self) -> Self {
        self.generation = true;
        self
    }

    const fn with_phases(mut self, phases: &'static [&'static str]) -> Self {
        self.phases = phases;
        self
    }

    /// The name with its group, as error messages write it: `deployments.apps`, `pods`.
    #[must_use]
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// The kind with its group, as validation messages write it: `Deployment.apps`.
    pub(super) fn qualified_kind(&self) -> String {
        if self.group.is_empty() { self.kind.to_owned() } else { format!("{}.{}", self.kind, self.group) }
    }

    /// `apps/v1`, or `v1` for the core group.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }
}

const CORE: (&str, &str) = ("", "v1");
const APPS: (&str, &str) = ("apps", "v1");

/// Velero's phases are checked against an enumeration by its definitions (velero `pkg/apis/velero/v1`).
const BACKUP_PHASES: &[&str] = &[
    "New",
    "Queued",
    "ReadyToStart",
    "FailedValidation",
    "InProgress",
    "WaitingForPluginOperations",
    "WaitingForPluginOperationsPartiallyFailed",
    "Finalizing",
    "FinalizingPartiallyFailed",
    "Completed",
    "PartiallyFailed",
    "Failed",
    "Deleting",
];
const RESTORE_PHASES: &[&str] = &[
    "New",
    "FailedValidation",
    "InProgress",
    "WaitingForPluginOperations",
    "WaitingForPluginOperationsPartiallyFailed",
    "Finalizing",
    "FinalizingPartiallyFailed",
    "Completed",
    "PartiallyFailed",
    "Failed",
];

const fn velero(plural: &'static str, singular: &'static str, kind: &'static str) -> ResourceType {
    ResourceType::custom("velero.io", "v1", plural, singular, kind)
}

const BUILT_IN: &[ResourceType] = &[
    ResourceType::built_in(CORE, "namespaces", "namespace", "Namespace", &["ns"]).cluster_wide().with_status(),
    ResourceType::built_in(CORE, "nodes", "node", "Node", &["no"]).cluster_wide().with_status(),
    ResourceType::built_in(CORE, "pods", "pod", "Pod", &["po"]).with_status(),
    ResourceType::built_in(CORE, "services", "service", "Service", &["svc"]).with_status(),
    ResourceType::built_in(CORE, "configmaps", "configmap", "ConfigMap", &["cm"]),
    ResourceType::built_in(CORE, "secrets", "secret", "Secret", &[]),
    ResourceType::built_in(CORE, "events", "event", "Event", &["ev"]),
    ResourceType::built_in(CORE, "serviceaccounts", "serviceaccount", "ServiceAccount", &["sa"]),
    ResourceType::built_in(APPS, "deployments", "deployment", "Deployment", &["deploy"])
        .with_status()
        .with_scale()
        .with_generation(),
    ResourceType::built_in(APPS, "replicasets", "replicaset", "ReplicaSet", &["rs"])
        .with_status()
        .with_scale()
        .with_generation(),
    ResourceType::built_in(
        ("autoscaling", "v2"),
        "horizontalpodautoscalers",
        "horizontalpodautoscaler",
        "HorizontalPodAutoscaler",
        &["hpa"],
    )
    .with_status(),
    ResourceType::built_in(("coordination.k8s.io", "v1"), "leases", "lease", "Lease", &[]),
    velero("backups", "backup", "Backup").with_phases(BACKUP_PHASES),
    velero("restores", "restore", "Restore").with_phases(RESTORE_PHASES),
    velero("schedules", "schedule", "Schedule").with_phases(&["New", "Enabled", "FailedValidation"]),
    velero("backupstoragelocations", "backupstoragelocation", "BackupStorageLocation")
        .with_phases(&["Available", "Unavailable"]),
    velero("volumesnapshotlocations", "volumesnapshotlocation", "VolumeSnapshotLocation"),
    velero("deletebackuprequests", "deletebackuprequest", "DeleteBackupRequest").with_phases(&[
        "New",
        "InProgress",
        "Processed",
    ]),
];

/// The kinds that one cluster serves.
#[derive(Clone, Debug)]
pub(super) struct Catalog {
    types: Vec<Arc<ResourceType>>,
}

impl Default for Catalog {
    fn default() -> Self {
        Self { types: BUILT_IN.iter().cloned().map(Arc::new).collect() }
    }
}

impl Catalog {
    pub(super) fn add(&mut self, resource: ResourceType) {
        self.types.push(Arc::new(resource));
    }

    pub(super) fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<ResourceType>> {
        self.types.iter().find(|t| t.group == group && t.version == version && t.plural == plural)
    }

    pub(super) fn by_kind(&self, api_version: &str, kind: &str) -> Option<&Arc<ResourceType>> {
        self.types.iter().find(|t| t.kind == kind && t.api_version() == api_version)
    }

    pub(super) fn by_qualified(&self, qualified: &str) -> Option<&Arc<ResourceType>> {
        self.types.iter().find(|t| t.qualified() == qualified)
    }

    /// The group versions, each once, in the order of the catalog, without the core group.
    fn groups(&self) -> Vec<(&'static str, &'static str)> {
        let mut groups = Vec::new();
        for t in self.types.iter().filter(|t| !t.group.is_empty()) {
            if !groups.contains(&(t.group, t.version)) {
                groups.push((t.group, t.version));
            }
        }
        groups
    }

    /// The discovery document at a path's segments, when there is one there.
    ///
    /// Only the unaggregated documents are served; clients that ask for the aggregated ones see from the
    /// content type that they did not get them, and fall back.
    pub(super) fn discovery(&self, segments: &[&str]) -> Option<Value> {
        match segments {
            ["version"] => Some(json!({
                "major": "1", "minor": "36", "gitVersion": "v1.36.0+dr", "gitCommit": "", "gitTreeState": "clean",
                "buildDate": "2026-04-22T00:00:00Z", "goVersion": "", "compiler": "", "platform": "dr/double",
            })),
            ["api"] => Some(json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [] })),
            ["apis"] => {
                let groups: Vec<Value> = self.groups().into_iter().map(|(g, v)| group_document(g, v)).collect();
                Some(json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups }))
            }
            ["apis", group] => self.groups().into_iter().find(|(g, _)| g == group).map(|(g, v)| {
                let mut document = group_document(g, v);
                super::object::set(&mut document, &["kind"], json!("APIGroup"));
                super::object::set(&mut document, &["apiVersion"], json!("v1"));
                document
            }),
            ["api", version] => self.resources("", version),
            ["apis", group, version] => self.resources(group, version),
            _ => None,
        }
    }

    fn resources(&self, group: &str, version: &str) -> Option<Value> {
        let mut resources = Vec::new();
        for t in self.types.iter().filter(|t| t.group == group && t.version == version) {
            resources.push(json!({
                "name": t.plural, "singularName": t.singular, "namespaced": t.namespaced, "kind": t.kind,
                "shortNames": t.short,
                "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
            }));
            if t.status {
                resources.push(json!({
                    "name": format!("{}/status", t.plural), "singularName": "", "namespaced": t.namespaced,
                    "kind": t.kind, "verbs": ["get", "patch", "update"],
                }));
            }
            if t.scale {
                resources.push(json!({
                    "name": format!("{}/scale", t.plural), "singularName": "", "namespaced": t.namespaced,
                    "group": "autoscaling", "version": "v1", "kind": "Scale", "verbs": ["get", "patch", "update"],
                }));
            }
        }
        let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        (!resources.is_empty()).then(|| {
            json!({
                "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources,
            })
        })
    }
}

fn group_document(group: &str, version: &str) -> Value {
    let preferred = json!({ "groupVersion": format!("{group}/{version}"), "version": version });
    json!({ "name": group, "versions": [preferred], "preferredVersion": preferred })
}
