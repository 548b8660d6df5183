//! Where everything listens, and how another process finds it and shares the lab's time.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use dr_core::{
    error::{Error, ErrorKind, Result},
    model::RegionId,
    time::{ScaledClock, Timestamp},
};
use serde::{Deserialize, Serialize};

/// What listens in one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionEndpoints {
    /// The region's address on this machine.
    pub address: Ipv4Addr,
    /// AWS's endpoint URL.
    pub aws: String,
    /// The Kubernetes API's URL; none in the witness region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<String>,
    /// A kubeconfig of this region's cluster alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<PathBuf>,
    /// The application's URL; none in the witness region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
}

/// Where everything listens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Endpoints {
    /// The machine's wall time at which the lab's clock agreed with it.
    pub anchor: Timestamp,
    /// How many of the lab's seconds pass in one of the machine's.
    pub time_scale: f64,
    /// The admin endpoint's URL.
    pub admin: String,
    /// The authoritative name server, over UDP and TCP.
    pub dns: SocketAddr,
    /// The public name of the application.
    pub public_name: String,
    /// The port of the application in every region.
    pub application_port: u16,
    /// The id of the hosted zone.
    pub hosted_zone_id: String,
    /// The id of the health check that looks at the failover switch.
    pub switch_health_check_id: String,
    /// Each region.
    pub regions: BTreeMap<RegionId, RegionEndpoints>,
    /// A kubeconfig with a context per region, where one was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<PathBuf>,
}

impl Endpoints {
    /// The lab's clock, in this or another process.
    #[must_use]
    pub fn clock(&self) -> ScaledClock {
        ScaledClock::anchored(self.anchor, self.time_scale)
    }

    /// What listens in a region.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when the lab has no such region.
    pub fn region(&self, region: &RegionId) -> Result<&RegionEndpoints> {
        self.regions
            .get(region)
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("the lab has no region {region}")))
    }

    /// The public URL of the application. Its name resolves through the lab's name server only.
    #[must_use]
    pub fn public_url(&self) -> String {
        format!("http://{}:{}", self.public_name, self.application_port)
    }

    /// The variables of the env file: `DR_LAB_*`, which `examples/ecommerce.dr.yaml` reads, and those that make `aws` and `kubectl`
    /// ordinary clients.
    ///
    /// The whole of it is also there as one JSON value, `DR_LAB`, from which [`Endpoints::read_env`] builds it again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`] when it does not serialise.
    pub fn variables(&self) -> Result<Vec<(String, String)>> {
        let json = serde_json::to_string(self)
            .map_err(|e| Error::new(ErrorKind::Internal, "the endpoints do not serialise").with_source(e))?;
        let anchor = serde_json::to_value(self.anchor)
            .map_err(|e| Error::new(ErrorKind::Internal, "the anchor does not serialise").with_source(e))?;
        let mut variables = vec![
            ("DR_LAB_ADMIN".to_owned(), self.admin.clone()),
            ("DR_LAB_NAME_SERVER".to_owned(), self.dns.to_string()),
            ("DR_LAB_PUBLIC_URL".to_owned(), self.public_url()),
            ("DR_LAB_HOSTED_ZONE_ID".to_owned(), self.hosted_zone_id.clone()),
            ("DR_LAB_PRIMARY_HEALTH_CHECK_ID".to_owned(), self.switch_health_check_id.clone()),
            ("DR_LAB_ANCHOR".to_owned(), anchor.as_str().unwrap_or_default().to_owned()),
            ("DR_LAB_TIME_SCALE".to_owned(), self.time_scale.to_string()),
        ];
        for (region, endpoints) in &self.regions {
            let suffix = region.as_str().to_ascii_uppercase().replace('-', "_");
            variables.push((format!("DR_LAB_AWS_{suffix}"), endpoints.aws.clone()));
            variables.extend(endpoints.kubernetes.clone().map(|url| (format!("DR_LAB_KUBERNETES_{suffix}"), url)));
            let kubeconfig = endpoints.kubeconfig.as_ref().map(|path| path.display().to_string());
            variables.extend(kubeconfig.map(|path| (format!("DR_LAB_KUBECONFIG_{suffix}"), path)));
            variables.extend(endpoints.application.clone().map(|url| (format!("DR_LAB_APP_{suffix}"), url)));
        }
        // The doubles take any credentials; these say what they are.
        variables.push(("AWS_ACCESS_KEY_ID".to_owned(), "LABONLYNOTAREALKEY00".to_owned()));
        variables.push(("AWS_SECRET_ACCESS_KEY".to_owned(), "lab-only-not-a-secret".to_owned()));
        if let Some(kubeconfig) = &self.kubeconfig {
            variables.push(("KUBECONFIG".to_owned(), kubeconfig.display().to_string()));
        }
        variables.push(("DR_LAB".to_owned(), json));
        Ok(variables)
    }

    /// Writes the env file, a `KEY=VALUE` a line, as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Storage`] with what the file system says.
    pub fn write_env(&self, path: &Path) -> Result<()> {
        let mut text = String::new();
        for (key, value) in self.variables()? {
            // Writing to a string does not fail. The quotes let a shell source the file.
            let _ = writeln!(text, "{key}='{value}'");
        }
        let write = || {
            let beside = path.with_extension("partial");
            fs::write(&beside, text)?;
            fs::rename(beside, path)
        };
        write().map_err(|e: io::Error| {
            Error::new(ErrorKind::Storage, format!("{} cannot be written", path.display())).with_source(e)
        })
    }

    /// Reads what [`Endpoints::write_env`] wrote.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Storage`] when the file cannot be read, [`ErrorKind::Invalid`] when a lab did not write it.
    pub fn read_env(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .map_err(|e| Error::new(ErrorKind::Storage, format!("{} cannot be read", path.display())).with_source(e))?;
        let json = text
            .lines()
            .find_map(|line| line.strip_prefix("DR_LAB='")?.strip_suffix('\''))
            .ok_or_else(|| Error::new(ErrorKind::Invalid, format!("{} is no lab's env file", path.display())))?;
        serde_json::from_str(json).map_err(|e| {
            Error::new(ErrorKind::Invalid, format!("{} is no lab's env file", path.display())).with_source(e)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_env_file_reads_back_as_it_was() {
        let region = RegionEndpoints {
            address: Ipv4Addr::new(127, 0, 1, 1),
            aws: "http://127.0.1.1:4000".into(),
            kubernetes: Some("http://127.0.1.1:4001".into()),
            kubeconfig: Some("/somewhere/us-east-1.kubeconfig".into()),
            application: Some("http://127.0.1.1:4002".into()),
        };
        let endpoints = Endpoints {
            anchor: Timestamp::from_millis(1_767_225_600_123),
            time_scale: 20.0,
            admin: "http://127.0.0.1:5000".into(),
            dns: "127.0.0.1:5300".parse().unwrap(),
            public_name: "api.ecommerce.com".into(),
            application_port: 4002,
            hosted_zone_id: "Z000000001".into(),
            switch_health_check_id: "00000000-0000-4000-a000-000000000001".into(),
            regions: BTreeMap::from([(RegionId::new("us-east-1").unwrap(), region)]),
            kubeconfig: None,
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lab.env");
        endpoints.write_env(&path).unwrap();
        assert_eq!(Endpoints::read_env(&path).unwrap(), endpoints);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("DR_LAB_KUBERNETES_US_EAST_1='http://127.0.1.1:4001'\n"), "{text}");
        fs::write(&path, "PATH='/bin'\n").unwrap();
        assert_eq!(Endpoints::read_env(&path).unwrap_err().kind(), ErrorKind::Invalid);
    }
}
