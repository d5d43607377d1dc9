//! The registry of package extractors, in alphabetical order.

use crate::Extractor;

mod apk_installed;
mod asdf_tool_versions;
mod bazel_maven_install;
mod binary_classifier;
mod bottlerocket_inventory;
mod bun_lock;
mod cabal_freeze;
mod cargo_lock;
mod chisel_manifest;
mod composer_lock;
mod conan_lock;
mod conda_environment;
mod conda_meta;
mod cpan_snapshot;
mod deb_package;
mod deno_json;
mod deno_lock;
mod dotnet_package;
mod dpkg_status;
mod elf_package_note;
mod erlang_application;
mod flatpak_application;
mod gemfile_lock;
mod github_actions;
mod gleam_manifest;
mod gleam_toml;
mod go_binary;
mod go_mod;
mod go_vendor_modules;
mod gopkg_lock;
mod gradle_lockfile;
mod gradle_verification_metadata;
mod gradle_version_catalog;
mod homebrew_cellar;
mod java_archive;
mod julia_depot;
mod julia_manifest;
mod jvm_release;
mod lua_rock;
mod luarocks_lock;
mod mise_toml;
mod mix_lock;
mod nimble_lock;
mod nimble_manifest;
mod nix_store;
mod node_package;
mod npm_package_lock;
mod nuget_central_packages;
mod nuget_packages_config;
mod nuget_packages_lock;
mod nuget_project;
mod nuget_project_assets;
mod nvmrc;
mod opam_lock;
mod opkg_status;
mod os_release;
mod pacman_local;
mod paket_dependencies;
mod paket_lock;
mod pdm_lock;
mod perl_distribution;
mod php_installed;
mod php_pear;
mod pipenv_lock;
mod pnpm_lock;
mod podfile_lock;
mod poetry_lock;
mod pom_xml;
mod portage_vdb;
mod pubspec_lock;
mod pylock;
mod python_distribution;
mod r_description;
mod rebar_lock;
mod renv_lock;
mod requirements_txt;
mod rpm_database;
mod rpm_manifest;
mod rpm_package;
mod ruby_gemspec;
mod rust_binary;
mod sbom_cyclonedx;
mod sbom_spdx;
mod sbt_lock;
mod setup_py;
mod snap_package;
mod stack_lock;
mod swift_package_resolved;
mod terraform_lock;
mod unlocked_manifest;
mod uv_lock;
mod vcpkg_json;
mod vscode_extension;
mod vsix_package;
mod wordpress_plugin;
mod yarn_lock;

/// Every package extractor.
pub static ALL: &[&dyn Extractor] = &[
    &apk_installed::APK_INSTALLED,
    &asdf_tool_versions::ASDF_TOOL_VERSIONS,
    &bazel_maven_install::BAZEL_MAVEN_INSTALL,
    &binary_classifier::BINARY_CLASSIFIER,
    &bottlerocket_inventory::BOTTLEROCKET_INVENTORY,
    &bun_lock::BUN_LOCK,
    &cabal_freeze::CABAL_FREEZE,
    &cargo_lock::CARGO_LOCK,
    &chisel_manifest::CHISEL_MANIFEST,
    &composer_lock::COMPOSER_LOCK,
    &conan_lock::CONAN_LOCK,
    &conda_environment::CONDA_ENVIRONMENT,
    &conda_meta::CONDA_META,
    &cpan_snapshot::CPAN_SNAPSHOT,
    &deb_package::DEB_PACKAGE,
    &deno_json::DENO_JSON,
    &deno_lock::DENO_LOCK,
    &dotnet_package::DOTNET_PACKAGE,
    &dpkg_status::DPKG_STATUS,
    &elf_package_note::ELF_PACKAGE_NOTE,
    &erlang_application::ERLANG_APPLICATION,
    &flatpak_application::FLATPAK_APPLICATION,
    &gemfile_lock::GEMFILE_LOCK,
    &github_actions::GITHUB_ACTIONS,
    &gleam_manifest::GLEAM_MANIFEST,
    &gleam_toml::GLEAM_TOML,
    &go_binary::GO_BINARY,
    &go_mod::GO_MOD,
    &go_vendor_modules::GO_VENDOR_MODULES,
    &gopkg_lock::GOPKG_LOCK,
    &gradle_lockfile::GRADLE_LOCKFILE,
    &gradle_verification_metadata::GRADLE_VERIFICATION_METADATA,
    &gradle_version_catalog::GRADLE_VERSION_CATALOG,
    &homebrew_cellar::HOMEBREW_CELLAR,
    &java_archive::JAVA_ARCHIVE,
    &julia_depot::JULIA_DEPOT,
    &julia_manifest::JULIA_MANIFEST,
    &jvm_release::JVM_RELEASE,
    &lua_rock::LUA_ROCK,
    &luarocks_lock::LUAROCKS_LOCK,
    &mise_toml::MISE_TOML,
    &mix_lock::MIX_LOCK,
    &nimble_lock::NIMBLE_LOCK,
    &nimble_manifest::NIMBLE_MANIFEST,
    &nix_store::NIX_STORE,
    &node_package::NODE_PACKAGE,
    &npm_package_lock::NPM_PACKAGE_LOCK,
    &nuget_central_packages::NUGET_CENTRAL_PACKAGES,
    &nuget_packages_config::NUGET_PACKAGES_CONFIG,
    &nuget_packages_lock::NUGET_PACKAGES_LOCK,
    &nuget_project::NUGET_PROJECT,
    &nuget_project_assets::NUGET_PROJECT_ASSETS,
    &nvmrc::NVMRC,
    &opam_lock::OPAM_LOCK,
    &opkg_status::OPKG_STATUS,
    &os_release::OS_RELEASE,
    &pacman_local::PACMAN_LOCAL,
    &paket_dependencies::PAKET_DEPENDENCIES,
    &paket_lock::PAKET_LOCK,
    &pdm_lock::PDM_LOCK,
    &perl_distribution::PERL_DISTRIBUTION,
    &php_installed::PHP_INSTALLED,
    &php_pear::PHP_PEAR,
    &pipenv_lock::PIPENV_LOCK,
    &pnpm_lock::PNPM_LOCK,
    &podfile_lock::PODFILE_LOCK,
    &poetry_lock::POETRY_LOCK,
    &pom_xml::POM_XML,
    &portage_vdb::PORTAGE_VDB,
    &pubspec_lock::PUBSPEC_LOCK,
    &pylock::PYLOCK,
    &python_distribution::PYTHON_DISTRIBUTION,
    &r_description::R_DESCRIPTION,
    &rebar_lock::REBAR_LOCK,
    &renv_lock::RENV_LOCK,
    &requirements_txt::REQUIREMENTS_TXT,
    &rpm_database::RPM_DATABASE,
    &rpm_manifest::RPM_MANIFEST,
    &rpm_package::RPM_PACKAGE,
    &ruby_gemspec::RUBY_GEMSPEC,
    &rust_binary::RUST_BINARY,
    &sbom_cyclonedx::SBOM_CYCLONEDX,
    &sbom_spdx::SBOM_SPDX,
    &sbt_lock::SBT_LOCK,
    &setup_py::SETUP_PY,
    &snap_package::SNAP_PACKAGE,
    &stack_lock::STACK_LOCK,
    &swift_package_resolved::SWIFT_PACKAGE_RESOLVED,
    &terraform_lock::TERRAFORM_LOCK,
    &unlocked_manifest::UNLOCKED_MANIFEST,
    &uv_lock::UV_LOCK,
    &vcpkg_json::VCPKG_JSON,
    &vscode_extension::VSCODE_EXTENSION,
    &vsix_package::VSIX_PACKAGE,
    &wordpress_plugin::WORDPRESS_PLUGIN,
    &yarn_lock::YARN_LOCK,
];
