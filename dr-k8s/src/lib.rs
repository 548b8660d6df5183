//! dr-k8s
