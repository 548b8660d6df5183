use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A deployment to set a cluster up with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    pub(super) namespace: String,
    pub(super) name: String,
    replicas: u32,
    image: String,
    labels: BTreeMap<String, String>,
}

impl Workload {
    /// One replica of an image of the same name, labelled `app: NAME`.
    #[must_use]
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            namespace: namespace.into(),
            replicas: 1,
            image: format!("{name}:latest"),
            labels: BTreeMap::from([("app".to_owned(), name.clone())]),
            name,
        }
    }

    /// How many replicas.
    #[must_use]
    pub fn replicas(mut self, replicas: u32) -> Self {
        self.replicas = replicas;
        self
    }

    /// The image of its one container.
    #[must_use]
    pub fn image(mut self, image: impl Into<String>) -> Self {
        self.image = image.into();
        self
    }

    /// A label of the deployment and its pods, beside `app`.
    #[must_use]
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    pub(super) fn object(&self) -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": { "name": self.name, "namespace": self.namespace, "labels": self.labels },
            "spec": {
                "replicas": self.replicas,
                "selector": { "matchLabels": { "app": self.name } },
                "template": {
                    "metadata": { "labels": self.labels },
                    "spec": { "containers": [{ "name": self.name, "image": self.image }] },
                },
            },
        })
    }
}
