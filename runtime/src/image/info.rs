//! What an image is and holds, for people: everything that can be told without
//! running it.

use super::functions::{Definition, symbols};
use super::header::ImageHeader;
use super::instances::{Instances, UNIT_WORDS};
use super::objects::{string, type_number};
use super::symbols::{Names, Package};
use crate::audit::{ArraySpace, ConsPages, check_arrays, decode_page, read_counts};
use crate::layout::records::{block, frame, types};
use crate::layout::{Generation, SymbolCell};
use crate::memory::{LispPtr, Mem, StackOffset, WORDS_PER_PAGE};
use crate::symbols::Symbols;

/// Everything about an image.
#[derive(Clone, Debug)]
pub struct ImageInfo {
    /// What the interface page says.
    pub header: ImageHeader,
    /// When Lisp was made, as it says itself.
    pub made: Option<String>,
    /// What Lisp calls itself.
    pub herald: Option<String>,
    /// Width and height of the screen at the last save.
    pub screen: Option<(u16, u16)>,
    /// Runs of pages in the file, by address.
    pub regions: Vec<Region>,
    /// File pages that hold a page that another file page holds too.
    pub duplicate_pages: u32,
    /// File pages that hold nothing.
    pub empty_pages: u32,
    /// Packages, with the symbols at home in them.
    pub packages: Vec<(Package, u32)>,
    /// All symbols; some are at home in no package.
    pub symbols: u32,
    /// Functions.
    pub functions: Functions,
    /// Types of objects that are declared.
    pub types: Vec<TypeInfo>,
    /// Where free storage is.
    pub storage: Storage,
    /// The stack.
    pub stack: StackInfo,
    /// The reference count table.
    pub counts: ReferenceCounts,
    /// List cells.
    pub conses: ConsPages,
    /// Arrays and code blocks.
    pub arrays: ArraySpace,
}

/// A run of pages of one use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// What for.
    pub name: &'static str,
    /// First page.
    pub first_page: u32,
    /// Number of pages.
    pub pages: u32,
}

/// Definitions of symbols, and code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Functions {
    /// Symbols defined by a code block.
    pub compiled: u32,
    /// Symbols defined by a closure.
    pub closures: u32,
    /// Symbols defined by an expression.
    pub interpreted: u32,
    /// Code blocks in array space.
    pub blocks_in_arrays: u32,
    /// Code blocks among the objects of fixed size.
    pub blocks_in_hunks: u32,
}

impl Functions {
    /// All code blocks.
    pub fn code_blocks(&self) -> u32 {
        self.blocks_in_arrays + self.blocks_in_hunks
    }
}

/// A type of objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeInfo {
    /// Its number.
    pub number: u16,
    /// Its name.
    pub name: String,
    /// Words of an object; 0 if objects are not of fixed size.
    pub words: u16,
    /// Number of the type it is made from, 0 for none.
    pub supertype: u16,
    /// Units of two pages.
    pub units: u32,
    /// Objects.
    pub used: u32,
    /// Free places.
    pub free: u32,
    /// Objects ever made, as Lisp counts them.
    pub made: u32,
}

/// Where free storage is. Numbers are pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// State of storage (`reference/storage.md` section 6); 0: not decided.
    pub state: u16,
    /// Where the next array page will be.
    pub next_array_page: u32,
    /// Where the next unit of objects will be; they are made downwards.
    pub next_object_page: u32,
    /// First page of the objects.
    pub least_object_page: u32,
    /// First array page of the second region.
    pub second_array_page: u32,
    /// First unit of objects of the second region.
    pub second_object_page: u32,
    /// Last page of memory, as Lisp has it.
    pub last_page: u32,
    /// Pages between arrays and objects.
    pub free_pages: u32,
}

/// How the user stack is used. Numbers are words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StackInfo {
    /// Where it starts.
    pub base: StackOffset,
    /// Where it ends.
    pub end: StackOffset,
    /// Frames.
    pub frames: u32,
    /// Words in free blocks.
    pub free: u32,
    /// Words in frames and arguments.
    pub used: u32,
}

/// How the reference count table is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReferenceCounts {
    /// Entries: objects whose count is not one.
    pub entries: u32,
    /// Entries with count zero: garbage, unless the stack refers to it.
    pub zero: u32,
    /// Entries whose count is in the table of large counts.
    pub large: u32,
    /// Slots of the main table in use.
    pub slots: u32,
    /// Slots that head a chain of links.
    pub chains: u32,
    /// Links of all chains.
    pub links: u32,
    /// Words or cells of the collision table that links have been made in so far.
    pub collision_used: u32,
    /// Words or cells of the collision table; when they are used up, nothing is
    /// collected any more.
    pub collision_most: u32,
}

impl ImageInfo {
    /// Looks at the memory of an image that was just loaded.
    pub fn read<G: Generation>(mem: Mem<'_, G>, header: &ImageHeader) -> Self {
        let names = Names::new(mem);
        let (variables, _) = Symbols::find(mem, |name| names.find(name));
        let instances = Instances::new(mem);
        let conses = cons_pages(mem, &instances);
        let arrays = check_arrays(mem, &variables);
        let variable = |name| value(mem, names.find(name)?);
        let (symbols, packages) = packages(&names);
        let mut pages = pages(mem, header);
        let listed = pages.len();
        let empty_pages = header.file_pages - listed as u32;
        pages.sort_unstable();
        pages.dedup();
        Self {
            header: header.clone(),
            made: variable("MAKESYSDATE").and_then(|date| string(mem, date)),
            herald: variable("HERALDSTRING").and_then(|herald| string(mem, herald)),
            screen: screen(variable("SCREENWIDTH"), variable("SCREENHEIGHT")),
            duplicate_pages: (listed - pages.len()) as u32,
            empty_pages,
            regions: regions(mem, &pages),
            packages,
            symbols,
            functions: functions(mem, &instances, &arrays),
            types: type_infos(&names, &instances, &conses),
            storage: storage(mem, &variables),
            stack: stack(mem, header),
            counts: reference_counts(mem),
            conses,
            arrays,
        }
    }
}

fn value<G: Generation>(mem: Mem<'_, G>, symbol: LispPtr) -> Option<LispPtr> {
    Some(mem.cell(G::symbol_cell(symbol, SymbolCell::Value)))
}

fn screen(width: Option<LispPtr>, height: Option<LispPtr>) -> Option<(u16, u16)> {
    let pixels =
        |number: LispPtr| (number == LispPtr::smallpos(number.lo())).then_some(number.lo());
    Some((pixels(width?)?, pixels(height?)?))
}

/// Pages in the file, in file order.
fn pages<G: Generation>(mem: Mem<'_, G>, header: &ImageHeader) -> Vec<u32> {
    (1..=header.file_pages)
        .filter_map(|file_page| {
            let entry = G::FPTOVP.add(file_page * G::FPTOVP_ENTRY_WORDS);
            if G::FPTOVP_ENTRY_WORDS == 2 {
                let page = mem.cell(entry);
                (page.hi() != 0xFFFF).then_some(page.0)
            } else {
                let page = mem.word(entry);
                (page != 0xFFFF).then_some(u32::from(page))
            }
        })
        .collect()
}

/// Runs of pages of the same use among `pages`, which are in ascending order.
fn regions<G: Generation>(mem: Mem<'_, G>, pages: &[u32]) -> Vec<Region> {
    let mut regions: Vec<Region> = Vec::new();
    for &page in pages {
        let name = use_of(mem, page);
        match regions.last_mut() {
            Some(last) if last.name == name && last.first_page.wrapping_add(last.pages) == page => {
                last.pages += 1;
            }
            _ => regions.push(Region {
                name,
                first_page: page,
                pages: 1,
            }),
        }
    }
    regions
}

fn use_of<G: Generation>(mem: Mem<'_, G>, page: u32) -> &'static str {
    let address = LispPtr::from_page(page);
    let index = G::REGIONS.partition_point(|(start, _)| *start <= address);
    let heap = G::REGIONS.len();
    match type_number(mem, address) {
        _ if index < heap => G::REGIONS[index.saturating_sub(1)].1,
        types::ARRAY_BLOCK => "arrays",
        _ => "objects",
    }
}

fn packages<G: Generation>(names: &Names<'_, G>) -> (u32, Vec<(Package, u32)>) {
    let mut by_package = [0_u32; 256];
    for symbol in symbols(names.mem()) {
        by_package[usize::from(names.package_number(symbol))] += 1;
    }
    let counted = names
        .packages()
        .iter()
        .map(|package| (package.clone(), by_package[usize::from(package.number)]))
        .collect();
    (by_package.iter().sum(), counted)
}

fn functions<G: Generation>(
    mem: Mem<'_, G>,
    instances: &Instances<'_, G>,
    arrays: &ArraySpace,
) -> Functions {
    let mut functions = Functions {
        blocks_in_arrays: arrays.code,
        blocks_in_hunks: (types::CODE_HUNK_FIRST..=types::CODE_HUNK_LAST)
            .map(|number| instances.objects(number).count() as u32)
            .sum(),
        ..Functions::default()
    };
    for symbol in symbols(mem) {
        let cell = mem.cell(G::symbol_cell(symbol, SymbolCell::Definition));
        match Definition::of(mem, symbol) {
            Some(definition) if definition.closure => functions.closures += 1,
            Some(_) => functions.compiled += 1,
            None if !cell.masked::<G>().is_nil() => functions.interpreted += 1,
            None => {}
        }
    }
    functions
}

fn cons_pages<G: Generation>(mem: Mem<'_, G>, instances: &Instances<'_, G>) -> ConsPages {
    let mut totals = ConsPages::default();
    for unit in instances.units(types::LISTP) {
        let page = LispPtr(unit * UNIT_WORDS);
        decode_page(mem, page, &mut totals);
        decode_page(mem, page.add(WORDS_PER_PAGE), &mut totals);
    }
    totals
}

fn type_infos<G: Generation>(
    names: &Names<'_, G>,
    instances: &Instances<'_, G>,
    conses: &ConsPages,
) -> Vec<TypeInfo> {
    let mem = names.mem();
    let fields = G::DTD_FIELDS;
    let mut infos = Vec::new();
    for number in 1..G::DTD_CAPACITY as u16 {
        let dtd = G::dtd(u32::from(number));
        let name = G::dtd_name(mem, dtd);
        if name.is_nil() {
            continue;
        }
        let words = mem.word(dtd.add(fields.size));
        let (used, free) = match number {
            types::LISTP => (
                conses.nil_cdr + conses.on_page_cdr + conses.stored_cdr,
                conses.free,
            ),
            // Their places are no objects.
            types::SMALLP | types::LITATOM | types::CHARACTER => (0, 0),
            _ => {
                let free = instances.free(number);
                let places = instances.places(number);
                let (free, used): (Vec<_>, Vec<_>) = places.partition(|at| free.contains(at));
                (used.len() as u32, free.len() as u32)
            }
        };
        let recent = u32::from(mem.word(dtd.add(fields.recent_count)));
        infos.push(TypeInfo {
            number,
            name: names.name(name),
            words,
            supertype: mem.word(dtd.add(fields.supertype)),
            units: instances.units(number).len() as u32,
            used,
            free,
            made: mem.cell(dtd.add(fields.old_count)).0.wrapping_add(recent),
        });
    }
    infos
}

fn storage<G: Generation>(mem: Mem<'_, G>, variables: &Symbols) -> Storage {
    let page = |variable| {
        let value = mem.cell(variable);
        let boxed = type_number(mem, value) == types::FIXP;
        if boxed {
            mem.cell(value.masked::<G>()).0
        } else {
            u32::from(value.lo())
        }
    };
    let next_array_page = page(variables.next_array_page);
    let next_object_page = page(variables.next_mds_page);
    Storage {
        state: mem.cell(variables.storage_full_state).lo(),
        next_array_page,
        next_object_page,
        least_object_page: page(variables.least_mds_page),
        second_array_page: page(variables.second_array_page),
        second_object_page: page(variables.second_mds_page),
        last_page: page(variables.last_vmem_file_page),
        free_pages: next_object_page.saturating_sub(next_array_page),
    }
}

/// Walks the blocks of the user stack.
fn stack<G: Generation>(mem: Mem<'_, G>, header: &ImageHeader) -> StackInfo {
    let (base, end) = (header.stack_base, header.end_of_stack);
    let mut info = StackInfo {
        base,
        end,
        ..StackInfo::default()
    };
    let mut at = base.0;
    while at < end.0 {
        let word = |offset: u16| mem.stack_word(StackOffset(at).add(offset));
        let (words, frame) = match word(0) & block::KIND {
            block::FREE | block::GUARD => (word(1), false),
            block::FRAME => (word(frame::NEXT_BLOCK).wrapping_sub(at), true),
            _ => (2, false),
        };
        let words = words.max(2);
        info.frames += u32::from(frame);
        if word(0) & block::KIND == block::FREE {
            info.free += u32::from(words);
        } else {
            info.used += u32::from(words);
        }
        match at.checked_add(words) {
            Some(next) => at = next,
            None => break,
        }
    }
    info
}

fn reference_counts<G: Generation>(mem: Mem<'_, G>) -> ReferenceCounts {
    let table = read_counts(mem);
    ReferenceCounts {
        entries: table.counts.len() as u32,
        zero: table.zero,
        large: table.large,
        slots: table.occupied,
        chains: table.chains,
        links: table.links,
        collision_used: if G::WIDE_COUNTS {
            mem.cell(G::HT_COLLISION.add(2)).0
        } else {
            u32::from(mem.word(G::HT_COLLISION.add(1)))
        },
        collision_most: G::HT_COLLISION_LIMIT,
    }
}
