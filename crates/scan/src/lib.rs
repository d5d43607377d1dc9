//! The pipeline: fetch, extract, match, enrich, judge; and the layer cache.
