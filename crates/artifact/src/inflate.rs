//! Inflate (RFC 1951): the decoder behind gzip, zlib and zip.
//!
//! Output goes to a buffer whose filled part is the window at the same time, so that a match is a copy inside one slice. The
//! bulk is decoded by a loop that needs some slack before the end of the input and of the buffer; what is near the input's
//! end is decoded symbol by symbol by a second one, which takes nothing that is not whole.

use std::fmt;

/// How far back a match may reach: what must be kept of the output.
pub(crate) const WINDOW_BYTES: usize = 32 * 1024;
/// Bytes that the buffer must have beyond where output shall stop: a match of 258 bytes begun before, and whole steps of
/// copies.
pub(crate) const SLACK_BYTES: usize = 512;

/// Bits that index the main table of literals and lengths.
const LITERAL_BITS: u32 = 11;
/// Bits that index the main table of distances.
const DISTANCE_BITS: u32 = 9;
/// Bits that index the table of code lengths, all of it.
const PRECODE_BITS: u32 = 7;
/// Longest code word.
const MAX_BITS: usize = 15;

/// Room for the main table and the sub-tables of any complete code of 288 symbols, as a power of two.
const LITERAL_ENTRIES: usize = 4096;
/// The same for 32 symbols.
const DISTANCE_ENTRIES: usize = 1024;
const PRECODE_ENTRIES: usize = 128;

// An entry of a decode table, from its low bits:
//   0..6    bits to take: the code word's and those that follow it
//   7       it is a literal
//   8..12   bits of the code word alone, or index bits of the sub-table
//   12..15  what it is when it is neither literal nor length or distance
//   16..32  the literal, the base of the length or distance, or the place of the sub-table
const TAKE: u32 = 0x3f;
const LITERAL: u32 = 0x80;
const SUBTABLE: u32 = 0x1000;
const END: u32 = 0x2000;
const INVALID: u32 = 0x4000;
const SPECIAL: u32 = SUBTABLE | END | INVALID;

/// Input that one turn of the fast loop may need: three reads of 8 bytes, each beginning up to 7 bytes after the one before.
const FAST_INPUT_BYTES: usize = 32;

const TOO_FAR: Damage = Damage("a match reaches back before the beginning");
const NO_LITERAL: Damage = Damage("what stands for a literal or length is no code word");
const NO_DISTANCE: Damage = Damage("what stands for a distance is no code word");
const RAN_OVER: Damage = Damage("the decoder ran over its buffers");

/// The order in which lengths of the code of code lengths are stored.
const PRECODE_ORDER: [u8; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const LENGTH_BASE: [u16; 29] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
    227, 258,
];
const LENGTH_EXTRA: [u8; 29] = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
];
const DISTANCE_BASE: [u16; 30] = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073,
    4097, 6145, 8193, 12289, 16385, 24577,
];
const DISTANCE_EXTRA: [u8; 30] = [
    0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];

/// What is wrong with a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damage(pub(crate) &'static str);

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

/// Why decoding stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// More input is needed; what was not consumed must be given again, in front of it.
    Input,
    /// The buffer is full, but for its slack.
    Output,
    /// The stream's last block ended.
    End,
}

/// Where decoding is between two calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before a block's header.
    Header,
    /// Inside a stored block with so many bytes to come.
    Stored(usize),
    /// Inside a compressed block.
    Symbols,
    /// After the last block.
    End,
    /// Behind what cannot be decoded.
    Damaged(Damage),
}

/// Decodes one stream after the other.
pub(crate) struct Inflate {
    place: Place,
    /// The current block is the last.
    last: bool,
    /// Bits of a byte that was begun, fewer than 8 between two calls.
    bits: u64,
    /// Their number.
    count: u32,
    tables: Box<Tables>,
    /// The tables hold the fixed codes.
    fixed: bool,
}

/// Decode tables of one block.
struct Tables {
    literals: [u32; LITERAL_ENTRIES],
    distances: [u32; DISTANCE_ENTRIES],
}

impl Inflate {
    pub(crate) fn new() -> Self {
        Self {
            place: Place::Header,
            last: false,
            bits: 0,
            count: 0,
            tables: Box::new(Tables {
                literals: [INVALID; LITERAL_ENTRIES],
                distances: [INVALID; DISTANCE_ENTRIES],
            }),
            fixed: false,
        }
    }

    /// Begins a new stream.
    pub(crate) fn reset(&mut self) {
        self.place = Place::Header;
        self.last = false;
        self.bits = 0;
        self.count = 0;
    }

    /// Decodes until the input or the buffer is used up or the stream ends. `output[floor..*position]` is what came before
    /// in this stream, its last [`WINDOW_BYTES`] at least; output follows there, and `position` moves on with it. The buffer
    /// is full when less than [`SLACK_BYTES`] or as many are left. `consumed` is the number of input bytes that are done with.
    /// What came before damage is in the buffer all the same.
    pub(crate) fn run(
        &mut self,
        input: &[u8],
        consumed: &mut usize,
        output: &mut [u8],
        position: &mut usize,
        floor: usize,
    ) -> Result<Stop, Damage> {
        let mut reader = Bits {
            input,
            at: 0,
            bits: self.bits,
            count: self.count,
        };
        let output = output.get_mut(floor..).unwrap_or_default();
        *position = position.saturating_sub(floor);
        let result = self.run_blocks(&mut reader, output, position);
        *position += floor;
        if let Err(damage) = result {
            self.place = Place::Damaged(damage);
        }
        reader.give_back();
        self.bits = reader.bits;
        self.count = reader.count;
        *consumed = reader.at;
        result
    }

    fn run_blocks(
        &mut self,
        reader: &mut Bits<'_>,
        output: &mut [u8],
        position: &mut usize,
    ) -> Result<Stop, Damage> {
        loop {
            match self.place {
                Place::Header => {
                    let before = *reader;
                    match self.read_header(reader) {
                        Ok(()) => {}
                        Err(Unread::Damage(damage)) => return Err(damage),
                        Err(Unread::Short) => {
                            *reader = before;
                            return Ok(Stop::Input);
                        }
                    }
                }
                Place::Stored(left) => {
                    // The reader is at a byte's start, and holds no byte.
                    let room = output.len().saturating_sub(SLACK_BYTES).saturating_sub(*position);
                    let count = left.min(room).min(reader.input.len() - reader.at);
                    if let (Some(place), Some(part)) = (
                        output.get_mut(*position..*position + count),
                        reader.input.get(reader.at..reader.at + count),
                    ) {
                        place.copy_from_slice(part);
                    }
                    *position += count;
                    reader.at += count;
                    self.place = if count == left {
                        self.after_block()
                    } else {
                        Place::Stored(left - count)
                    };
                    if count < left {
                        return Ok(if room == count { Stop::Output } else { Stop::Input });
                    }
                }
                Place::Symbols => match run_fast(reader, &self.tables, output, position)? {
                    Some(Stop::End) => self.place = self.after_block(),
                    Some(stop) => return Ok(stop),
                    None => match run_careful(reader, &self.tables, output, position)? {
                        Stop::End => self.place = self.after_block(),
                        stop => return Ok(stop),
                    },
                },
                Place::End => return Ok(Stop::End),
                Place::Damaged(damage) => return Err(damage),
            }
        }
    }

    fn after_block(&self) -> Place {
        if self.last { Place::End } else { Place::Header }
    }

    fn read_header(&mut self, reader: &mut Bits<'_>) -> Result<(), Unread> {
        let head = reader.take(3)?;
        self.last = head & 1 != 0;
        match head >> 1 {
            0 => {
                reader.skip_to_byte();
                let length = reader.take(16)?;
                let check = reader.take(16)?;
                if length != check ^ 0xffff {
                    return Err(Damage("the length of a stored block is wrong").into());
                }
                reader.give_back();
                self.place = Place::Stored(length as usize);
            }
            1 => {
                if !self.fixed {
                    build_fixed(&mut self.tables)?;
                    self.fixed = true;
                }
                self.place = Place::Symbols;
            }
            2 => {
                let lengths = CodeLengths::read(reader)?;
                self.fixed = false;
                lengths.build(&mut self.tables)?;
                self.place = Place::Symbols;
            }
            _ => return Err(Damage("a block is of no known type").into()),
        }
        Ok(())
    }
}

/// Why a header was not read.
enum Unread {
    /// The input ends inside it.
    Short,
    Damage(Damage),
}

impl From<Damage> for Unread {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

/// The input, bit by bit.
#[derive(Clone, Copy)]
struct Bits<'a> {
    input: &'a [u8],
    /// Where the byte is that is loaded next.
    at: usize,
    /// Bits that are loaded and not taken, and zeros above them.
    bits: u64,
    count: u32,
}

impl Bits<'_> {
    /// Loads bytes while there are some, up to 56 bits at least.
    fn load(&mut self) {
        while self.count < 56 {
            let Some(&byte) = self.input.get(self.at) else {
                break;
            };
            self.bits |= u64::from(byte) << self.count;
            self.count += 8;
            self.at += 1;
        }
    }

    fn take(&mut self, count: u32) -> Result<u32, Unread> {
        if self.count < count {
            self.load();
            if self.count < count {
                return Err(Unread::Short);
            }
        }
        let value = (self.bits & ((1 << count) - 1)) as u32;
        self.bits >>= count;
        self.count -= count;
        Ok(value)
    }

    /// The entry of the next code word, and its base with the bits that follow. `None` when the bits that are loaded end
    /// before.
    fn decode(&mut self, table: &[u32], index_bits: u32) -> Option<(u32, usize)> {
        let (mut bits, mut count) = (self.bits, self.count);
        let mut entry = table[(bits & mask(index_bits)) as usize];
        if entry & LITERAL == 0 && entry & SUBTABLE != 0 {
            count = count.checked_sub(entry & TAKE)?;
            bits >>= entry & TAKE;
            let index = (entry >> 16) as usize + (bits & mask(entry >> 8 & 15)) as usize;
            entry = table.get(index).copied()?;
        }
        self.count = count.checked_sub(entry & TAKE)?;
        self.bits = bits >> (entry & TAKE);
        let value = (entry >> 16) as usize + ((bits & mask(entry & TAKE)) >> (entry >> 8 & 15)) as usize;
        Some((entry, value))
    }

    /// Drops the rest of a byte that was begun.
    fn skip_to_byte(&mut self) {
        let part = self.count % 8;
        self.bits >>= part;
        self.count -= part;
    }

    /// Gives whole bytes that were loaded and not taken back to the input.
    fn give_back(&mut self) {
        // What is left from an earlier input is less than a byte, so that all whole bytes come from this one.
        self.at = self.at.saturating_sub((self.count / 8) as usize);
        self.count %= 8;
        self.bits &= mask(self.count);
    }
}

/// So many ones, 63 at most.
const fn mask(count: u32) -> u64 {
    (1 << count) - 1
}

/// The lengths of code words in a block's header.
struct CodeLengths {
    lengths: [u8; 320],
    literals: usize,
    distances: usize,
}

impl CodeLengths {
    fn read(reader: &mut Bits<'_>) -> Result<Self, Unread> {
        let literals = reader.take(5)? as usize + 257;
        let distances = reader.take(5)? as usize + 1;
        let coded = reader.take(4)? as usize + 4;
        if literals > 286 || distances > 30 {
            return Err(Damage("a block has codes for more symbols than there are").into());
        }
        let mut precode = [0_u8; 19];
        for &symbol in PRECODE_ORDER.iter().take(coded) {
            precode[usize::from(symbol)] = reader.take(3)? as u8;
        }
        let mut table = [0; PRECODE_ENTRIES];
        let symbols = |symbol: usize| (symbol as u32) << 16;
        let shape = Code::sort(&precode)?;
        if !shape.is_complete() {
            return Err(Damage("the code of code lengths is incomplete").into());
        }
        shape.fill(&mut table, PRECODE_BITS, symbols);
        let mut lengths = [0_u8; 320];
        let total = literals + distances;
        let mut done = 0;
        while done < total {
            reader.load();
            let (_, symbol) = reader.decode(&table, PRECODE_BITS).ok_or(Unread::Short)?;
            let (length, times) = match symbol {
                16 => match done.checked_sub(1).and_then(|before| lengths.get(before)) {
                    Some(&length) => (length, 3 + reader.take(2)?),
                    None => return Err(Damage("a repeated code length has none before it").into()),
                },
                17 => (0, 3 + reader.take(3)?),
                18 => (0, 11 + reader.take(7)?),
                length => (length as u8, 1),
            };
            let end = done + times as usize;
            match lengths.get_mut(done..end) {
                Some(room) if end <= total => room.fill(length),
                _ => return Err(Damage("more code lengths are given than there are symbols").into()),
            }
            done = end;
        }
        if lengths[256] == 0 {
            return Err(Damage("a block has no code for its end").into());
        }
        Ok(Self {
            lengths,
            literals,
            distances,
        })
    }

    fn build(&self, tables: &mut Tables) -> Result<(), Damage> {
        let (of_literals, rest) = self.lengths.split_at(self.literals);
        let of_distances = rest.get(..self.distances).unwrap_or_default();
        let code = Code::sort(of_literals)?;
        if !code.is_complete() && !code.is_single_bit() {
            return Err(Damage("the code of literals and lengths is incomplete"));
        }
        code.fill(&mut tables.literals, LITERAL_BITS, |symbol| {
            LITERAL_SYMBOLS[symbol % 288]
        });
        let code = Code::sort(of_distances)?;
        if !code.is_complete() && !code.is_single_bit() && !code.is_empty() {
            return Err(Damage("the code of distances is incomplete"));
        }
        code.fill(&mut tables.distances, DISTANCE_BITS, |symbol| {
            DISTANCE_SYMBOLS[symbol % 32]
        });
        Ok(())
    }
}

/// Builds the tables of blocks with fixed codes.
fn build_fixed(tables: &mut Tables) -> Result<(), Damage> {
    let mut lengths = [8_u8; 288];
    lengths[144..256].fill(9);
    lengths[256..280].fill(7);
    Code::sort(&lengths)?.fill(&mut tables.literals, LITERAL_BITS, |symbol| {
        LITERAL_SYMBOLS[symbol % 288]
    });
    Code::sort(&[5; 32])?.fill(&mut tables.distances, DISTANCE_BITS, |symbol| {
        DISTANCE_SYMBOLS[symbol % 32]
    });
    Ok(())
}

/// Entries of literals and lengths but for the bits of their code words.
static LITERAL_SYMBOLS: [u32; 288] = {
    let mut symbols = [INVALID; 288];
    let mut symbol = 0;
    while symbol < 256 {
        symbols[symbol] = LITERAL | (symbol as u32) << 16;
        symbol += 1;
    }
    symbols[256] = END;
    let mut length = 0;
    while length < 29 {
        symbols[257 + length] = (LENGTH_BASE[length] as u32) << 16 | LENGTH_EXTRA[length] as u32;
        length += 1;
    }
    symbols
};

/// The same of distances.
static DISTANCE_SYMBOLS: [u32; 32] = {
    let mut symbols = [INVALID; 32];
    let mut distance = 0;
    while distance < 30 {
        symbols[distance] = (DISTANCE_BASE[distance] as u32) << 16 | DISTANCE_EXTRA[distance] as u32;
        distance += 1;
    }
    symbols
};

/// The symbols of a canonical code in the order of their code words.
struct Code {
    /// Number of code words of each length; none of length 0.
    counts: [u16; MAX_BITS + 1],
    sorted: [u16; 320],
    /// Code words of the greatest length that are not used.
    unused: u32,
}

impl Code {
    fn sort(lengths: &[u8]) -> Result<Self, Damage> {
        let mut counts = [0_u16; MAX_BITS + 1];
        for &length in lengths {
            counts[usize::from(length & 15)] += 1;
        }
        counts[0] = 0;
        let mut unused = 1_u32;
        let mut places = [0_u16; MAX_BITS + 1];
        let mut place = 0;
        for (length, &count) in counts.iter().enumerate().skip(1) {
            unused = (unused << 1)
                .checked_sub(u32::from(count))
                .ok_or(Damage("a code has more code words than there can be"))?;
            places[length] = place;
            place += count;
        }
        let mut sorted = [0_u16; 320];
        for (symbol, &length) in lengths.iter().enumerate() {
            if length != 0 {
                let place = &mut places[usize::from(length & 15)];
                if let Some(room) = sorted.get_mut(usize::from(*place)) {
                    *room = symbol as u16;
                }
                *place += 1;
            }
        }
        Ok(Self {
            counts,
            sorted,
            unused,
        })
    }

    fn is_complete(&self) -> bool {
        self.unused == 0
    }

    fn is_empty(&self) -> bool {
        self.counts == [0; MAX_BITS + 1]
    }

    /// One code word of one bit: the only incomplete code that encoders make.
    fn is_single_bit(&self) -> bool {
        self.counts[1] == 1 && self.counts[2..] == [0; MAX_BITS - 1]
    }

    /// Fills a table that is indexed by so many bits of the input, first bit lowest, with sub-tables behind for longer
    /// code words. What no code word leads to is invalid.
    fn fill(&self, table: &mut [u32], bits: u32, entry: impl Fn(usize) -> u32) {
        // They are to be taken, and tell where the bits that follow begin.
        let with_bits = |entry: u32, bits: u32| entry + bits + (bits << 8);
        table[0] = INVALID;
        let mut word = 0_u32;
        let mut symbols = self.sorted.iter();
        let mut firsts = [0_u32; MAX_BITS + 1];
        for length in 1..=MAX_BITS as u32 {
            word <<= 1;
            firsts[length as usize] = word;
            let count = u32::from(self.counts[length as usize]);
            if length > bits {
                word += count;
                continue;
            }
            // Every entry so far holds for both values of the next bit.
            let half = 1 << (length - 1);
            table.copy_within(..half, half);
            for &symbol in symbols.by_ref().take(count as usize) {
                table[reversed(word, length) as usize] = with_bits(entry(usize::from(symbol)), length);
                word += 1;
            }
        }
        // From the last code word to the first longer one: the first of a sub-table is its longest and tells its size.
        let total = self.counts.iter().map(|&count| usize::from(count)).sum();
        let mut symbols = self.sorted.iter().take(total).rev();
        let mut end = 1_usize << bits;
        let mut subtable = (u32::MAX, 0, 0);
        for length in (bits + 1..=MAX_BITS as u32).rev() {
            let rest = length - bits;
            let count = u32::from(self.counts[length as usize]);
            let mut word = firsts[length as usize] + count;
            for &symbol in symbols.by_ref().take(count as usize) {
                word -= 1;
                let prefix = word >> rest;
                if subtable.0 != prefix {
                    subtable = (prefix, end, end + (1 << rest));
                    if let Some(place) = table.get_mut(reversed(prefix, bits) as usize) {
                        *place = (end as u32) << 16 | SUBTABLE | rest << 8 | bits;
                    }
                    end = subtable.2;
                }
                let first = subtable.1 + reversed(word & mask(rest) as u32, rest) as usize;
                let places = table.get_mut(first..subtable.2).unwrap_or_default();
                for place in places.iter_mut().step_by(1 << rest) {
                    *place = with_bits(entry(usize::from(symbol)), rest);
                }
            }
        }
    }
}

/// A code word as it lies in the input, its first bit lowest.
fn reversed(word: u32, length: u32) -> u32 {
    word.reverse_bits() >> (32 - length)
}

/// Decodes symbols of a block while there is slack on both sides. `None` when the input has too little left.
#[inline(never)]
fn run_fast(
    reader: &mut Bits<'_>,
    tables: &Tables,
    output: &mut [u8],
    position: &mut usize,
) -> Result<Option<Stop>, Damage> {
    reader.load();
    let mut rest = reader.input.get(reader.at..).unwrap_or_default();
    let mut bits = reader.bits;
    let mut count = reader.count;
    let mut at = *position;
    // Loads 56 bits at least by one read, those that are there already among them. Above the count there are bits of the
    // next byte then, which the next load puts there once more.
    macro_rules! load {
        () => {
            let Some(word) = rest.first_chunk::<8>() else {
                break Err(RAN_OVER);
            };
            bits |= u64::from_le_bytes(*word).wrapping_shl(count);
            rest = &rest[(!count >> 3) as usize & 7..];
            count |= 56;
        };
    }
    // Only the lowest 6 bits of an entry tell how many bits to take, and a shift looks at no others. So it is with the count:
    // what is above its lowest 6 bits means nothing in this loop, which saves a step between one symbol and the next.
    macro_rules! take {
        ($entry:expr) => {
            bits = bits.wrapping_shr($entry);
            count = count.wrapping_sub($entry);
        };
    }
    macro_rules! put {
        ($entry:expr) => {
            let Some(place) = output.get_mut(at) else {
                break Err(RAN_OVER);
            };
            *place = ($entry >> 16) as u8;
            at += 1;
        };
    }
    macro_rules! next {
        () => {
            tables.literals[(bits & mask(LITERAL_BITS)) as usize]
        };
    }
    let mut entry = next!();
    let outcome = loop {
        if at + SLACK_BYTES >= output.len() {
            break Ok(Some(Stop::Output));
        }
        if rest.len() < FAST_INPUT_BYTES {
            break Ok(None);
        }
        let mut before = bits;
        take!(entry);
        if entry & LITERAL != 0 {
            put!(entry);
            entry = next!();
            before = bits;
            take!(entry);
            if entry & LITERAL != 0 {
                put!(entry);
                entry = next!();
                before = bits;
                take!(entry);
                if entry & LITERAL != 0 {
                    put!(entry);
                    load!();
                    entry = next!();
                    continue;
                }
            }
        }
        if entry & SPECIAL != 0 {
            if entry & SUBTABLE != 0 {
                let index = (entry >> 16) as usize + (bits & mask(entry >> 8 & 15)) as usize;
                entry = tables.literals[index % LITERAL_ENTRIES];
                before = bits;
                take!(entry);
                if entry & LITERAL != 0 {
                    put!(entry);
                    load!();
                    entry = next!();
                    continue;
                }
            }
            if entry & END != 0 {
                break Ok(Some(Stop::End));
            }
            if entry & INVALID != 0 {
                break Err(NO_LITERAL);
            }
        }
        let length = (entry >> 16) as usize + ((before & mask(entry & TAKE)) >> (entry >> 8 & 15)) as usize;
        if count & TAKE < 28 {
            load!();
        }
        let mut entry_of_distance = tables.distances[(bits & mask(DISTANCE_BITS)) as usize];
        before = bits;
        take!(entry_of_distance);
        if entry_of_distance & SPECIAL != 0 {
            if entry_of_distance & INVALID != 0 {
                break Err(NO_DISTANCE);
            }
            let index =
                (entry_of_distance >> 16) as usize + (bits & mask(entry_of_distance >> 8 & 15)) as usize;
            entry_of_distance = tables.distances[index % DISTANCE_ENTRIES];
            before = bits;
            take!(entry_of_distance);
            if entry_of_distance & INVALID != 0 {
                break Err(NO_DISTANCE);
            }
        }
        let distance = (entry_of_distance >> 16) as usize
            + ((before & mask(entry_of_distance & TAKE)) >> (entry_of_distance >> 8 & 15)) as usize;
        // The next entry comes from memory while the match is copied.
        load!();
        entry = next!();
        if distance > at {
            break Err(TOO_FAR);
        }
        copy_match(output, at, distance, length);
        at += length;
    };
    count &= TAKE;
    reader.at = reader.input.len() - rest.len();
    reader.bits = bits & mask(count);
    reader.count = count;
    *position = at;
    outcome
}

/// Copies a match in whole steps, so that up to 31 bytes behind it are overwritten, which are output to come.
#[inline(always)]
fn copy_match(output: &mut [u8], at: usize, mut distance: usize, length: usize) {
    #[inline(always)]
    fn step<const BYTES: usize>(output: &mut [u8], from: usize, to: usize) {
        let Some(chunk) = output
            .get(from..)
            .and_then(|rest| rest.first_chunk::<BYTES>())
            .copied()
        else {
            return;
        };
        if let Some(place) = output
            .get_mut(to..)
            .and_then(|rest| rest.first_chunk_mut::<BYTES>())
        {
            *place = chunk;
        }
    }
    let from = at - distance;
    if distance >= 32 {
        // Most matches are done after one step.
        step::<32>(output, from, at);
        let mut done = 32;
        while done < length {
            step::<32>(output, from + done, at + done);
            done += 32;
        }
    } else if distance >= 16 {
        let mut done = 0;
        while done < length {
            step::<16>(output, from + done, at + done);
            done += 16;
        }
    } else if distance == 1 {
        let byte = output[from];
        if let Some(run) = output.get_mut(at..at + length) {
            run.fill(byte);
        }
    } else {
        let mut done = 0;
        // What was copied repeats itself, so that the next step may come from twice as far.
        while distance < 8 {
            step::<8>(output, from, at + done);
            done += distance;
            distance *= 2;
        }
        while done < length {
            step::<8>(output, at + done - distance, at + done);
            done += 8;
        }
    }
}

/// Decodes symbols of a block one by one up to the input's end. A symbol that is not whole is left to the next call.
fn run_careful(
    reader: &mut Bits<'_>,
    tables: &Tables,
    output: &mut [u8],
    position: &mut usize,
) -> Result<Stop, Damage> {
    let stop = output.len().saturating_sub(SLACK_BYTES);
    while *position < stop {
        let before = *reader;
        match decode_one(reader, tables)? {
            None => {
                *reader = before;
                return Ok(Stop::Input);
            }
            Some(Symbol::End) => return Ok(Stop::End),
            Some(Symbol::Literal(byte)) => {
                if let Some(place) = output.get_mut(*position) {
                    *place = byte;
                }
                *position += 1;
            }
            Some(Symbol::Match { distance, length }) => {
                if distance > *position {
                    return Err(TOO_FAR);
                }
                copy_match(output, *position, distance, length);
                *position += length;
            }
        }
    }
    Ok(Stop::Output)
}

enum Symbol {
    Literal(u8),
    Match { distance: usize, length: usize },
    End,
}

/// `None` when the input ends inside the symbol.
fn decode_one(reader: &mut Bits<'_>, tables: &Tables) -> Result<Option<Symbol>, Damage> {
    // A match has 48 bits at most.
    reader.load();
    let Some((entry, length)) = reader.decode(&tables.literals, LITERAL_BITS) else {
        return Ok(None);
    };
    if entry & LITERAL != 0 {
        return Ok(Some(Symbol::Literal((entry >> 16) as u8)));
    }
    if entry & END != 0 {
        return Ok(Some(Symbol::End));
    }
    if entry & INVALID != 0 {
        return Err(NO_LITERAL);
    }
    match reader.decode(&tables.distances, DISTANCE_BITS) {
        None => Ok(None),
        Some((entry, _)) if entry & INVALID != 0 => Err(NO_DISTANCE),
        Some((_, distance)) => Ok(Some(Symbol::Match { distance, length })),
    }
}

#[cfg(test)]
mod tests;
