//! Times of the kernel's events: they count from boot and never step; what turns them into dates is read again, since the
//! host's clock can be set.

/// A difference of the clocks, in nanoseconds, that is no trembling but a clock that was set.
const STEP: u64 = 50_000_000;

/// What is added to nanoseconds since boot to get nanoseconds since the Unix epoch.
#[derive(Debug)]
pub(crate) struct Clock<R> {
    read: R,
    offset: i64,
}

impl<R: FnMut() -> (u64, u64)> Clock<R> {
    /// A clock that is read by `read`: nanoseconds since the Unix epoch, and since boot.
    pub(crate) fn new(mut read: R) -> Self {
        let offset = difference(read());
        Self { read, offset }
    }

    /// The offset of now.
    pub(crate) fn offset(&self) -> i64 {
        self.offset
    }

    /// Reads again; the new offset when the host's clock was set. Reading two clocks takes a moment, so that the difference
    /// trembles without that.
    pub(crate) fn stepped(&mut self) -> Option<i64> {
        let offset = difference((self.read)());
        if offset.abs_diff(self.offset) <= STEP {
            return None;
        }
        self.offset = offset;
        Some(offset)
    }
}

fn difference((date, since_boot): (u64, u64)) -> i64 {
    i64::try_from(i128::from(date) - i128::from(since_boot)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::event::{Argument, EventView as _, Field, Value};
    use sensor::sample;
    use sensor::state::{State, StateOptions};
    use sensor::wire::Record;
    use std::cell::Cell;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn only_a_clock_that_was_set_moves_dates() {
        let now = Cell::new((1_000 * SECOND, 10 * SECOND));
        let mut clock = Clock::new(|| now.get());
        assert_eq!(clock.offset(), 990 * SECOND as i64);
        for (date, since_boot, stepped) in [
            // Both go on; reading them takes a moment.
            (1_001 * SECOND + 40_000, 11 * SECOND, None),
            // An hour back, then on, then forward by a year, then to the epoch, then before boot.
            (
                3_000_000_000,
                12 * SECOND,
                Some(3_000_000_000 - 12 * SECOND as i64),
            ),
            (4_000_000_000, 13 * SECOND, None),
            (
                31_536_000 * SECOND,
                14 * SECOND,
                Some((31_536_000 - 14) * SECOND as i64),
            ),
            (0, 15 * SECOND, Some(-15 * SECOND as i64)),
            (u64::MAX, 16 * SECOND, Some(0)),
        ] {
            now.set((date, since_boot));
            assert_eq!(clock.stepped(), stepped, "{date} {since_boot}");
        }
    }

    /// A clock that steps back and forth between events changes dates and nothing else: no duration is negative.
    #[test]
    fn durations_do_not_know_of_dates() {
        let samples =
            sample::parse("event: openat\npath: /a\nreal_path: /a\nflags: O_RDONLY\nprocess: {name: cat}\n")
                .unwrap();
        let records = samples[0].records().unwrap();
        let mut state = State::new(StateOptions::default());
        let mut dates = Vec::new();
        for offset in [0, 1_700_000_000 * SECOND as i64, -1, i64::MIN, i64::MAX, 5] {
            state.set_boot_offset(offset);
            for bytes in &records {
                let record = Record::parse(bytes).unwrap();
                let Some(event) = state.apply(&record) else {
                    continue;
                };
                assert_eq!(event.time(), record.header.time.saturating_add_signed(offset));
                dates.push(event.time());
                for field in [
                    Field::EvtDeltatime,
                    Field::EvtReltime,
                    Field::ProcDuration,
                    Field::ProcPpidDuration,
                ] {
                    match event.value(field, &Argument::None) {
                        Value::Uint(nanoseconds) => {
                            assert!(nanoseconds < 3_600 * SECOND, "{field:?} {nanoseconds}");
                        }
                        Value::Int(nanoseconds) => assert!(nanoseconds >= 0, "{field:?} {nanoseconds}"),
                        _ => {}
                    }
                }
                for field in [Field::EvtTime, Field::EvtTimeIso8601, Field::EvtDatetime] {
                    assert!(
                        !matches!(event.value(field, &Argument::None), Value::Absent),
                        "{field:?}"
                    );
                }
            }
        }
        assert!(dates.len() >= 6 && dates.windows(2).any(|pair| pair[1] < pair[0]));
    }
}
