//! The registry of package extractors, in alphabetical order.

use crate::Extractor;

mod apk_installed;
mod dpkg_status;
mod rpm_database;
mod rpm_manifest;

/// Every package extractor.
pub static ALL: &[&dyn Extractor] = &[
    &apk_installed::APK_INSTALLED,
    &dpkg_status::DPKG_STATUS,
    &rpm_database::RPM_DATABASE,
    &rpm_manifest::RPM_MANIFEST,
];
