//! The registry of package extractors, in alphabetical order.

use crate::Extractor;

mod apk_installed;
mod binary_classifier;
mod bottlerocket_inventory;
mod chisel_manifest;
mod conda_meta;
mod dotnet_package;
mod dpkg_status;
mod elf_package_note;
mod erlang_application;
mod go_binary;
mod homebrew_cellar;
mod jvm_release;
mod lua_rock;
mod nix_store;
mod node_package;
mod opkg_status;
mod os_release;
mod pacman_local;
mod perl_distribution;
mod php_installed;
mod php_pear;
mod portage_vdb;
mod python_distribution;
mod r_description;
mod rpm_database;
mod rpm_manifest;
mod ruby_gemspec;
mod rust_binary;
mod snap_package;
mod wordpress_plugin;

/// Every package extractor.
pub static ALL: &[&dyn Extractor] = &[
    &apk_installed::APK_INSTALLED,
    &binary_classifier::BINARY_CLASSIFIER,
    &bottlerocket_inventory::BOTTLEROCKET_INVENTORY,
    &chisel_manifest::CHISEL_MANIFEST,
    &conda_meta::CONDA_META,
    &dotnet_package::DOTNET_PACKAGE,
    &dpkg_status::DPKG_STATUS,
    &elf_package_note::ELF_PACKAGE_NOTE,
    &erlang_application::ERLANG_APPLICATION,
    &go_binary::GO_BINARY,
    &homebrew_cellar::HOMEBREW_CELLAR,
    &jvm_release::JVM_RELEASE,
    &lua_rock::LUA_ROCK,
    &nix_store::NIX_STORE,
    &node_package::NODE_PACKAGE,
    &opkg_status::OPKG_STATUS,
    &os_release::OS_RELEASE,
    &pacman_local::PACMAN_LOCAL,
    &perl_distribution::PERL_DISTRIBUTION,
    &php_installed::PHP_INSTALLED,
    &php_pear::PHP_PEAR,
    &portage_vdb::PORTAGE_VDB,
    &python_distribution::PYTHON_DISTRIBUTION,
    &r_description::R_DESCRIPTION,
    &rpm_database::RPM_DATABASE,
    &rpm_manifest::RPM_MANIFEST,
    &ruby_gemspec::RUBY_GEMSPEC,
    &rust_binary::RUST_BINARY,
    &snap_package::SNAP_PACKAGE,
    &wordpress_plugin::WORDPRESS_PLUGIN,
];
