//! `.terraform.lock.hcl` of Terraform and OpenTofu.

use crate::Kind;
use crate::identity::slashed;
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Package};

/// The member.
pub(super) static TERRAFORM_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == ".terraform.lock.hcl",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "terraform-lock",
    title: "Providers of a Terraform lock file",
    finds: &[".terraform.lock.hcl"],
    needs: &[],
    references: &["https://developer.hashicorp.com/terraform/language/files/dependency-lock"],
};

fn read(reading: &mut Reading<'_>) {
    let mut packages = Listing::default();
    let mut provider: Option<(u32, &str)> = None;
    for (number, line) in reading.lines().chain([(0, "provider \"\" {")]) {
        let text = line.trim();
        if let Some(rest) = text.strip_prefix("provider \"") {
            if let Some((line, address)) = provider.take() {
                reading.bad_entry(line, format!("the provider `{address}` has no version"));
            }
            let address = rest.split('"').next().unwrap_or_default();
            provider = (!address.is_empty()).then_some((number, address));
        } else if let Some(value) = text.strip_prefix("version").map(str::trim_start)
            && let Some(version) = value
                .strip_prefix('=')
                .map(|value| value.trim().trim_matches('"'))
            && let Some((line, address)) = provider.take()
        {
            let purl = slashed("terraform", address, version);
            packages.push(reading.at(Package::new(reading.found_by, purl, "", address, version), line));
        }
    }
    reading.list(packages);
}
