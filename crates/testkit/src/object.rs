//! Small ELF, PE and Mach-O files with given sections, for tests of what reads programs.

/// Format, width and byte order of a file to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// ELF; `wide` for 64 bits.
    Elf {
        /// 64 bits.
        wide: bool,
        /// Little-endian.
        little: bool,
    },
    /// PE; `wide` for PE32+.
    Pe {
        /// 64 bits.
        wide: bool,
    },
    /// Mach-O, alone or as the only part of a fat file.
    MachO {
        /// 64 bits.
        wide: bool,
        /// Little-endian.
        little: bool,
        /// Inside a fat file.
        fat: bool,
    },
}

impl Layout {
    /// Every layout.
    pub const ALL: [Self; 10] = [
        Self::Elf {
            wide: true,
            little: true,
        },
        Self::Elf {
            wide: true,
            little: false,
        },
        Self::Elf {
            wide: false,
            little: true,
        },
        Self::Elf {
            wide: false,
            little: false,
        },
        Self::Pe { wide: true },
        Self::Pe { wide: false },
        Self::MachO {
            wide: true,
            little: true,
            fat: false,
        },
        Self::MachO {
            wide: true,
            little: false,
            fat: false,
        },
        Self::MachO {
            wide: false,
            little: true,
            fat: false,
        },
        Self::MachO {
            wide: true,
            little: true,
            fat: true,
        },
    ];

    /// True when addresses have 64 bits.
    #[must_use]
    pub fn wide(self) -> bool {
        match self {
            Self::Elf { wide, .. } | Self::Pe { wide } | Self::MachO { wide, .. } => wide,
        }
    }

    /// True when numbers are little-endian.
    #[must_use]
    pub fn little(self) -> bool {
        match self {
            Self::Elf { little, .. } | Self::MachO { little, .. } => little,
            Self::Pe { .. } => true,
        }
    }
}

struct Section {
    name: String,
    address: u64,
    bytes: Vec<u8>,
    executable: bool,
}

/// Builds a file section by section.
pub struct Builder {
    layout: Layout,
    sections: Vec<Section>,
}

/// Bytes written in one byte order.
struct Writer {
    bytes: Vec<u8>,
    little: bool,
}

impl Writer {
    fn number(&mut self, value: u64, width: usize) {
        let mut bytes = value.to_le_bytes().to_vec();
        bytes.resize(width, 0);
        if !self.little {
            bytes.reverse();
        }
        self.bytes.extend(bytes);
    }

    fn text(&mut self, text: &str, width: usize) {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(width, 0);
        self.bytes.extend(bytes);
    }

    fn pad(&mut self, to: usize) {
        self.bytes.resize(to, 0);
    }
}

impl Builder {
    /// A file without sections.
    #[must_use]
    pub fn new(layout: Layout) -> Self {
        Self {
            layout,
            sections: Vec::new(),
        }
    }

    /// With one more section. PE cuts names after 8 bytes. Addresses are those in memory; for PE from the image's base, which
    /// is 0.
    #[must_use]
    pub fn section(mut self, name: &str, address: u64, bytes: &[u8], executable: bool) -> Self {
        self.sections.push(Section {
            name: name.to_owned(),
            address,
            bytes: bytes.to_vec(),
            executable,
        });
        self
    }

    /// The file.
    #[must_use]
    pub fn build(&self) -> Vec<u8> {
        match self.layout {
            Layout::Elf { wide, little } => self.elf(wide, little),
            Layout::Pe { wide } => self.pe(wide),
            Layout::MachO { wide, little, fat } => self.mach_o(wide, little, fat),
        }
    }

    fn elf(&self, wide: bool, little: bool) -> Vec<u8> {
        let word = if wide { 8 } else { 4 };
        let (header, segment, entry) = if wide { (64, 56, 64) } else { (52, 32, 40) };
        let mut names = b"\0.shstrtab\0".to_vec();
        let name_offsets: Vec<usize> = self
            .sections
            .iter()
            .map(|section| {
                let at = names.len();
                names.extend(section.name.as_bytes());
                names.push(0);
                at
            })
            .collect();
        let mut at = header + segment * self.sections.len();
        let offsets: Vec<usize> = self
            .sections
            .iter()
            .map(|section| {
                let start = at.next_multiple_of(16);
                at = start + section.bytes.len();
                start
            })
            .collect();
        let names_at = at;
        let table_at = (names_at + names.len()).next_multiple_of(8);

        let mut out = Writer {
            bytes: Vec::new(),
            little,
        };
        out.bytes.extend(b"\x7fELF");
        out.bytes
            .extend([if wide { 2 } else { 1 }, if little { 1 } else { 2 }, 1]);
        out.pad(16);
        out.number(2, 2);
        out.number(if wide { 62 } else { 3 }, 2);
        out.number(1, 4);
        out.number(0, word);
        out.number(header as u64, word);
        out.number(table_at as u64, word);
        out.number(0, 4);
        for value in [
            header,
            segment,
            self.sections.len(),
            entry,
            self.sections.len() + 2,
            1,
        ] {
            out.number(value as u64, 2);
        }
        for (section, offset) in self.sections.iter().zip(&offsets) {
            let flags = if section.executable { 5 } else { 6 };
            let size = section.bytes.len() as u64;
            out.number(1, 4);
            if wide {
                out.number(flags, 4);
            }
            for value in [*offset as u64, section.address, section.address, size, size] {
                out.number(value, word);
            }
            if !wide {
                out.number(flags, 4);
            }
            out.number(16, word);
        }
        for (section, offset) in self.sections.iter().zip(&offsets) {
            out.pad(*offset);
            out.bytes.extend(&section.bytes);
        }
        out.pad(names_at);
        out.bytes.extend(&names);
        out.pad(table_at + entry);
        let mut header = |name: usize, kind: u64, flags: u64, address: u64, offset: usize, size: usize| {
            out.number(name as u64, 4);
            out.number(kind, 4);
            for value in [flags, address, offset as u64, size as u64] {
                out.number(value, word);
            }
            out.number(0, 8);
            out.number(1, word);
            out.number(0, word);
        };
        header(1, 3, 0, 0, names_at, names.len());
        for ((section, offset), name) in self.sections.iter().zip(&offsets).zip(&name_offsets) {
            let flags = if section.executable { 6 } else { 3 };
            header(*name, 1, flags, section.address, *offset, section.bytes.len());
        }
        out.bytes
    }

    fn pe(&self, wide: bool) -> Vec<u8> {
        let optional = if wide { 112 } else { 96 };
        let mut out = Writer {
            bytes: b"MZ".to_vec(),
            little: true,
        };
        out.pad(0x3c);
        out.number(0x40, 4);
        out.bytes.extend(b"PE\0\0");
        out.number(if wide { 0x8664 } else { 0x14c }, 2);
        out.number(self.sections.len() as u64, 2);
        out.number(0, 8);
        out.number(0, 4);
        out.number(optional, 2);
        out.number(0x102, 2);
        let start = out.bytes.len();
        out.number(if wide { 0x20b } else { 0x10b }, 2);
        out.pad(start + usize::try_from(optional).unwrap());
        let mut at = (out.bytes.len() + 40 * self.sections.len()).next_multiple_of(16);
        let mut offsets = Vec::new();
        for section in &self.sections {
            offsets.push(at);
            out.text(&section.name[..section.name.len().min(8)], 8);
            out.number(section.bytes.len() as u64, 4);
            out.number(section.address, 4);
            out.number(section.bytes.len().next_multiple_of(16) as u64, 4);
            out.number(at as u64, 4);
            out.number(0, 12);
            out.number(
                if section.executable {
                    0x6000_0020
                } else {
                    0xc000_0040
                },
                4,
            );
            at += section.bytes.len().next_multiple_of(16);
        }
        for (section, offset) in self.sections.iter().zip(&offsets) {
            out.pad(*offset);
            out.bytes.extend(&section.bytes);
        }
        out.pad(at);
        out.bytes
    }

    fn mach_o(&self, wide: bool, little: bool, fat: bool) -> Vec<u8> {
        let word = if wide { 8 } else { 4 };
        let (header, segment, entry) = if wide { (32, 72, 80) } else { (28, 56, 68) };
        let commands = (segment + entry) * self.sections.len();
        let mut out = Writer {
            bytes: Vec::new(),
            little,
        };
        out.number(if wide { 0xfeed_facf } else { 0xfeed_face }, 4);
        out.number(if wide { 0x0100_0007 } else { 7 }, 4);
        out.number(3, 4);
        out.number(2, 4);
        out.number(self.sections.len() as u64, 4);
        out.number(commands as u64, 4);
        out.number(0, 4);
        out.pad(header);
        let mut at = (header + commands).next_multiple_of(16);
        let mut offsets = Vec::new();
        for section in &self.sections {
            offsets.push(at);
            let size = section.bytes.len() as u64;
            let protection = if section.executable { 5 } else { 3 };
            out.number(if wide { 0x19 } else { 1 }, 4);
            out.number((segment + entry) as u64, 4);
            out.text("__SEGMENT", 16);
            for value in [section.address, size, at as u64, size] {
                out.number(value, word);
            }
            out.number(protection, 4);
            out.number(protection, 4);
            out.number(1, 4);
            out.number(0, 4);
            out.text(&section.name, 16);
            out.text("__SEGMENT", 16);
            out.number(section.address, word);
            out.number(size, word);
            out.number(at as u64, 4);
            out.number(4, 4);
            out.number(0, 8);
            out.number(if section.executable { 0x8000_0400 } else { 0 }, 4);
            out.number(0, if wide { 12 } else { 8 });
            at = (at + section.bytes.len()).next_multiple_of(16);
        }
        for (section, offset) in self.sections.iter().zip(&offsets) {
            out.pad(*offset);
            out.bytes.extend(&section.bytes);
        }
        if !fat {
            return out.bytes;
        }
        let mut outer = Writer {
            bytes: Vec::new(),
            little: false,
        };
        outer.number(0xcafe_babe, 4);
        outer.number(1, 4);
        for value in [0x0100_0007, 3, 4096, out.bytes.len() as u64, 12] {
            outer.number(value, 4);
        }
        outer.pad(4096);
        outer.bytes.extend(out.bytes);
        outer.bytes
    }
}
