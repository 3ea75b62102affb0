//! An authority of the test's own, and certificates of every kind that it signs.
#![allow(dead_code, reason = "each test file uses the part it needs")]

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, in files.
pub struct Pair {
    pub cert: String,
    pub key: String,
}

impl Authority {
    /// Its files go into `folder`, its certificate into `ca.pem` there.
    pub fn new(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        let name = format!("authority in {}", folder.display());
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(folder.join("ca.pem"), certificate.pem()).unwrap();
        Self {
            folder: folder.to_owned(),
            issuer: Issuer::new(params, key),
        }
    }

    pub fn ca(&self) -> String {
        self.file("ca.pem")
    }

    /// Valid for these names or IP addresses, in these years.
    pub fn signs(&self, names: &[&str], years: std::ops::Range<i32>) -> Pair {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names.clone()).unwrap();
        params.not_before = date_time_ymd(years.start, 1, 1);
        params.not_after = date_time_ymd(years.end, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let stem = format!("{}-{}-{}", names.join("_"), years.start, years.end);
        let (cert, secret) = (format!("{stem}.pem"), format!("{stem}.key"));
        std::fs::write(self.folder.join(&cert), certificate.pem()).unwrap();
        std::fs::write(self.folder.join(&secret), key.serialize_pem()).unwrap();
        Pair {
            cert: self.file(&cert),
            key: self.file(&secret),
        }
    }

    /// The same, valid now.
    pub fn signs_for(&self, names: &[&str]) -> Pair {
        self.signs(names, 2020..2090)
    }

    /// Its own certificate, for a server of these names.
    pub fn signs_itself(&self, names: &[&str]) -> Pair {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(self.folder.join("ca.pem"), certificate.pem()).unwrap();
        std::fs::write(self.folder.join("ca.key"), key.serialize_pem()).unwrap();
        Pair {
            cert: self.ca(),
            key: self.file("ca.key"),
        }
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }
}
