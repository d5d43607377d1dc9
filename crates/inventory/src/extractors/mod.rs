//! The registry of package extractors, in alphabetical order.

use crate::Extractor;

mod apk_installed;

/// Every package extractor.
pub static ALL: &[&dyn Extractor] = &[&apk_installed::APK_INSTALLED];
