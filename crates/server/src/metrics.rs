//! Figures of the running program in Prometheus's text format, served over HTTP.

use crate::http::{Answer, HttpServer, Limits, Request, Route, ServeError, TlsFiles};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The media type of the text exposition format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Most samples of one metric; more are left out and counted in `hullward_metrics_dropped_samples`.
const MAX_SAMPLES: usize = 10_000;

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows; its name ends with `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts in buckets.
    Histogram,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Gives figures when they are asked for.
pub trait MetricsSource: Send + Sync {
    /// Adds its samples. Must not wait.
    fn collect(&self, out: &mut Exposition);
}

impl<F: Fn(&mut Exposition) + Send + Sync> MetricsSource for F {
    fn collect(&self, out: &mut Exposition) {
        self(out);
    }
}

/// The samples of one scrape.
#[derive(Default)]
pub struct Exposition {
    metrics: BTreeMap<String, Metric>,
    dropped: u64,
}

struct Metric {
    help: String,
    kind: Kind,
    samples: Vec<(String, String)>,
}

impl Exposition {
    /// A sample of a counter.
    pub fn counter(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: u64) {
        self.sample(name, help, Kind::Counter, labels, "", &value.to_string());
    }

    /// A sample of a counter of time, in seconds.
    pub fn seconds(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: Duration) {
        let value = number(value.as_secs_f64());
        self.sample(name, help, Kind::Counter, labels, "", &value);
    }

    /// A sample of a gauge.
    pub fn gauge(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: f64) {
        self.sample(name, help, Kind::Gauge, labels, "", &number(value));
    }

    /// All samples of a histogram.
    pub fn histogram(&mut self, name: &str, help: &str, labels: &[(&str, &str)], histogram: &Histogram) {
        let mut total = 0_u64;
        for (bound, count) in histogram.bounds.iter().zip(&histogram.counts) {
            total = total.saturating_add(count.load(Ordering::Relaxed));
            let bound = number(*bound);
            let mut labels = labels.to_vec();
            labels.push(("le", &bound));
            self.sample(
                name,
                help,
                Kind::Histogram,
                &labels,
                "_bucket",
                &total.to_string(),
            );
        }
        total = total.saturating_add(histogram.beyond.load(Ordering::Relaxed));
        let mut infinite = labels.to_vec();
        infinite.push(("le", "+Inf"));
        self.sample(
            name,
            help,
            Kind::Histogram,
            &infinite,
            "_bucket",
            &total.to_string(),
        );
        let sum = f64::from_bits(histogram.sum.load(Ordering::Relaxed));
        self.sample(name, help, Kind::Histogram, labels, "_sum", &number(sum));
        self.sample(name, help, Kind::Histogram, labels, "_count", &total.to_string());
    }

    fn sample(
        &mut self,
        name: &str,
        help: &str,
        kind: Kind,
        labels: &[(&str, &str)],
        suffix: &str,
        value: &str,
    ) {
        let name = metric_name(name);
        let metric = self.metrics.entry(name.clone()).or_insert_with(|| Metric {
            help: help.to_owned(),
            kind,
            samples: Vec::new(),
        });
        if metric.kind != kind || metric.samples.len() >= MAX_SAMPLES {
            self.dropped += 1;
            return;
        }
        let mut key = format!("{name}{suffix}");
        for (index, (label, text)) in labels.iter().enumerate() {
            key.push(if index == 0 { '{' } else { ',' });
            let _ = write!(key, "{}=\"{}\"", label_name(label), escaped(text, true));
        }
        if !labels.is_empty() {
            key.push('}');
        }
        metric.samples.push((key, value.to_owned()));
    }

    /// The text of the format.
    #[must_use]
    pub fn text(mut self) -> String {
        let dropped = self.dropped;
        #[allow(clippy::cast_precision_loss, reason = "a count of samples of one scrape")]
        self.gauge(
            "hullward_metrics_dropped_samples",
            "Samples left out of this scrape because a metric had too many, or two kinds.",
            &[],
            dropped as f64,
        );
        let mut text = String::new();
        for (name, metric) in &self.metrics {
            let _ = writeln!(text, "# HELP {name} {}", escaped(&metric.help, false));
            let _ = writeln!(text, "# TYPE {name} {}", metric.kind.name());
            let mut last = None;
            for (key, value) in &metric.samples {
                // The same sample twice would make the whole scrape invalid.
                if last != Some(key) {
                    let _ = writeln!(text, "{key} {value}");
                }
                last = Some(key);
            }
        }
        text
    }
}

/// A number as the format has it.
fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        value.to_string()
    }
}

/// Backslashes, line breaks and, in labels, quotes are escaped.
fn escaped(text: &str, is_label: bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => safe.push_str("\\\\"),
            '\n' => safe.push_str("\\n"),
            '"' if is_label => safe.push_str("\\\""),
            other => safe.push(other),
        }
    }
    safe
}

fn metric_name(name: &str) -> String {
    restricted(name, true)
}

fn label_name(name: &str) -> String {
    restricted(name, false)
}

/// Letters, digits and `_`, in names of metrics also `:`, and no digit first.
fn restricted(name: &str, colons: bool) -> String {
    let mut safe: String = name
        .chars()
        .map(|character| match character {
            ':' if colons => ':',
            _ if character.is_ascii_alphanumeric() => character,
            _ => '_',
        })
        .collect();
    if !safe
        .starts_with(|first: char| first.is_ascii_alphabetic() || first == '_' || (colons && first == ':'))
    {
        safe.insert(0, '_');
    }
    safe
}

/// A number that many threads add to.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// The sum so far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts of values by size.
#[derive(Debug)]
pub struct Histogram {
    bounds: Vec<f64>,
    counts: Vec<AtomicU64>,
    beyond: AtomicU64,
    /// The bits of a float.
    sum: AtomicU64,
}

impl Histogram {
    /// With these upper bounds, which must grow.
    #[must_use]
    pub fn new(bounds: &[f64]) -> Self {
        Self {
            bounds: bounds.to_vec(),
            counts: bounds.iter().map(|_| AtomicU64::new(0)).collect(),
            beyond: AtomicU64::new(0),
            sum: AtomicU64::new(0),
        }
    }

    /// Counts a value.
    pub fn observe(&self, value: f64) {
        let index = self.bounds.partition_point(|bound| *bound < value);
        self.counts
            .get(index)
            .unwrap_or(&self.beyond)
            .fetch_add(1, Ordering::Relaxed);
        let added = |bits: u64| Some((f64::from_bits(bits) + value).to_bits());
        // The closure always gives a value.
        let _ = self.sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, added);
    }
}

/// All sources of figures.
#[derive(Default)]
pub struct Registry {
    sources: Mutex<Vec<Arc<dyn MetricsSource>>>,
}

impl Registry {
    /// Adds a source; its samples follow those of the ones before.
    pub fn add(&self, source: Arc<dyn MetricsSource>) {
        self.sources
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(source);
    }

    /// All figures as text.
    #[must_use]
    pub fn text(&self) -> String {
        let sources = self
            .sources
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut exposition = Exposition::default();
        for source in sources {
            source.collect(&mut exposition);
        }
        exposition.text()
    }
}

/// Serves `/metrics` and `/healthz`.
pub struct MetricsServer(HttpServer);

impl MetricsServer {
    /// Listens; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn start(listen: SocketAddr, registry: Arc<Registry>) -> Result<Self, ServeError> {
        HttpServer::start(
            "metrics",
            listen,
            None::<&TlsFiles>,
            Limits::default(),
            Pages(registry),
        )
        .map(Self)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

struct Pages(Arc<Registry>);

impl Route for Pages {
    fn admit(&self, method: &str, path: &str) -> Result<usize, Answer> {
        match (method, path) {
            ("GET" | "HEAD", "/metrics" | "/healthz") => Ok(0),
            (_, "/metrics" | "/healthz") => {
                Err(Answer::text(405, "only GET is answered here\n").header("allow", "GET"))
            }
            _ => Err(Answer::text(404, "there are /metrics and /healthz\n")),
        }
    }

    fn answer(&self, request: Request) -> Answer {
        if request.path == "/healthz" {
            return Answer::text(200, "ok\n");
        }
        Answer {
            status: 200,
            headers: vec![("content-type", CONTENT_TYPE.to_owned())],
            body: self.0.text().into_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format() {
        let mut out = Exposition::default();
        out.counter(
            "hullward_b_total",
            "Second\nline \\",
            &[("rule", "a \"b\"\n\\")],
            3,
        );
        out.gauge("hullward_a", "First.", &[], 0.5);
        out.seconds("hullward_c_total", "Third.", &[], Duration::from_millis(1_250));
        out.counter(
            "hullward_b_total",
            "ignored",
            &[("rule", "other"), ("x.y", "z")],
            4,
        );
        out.gauge("hullward_b_total", "another kind", &[], 1.0);
        out.gauge("1-bad", "Name.", &[("2", "")], f64::INFINITY);
        let histogram = Histogram::new(&[0.1, 1.0]);
        for value in [0.05, 0.1, 0.5, 7.0] {
            histogram.observe(value);
        }
        out.histogram("hullward_seconds", "Time.", &[("rule", "r")], &histogram);
        assert_eq!(
            out.text(),
            "# HELP _1_bad Name.\n# TYPE _1_bad gauge\n_1_bad{_2=\"\"} +Inf\n\
             # HELP hullward_a First.\n# TYPE hullward_a gauge\nhullward_a 0.5\n\
             # HELP hullward_b_total Second\\nline \\\\\n# TYPE hullward_b_total counter\n\
             hullward_b_total{rule=\"a \\\"b\\\"\\n\\\\\"} 3\nhullward_b_total{rule=\"other\",x_y=\"z\"} 4\n\
             # HELP hullward_c_total Third.\n# TYPE hullward_c_total counter\nhullward_c_total 1.25\n\
             # HELP hullward_metrics_dropped_samples Samples left out of this scrape because a metric had too many, or two kinds.\n\
             # TYPE hullward_metrics_dropped_samples gauge\nhullward_metrics_dropped_samples 1\n\
             # HELP hullward_seconds Time.\n# TYPE hullward_seconds histogram\n\
             hullward_seconds_bucket{rule=\"r\",le=\"0.1\"} 2\nhullward_seconds_bucket{rule=\"r\",le=\"1\"} 3\n\
             hullward_seconds_bucket{rule=\"r\",le=\"+Inf\"} 4\nhullward_seconds_sum{rule=\"r\"} 7.65\nhullward_seconds_count{rule=\"r\"} 4\n"
        );
    }

    #[test]
    fn samples_are_bounded() {
        let mut out = Exposition::default();
        for index in 0..MAX_SAMPLES + 7 {
            out.counter("hullward_x_total", "X.", &[("i", &index.to_string())], 1);
        }
        let text = out.text();
        assert_eq!(text.matches("hullward_x_total{").count(), MAX_SAMPLES);
        assert!(text.contains("hullward_metrics_dropped_samples 7\n"));
    }
}
