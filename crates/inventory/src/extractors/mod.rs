//! The registry of package extractors, in alphabetical order.

use crate::Extractor;

mod apk_installed;
mod binary_classifier;
mod bottlerocket_inventory;
mod dpkg_status;
mod elf_package_note;
mod go_binary;
mod homebrew_cellar;
mod nix_store;
mod opkg_status;
mod os_release;
mod pacman_local;
mod portage_vdb;
mod rpm_database;
mod rpm_manifest;
mod rust_binary;
mod snap_package;

/// Every package extractor.
pub static ALL: &[&dyn Extractor] = &[
    &apk_installed::APK_INSTALLED,
    &binary_classifier::BINARY_CLASSIFIER,
    &bottlerocket_inventory::BOTTLEROCKET_INVENTORY,
    &dpkg_status::DPKG_STATUS,
    &elf_package_note::ELF_PACKAGE_NOTE,
    &go_binary::GO_BINARY,
    &homebrew_cellar::HOMEBREW_CELLAR,
    &nix_store::NIX_STORE,
    &opkg_status::OPKG_STATUS,
    &os_release::OS_RELEASE,
    &pacman_local::PACMAN_LOCAL,
    &portage_vdb::PORTAGE_VDB,
    &rpm_database::RPM_DATABASE,
    &rpm_manifest::RPM_MANIFEST,
    &rust_binary::RUST_BINARY,
    &snap_package::SNAP_PACKAGE,
];
