//! `hullward cache`: what is in the layer cache, and emptying it.

use crate::arguments::{CacheAction, CacheCommand};
use crate::console::Console;
use crate::settings::Settings;
use crate::{Failure, Outcome};
use scan::cache::Cache;

/// Runs the command.
///
/// # Errors
/// When a file of the cache cannot be removed.
pub(crate) fn run(
    options: &CacheCommand,
    settings: &Settings,
    _console: &Console,
) -> Result<Outcome, Failure> {
    let cache = Cache::new(settings.cache_dir.clone(), settings.cache_cap);
    let text = match options.command {
        CacheAction::Status => {
            let status = cache.status();
            format!(
                "folder   {}\nresults  {} of layers and images ({})\nimages   {} remembered as possible bases\narchives {} recognised when unchanged\nstale    {} files ({})\ncap      {}\n",
                cache.folder().display(),
                status.results,
                size(status.bytes),
                status.images,
                status.archives,
                status.stale,
                size(status.stale_bytes),
                size(cache.cap()),
            )
        }
        CacheAction::Clean => format!("freed {}\n", size(cache.clean()?)),
    };
    super::print(&text)?;
    Ok(Outcome::Done)
}

/// Bytes for people: `812 B`, `3.4 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let mut value = bytes as f64 / 1024.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_for_people() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (1 << 30, "1.0 GiB"),
            (u64::MAX, "16777216.0 TiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
